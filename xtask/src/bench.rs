//! `cargo xtask bench`: what the gate costs beside Envoy's own filters, in one Envoy.
//!
//! The measuring is done by the program of `bench/`, optimised and in a process of its own. Figures of a busy machine are
//! no verdict, and nothing fails here.

use std::time::Duration;

use anyhow::{Context, Result};
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use portcullis_testbed::envoy::{Wanted, provision};
use serde_json::Value;
use tokio::process::Command;

use crate::command::{cargo, run_step};
use crate::module;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What modules are built for.
const WASM: &str = "wasm32-wasip1";

/// How long each step may take: a cold build and a whole run are minutes each.
const STEP_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// For a first look, in under three minutes.
    Quick,
    /// For figures that are told to others.
    Whole,
}

impl Extent {
    /// What the measuring program is told.
    fn arguments(self) -> &'static str {
        match self {
            Self::Quick => "--rounds 8 --requests 1000 --turns 2 --seconds 0.5 --requests-for-memory 100000",
            Self::Whole => "--rounds 12 --requests 5000 --turns 8 --seconds 3 --requests-for-memory 1000000",
        }
    }
}

/// Measures and prints tables, or the measurements as JSON.
///
/// # Errors
/// When something does not build, or Envoy does not run.
pub(crate) async fn run(
    workspace: &Workspace,
    progress: &Progress,
    envoy: &Wanted,
    extent: Extent,
    as_json: bool,
) -> Result<()> {
    let looking = progress.step("looking for Envoy");
    let envoy = provision(envoy, &workspace.envoy_cache(), &|detail| looking.detail(detail)).await?;
    looking.done(&envoy.version);
    let module = module::build(workspace, progress).await?;
    let build = |arguments: &str| cargo(&workspace.root, arguments.split(' '));
    let empty = build("build --release --locked --package portcullis-bench-empty --target wasm32-wasip1");
    run_step(progress, "building a filter that does nothing", empty, STEP_LIMIT).await?;
    let program = build("build --profile load --locked --package portcullis-bench");
    run_step(progress, "building what measures", program, STEP_LIMIT).await?;

    let mut program = Command::new(workspace.cargo_target.join("load/portcullis-bench"));
    program.arg("--envoy").arg(&envoy.path).arg("--module").arg(&module.path).arg("--empty");
    program.arg(workspace.cargo_target.join(WASM).join("release/portcullis_bench_empty.wasm"));
    program.args(extent.arguments().split(' '));
    let measured = run_step(progress, "measuring", program, STEP_LIMIT).await?;
    let line = measured.lines().last().unwrap_or_default();
    let measured: Value =
        serde_json::from_str(line).with_context(|| format!("no measurements, but: {measured}"))?;
    if as_json {
        println!("{measured:#}");
    } else {
        println!(
            "Envoy {}\n\n{}\n\n{}",
            envoy.version,
            ratios(&measured["rounds"]["ratios"]),
            costs(&measured["rounds"]["costs"])
        );
    }
    Ok(())
}

/// The ratio to what it is compared with, and the bar.
fn ratios(lines: &Value) -> Table {
    let mut table = table(&["case", "of", "to", "ratio", "smallest", "largest", "bar", ""]);
    for line in lines.as_array().into_iter().flatten() {
        let ratio = &line["ratio"];
        table.add_row([
            text(&line["name"]),
            text(&line["ours"]),
            text(&line["against"]),
            number(&ratio["median"], 2),
            number(&ratio["min"], 2),
            number(&ratio["max"], 2),
            number(&line["bar"], 2),
            match line["kept"].as_bool() {
                Some(true) => "kept".to_owned(),
                Some(false) => "missed".to_owned(),
                None => String::new(),
            },
        ]);
    }
    table
}

/// What each listener costs.
fn costs(lines: &Value) -> Table {
    let mut table =
        table(&["traffic", "listener", "CPU, µs a request", "smallest", "largest", "requests a second"]);
    for line in lines.as_array().into_iter().flatten() {
        let cpu = &line["cpu_us"];
        table.add_row([
            text(&line["traffic"]),
            text(&line["lane"]),
            number(&cpu["median"], 1),
            number(&cpu["min"], 1),
            number(&cpu["max"], 1),
            number(&line["per_second"]["median"], 0),
        ]);
    }
    table
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value, digits: usize) -> String {
    value.as_f64().map(|number| format!("{number:.digits$}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bar_that_is_missed_says_so() {
        let spread = json!({"min": 0.9, "median": 1.0, "max": 1.1});
        let lines = json!([{"name": "warm", "ours": "a", "against": "b", "ratio": spread, "bar": 0.85, "kept": false}]);
        let table = ratios(&lines).to_string();
        assert!(["warm", "1.00", "0.85", "missed"].iter().all(|part| table.contains(part)), "{table}");
    }
}
