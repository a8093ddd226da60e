//! `cargo xtask test`: everything that must hold before a change lands, in one run, with the time each step took. A
//! build server runs exactly this. Steps go on after one failed, so that one run tells all there is to mend.

mod policies;
mod runner;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use portcullis_testbed::envoy::{EnvoyBinary, Wanted, provision};

use self::runner::read_runners;
use crate::command::{self, cargo};
use crate::progress::Progress;
use crate::workspace::Workspace;
use crate::{demo, deny, module, sdk, sizes, tidy};

/// How long one step may take; all together have 25 minutes from empty caches on two cores.
const STEP_LIMIT: Duration = Duration::from_secs(25 * 60);

/// What was run so far.
#[derive(Debug, Default)]
struct Report {
    passed: u64,
    failed: u64,
    lines: Vec<String>,
}

impl Report {
    /// Notes a step that counts as one test.
    fn note(&mut self, name: &str, success: bool, took: Duration, trouble: &str) {
        self.count(name, u64::from(success), u64::from(!success), took);
        if !success {
            println!("---- {name}\n{}\n", trouble.trim_end());
        }
    }

    fn count(&mut self, name: &str, passed: u64, failed: u64, took: Duration) {
        self.passed += passed;
        self.failed += failed;
        let mark = if failed == 0 { "ok " } else { "BAD" };
        self.lines.push(format!(
            "{mark} {name:<44} {passed:>5} passed {failed:>3} failed {:>7.1} s",
            took.as_secs_f64()
        ));
    }
}

/// Runs everything; false when anything failed. The last line on stdout is `N passed, N failed`.
///
/// # Errors
/// When a program that every step needs, such as cargo, cannot be run at all.
pub(crate) async fn run(workspace: &Workspace, progress: &Progress, envoy: &Wanted) -> Result<bool> {
    let started = Instant::now();
    let mut report = Report::default();
    cargo_step(workspace, progress, &mut report, "formatting", &["fmt", "--all", "--check"]).await?;
    tidiness(workspace, &mut report)?;
    let native = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
    cargo_step(workspace, progress, &mut report, "lints, native", &native).await?;
    let wasm = "clippy --package portcullis-filter --target wasm32-wasip1 --locked -- --deny warnings";
    let wasm: Vec<_> = wasm.split(' ').collect();
    cargo_step(workspace, progress, &mut report, "lints, wasm32", &wasm).await?;
    build(workspace, progress, &mut report).await;
    npm_package(workspace, progress, &mut report).await;
    large_documents(workspace, progress, &mut report).await;
    let binary = find_envoy(workspace, progress, &mut report, envoy).await;
    cargo_tests(workspace, progress, &mut report, binary.as_ref()).await?;
    story(workspace, progress, &mut report, envoy).await;
    shown_policies(workspace, &mut report);
    dependencies(workspace, progress, &mut report).await;

    println!();
    report.lines.iter().for_each(|line| println!("{line}"));
    if let Some(binary) = binary {
        println!(
            "on Envoy {} ({}), {:.1} minutes",
            binary.version,
            binary.origin,
            started.elapsed().as_secs_f64() / 60.0
        );
    }
    println!();
    println!("{} passed, {} failed", report.passed, report.failed);
    Ok(report.failed == 0)
}

async fn cargo_step(
    workspace: &Workspace,
    progress: &Progress,
    report: &mut Report,
    name: &str,
    arguments: &[&str],
) -> Result<()> {
    let step = progress.step(name);
    let outcome = command::run(cargo(&workspace.root, arguments), &step, STEP_LIMIT).await?;
    let took = if outcome.success { step.done("") } else { step.failed() };
    report.note(name, outcome.success, took, &outcome.text);
    Ok(())
}

fn tidiness(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let started = Instant::now();
    let findings = tidy::run(workspace)?;
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    report.note("tidy", findings.is_empty(), started.elapsed(), &findings.join("\n"));
    Ok(())
}

async fn build(workspace: &Workspace, progress: &Progress, report: &mut Report) {
    let started = Instant::now();
    let built = module::build(workspace, progress).await;
    let (name, trouble) = match &built {
        Ok(built) => (format!("module, {}", built.short_summary()), String::new()),
        Err(error) => ("module".to_owned(), format!("{error:#}")),
    };
    report.note(&name, built.is_ok(), started.elapsed(), &trouble);
}

/// What large documents cost, in WebAssembly instructions, which a busy machine does not change.
async fn large_documents(workspace: &Workspace, progress: &Progress, report: &mut Report) {
    let started = Instant::now();
    let trouble = match sizes::broken(workspace, progress).await {
        Ok(broken) => broken.join("\n"),
        Err(error) => format!("{error:#}"),
    };
    report.note("cost of large documents", trouble.is_empty(), started.elapsed(), &trouble);
}

/// The decision point for JavaScript: built, held to its types, and tested in Node.
async fn npm_package(workspace: &Workspace, progress: &Progress, report: &mut Report) {
    let started = Instant::now();
    let built = sdk::build(workspace, progress).await;
    let (name, trouble) = match &built {
        Ok(package) => (format!("npm package, {}", package.summary()), String::new()),
        Err(error) => ("npm package".to_owned(), format!("{error:#}")),
    };
    report.note(&name, built.is_ok(), started.elapsed(), &trouble);
    let Ok(package) = built else { return };
    let started = Instant::now();
    match sdk::test(&package, progress).await {
        Ok(outcome) => match sdk::counts(&outcome.text) {
            Some((passed, failed)) if outcome.success == (failed == 0) => {
                report.count("npm package in Node", passed, failed, started.elapsed());
                if failed > 0 {
                    println!("---- npm package in Node\n{}\n", outcome.text.trim_end());
                }
            }
            Some(_) | None => report.note("npm package in Node", false, started.elapsed(), &outcome.text),
        },
        Err(error) => report.note("npm package in Node", false, started.elapsed(), &format!("{error:#}")),
    }
}

async fn find_envoy(
    workspace: &Workspace,
    progress: &Progress,
    report: &mut Report,
    envoy: &Wanted,
) -> Option<EnvoyBinary> {
    let step = progress.step("looking for Envoy");
    match provision(envoy, &workspace.envoy_cache(), &|detail| step.detail(detail)).await {
        Ok(binary) => {
            let took = step.done(&format!("{} ({})", binary.version, binary.origin));
            report.note(&format!("Envoy {}", binary.version), true, took, "");
            Some(binary)
        }
        Err(error) => {
            let took = step.failed();
            report.note("Envoy", false, took, &format!("{error:#}"));
            None
        }
    }
}

/// Every test of the workspace: unit tests, the rings of `tests/`, examples in the documentation.
async fn cargo_tests(
    workspace: &Workspace,
    progress: &Progress,
    report: &mut Report,
    envoy: Option<&EnvoyBinary>,
) -> Result<()> {
    let step = progress.step("tests of all crates");
    let mut tests = cargo(&workspace.root, ["test", "--workspace", "--no-fail-fast", "--locked"]);
    if let Some(envoy) = envoy {
        tests.env("ENVOY", &envoy.path);
    }
    let outcome = command::run(tests, &step, STEP_LIMIT).await?;
    let took = if outcome.success { step.done("") } else { step.failed() };
    let runners = read_runners(&outcome.text);
    let ran: Duration = runners.iter().map(|runner| runner.took).sum();
    report.count("compiling the tests", 0, 0, took.saturating_sub(ran));
    for runner in &runners {
        if runner.failed > 0 {
            println!("---- {}\n{}\n", runner.name, runner.failures().trim_end());
        }
        if runner.checked_nothing() {
            report.lines.push(format!("--- {} CHECKED NOTHING: {}", runner.name, runner.text.trim()));
        } else if runner.passed + runner.failed > 0 {
            report.count(&runner.name, runner.passed, runner.failed, runner.took);
        }
    }
    // A crate that does not compile, or a runner that died, has no result line of its own.
    if !outcome.success && runners.iter().all(|runner| runner.failed == 0) {
        report.note("tests of all crates", false, took, &outcome.text);
    }
    Ok(())
}

async fn story(workspace: &Workspace, progress: &Progress, report: &mut Report, envoy: &Wanted) {
    let started = Instant::now();
    let told = demo::run(workspace, progress, envoy, true).await;
    let trouble = match &told {
        Ok(true) => String::new(),
        Ok(false) => "see the rows marked BAD above".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    report.note("demo --once", matches!(told, Ok(true)), started.elapsed(), &trouble);
}

/// After the story, which builds the command.
fn shown_policies(workspace: &Workspace, report: &mut Report) {
    let started = Instant::now();
    let checked = policies::check(workspace);
    let trouble = checked.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
    let name = format!("{} policies shown to people load", checked.as_ref().copied().unwrap_or_default());
    report.note(&name, checked.is_ok(), started.elapsed(), &trouble);
}

/// Building cargo-deny takes minutes: it is used where it is there, and said not to have run where it is not.
async fn dependencies(workspace: &Workspace, progress: &Progress, report: &mut Report) {
    let Some(program) = deny::installed(workspace) else {
        report
            .lines
            .push("--- cargo-deny is not installed and was NOT RUN; `cargo xtask deny` does both".to_owned());
        return;
    };
    if !Path::new(&workspace.root.join("deny.toml")).is_file() {
        report.note("cargo deny", false, Duration::ZERO, "deny.toml is missing");
        return;
    }
    let started = Instant::now();
    let checked = deny::check(program, workspace, progress).await;
    let trouble = checked.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
    report.note("cargo deny", checked.is_ok(), started.elapsed(), &trouble);
}
