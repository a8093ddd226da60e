//! `cargo xtask demo`: the gate in front of a small service, with requests that tell what it does. Everything is real but
//! the service: Envoy, the shipped configuration, the module, an issuer with keys of its own, and an audit sink.

mod story;
mod table;
mod visit;

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use portcullis_testbed::bed::{Bed, BedOptions};
use portcullis_testbed::envoy::{Wanted, provision};
use portcullis_testbed::envoy_config::read_yaml;
use tokio::process::Command;

use crate::command::{self, cargo};
use crate::module;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// How long the command line may take to build on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);

/// The policy the demo runs with.
const POLICY: &str = "examples/quickstart/policy.yaml";

/// Runs the demo; false when a row of the table is not as expected.
///
/// # Errors
/// When a part cannot be got, built or started; the message names the command that mends it.
pub(crate) async fn run(
    workspace: &Workspace,
    progress: &Progress,
    envoy: &Wanted,
    once: bool,
) -> Result<bool> {
    let step = progress.step("looking for Envoy");
    let binary = provision(envoy, &workspace.envoy_cache(), &|detail| step.detail(detail)).await?;
    step.done(&format!("{} ({})", binary.version, binary.origin));
    // Side by side: the last minute of the module's build has work for one core only.
    let (built, command_line) =
        tokio::join!(module::build(workspace, progress), build_command_line(workspace, progress));
    let built = built?;
    command_line?;

    let step = progress.step("starting upstream, issuer, audit sink and Envoy");
    let document = read_yaml(&workspace.root.join(POLICY))?;
    let mut options = BedOptions::new(&workspace.root, &binary.path, &built.path, document.clone());
    let audit_file = workspace.target().join("demo").join("audit.ndjson");
    std::fs::create_dir_all(workspace.target().join("demo"))?;
    options.audit_file = Some(audit_file);
    let bed = Bed::start(&options).await?;
    step.done("");

    let mut rows = story::requests(&bed).await?;
    rows.extend(story::policy_pushes(&bed, &document).await?);
    rows.push(story::audit(&bed, &workspace.program("portcullis")).await?);
    println!("{}", table::render(&rows));
    let unexpected: Vec<_> = rows.iter().filter(|row| !row.as_expected()).collect();
    println!("{} of {} as expected", rows.len() - unexpected.len(), rows.len());
    for row in &unexpected {
        println!("NOT AS EXPECTED: {}: {}", row.what, row.mismatch());
    }
    if once {
        return Ok(unexpected.is_empty());
    }
    visit::stay(&bed, workspace, &workspace.root.join(POLICY)).await?;
    Ok(unexpected.is_empty())
}

async fn build_command_line(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let step = progress.step("building the portcullis command");
    let build = cargo(&workspace.root, ["build", "--package", "portcullis-cli", "--locked"]);
    let outcome = command::run(build, &step, BUILD_LIMIT).await?;
    if !outcome.success {
        step.failed();
        bail!("the command does not build:\n{}", outcome.text);
    }
    step.done("");
    Ok(())
}

/// Runs the `portcullis` command and returns how it ended and what it printed.
async fn portcullis(
    program: &std::path::Path,
    arguments: &[&std::ffi::OsStr],
) -> Result<(ExitStatus, String)> {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status, String::from_utf8_lossy(&text).trim().to_owned()))
}
