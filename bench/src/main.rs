//! Measures the gate beside Envoy's own filters: one Envoy, one worker, listeners side by side, interleaved rounds.
//! Prints one JSON document; `cargo xtask bench` builds what is measured and makes tables of it.
//!
//! It measures CPU of the whole process and not time: that depends on what else the machine does.

mod authorizer;
mod client;
mod comparison;
mod lane;
mod process;
mod report;
mod rounds;
mod stage;
mod traffic;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use indicatif::ProgressBar;
use serde_json::json;

use crate::stage::Stage;
use crate::traffic::Mint;

/// Measures the gate beside Envoy's own filters.
#[derive(Debug, Parser)]
struct Arguments {
    /// The Envoy program.
    #[arg(long)]
    envoy: PathBuf,
    /// The module.
    #[arg(long)]
    module: PathBuf,
    /// The filter that does nothing.
    #[arg(long)]
    empty: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// Requests for each lane and kind of traffic in a round.
    #[arg(long, default_value_t = 4000)]
    requests: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut mint = Mint::new()?;
    let stage = Stage::start(&arguments.envoy, &arguments.module, &arguments.empty, &mint, 1).await?;
    let bar = ProgressBar::new(0);
    let rounds = rounds::run(&stage, &mut mint, arguments.rounds, arguments.requests, &bar).await?;
    bar.finish_and_clear();
    let document = json!({
        "rounds": arguments.rounds,
        "requests": arguments.requests,
        "resident_kib": stage.process.resident_kib()?,
        "ratios": report::ratios(&rounds),
        "costs": report::costs(&rounds),
    });
    println!("{document}");
    Ok(())
}
