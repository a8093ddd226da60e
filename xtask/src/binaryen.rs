//! What the compiler leaves in WebAssembly, taken out by Binaryen's `wasm-opt`. It comes from npm, because there it is
//! compiled; `xtask/binaryen` pins it.
//!
//! No option is used that assumes anything of the code, `--traps-never-happen` above all: an overflow must still trap.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::command::run;
use crate::npm;
use crate::progress::{Progress, Step};
use crate::workspace::Workspace;

/// How long it may take: twenty seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What rustc assumes of a host (LLVM's generic features of wasm32), and every host of proxy-wasm has; the optimiser may
/// use these and nothing newer.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Whether functions keep their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// A trap says where.
    Kept,
    /// What is loaded over a network is smaller without.
    Dropped,
}

/// `module`, smaller and no slower. The last result for each `name` is kept under `target/binaryen`, so
/// that what did not change is not optimised again.
///
/// # Errors
/// When Node or npm is missing, Binaryen cannot be installed, or it refuses the module.
pub(crate) async fn optimise(
    workspace: &Workspace,
    progress: &Progress,
    name: &str,
    names: Names,
    module: &[u8],
) -> Result<Vec<u8>> {
    let folder = workspace.target().join("binaryen");
    std::fs::create_dir_all(&folder)?;
    let pinned = workspace.root.join("xtask/binaryen");
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(pinned.join(file), folder.join(file))
            .with_context(|| format!("cannot copy {}", pinned.join(file).display()))?;
    }
    npm::install(&folder, "installing Binaryen", progress).await?;
    let lock = std::fs::read(folder.join("package-lock.json"))?;
    let key = [module, &lock, format!("{names:?} {INLINE_ARITHMETIC:?}").as_bytes()].concat();
    let (known, input, output) = (
        folder.join(format!("{name}.key")),
        folder.join(format!("{name}.in.wasm")),
        folder.join(format!("{name}.out.wasm")),
    );
    if std::fs::read(&known).is_ok_and(|of| of == key) {
        return Ok(std::fs::read(&output)?);
    }
    // Until there is a new result, the old one is nobody's.
    std::fs::write(&known, [])?;
    std::fs::write(&input, module)?;
    let step = progress.step("optimising the module");
    let outcome = match names {
        Names::Dropped => wasm_opt(&folder, &["-O3"], &input, &output, &step).await,
        Names::Kept => {
            let between = folder.join(format!("{name}.between.wasm"));
            match wasm_opt(&folder, &["-O3", "--debuginfo"], &input, &between, &step).await {
                Ok(()) => wasm_opt(&folder, &INLINE_ARITHMETIC, &between, &output, &step).await,
                failed => failed,
            }
        }
    };
    if outcome.is_err() {
        step.failed();
    } else {
        step.done("");
    }
    outcome?;
    let optimised = std::fs::read(&output).with_context(|| format!("cannot read {}", output.display()))?;
    std::fs::write(&known, key)?;
    Ok(optimised)
}

/// Multiplication of 128-bit numbers is a function of the compiler's own in WebAssembly, and signatures are made of it. Its
/// name has no crate in front, unlike all others, which stay where they are.
const INLINE_ARITHMETIC: [&str; 9] = [
    "--debuginfo",
    "-ol",
    "3",
    "-s",
    "0",
    "--no-inline=*::*",
    "--inlining-optimizing",
    "--flexible-inline-max-function-size=60",
    // Where a product stands, half of its steps are found to be of zeros, and go.
    "-O3",
];

async fn wasm_opt(folder: &Path, passes: &[&str], input: &Path, output: &Path, step: &Step) -> Result<()> {
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules/binaryen/bin/wasm-opt"));
    command.args(FEATURES).args(passes).arg(input).arg("--output").arg(output);
    let outcome = run(command, step, LIMIT).await.context("install Node 20 or later")?;
    ensure!(outcome.success, "wasm-opt failed:\n{}", outcome.text);
    Ok(())
}
