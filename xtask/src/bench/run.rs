//! One run of the measuring program, as it is kept under `docs/performance/`: what `bench/` prints, and on what.

use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;

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

/// Smallest, median and largest.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Rounds {
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) costs: Vec<Cost>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ratio {
    pub(crate) name: String,
    pub(crate) ours: String,
    pub(crate) against: String,
    pub(crate) ratio: Spread,
    pub(crate) bar: Option<f64>,
    pub(crate) kept: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Cost {
    pub(crate) lane: String,
    pub(crate) traffic: String,
    pub(crate) cpu_us: Spread,
    pub(crate) per_second: Spread,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Latency {
    pub(crate) rate: u32,
    pub(crate) seconds: f64,
    pub(crate) turns: usize,
    pub(crate) lanes: Vec<LatencyOfLane>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LatencyOfLane {
    pub(crate) lane: String,
    pub(crate) p50_us: Spread,
    pub(crate) p99_us: Spread,
    pub(crate) p999_us: Spread,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Workers {
    pub(crate) workers: u32,
    pub(crate) cores: usize,
    pub(crate) lanes: Vec<WorkersOfLane>,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct WorkersOfLane {
    pub(crate) lane: String,
    pub(crate) one: Spread,
    pub(crate) many: Spread,
    pub(crate) ratio: Spread,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Push {
    pub(crate) rules: usize,
    pub(crate) rate: u32,
    pub(crate) before_p99_us: Spread,
    pub(crate) push_p99_us: Spread,
    pub(crate) push_max_us: Spread,
    pub(crate) failed: usize,
    pub(crate) picture_p99_us: Vec<f64>,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Start {
    pub(crate) lanes: Vec<StartOfLane>,
    pub(crate) above_bare: Spread,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StartOfLane {
    pub(crate) lane: String,
    pub(crate) ms: Spread,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Memory {
    pub(crate) lanes: Vec<MemoryOfLane>,
    pub(crate) workers: Vec<MemoryOfWorkers>,
    pub(crate) long_run: LongRun,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemoryOfLane {
    pub(crate) lane: String,
    pub(crate) resident_mb: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemoryOfWorkers {
    pub(crate) lane: String,
    pub(crate) each_mb: Spread,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LongRun {
    pub(crate) requests: usize,
    pub(crate) growth_mb: f64,
    pub(crate) samples: Vec<(usize, f64)>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) measured: Spread,
    pub(crate) bar: f64,
    pub(crate) at_least: bool,
    pub(crate) kept: bool,
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
