//! Builds the npm package: the decision point for wasm32, the JavaScript that calls it, and the types around that.
//!
//! wasm-bindgen is linked instead of run: its two halves must be of one version, and `Cargo.lock` holds both. The package
//! is made under `target/npm`; nothing is published from here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::binaryen::{self, Names};
use crate::command::{Outcome, cargo, run};
use crate::module::{add_target, remapped_paths};
use crate::npm;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What the engine is built for: no WASI, because JavaScript has none to offer.
const TARGET: &str = "wasm32-unknown-unknown";

/// The largest engine that is shipped, in bytes: a console loads it before it can show anything.
const SIZE_BUDGET_BYTES: usize = 1_000_000;

/// A console waits for the engine, and for no decision: what the module has fast is small here.
const SMALL: &str = r#"profile.release.package.portcullis-policy.opt-level="s""#;

/// How long each step may take: a cold build is about two minutes on two cores, an installation seconds.
const STEP_LIMIT: Duration = Duration::from_secs(20 * 60);

/// What the package is made of, in `policy-sdk/js`.
const SOURCES: [&str; 8] =
    ["package.json", "package-lock.json", "tsconfig.json", "README.md", "browser", "corpus", "src", "test"];

/// The published schema of documents, in `docs`.
const SCHEMA: &str = "portcullis.schema.json";

/// A package that can be installed.
#[derive(Debug)]
pub(crate) struct Package {
    /// Where it is.
    pub(crate) folder: PathBuf,
    engine_bytes: usize,
}

impl Package {
    /// The size of its engine, for people.
    pub(crate) fn summary(&self) -> String {
        format!("{} bytes of wasm (budget {SIZE_BUDGET_BYTES})", self.engine_bytes)
    }
}

/// Builds `target/npm`.
///
/// # Errors
/// When the target or TypeScript cannot be had, a part does not build, or the engine is over its budget.
pub(crate) async fn build(workspace: &Workspace, progress: &Progress) -> Result<Package> {
    add_target(workspace, progress, TARGET).await?;
    let folder = workspace.package();
    build_engine(workspace, progress).await?;
    lay_out(workspace, &folder)?;
    let linked = workspace.cargo_target.join(TARGET).join("release/portcullis_policy.wasm");
    let engine = folder.join("dist/engine");
    Bindgen::new()
        .input_path(&linked)
        .out_name("portcullis")
        .typescript(true)
        .omit_default_module_path(false)
        .web(true)?
        .generate(&engine)?;
    let engine = engine.join("portcullis_bg.wasm");
    let linked = std::fs::read(&engine)?;
    let optimised = binaryen::optimise(workspace, progress, "engine", Names::Dropped, &linked).await?;
    std::fs::write(&engine, &optimised)?;
    let engine_bytes = optimised.len();
    ensure!(
        engine_bytes <= SIZE_BUDGET_BYTES,
        "the engine has {engine_bytes} bytes, which is over its budget of {SIZE_BUDGET_BYTES}"
    );
    npm::install(&folder, "installing TypeScript", progress).await?;
    npm::npm(&folder, &["run", "build"], "types of the npm package", progress).await?;
    Ok(Package { folder, engine_bytes })
}

/// Runs the package's own tests: what TypeScript must accept and refuse, and what Node must answer.
///
/// # Errors
/// When npm cannot be run.
pub(crate) async fn test(package: &Package, progress: &Progress) -> Result<Outcome> {
    let step = progress.step("tests of the npm package");
    let outcome = run(npm::command(&package.folder, &["test"]), &step, STEP_LIMIT).await?;
    if outcome.success {
        step.done("")
    } else {
        step.failed()
    };
    Ok(outcome)
}

/// How many tests passed and failed, as Node counts them in TAP; `None` when it did not come to that.
pub(crate) fn counts(printed: &str) -> Option<(u64, u64)> {
    let count = |name: &str| printed.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some((count("# pass ")?, count("# fail ")?))
}

async fn build_engine(workspace: &Workspace, progress: &Progress) -> Result<()> {
    let step = progress.step("building the engine for JavaScript");
    // The crate is a library for Rust; what JavaScript loads is linked for this build alone.
    let arguments =
        "rustc --package portcullis-policy --lib --crate-type cdylib --features js --release --locked";
    let mut command =
        cargo(&workspace.root, arguments.split(' ').chain(["--target", TARGET, "--config", SMALL]));
    command.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths(workspace).join("\x1f"));
    let outcome = run(command, &step, STEP_LIMIT).await?;
    if !outcome.success {
        step.failed();
        bail!("the engine does not build for JavaScript:\n{}", outcome.text);
    }
    step.done("");
    Ok(())
}

/// The sources in a folder of their own, so that nothing is written beside them; what was installed there stays.
fn lay_out(workspace: &Workspace, folder: &Path) -> Result<()> {
    let from = workspace.root.join("policy-sdk/js");
    for stale in ["src", "test", "dist"] {
        let stale = folder.join(stale);
        if stale.exists() {
            std::fs::remove_dir_all(&stale)?;
        }
    }
    std::fs::create_dir_all(folder)?;
    for source in SOURCES {
        copy(&from.join(source), &folder.join(source))?;
    }
    // The types of a document are made of it.
    copy(&workspace.root.join("docs").join(SCHEMA), &folder.join(SCHEMA))?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("cannot copy {}", from.display());
    if !from.is_dir() {
        std::fs::copy(from, to).with_context(context)?;
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(context)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_node_are_read() {
        assert_eq!(counts("ok 1 - a\n# tests 3\n# pass 2\n# fail 1\n"), Some((2, 1)));
        assert_eq!(counts("src/web.ts(5,7): error TS2554\n"), None, "the types did not hold: nothing ran");
    }
}
