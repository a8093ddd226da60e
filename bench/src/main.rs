//! Measures the gate beside Envoy's own filters: one Envoy, one worker, listeners side by side, interleaved rounds; and
//! what one Envoy cannot show, in Envoys of its own. Prints one JSON document; `cargo xtask bench` builds what is measured
//! and makes tables and a page of it.
//!
//! What is compared is CPU of the whole process and not time: that depends on what else the machine does.

mod authorizer;
mod bar;
mod capabilities;
mod client;
mod comparison;
mod lane;
mod latency;
mod listener;
mod measured;
mod memory;
mod native;
mod paced;
mod place;
mod policy;
mod process;
mod push;
mod report;
mod response;
mod rounds;
mod spread;
mod stage;
mod start;
mod traffic;
mod workers;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use serde_json::{Map, Value};

use crate::lane::Lane;
use crate::measured::Rounds;
use crate::place::Place;
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
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,
    /// How often everything is measured.
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// Requests for each lane and kind of traffic in a round.
    #[arg(long, default_value_t = 4000)]
    requests: usize,
    /// How often everything else is measured.
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// How long latencies of one lane are measured in a turn, in seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Requests a second where latencies are measured.
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// Requests of the long run that memory is watched in.
    #[arg(long, default_value_t = 1_000_000)]
    requests_for_memory: usize,
    /// Only this listener, in rounds; for a profiler.
    #[arg(long, value_enum)]
    lane: Option<Lane>,
    /// Only this traffic, in rounds; for a profiler.
    #[arg(long, value_enum)]
    traffic: Option<Traffic>,
}

/// Something that is measured on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU for a request, lane against lane.
    Rounds,
    /// Latencies at a fixed rate.
    Latency,
    /// Four workers against one.
    Workers,
    /// A policy pushed under load.
    Push,
    /// The time to the first decision.
    Start,
    /// Resident memory.
    Memory,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut mint = Mint::new()?;
    let Arguments { rounds, requests, turns, seconds, rate, requests_for_memory, lane, traffic, .. } =
        arguments;
    let programs = Programs::new(arguments.envoy, arguments.module, arguments.empty)?;
    let parts = match arguments.parts.as_slice() {
        _ if lane.is_some() || traffic.is_some() => &[Part::Rounds],
        [] => Part::value_variants(),
        some => some,
    };
    let mut found = Map::new();
    for part in parts {
        eprintln!("{part:?}");
        let (name, value) = match part {
            Part::Rounds => {
                let extent = Extent { rounds, requests, lane, traffic };
                let stage = Stage::start(&programs, &mint, &extent.places(), 1).await?;
                let bar = ProgressBar::new(0);
                let rounds = rounds::run(&stage, &mut mint, extent, &bar).await?;
                bar.finish_and_clear();
                let (ratios, costs) = (report::ratios(&rounds), report::costs(&rounds));
                let (rounds, requests) = (extent.rounds, extent.requests);
                ("rounds", value(Rounds { rounds, requests, ratios, costs })?)
            }
            Part::Latency => {
                let stage = Stage::start(&programs, &mint, &Lane::ALL.map(Place::warm), 1).await?;
                ("latency", value(latency::measure(&stage, &mut mint, rate, seconds, turns).await?)?)
            }
            Part::Workers => {
                ("workers", value(workers::measure(&programs, &mut mint, turns, 4 * requests).await?)?)
            }
            Part::Push => ("push", value(push::measure(&programs, &mut mint, rate, turns).await?)?),
            Part::Start => ("start", value(start::measure(&programs, &mut mint, turns).await?)?),
            Part::Memory => {
                ("memory", value(memory::measure(&programs, &mut mint, turns, requests_for_memory).await?)?)
            }
        };
        found.insert(name.to_owned(), value);
    }
    println!("{}", Value::Object(found));
    Ok(())
}

fn value(report: impl serde::Serialize) -> Result<Value> {
    Ok(serde_json::to_value(report)?)
}
