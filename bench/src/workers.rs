//! Whether workers cost each other: what four do with a second of CPU, against one.

use std::time::Duration;

use anyhow::Result;

use crate::client::{Clients, Sources};
use crate::lane::Lane;
use crate::measured::{Bar, Spread, Workers, WorkersOfLane};
use crate::place::Place;
use crate::stage::{Programs, Stage};
use crate::traffic::{Mint, Traffic};

/// Workers that are compared with one.
const WORKERS: u32 = 4;

/// Connections for each worker: it always has something to do.
const CONNECTIONS: usize = 8;

/// What four must do with a second of CPU, as a part of what one does.
const BAR: f64 = 0.95;

/// Requests before the first turn, for each worker.
const WARM_UP: usize = 4_000;

/// Measures in turns, with so many requests in each.
///
/// # Errors
/// When Envoy does not start, or answers what it must not.
pub(crate) async fn measure(
    programs: &Programs,
    mint: &mut Mint,
    turns: usize,
    requests: usize,
) -> Result<Workers> {
    let lanes = [Lane::Bare, Lane::NativeCachedRbac, Lane::Ours];
    let stages = [
        (1, Stage::start(programs, mint, &lanes.map(Place::warm), 1).await?),
        (WORKERS, Stage::start(programs, mint, &lanes.map(Place::warm), WORKERS).await?),
    ];
    let warm = mint.requests(Traffic::Warm, 64)?;
    let mut report = Vec::new();
    let mut bars = Vec::new();
    for lane in lanes {
        let mut clients = Vec::new();
        for (workers, stage) in &stages {
            let connections = CONNECTIONS * *workers as usize;
            let mut opened =
                Clients::open(stage.address(Place::warm(lane))?, connections, Sources::Many).await?;
            opened.send(&warm, 0..WARM_UP * *workers as usize, true).await?;
            clients.push((opened, &stage.process, Vec::new()));
        }
        for _ in 0..turns {
            for (clients, process, figures) in &mut clients {
                let before = process.cpu()?;
                clients.send(&warm, 0..requests, true).await?;
                figures.push(per_cpu_second(requests, process.cpu()?.saturating_sub(before)));
            }
        }
        let figures: Vec<Vec<f64>> = clients.into_iter().map(|(_, _, figures)| figures).collect();
        let ratio = Spread::of(figures[1].iter().zip(&figures[0]).map(|(many, one)| many / one).collect());
        if lane == Lane::Ours {
            bars.push(Bar::at_least("four workers against one, requests for CPU", "", ratio, BAR));
        }
        let [one, many] = [0, 1].map(|at| Spread::of(figures[at].clone()));
        report.push(WorkersOfLane { lane: lane.name().to_owned(), one, many, ratio });
    }
    let cores = std::thread::available_parallelism()?.get();
    Ok(Workers { workers: WORKERS, cores, lanes: report, bars })
}

fn per_cpu_second(requests: usize, cpu: Duration) -> f64 {
    requests as f64 / cpu.as_secs_f64()
}
