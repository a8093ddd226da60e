//! `cargo xtask sizes`: what large documents cost, natively and as WebAssembly, as a table.
//!
//! The measuring is done by the example `sizes` of the decision point. Times of a busy machine are no verdict, and nothing
//! fails for them. The same program is run once more on a clock that counts WebAssembly instructions: those are the same in
//! every run, and what is promised of them is held.

use std::cmp::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::command::{cargo, run_step};
use crate::module::{add_target, compiler_flags};
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
    let program = workspace.cargo_target.join("release/examples/sizes");
    run_step(progress, "building for this machine", build(workspace), STEP_LIMIT).await?;
    let native = run_step(progress, "measuring on this machine", Command::new(program), STEP_LIMIT).await?;

    run_step(progress, "building for WebAssembly", build_for_wasm(workspace), STEP_LIMIT).await?;
    let mut node = Command::new("node");
    node.args(NODE_OPTIONS).args(["--input-type=module", "--eval", RUNNER]);
    node.arg(workspace.cargo_target.join(WASM).join("release/examples/sizes.wasm"));
    let wasm = run_step(progress, "measuring in WebAssembly", node, STEP_LIMIT).await?;

    let counted = count(workspace, progress).await?;
    let (native, wasm) = (last_line(&native)?, last_line(&wasm)?);
    if as_json {
        println!("{}", json!({ "native": native, "wasm": wasm, "counted": counted }));
    } else {
        println!("native\n\n{}\n\nWebAssembly\n", table(&native, TIMES));
        println!("{}\n\nWebAssembly, instructions\n\n{}", table(&wasm, TIMES), table(&counted, COUNTS));
    }
    let broken = broken_promises(&counted);
    ensure!(broken.is_empty(), "by instructions: {}", broken.join("; "));
    Ok(())
}

/// Counts, and says which promises the counts break.
///
/// # Errors
/// When the program does not build or run.
pub(crate) async fn broken(workspace: &Workspace, progress: &Progress) -> Result<Vec<String>> {
    add_target(workspace, progress, WASM).await?;
    run_step(progress, "building for WebAssembly", build_for_wasm(workspace), STEP_LIMIT).await?;
    Ok(broken_promises(&count(workspace, progress).await?))
}

fn build(workspace: &Workspace) -> Command {
    let build = "build --release --locked --package portcullis-policy --example sizes";
    cargo(&workspace.root, build.split(' '))
}

/// As the module is built.
fn build_for_wasm(workspace: &Workspace) -> Command {
    let mut command = build(workspace);
    command.args(["--target", WASM]).env("CARGO_ENCODED_RUSTFLAGS", compiler_flags(workspace).join("\x1f"));
    command
}

/// Runs the program on a clock that counts.
async fn count(workspace: &Workspace, progress: &Progress) -> Result<Value> {
    let run = "run --quiet --locked --package portcullis-tests --example count --";
    let mut counter = cargo(&workspace.root, run.split(' '));
    counter.arg(workspace.cargo_target.join(WASM).join("release/examples/sizes.wasm")).arg("--once");
    last_line(&run_step(progress, "counting instructions", counter, STEP_LIMIT).await?)
}

/// Everything is compiled well before it runs: what is measured is not the compiler. And Node 20 must not throw away the code
/// that started a program while the program runs: of eight runs without this option five ended in a crash of Node's
/// interpreter when the program had printed its last line and returned, of four with it none.
const NODE_OPTIONS: [&str; 3] = ["--no-warnings", "--no-liftoff", "--no-flush-bytecode"];

/// What is promised: a decision among the most, in terms of one among the fewest.
const MOST_OF_THE_SMALLEST: f64 = 1.5;

/// What is promised: loading a hundred thousand rules, in terms of what serde_json takes to parse them.
const MOST_OF_SERDE_JSON: f64 = 3.0;

/// What is promised: bytes that a rule keeps, among a hundred thousand.
const MOST_BYTES_A_RULE: f64 = 200.0;

fn broken_promises(lines: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let mut smallest = (String::new(), 0.0);
    for line in lines.as_array().into_iter().flatten() {
        let number = |name: &str| line[name].as_f64().unwrap_or(f64::NAN);
        let what = line["what"].as_str().unwrap_or_default();
        let count = number("count");
        if smallest.0 != what {
            smallest = (what.to_owned(), number("decision_ns"));
        }
        let mut at_most = |most: f64, found: f64, of: &str| {
            // What is not a number is not at most anything.
            if !matches!(found.partial_cmp(&most), Some(Ordering::Less | Ordering::Equal)) {
                broken.push(format!("{count} {what}: {found:.2} {of}, at most {most} are promised"));
            }
        };
        at_most(MOST_OF_THE_SMALLEST, number("decision_ns") / smallest.1, "times the smallest decision");
        if what == "rules" && count >= 100_000.0 {
            at_most(MOST_OF_SERDE_JSON, number("load_ns") / number("serde_json_ns"), "times serde_json");
            at_most(MOST_BYTES_A_RULE, number("kept_bytes") / count, "bytes a rule");
        }
    }
    if lines.as_array().is_none_or(Vec::is_empty) {
        broken.push("nothing was measured".to_owned());
    }
    broken
}

fn last_line(printed: &str) -> Result<Value> {
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("no measurements, but: {printed}"))
}

/// The units of what took long and of what took short.
type Units = (&'static str, &'static str);

const TIMES: Units = ("ms", "ns");
const COUNTS: Units = ("millions", "instructions");

fn table(lines: &Value, (long, short): Units) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "document".to_owned(),
        "bytes".to_owned(),
        format!("serde_json, {long}"),
        format!("reading, {long}"),
        format!("loading, {long}"),
        "times serde_json".to_owned(),
        format!("decision, {short}"),
        "times the smallest".to_owned(),
        "kept, bytes each".to_owned(),
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
        let printed = table(&lines, TIMES).to_string();
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let rows: Vec<_> = printed.lines().skip(2).map(cells).collect();
        let row = ["", "1000 rules", "900", "1.000", "2.000", "3.000", "3.0", "500", "1.25", "50", ""];
        assert_eq!(rows[1], row);
        assert_eq!(rows[2][8], "1.00");
    }

    #[test]
    fn a_promise_that_is_broken_is_named() {
        let lines = |decision: u64, load: u64, kept: u64| {
            let line = |count: u64, decision: u64| {
                json!({
                    "what": "rules", "count": count, "bytes": 900, "serde_json_ns": 1_000, "read_ns": 2_000,
                    "load_ns": load, "decision_ns": decision, "kept_bytes": count * kept,
                })
            };
            json!([line(10, 1_000), line(100_000, decision)])
        };
        assert_eq!(broken_promises(&lines(1_500, 3_000, 200)), [""; 0]);
        assert_eq!(
            broken_promises(&lines(1_510, 3_010, 201)),
            [
                "100000 rules: 1.51 times the smallest decision, at most 1.5 are promised",
                "100000 rules: 3.01 times serde_json, at most 3 are promised",
                "100000 rules: 201.00 bytes a rule, at most 200 are promised",
            ]
        );
        assert_eq!(broken_promises(&json!([])), ["nothing was measured"]);
        assert_eq!(broken_promises(&json!([{ "what": "rules", "count": 10 }])).len(), 1);
    }
}
