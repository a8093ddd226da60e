//! Measures the gate beside Envoy's own filters: one Envoy, one worker, listeners side by side, interleaved rounds.
//! Prints one JSON document; `cargo xtask bench` builds what is measured and makes tables of it.
//!
//! It measures CPU of the whole process and not time: that depends on what else the machine does.

mod authorizer;
mod capabilities;
mod client;
mod comparison;
mod lane;
mod listener;
mod process;
mod report;
mod response;
mod rounds;
mod stage;
mod traffic;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use indicatif::ProgressBar;
use serde_json::json;

use crate::lane::Lane;
use crate::rounds::Extent;
use crate::stage::{Programs, Stage};
use crate::traffic::{Mint, Traffic};

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
    /// Only this listener; for a profiler.
    #[arg(long, value_enum)]
    lane: Option<Lane>,
    /// Only this traffic; for a profiler.
    #[arg(long, value_enum)]
    traffic: Option<Traffic>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut mint = Mint::new()?;
    let Arguments { rounds, requests, lane, traffic, envoy, module, empty } = arguments;
    let programs = Programs::new(envoy, module, empty)?;
    let stage = Stage::start(&programs, &mint, &Lane::ALL, 1).await?;
    let bar = ProgressBar::new(0);
    let extent = Extent { rounds, requests, lane, traffic };
    let rounds = rounds::run(&stage, &mut mint, extent, &bar).await?;
    bar.finish_and_clear();
    let document = json!({
        "rounds": extent.rounds,
        "requests": extent.requests,
        "resident_kib": stage.process.resident_kib()?,
        "ratios": report::ratios(&rounds),
        "costs": report::costs(&rounds),
    });
    println!("{document}");
    Ok(())
}
