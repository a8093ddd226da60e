//! Resident memory: of each lane in an Envoy of its own, of each further worker, and over a long run.

use anyhow::Result;

use crate::client::{Clients, Sources};
use crate::lane::Lane;
use crate::measured::{Bar, LongRun, Memory, MemoryOfLane, MemoryOfWorkers, Spread};
use crate::place::Place;
use crate::stage::{Programs, Stage};
use crate::traffic::{Mint, Traffic};

/// Requests before memory is looked at: every worker has served, and V8 has settled.
const WARM_UP: usize = 4_000;

/// Connections for each worker.
const CONNECTIONS: usize = 16;

/// Workers that are compared with one.
const WORKERS: u32 = 5;

/// What a further worker may take, in MB.
const FURTHER_WORKER_MB: f64 = 2.0;

/// How much more may be resident at the end of a long run than at its tenth part, in MB: what the allocators of Envoy
/// and V8 move by.
const GROWTH_MB: f64 = 1.0;

/// How often memory is looked at in the long run.
const SAMPLES: usize = 100;

/// Requests of the long run whose tokens do not fit into what is remembered of tokens.
const DISTINCT: usize = 4_000;

/// Measures everything; `turns` is how often workers are counted, `requests` how long the long run is.
///
/// # Errors
/// When Envoy does not start, or answers what it must not.
pub(crate) async fn measure(
    programs: &Programs,
    mint: &mut Mint,
    turns: usize,
    requests: usize,
) -> Result<Memory> {
    let mut lanes = Vec::new();
    for lane in Lane::ALL {
        lanes.push(MemoryOfLane {
            lane: lane.name().to_owned(),
            resident_mb: resident(programs, mint, lane, 1).await?,
        });
    }
    let (mut workers, mut of_ours) = (Vec::new(), Vec::new());
    for lane in [Lane::Bare, Lane::Empty, Lane::Ours] {
        let mut figures = Vec::new();
        for _ in 0..turns {
            let one = resident(programs, mint, lane, 1).await?;
            let many = resident(programs, mint, lane, WORKERS).await?;
            figures.push((many - one) / f64::from(WORKERS.saturating_sub(1)));
        }
        if lane == Lane::Ours {
            of_ours.clone_from(&figures);
        }
        workers.push(MemoryOfWorkers { lane: lane.name().to_owned(), each_mb: Spread::of(figures) });
    }
    let long_run = long_run(programs, mint, requests).await?;
    let bars = vec![
        Bar::at_most("memory of each further worker", "MB", Spread::of(of_ours), FURTHER_WORKER_MB),
        Bar::at_most("memory grown in a long run", "MB", Spread::of(vec![long_run.growth_mb]), GROWTH_MB),
    ];
    Ok(Memory { lanes, workers, long_run, bars })
}

/// What Envoy holds with this lane alone, in MB, when all its workers have served.
async fn resident(programs: &Programs, mint: &mut Mint, lane: Lane, workers: u32) -> Result<f64> {
    let stage = Stage::start(programs, mint, &[Place::warm(lane)], workers).await?;
    let connections = CONNECTIONS * workers as usize;
    let mut clients = Clients::open(stage.address(Place::warm(lane))?, connections, Sources::Many).await?;
    let warm = mint.requests(Traffic::Warm, WARM_UP)?;
    clients.send(&warm, 0..WARM_UP * workers as usize, true).await?;
    stage.process.resident_mb()
}

/// Warm requests, with some of every other kind among them: tokens that are forgotten again, forged ones, none.
async fn long_run(programs: &Programs, mint: &mut Mint, requests: usize) -> Result<LongRun> {
    let lane = Lane::Ours;
    let stage = Stage::start(programs, mint, &[Place::warm(lane)], 1).await?;
    let mut clients = Clients::open(stage.address(Place::warm(lane))?, CONNECTIONS, Sources::Many).await?;
    let mut mix = Vec::new();
    // Of twenty requests.
    for (traffic, share) in
        [(Traffic::Warm, 16), (Traffic::ColdEs256, 2), (Traffic::Missing, 1), (Traffic::Forged, 1)]
    {
        mix.push((traffic, share, mint.requests(traffic, DISTINCT)?));
    }
    let (step, mut samples) = (requests.div_ceil(SAMPLES).div_ceil(20), Vec::new());
    for sample in 0..SAMPLES {
        for (traffic, share, requests) in &mix {
            let numbers = sample * step * share..(sample + 1) * step * share;
            clients.send(requests, numbers, traffic.passes()).await?;
        }
        samples.push(((sample + 1) * step * 20, stage.process.resident_mb()?));
    }
    Ok(LongRun { requests, growth_mb: growth(&samples), samples })
}

/// How much more the last sample is than that at the tenth part, which is behind the warm-up.
fn growth(samples: &[(usize, f64)]) -> f64 {
    let settled = samples.get(samples.len() / 10);
    settled.zip(samples.last()).map_or(f64::NAN, |(settled, last)| last.1 - settled.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_counted_from_behind_the_warm_up() {
        let samples: Vec<_> = (0..20).map(|number| (number, if number < 2 { 10.0 } else { 30.5 })).collect();
        assert_eq!(growth(&samples), 0.0);
        let leaking: Vec<_> = (0..20).map(|number| (number, f64::from(number as u8))).collect();
        assert_eq!(growth(&leaking), 17.0);
        assert!(growth(&[]).is_nan());
    }
}
