//! One run of the measuring program, as it is kept under `docs/performance/`: what `bench/` prints, and on what.

use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;

#[path = "../../../bench/src/measured.rs"]
mod measured;

pub(crate) use measured::{Bar, Spread};
use measured::{Latency, Memory, Push, Rounds, Start, Workers};

/// A run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Run {
    pub(crate) circumstances: Circumstances,
    #[serde(flatten)]
    pub(crate) measured: Measured,
}

/// When, on what and with what.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Circumstances {
    /// RFC 3339, in UTC.
    pub(crate) begun: String,
    /// The command that measured.
    pub(crate) command: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// Of one minute, before anything was built or measured.
    pub(crate) load: f64,
    pub(crate) envoy: String,
    pub(crate) rust: String,
    /// The commit that was built, with a `+` when there were changes that are not in it.
    pub(crate) commit: String,
    pub(crate) module_bytes: u64,
}

/// What the measuring program prints.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Measured {
    pub(crate) rounds: Rounds,
    pub(crate) latency: Latency,
    pub(crate) workers: Workers,
    pub(crate) push: Push,
    pub(crate) start: Start,
    pub(crate) memory: Memory,
}

impl Circumstances {
    /// Those of now.
    ///
    /// # Errors
    /// When git or rustc does not answer.
    pub(crate) fn now(
        workspace: &Workspace,
        command: String,
        load: f64,
        envoy: &str,
        module_bytes: u64,
    ) -> Result<Self> {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let processor = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let git = |arguments: &[&str]| ask(workspace, "git", arguments);
        // What a run writes is no change of what the next one measures.
        let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"])?;
        let mut commit = git(&["rev-parse", "--short=10", "HEAD"])?;
        if !changed.is_empty() {
            commit.push('+');
        }
        Ok(Self {
            begun: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            command,
            processor: processor.map_or("unknown", |found| found.1).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            load,
            envoy: envoy.to_owned(),
            rust: ask(workspace, "rustc", &["--version"])?,
            commit,
            module_bytes,
        })
    }
}

/// How busy the machine is: the load average of the last minute; 0 where the system does not say.
pub(crate) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

fn ask(workspace: &Workspace, program: &str, arguments: &[&str]) -> Result<String> {
    let mut command = std::process::Command::new(program);
    let output = command.args(arguments).current_dir(&workspace.root).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
