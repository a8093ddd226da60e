//! `cargo xtask counts`: what requests cost in the module, in instructions and calls into the host.
//!
//! The counting is done by an example of `tests/`, the comparing by its tests: nothing fails here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command::{cargo, run_step};
use crate::flame;
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
    Profile(Profile),
}

/// A profile of one path.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Which path.
    pub(crate) path: String,
    /// Where to draw it as a flame graph, instead of printing it.
    pub(crate) flame: Option<PathBuf>,
    /// The module, when it is not to be built: with the names of its functions, as cargo leaves it.
    pub(crate) module: Option<PathBuf>,
}

/// Builds the module, counts and prints.
///
/// # Errors
/// When something does not build, or a request does not go the way that is counted.
pub(crate) async fn run(workspace: &Workspace, progress: &Progress, wanted: Wanted) -> Result<()> {
    let profile = match wanted {
        Wanted::Profile(profile) => profile,
        Wanted::Table | Wanted::Baseline => {
            let built = module::build(workspace, progress).await?;
            let write = matches!(wanted, Wanted::Baseline).then_some("--write");
            print!("{}", count(workspace, progress, &built.path, write).await?);
            return Ok(());
        }
    };
    let Profile { path, flame, module } = profile;
    let module = match module {
        Some(module) => std::path::absolute(module)?,
        None => module::build(workspace, progress).await.map(|_| module::linked(workspace))?,
    };
    let Some(file) = flame else {
        print!("{}", count(workspace, progress, &module, ["--profile", &path]).await?);
        return Ok(());
    };
    let folded = count(workspace, progress, &module, ["--stacks", &path]).await?;
    let svg = flame::draw(&path, "instructions of WebAssembly for a request", &folded)?;
    std::fs::write(&file, svg).with_context(|| format!("{} cannot be written", file.display()))?;
    println!("{}", file.display());
    Ok(())
}

async fn count(
    workspace: &Workspace,
    progress: &Progress,
    module: &Path,
    arguments: impl IntoIterator<Item = &str>,
) -> Result<String> {
    let run = "run --quiet --locked --package portcullis-tests --example instructions --";
    let mut counter = cargo(&workspace.root, run.split(' '));
    counter.env(MODULE, module).args(arguments);
    run_step(progress, "counting instructions", counter, STEP_LIMIT).await
}

/// Which module the example runs.
const MODULE: &str = "PORTCULLIS_WASM";
