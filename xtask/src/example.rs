//! `cargo xtask example NAME`: one of the examples with everything it needs, and its cases as real requests.

use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};
use portcullis_testbed::envoy::{Wanted, provision};
use portcullis_testbed::example::{Example, Outcome, Stage, StageOptions};

use crate::module;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// The width when the terminal does not say: pipes and build servers.
const WIDTH: u16 = 150;

/// How long the tokens to try are good for, in seconds: a working day, where the policy has no shorter bound.
const TOKEN_SECONDS: i64 = 8 * 60 * 60;

/// Runs an example; false when a case did not come out as it must.
///
/// # Errors
/// When a part cannot be got, built or started.
pub(crate) async fn run(
    workspace: &Workspace,
    progress: &Progress,
    envoy: &Wanted,
    name: &str,
    once: bool,
) -> Result<bool> {
    let example = Example::open(&workspace.root, name)?;
    let step = progress.step("looking for Envoy");
    let binary = provision(envoy, &workspace.envoy_cache(), &|detail| step.detail(detail)).await?;
    step.done(&format!("{} ({})", binary.version, binary.origin));
    let built = module::build(workspace, progress).await?;

    let step = progress.step(format!("starting {name}"));
    let folder = workspace.target().join("examples").join(name);
    std::fs::create_dir_all(&folder)?;
    let options = StageOptions {
        root: workspace.root.clone(),
        envoy: binary.path,
        module: built.path,
        audit_file: Some(folder.join("audit.ndjson")),
    };
    let stage = Stage::start(&options, example).await?;
    step.done("");

    let outcomes = stage.run().await?;
    println!("{}", table(&outcomes));
    for (case, reason) in stage.example().left_out() {
        println!("not sent: {case}: {reason}");
    }
    let bad: Vec<_> = outcomes.iter().filter(|outcome| !outcome.as_expected()).collect();
    let left_out = stage.example().left_out().count();
    println!("{} of {} as expected, {left_out} not sent", outcomes.len() - bad.len(), outcomes.len());
    for outcome in &bad {
        println!("NOT AS EXPECTED: {}: expected {}, got {}", outcome.name, outcome.expected, outcome.got);
    }
    let good = bad.is_empty();
    if !once {
        stay(&stage, workspace, &folder).await?;
    }
    Ok(good)
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table.set_header(["", "case", "who", "request", "answer"]);
    for outcome in outcomes {
        let mark = if outcome.as_expected() { "ok" } else { "BAD" };
        table.add_row([mark, &outcome.name, &outcome.who, &outcome.line, &outcome.got]);
    }
    table
}

/// Says where everything is, writes the address and a token for everybody into a file for the shell, and waits.
async fn stay(stage: &Stage, workspace: &Workspace, folder: &Path) -> Result<()> {
    let relative = |path: &Path| path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string();
    let gate = format!("http://{}", stage.bed.gate());
    let mut lines = vec![format!("GATE={gate}")];
    for (who, token) in stage.tokens(TOKEN_SECONDS)? {
        lines.push(format!("{}={token}", who.to_uppercase().replace('-', "_")));
    }
    let shell = folder.join("env.sh");
    std::fs::write(&shell, lines.join("\n") + "\n")
        .with_context(|| format!("cannot write {}", shell.display()))?;
    println!();
    println!("gate       {gate}");
    println!("metrics    http://{}/stats/prometheus", stage.bed.envoy.admin().address());
    println!("audit      {}", relative(stage.bed.sink.file()));
    println!("policy     {}", relative(&workspace.root.join(stage.example().policy())));
    println!();
    println!("In another terminal, for the lines of the example's README:");
    println!();
    println!("  . {}", relative(&shell));
    println!();
    println!("Ctrl-C ends it all.");
    Ok(tokio::signal::ctrl_c().await?)
}
