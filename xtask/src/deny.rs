//! Licences, sources and bans of all dependencies by cargo-deny, whose own build takes minutes and is therefore a task of
//! its own rather than a part of `cargo xtask test`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::command::{self, cargo};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// How long installing or running it may take.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Checks the dependencies; installs cargo-deny under `target/tools` when it is nowhere.
///
/// # Errors
/// When it cannot be installed or finds something.
pub(crate) async fn run(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let program = match installed(workspace) {
        Some(program) => program,
        None => install(workspace, progress).await?,
    };
    check(program, workspace, progress).await
}

/// Checks the dependencies with a cargo-deny that is there.
///
/// # Errors
/// When it finds something.
pub(crate) async fn check(program: PathBuf, workspace: &Workspace, progress: &Progress) -> Result<()> {
    let step = progress.step("checking licences, sources and bans of all dependencies");
    let mut command = Command::new(program);
    // Advisories need a database from the network and change without us: they are not part of a build.
    command.args(["--all-features", "check", "licenses", "bans", "sources"]).current_dir(&workspace.root);
    let outcome = command::run(command, &step, LIMIT).await?;
    if !outcome.success {
        step.failed();
        bail!("cargo-deny found something:\n{}", outcome.text);
    }
    step.done("");
    Ok(())
}

/// The cargo-deny that is on the path or was installed by us.
pub(crate) fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let ours = tools(workspace).join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain([ours]);
    folders.find_map(|folder| Some(folder.join("cargo-deny")).filter(|program| program.is_file()))
}

async fn install(workspace: &Workspace, progress: &Progress) -> Result<PathBuf> {
    let step = progress.step("installing cargo-deny under target/tools");
    let mut command = cargo(&workspace.root, ["install", "cargo-deny", "--locked", "--root"]);
    command.arg(tools(workspace));
    let outcome = command::run(command, &step, LIMIT).await?;
    if !outcome.success {
        step.failed();
        bail!("cargo-deny cannot be installed:\n{}", outcome.text);
    }
    step.done("");
    Ok(tools(workspace).join("bin/cargo-deny"))
}

fn tools(workspace: &Workspace) -> PathBuf {
    workspace.target().join("tools")
}
