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
use crate::place::Place;
use crate::stage::Stage;
use crate::traffic::{Mint, Traffic};

/// Connections to each listener; one worker serves them.
const CONNECTIONS: usize = 8;

/// Requests sent to each lane before the first round: caches and V8's optimiser settle.
const WARM_UP: usize = 4_000;

/// Slices of a round.
const SLICES: usize = 8;

/// One in so many requests of a slice, the first ones, is not counted: what the lane before left in the caches of the
/// processor is its cost, and not of the lane that is measured.
const UNCOUNTED: usize = 5;

/// What one lane used for one kind of traffic in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// CPU of the whole process for a request, in microseconds, the bare listener's share included.
    pub(crate) cpu_us: f64,
    /// CPU of the server that is asked for each request, in microseconds; 0 where none is.
    pub(crate) server_us: f64,
    /// Requests a second of wall clock.
    pub(crate) per_second: f64,
}

/// The samples of one round.
pub(crate) type Round = BTreeMap<Place, Sample>;

type Requests = Arc<[Vec<u8>]>;

type AllClients = BTreeMap<Place, Clients>;

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
    /// All listeners that are measured.
    pub(crate) fn places(self) -> Vec<Place> {
        let places =
            Traffic::ALL.into_iter().flat_map(|traffic| Lane::ALL.map(|lane| Place { lane, traffic }));
        places.filter(|place| self.has(place.lane, place.traffic)).collect()
    }

    fn has(self, lane: Lane, traffic: Traffic) -> bool {
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
    let places = extent.places();
    bar.set_length((places.len() * (rounds + 1)) as u64);
    let mut clients = BTreeMap::new();
    for place in &places {
        let opened = Clients::open(stage.address(*place)?, CONNECTIONS, place.traffic.sources()).await?;
        clients.insert(*place, opened);
    }
    let warm = mint.requests(Traffic::Warm, requests)?;
    let expired = mint.requests(Traffic::Expired, requests)?;
    for place in &places {
        let of_expired = place.traffic == Traffic::Expired;
        let (sent, passes) =
            if of_expired { (&expired, !place.lane.looks_at_tokens()) } else { (&warm, true) };
        of(&mut clients, *place)?.send(sent, 0..WARM_UP, passes).await?;
        bar.inc(1);
    }
    let mut all = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut sent: BTreeMap<Traffic, Requests> = BTreeMap::new();
        let wanted = |traffic| places.iter().any(|place| place.traffic == traffic);
        for traffic in Traffic::ALL.into_iter().filter(|traffic| wanted(*traffic)) {
            let made = match traffic {
                Traffic::Warm => warm.clone(),
                Traffic::Expired => expired.clone(),
                Traffic::ColdRs256
                | Traffic::ColdEs256
                | Traffic::ColdEdDsa
                | Traffic::Mixed
                | Traffic::Missing
                | Traffic::Forged
                | Traffic::Flood => mint.requests(traffic, requests)?,
            };
            sent.insert(traffic, made);
        }
        all.push(round(stage, &mut clients, &places, &sent, requests).await?);
        bar.inc(places.len() as u64);
    }
    Ok(all)
}

async fn round(
    stage: &Stage,
    clients: &mut AllClients,
    places: &[Place],
    sent: &BTreeMap<Traffic, Requests>,
    count: usize,
) -> Result<Round> {
    let mut used: BTreeMap<Place, Used> = BTreeMap::new();
    for slice in 0..SLICES {
        let numbers = count * slice / SLICES..count * (slice + 1) / SLICES;
        let counted = numbers.start + numbers.len() / UNCOUNTED..numbers.end;
        for place in order(places, slice) {
            let requests = sent.get(&place.traffic).context("all traffic is there")?;
            let passes = place.traffic.passes() || !place.lane.looks_at_tokens();
            let clients = of(clients, place)?;
            clients.send(requests, numbers.start..counted.start, passes).await?;
            let server = || {
                if place.lane == Lane::ExtAuthz { stage.authorizer.process.cpu() } else { Ok(Duration::ZERO) }
            };
            let (before, served, started) = (stage.process.cpu()?, server()?, Instant::now());
            clients.send(requests, counted.clone(), passes).await?;
            let sum = used.entry(place).or_default();
            sum.took += started.elapsed();
            sum.cpu += stage.process.cpu()?.saturating_sub(before);
            sum.server += server()?.saturating_sub(served);
            sum.requests += counted.len();
        }
    }
    Ok(used.into_iter().map(|(place, used)| (place, used.sample())).collect())
}

/// What one lane used in all slices of a round.
#[derive(Default)]
struct Used {
    requests: usize,
    cpu: Duration,
    server: Duration,
    took: Duration,
}

impl Used {
    fn sample(self) -> Sample {
        let requests = self.requests as f64;
        Sample {
            cpu_us: self.cpu.as_secs_f64() * 1e6 / requests,
            server_us: self.server.as_secs_f64() * 1e6 / requests,
            per_second: requests / self.took.as_secs_f64(),
        }
    }
}

/// All of them, in an order in which everyone's neighbours are others than in the slices before.
fn order<T: Copy>(all: &[T], slice: usize) -> Vec<T> {
    let coprime =
        |step: &usize| (2..=*step).all(|by| !(step.is_multiple_of(by) && all.len().is_multiple_of(by)));
    let step = (1..).filter(coprime).nth(slice).unwrap_or(1);
    (0..all.len()).map(|turn| all[(slice + turn * step) % all.len()]).collect()
}

fn of(clients: &mut AllClients, place: Place) -> Result<&mut Clients> {
    clients.get_mut(&place).with_context(|| format!("no clients of {}", place.name()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everyone_has_a_turn_and_other_neighbours_in_each_slice() {
        for count in [1, 2, 12, 41, 42] {
            let all: Vec<_> = (0..count).collect();
            for slice in 0..SLICES {
                let turns: BTreeSet<_> = order(&all, slice).into_iter().collect();
                assert_eq!(turns.len(), count, "{count} in slice {slice}");
            }
        }
        let all: Vec<_> = (0..42).collect();
        let behind_the_first =
            |slice| order(&all, slice).into_iter().cycle().skip_while(|one| *one != 0).nth(1);
        let neighbours: BTreeSet<_> = (0..SLICES).map(behind_the_first).collect();
        assert_eq!(neighbours.len(), SLICES);
    }
}
