//! Interleaved rounds: in each, every lane gets every kind of traffic once, in an order that turns from round to round, so
//! that what else the machine does falls on all alike.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use crate::client;
use crate::comparison::is_measured;
use crate::lane::Lane;
use crate::stage::Stage;
use crate::traffic::{Mint, Traffic};

/// Connections that send at a time; one worker serves them.
const CONNECTIONS: usize = 8;

/// Requests sent before the first round: connections, caches and V8's optimiser settle.
const WARM_UP: usize = 4_000;

/// What one lane used for one kind of traffic in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// CPU of the whole process for a request, in microseconds, the bare listener's share included.
    pub(crate) cpu_us: f64,
    /// Requests a second of wall clock.
    pub(crate) per_second: f64,
}

/// The samples of one round.
pub(crate) type Round = BTreeMap<(Lane, Traffic), Sample>;

/// Warms up and measures.
///
/// # Errors
/// When Envoy breaks or answers what it must not.
pub(crate) async fn run(
    stage: &Stage,
    mint: &mut Mint,
    rounds: usize,
    requests: usize,
    bar: &ProgressBar,
) -> Result<Vec<Round>> {
    let pairs: Vec<_> = Traffic::ALL
        .into_iter()
        .flat_map(|traffic| Lane::ALL.map(|lane| (lane, traffic)))
        .filter(|(lane, traffic)| is_measured(*lane, *traffic))
        .collect();
    bar.set_length((pairs.len() * (rounds + 1)) as u64);
    let warm = mint.requests(Traffic::Warm, requests)?;
    let expired = mint.requests(Traffic::Expired, requests)?;
    for (lane, traffic) in &pairs {
        let (sent, passes) = match traffic {
            Traffic::Expired => (&expired, !lane.looks_at_tokens()),
            _ => (&warm, true),
        };
        client::send(stage.address(*lane)?, sent.clone(), WARM_UP, CONNECTIONS, passes).await?;
        bar.inc(1);
    }
    let mut all = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let mut fresh = BTreeMap::new();
        for traffic in Traffic::ALL {
            let made = match traffic {
                Traffic::Warm => warm.clone(),
                Traffic::Expired => expired.clone(),
                _ => mint.requests(traffic, requests)?,
            };
            fresh.insert(traffic, made);
        }
        let mut samples = Round::new();
        for turn in 0..pairs.len() {
            // A prime step: neighbours change from round to round.
            let (lane, traffic) = pairs[(turn + round * 7) % pairs.len()];
            let sent = fresh.get(&traffic).context("all traffic is there")?.clone();
            samples.insert((lane, traffic), sample(stage, lane, traffic, sent, requests).await?);
            bar.inc(1);
        }
        all.push(samples);
    }
    Ok(all)
}

async fn sample(
    stage: &Stage,
    lane: Lane,
    traffic: Traffic,
    requests: std::sync::Arc<[Vec<u8>]>,
    count: usize,
) -> Result<Sample> {
    let to = stage.address(lane)?;
    let passes = traffic.passes() || !lane.looks_at_tokens();
    let (before, started) = (stage.process.cpu()?, Instant::now());
    client::send(to, requests, count, CONNECTIONS, passes).await?;
    let (took, used) = (started.elapsed(), stage.process.cpu()?.saturating_sub(before));
    Ok(Sample {
        cpu_us: used.as_secs_f64() * 1e6 / count as f64,
        per_second: count as f64 / took.as_secs_f64(),
    })
}
