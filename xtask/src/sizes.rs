//! `cargo xtask sizes`: what large documents cost, natively and as WebAssembly, as a table.
//!
//! The measuring is done by the example `sizes` of the decision point. Numbers of a busy machine are no verdict: nothing
//! fails here, and what no clock is needed for is held by tests.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::command::{cargo, run as run_command};
use crate::module::add_target;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What the program is built for besides this machine.
const WASM: &str = "wasm32-wasip1";

/// Runs WASI programs in Node, which has the engine that Envoy has.
const RUNNER: &str = include_str!("sizes.mjs");

/// How long each step may take: a cold build is minutes, a run a quarter of one.
const STEP_LIMIT: Duration = Duration::from_secs(20 * 60);

/// Measures and prints.
///
/// # Errors
/// When the program does not build, or Node is missing.
pub(crate) async fn run(workspace: &Workspace, progress: &Progress, as_json: bool) -> Result<()> {
    add_target(workspace, progress, WASM).await?;
    let build = "build --release --locked --package portcullis-policy --example sizes";
    let program = workspace.cargo_target.join("release/examples/sizes");
    step(progress, "building for this machine", cargo(&workspace.root, build.split(' '))).await?;
    let native = step(progress, "measuring on this machine", Command::new(program)).await?;

    let for_wasm = build.split(' ').chain(["--target", WASM]);
    step(progress, "building for WebAssembly", cargo(&workspace.root, for_wasm)).await?;
    let mut node = Command::new("node");
    node.args(["--no-warnings", "--input-type=module", "--eval", RUNNER]);
    node.arg(workspace.cargo_target.join(WASM).join("release/examples/sizes.wasm"));
    let wasm = step(progress, "measuring in WebAssembly", node).await?;

    let (native, wasm) = (last_line(&native)?, last_line(&wasm)?);
    if as_json {
        println!("{}", json!({ "native": native, "wasm": wasm }));
    } else {
        println!("native\n\n{}\n\nWebAssembly\n\n{}", table(&native), table(&wasm));
    }
    Ok(())
}

async fn step(progress: &Progress, what: &str, command: Command) -> Result<String> {
    let step = progress.step(what);
    let outcome = run_command(command, &step, STEP_LIMIT).await?;
    if outcome.success {
        step.done("");
    } else {
        step.failed();
    }
    ensure!(outcome.success, "{what} failed:\n{}", outcome.text);
    Ok(outcome.text)
}

fn last_line(printed: &str) -> Result<Value> {
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("no measurements, but: {printed}"))
}

fn table(lines: &Value) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "document",
        "bytes",
        "serde_json, ms",
        "reading, ms",
        "loading, ms",
        "times serde_json",
        "decision, ns",
        "times the smallest",
        "kept, bytes each",
    ]);
    let mut smallest = (String::new(), 0.0);
    for line in lines.as_array().into_iter().flatten() {
        let number = |name: &str| line[name].as_f64().unwrap_or_default();
        let what = line["what"].as_str().unwrap_or_default();
        let decision = number("decision_ns");
        if smallest.0 != what {
            smallest = (what.to_owned(), decision);
        }
        let milliseconds = |name: &str| format!("{:.3}", number(name) / 1e6);
        table.add_row([
            format!("{} {what}", line["count"]),
            line["bytes"].to_string(),
            milliseconds("serde_json_ns"),
            milliseconds("read_ns"),
            milliseconds("load_ns"),
            format!("{:.1}", number("load_ns") / number("serde_json_ns")),
            line["decision_ns"].to_string(),
            format!("{:.2}", decision / smallest.1),
            format!("{:.0}", number("kept_bytes") / number("count")),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_compared_with_its_smallest() {
        let line = |what: &str, count: u64, decision: u64| {
            json!({
                "what": what, "count": count, "bytes": 900, "serde_json_ns": 1_000_000, "read_ns": 2_000_000,
                "load_ns": 3_000_000, "decision_ns": decision, "kept_bytes": count * 50,
            })
        };
        let lines = json!([line("rules", 10, 400), line("rules", 1000, 500), line("roles", 10, 800)]);
        let printed = table(&lines).to_string();
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let rows: Vec<_> = printed.lines().skip(2).map(cells).collect();
        let row = ["", "1000 rules", "900", "1.000", "2.000", "3.000", "3.0", "500", "1.25", "50", ""];
        assert_eq!(rows[1], row);
        assert_eq!(rows[2][8], "1.00");
    }
}
