//! Packages of npm, installed exactly as a lock file says. Nothing is published from here.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::command::run;
use crate::progress::Progress;

/// How long one command of npm may take: an installation is seconds, on a slow line minutes.
const STEP_LIMIT: Duration = Duration::from_secs(20 * 60);

/// Installs what the lock file in `folder` says, unless that is what is installed.
///
/// # Errors
/// When Node or npm is missing, or the installation fails.
pub(crate) async fn install(folder: &Path, what: &str, progress: &Progress) -> Result<()> {
    let (lock, installed) =
        (folder.join("package-lock.json"), folder.join("node_modules/.installed-lock.json"));
    if std::fs::read(&lock).ok() == std::fs::read(&installed).ok() {
        return Ok(());
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    npm(folder, &arguments, what, progress).await?;
    // Written last: an installation broken off is no installation.
    std::fs::copy(&lock, &installed)?;
    Ok(())
}

/// Runs npm in `folder`; `what` is what people are told of it.
///
/// # Errors
/// When npm is missing or fails; then with all that it printed.
pub(crate) async fn npm(folder: &Path, arguments: &[&str], what: &str, progress: &Progress) -> Result<()> {
    let step = progress.step(what);
    let outcome = run(command(folder, arguments), &step, STEP_LIMIT).await;
    let outcome = outcome.context("install Node 20 or later with npm")?;
    if !outcome.success {
        step.failed();
        bail!("`npm {}` in {} failed:\n{}", arguments.join(" "), folder.display(), outcome.text);
    }
    step.done("");
    Ok(())
}

/// npm in `folder`, not yet started.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(folder);
    npm
}
