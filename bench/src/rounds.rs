//! Interleaved rounds: in each, every lane gets every kind of traffic, in small slices and in an order that turns from slice
//! to slice, so that what else the machine does falls on all alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use crate::client::Clients;
use crate::comparison::is_measured;
use crate::lane::Lane;
use crate::stage::Stage;
use crate::traffic::{Mint, Traffic};

/// Connections to each lane for each kind of traffic; one worker serves them.
const CONNECTIONS: usize = 8;

/// Requests sent to each lane before the first round: caches and V8's optimiser settle.
const WARM_UP: usize = 4_000;

/// Slices of a round.
const SLICES: usize = 10;

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

type Requests = Arc<[Vec<u8>]>;

/// Connections of their own for each kind of traffic: they come from elsewhere.
type AllClients = BTreeMap<(Lane, Traffic), Clients>;

/// What is measured, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) rounds: usize,
    /// How many each lane gets of each kind of traffic in a round.
    pub(crate) requests: usize,
    /// Only this one.
    pub(crate) lane: Option<Lane>,
    /// Only this one.
    pub(crate) traffic: Option<Traffic>,
}

impl Extent {
    fn has(&self, lane: Lane, traffic: Traffic) -> bool {
        let lanes = self.lane.is_none_or(|only| only == lane);
        lanes && self.traffic.is_none_or(|only| only == traffic) && is_measured(lane, traffic)
    }
}

/// Warms up and measures.
///
/// # Errors
/// When Envoy breaks or answers what it must not.
pub(crate) async fn run(
    stage: &Stage,
    mint: &mut Mint,
    extent: Extent,
    bar: &ProgressBar,
) -> Result<Vec<Round>> {
    let Extent { rounds, requests, .. } = extent;
    let pairs: Vec<_> = Traffic::ALL
        .into_iter()
        .flat_map(|traffic| Lane::ALL.map(|lane| (lane, traffic)))
        .filter(|(lane, traffic)| extent.has(*lane, *traffic))
        .collect();
    bar.set_length((pairs.len() * (rounds + 1)) as u64);
    let mut clients = BTreeMap::new();
    for (lane, traffic) in &pairs {
        let opened = Clients::open(stage.address(*lane)?, CONNECTIONS, traffic.sources()).await?;
        clients.insert((*lane, *traffic), opened);
    }
    let warm = mint.requests(Traffic::Warm, requests)?;
    let expired = mint.requests(Traffic::Expired, requests)?;
    for (lane, traffic) in &pairs {
        let sent = if *traffic == Traffic::Expired { &expired } else { &warm };
        let passes = *traffic != Traffic::Expired || !lane.looks_at_tokens();
        of(&mut clients, (*lane, *traffic))?.send(sent, 0..WARM_UP, passes).await?;
        bar.inc(1);
    }
    let mut all = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut sent: BTreeMap<Traffic, Requests> = BTreeMap::new();
        let wanted = |traffic| pairs.iter().any(|pair| pair.1 == traffic);
        for traffic in Traffic::ALL.into_iter().filter(|traffic| wanted(*traffic)) {
            let made = match traffic {
                Traffic::Warm => warm.clone(),
                Traffic::Expired => expired.clone(),
                Traffic::ColdRs256
                | Traffic::ColdEs256
                | Traffic::ColdEdDsa
                | Traffic::Missing
                | Traffic::Forged
                | Traffic::Flood => mint.requests(traffic, requests)?,
            };
            sent.insert(traffic, made);
        }
        all.push(round(stage, &mut clients, &pairs, &sent, requests).await?);
        bar.inc(pairs.len() as u64);
    }
    Ok(all)
}

async fn round(
    stage: &Stage,
    clients: &mut AllClients,
    pairs: &[(Lane, Traffic)],
    sent: &BTreeMap<Traffic, Requests>,
    count: usize,
) -> Result<Round> {
    let mut used: BTreeMap<(Lane, Traffic), (Duration, Duration)> = BTreeMap::new();
    for slice in 0..SLICES {
        let numbers = count * slice / SLICES..count * (slice + 1) / SLICES;
        for turn in 0..pairs.len() {
            // A prime step: neighbours change from slice to slice.
            let (lane, traffic) = pairs[(turn + slice * 7) % pairs.len()];
            let requests = sent.get(&traffic).context("all traffic is there")?;
            let passes = traffic.passes() || !lane.looks_at_tokens();
            let (before, started) = (stage.process.cpu()?, Instant::now());
            of(clients, (lane, traffic))?.send(requests, numbers.clone(), passes).await?;
            let (took, cpu) = (started.elapsed(), stage.process.cpu()?.saturating_sub(before));
            let sum = used.entry((lane, traffic)).or_default();
            *sum = (sum.0 + cpu, sum.1 + took);
        }
    }
    let sample = |(cpu, took): (Duration, Duration)| Sample {
        cpu_us: cpu.as_secs_f64() * 1e6 / count as f64,
        per_second: count as f64 / took.as_secs_f64(),
    };
    Ok(used.into_iter().map(|(pair, sum)| (pair, sample(sum))).collect())
}

fn of(clients: &mut AllClients, pair: (Lane, Traffic)) -> Result<&mut Clients> {
    clients.get_mut(&pair).with_context(|| format!("no clients of {}", pair.0.name()))
}
