//! How long requests take at a rate that every lane bears: the lanes in turn, the same rate for all.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::lane::Lane;
use crate::measured::{Latency, LatencyOfLane, Spread};
use crate::paced::Pace;
use crate::place::Place;
use crate::spread::Latencies;
use crate::stage::Stage;
use crate::traffic::{Mint, Traffic};

/// How many different requests are sent in turn.
const REQUESTS: usize = 64;

/// Measures all lanes under warm traffic.
///
/// # Errors
/// When a request is not answered as it must be.
pub(crate) async fn measure(
    stage: &Stage,
    mint: &mut Mint,
    rate: u32,
    seconds: f64,
    turns: usize,
) -> Result<Latency> {
    let requests = mint.requests(Traffic::Warm, REQUESTS)?;
    let pace = Pace { rate, during: Duration::from_secs_f64(seconds) };
    let warm_up = Pace { rate, during: Duration::from_millis(500) };
    let mut found: BTreeMap<Lane, [Vec<f64>; 3]> = BTreeMap::new();
    for turn in 0..turns {
        for step in 0..Lane::ALL.len() {
            let lane = Lane::ALL[(step + turn * 5) % Lane::ALL.len()];
            if turn == 0 {
                warm_up.start(stage.address(Place::warm(lane))?, &requests)?.finish().await?;
            }
            let exchanges = pace.start(stage.address(Place::warm(lane))?, &requests)?.finish().await?;
            let broken = exchanges.iter().filter(|exchange| exchange.latency.is_none()).count();
            ensure!(broken == 0, "{} breaks {broken} exchanges", lane.name());
            let latencies = Latencies::of(exchanges.iter().filter_map(|exchange| exchange.latency))?;
            let figures = found.entry(lane).or_default();
            for (figures, percent) in figures.iter_mut().zip([50.0, 99.0, 99.9]) {
                figures.push(latencies.percentile_us(percent));
            }
        }
    }
    let of_lane = |(lane, [p50, p99, p999]): (Lane, [Vec<f64>; 3])| LatencyOfLane {
        lane: lane.name().to_owned(),
        p50_us: Spread::of(p50),
        p99_us: Spread::of(p99),
        p999_us: Spread::of(p999),
    };
    Ok(Latency { rate, seconds, turns, lanes: found.into_iter().map(of_lane).collect() })
}
