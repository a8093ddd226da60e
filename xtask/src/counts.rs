//! `cargo xtask counts`: what requests cost in the module, in instructions and calls into the host.
//!
//! The counting is done by an example of `tests/`, the comparing by its tests: nothing fails here.

use std::time::Duration;

use anyhow::Result;

use crate::command::{cargo, run_step};
use crate::module;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// How long building and counting may take: a cold build of what counts is minutes, a count seconds.
const STEP_LIMIT: Duration = Duration::from_secs(20 * 60);

/// What is done with the counts.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// They are shown.
    Table,
    /// They are shown, and become the ones that tests compare with.
    Baseline,
    /// The functions that one path's instructions are of are shown.
    Profile(String),
}

/// Builds the module, counts and prints.
///
/// # Errors
/// When something does not build, or a request does not go the way that is counted.
pub(crate) async fn run(workspace: &Workspace, progress: &Progress, wanted: Wanted) -> Result<()> {
    let built = module::build(workspace, progress).await?;
    let run = "run --quiet --locked --package portcullis-tests --example instructions --";
    let mut counter = cargo(&workspace.root, run.split(' '));
    match wanted {
        Wanted::Table => counter.env(MODULE, &built.path),
        Wanted::Baseline => counter.env(MODULE, &built.path).arg("--write"),
        Wanted::Profile(path) => counter.env(MODULE, module::linked(workspace)).arg("--profile").arg(path),
    };
    print!("{}", run_step(progress, "counting instructions", counter, STEP_LIMIT).await?);
    Ok(())
}

/// Which module the example runs.
const MODULE: &str = "PORTCULLIS_WASM";
