//! Builds the module: wasm target, cargo, then taken down to what a host calls, then optimised.

mod name;
mod slim;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::binaryen::{self, Names};
use crate::command::{cargo, run};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What the module is built for: WASI, because there the environment, and with it secrets, can be read.
const TARGET: &str = "wasm32-wasip1";

/// The largest module that is shipped, in bytes. Each Envoy compiles it at start, and a node image carries it; what is
/// above needs a reason in the commit that raises this.
const SIZE_BUDGET_BYTES: usize = 1_500_000;

/// How long a build may take: a cold one is about two minutes on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);

/// A module ready to be loaded.
#[derive(Debug)]
pub(crate) struct Built {
    /// Where it is.
    pub(crate) path: PathBuf,
    bytes: usize,
    linked_bytes: usize,
}

impl Built {
    /// Its size, for people.
    pub(crate) fn summary(&self) -> String {
        format!("{} bytes ({} as linked, budget {SIZE_BUDGET_BYTES})", self.bytes, self.linked_bytes)
    }

    /// Its size, for a line in a table.
    pub(crate) fn short_summary(&self) -> String {
        format!("{} bytes", self.bytes)
    }
}

/// Builds `target/portcullis.wasm`.
///
/// # Errors
/// When the target cannot be had, the build fails, the module exports or imports what it must not, or it is over its
/// size budget.
pub(crate) async fn build(workspace: &Workspace, progress: &Progress) -> Result<Built> {
    add_target(workspace, progress, TARGET).await?;
    let linked = link(workspace, progress).await?;
    let slim = binaryen::optimise(workspace, progress, "module", Names::Kept, &slim::slim(&linked)?).await?;
    let path = workspace.module();
    std::fs::create_dir_all(workspace.target())?;
    // By rename: an Envoy that starts meanwhile must not read half a module.
    let draft = path.with_extension("wasm.draft");
    std::fs::write(&draft, &slim)?;
    std::fs::rename(&draft, &path)?;
    let built = Built { path, bytes: slim.len(), linked_bytes: linked.len() };
    if built.bytes > SIZE_BUDGET_BYTES {
        bail!("the module has {} bytes, which is over its budget of {SIZE_BUDGET_BYTES}", built.bytes);
    }
    Ok(built)
}

/// Where cargo leaves the module, with the names of all functions.
pub(crate) fn linked(workspace: &Workspace) -> PathBuf {
    workspace.cargo_target.join(TARGET).join("release/portcullis_filter.wasm")
}

/// The module as cargo leaves it.
async fn link(workspace: &Workspace, progress: &Progress) -> Result<Vec<u8>> {
    let step = progress.step("building the module");
    let mut command = cargo(
        &workspace.root,
        ["build", "--package", "portcullis-filter", "--release", "--locked", "--target", TARGET],
    );
    command.env("CARGO_ENCODED_RUSTFLAGS", compiler_flags(workspace).join("\x1f"));
    let outcome = run(command, &step, BUILD_LIMIT).await?;
    if !outcome.success {
        step.failed();
        bail!("the module does not build:\n{}", outcome.text);
    }
    let linked = linked(workspace);
    let linked = std::fs::read(&linked).with_context(|| format!("cannot read {}", linked.display()))?;
    step.done(&format!("{} bytes as linked", linked.len()));
    Ok(linked)
}

/// Adds a target when the toolchain lacks it.
///
/// # Errors
/// When rustup is missing or fails.
pub(crate) async fn add_target(workspace: &Workspace, progress: &Progress, target: &str) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]).current_dir(&workspace.root);
    let folder = rustc.output().await.context("cannot run rustc")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&folder.stdout).trim());
    if folder.is_dir() {
        return Ok(());
    }
    let step = progress.step(format!("adding the target {target}"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", target]).current_dir(&workspace.root);
    let outcome = run(rustup, &step, BUILD_LIMIT).await.context("install Rust by rustup")?;
    if !outcome.success {
        step.failed();
        bail!("`rustup target add {target}` failed:\n{}", outcome.text);
    }
    step.done("");
    Ok(())
}

/// What the compiler is told of each crate in the module.
pub(crate) fn compiler_flags(workspace: &Workspace) -> Vec<String> {
    let mut flags = remapped_paths(workspace);
    flags.push(format!("-Cllvm-args=-inline-threshold={INLINE_THRESHOLD}"));
    flags
}

/// How large a function may be that LLVM puts where it is called, in its own measure; 225 is what it takes at level 2. All but
/// nothing is slower by it, and the module a tenth smaller: of documents each part has a reader of its own.
const INLINE_THRESHOLD: u32 = 120;

/// A module says where it trapped; where it was built is nobody's business: flags that write other names for these folders.
pub(crate) fn remapped_paths(workspace: &Workspace) -> Vec<String> {
    let home = std::env::var("HOME").unwrap_or_default();
    let cargo_home = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    vec![
        format!("--remap-path-prefix={}=portcullis", workspace.root.display()),
        format!("--remap-path-prefix={cargo_home}/registry/src=crates"),
    ]
}
