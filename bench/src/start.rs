//! How soon after Envoy was started a request is decided.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::bar::Bar;
use crate::client::{Clients, Sources};
use crate::lane::Lane;
use crate::spread::Spread;
use crate::stage::{Place, Programs, Stage};
use crate::traffic::{Mint, Traffic};

/// The lanes that are started, in turns.
const LANES: [Lane; 4] = [Lane::Bare, Lane::Empty, Lane::NativeCachedRbac, Lane::Ours];

/// What the gate may take of what the empty filter takes.
const BAR: f64 = 1.5;

/// How often a listener that is not yet there is asked again: Envoy offers no event.
const POLL: Duration = Duration::from_millis(1);

/// How long to wait for the first answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long each lane takes.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    lanes: Vec<OfLane>,
    /// The gate by the empty filter, both above the bare listener, in each turn: without what Envoy takes for itself.
    above_bare: Spread,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct OfLane {
    lane: &'static str,
    ms: Spread,
}

/// Starts every lane once in each turn.
///
/// # Errors
/// When Envoy does not start.
pub(crate) async fn measure(programs: &Programs, mint: &mut Mint, turns: usize) -> Result<Report> {
    let mut found: BTreeMap<Lane, Vec<f64>> = BTreeMap::new();
    for _ in 0..turns {
        for lane in LANES {
            found.entry(lane).or_default().push(start(programs, mint, lane).await?.as_secs_f64() * 1e3);
        }
    }
    let by = |above: Option<Lane>| {
        let of =
            |lane: Lane, turn: usize| found[&lane][turn] - above.map_or(0.0, |above| found[&above][turn]);
        Spread::of((0..turns).map(|turn| of(Lane::Ours, turn) / of(Lane::Empty, turn)).collect())
    };
    let bars = vec![Bar::at_most("start, first decision against the empty filter's", "", by(None), BAR)];
    let above_bare = by(Some(Lane::Bare));
    let lanes = found.into_iter().map(|(lane, ms)| OfLane { lane: lane.name(), ms: Spread::of(ms) });
    Ok(Report { lanes: lanes.collect(), above_bare, bars })
}

/// From the start of the process to the first answer.
async fn start(programs: &Programs, mint: &mut Mint, lane: Lane) -> Result<Duration> {
    // Free now; nobody else is given it so soon.
    let to = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let request = mint.requests(Traffic::Warm, 1)?;
    let begun = Instant::now();
    let answered = async {
        while !is_decided(to, &request).await {
            ensure!(begun.elapsed() < PATIENCE, "{} answers nothing within {PATIENCE:?}", lane.name());
            tokio::time::sleep(POLL).await;
        }
        Ok(begun.elapsed())
    };
    let places = [Place::warm(lane)];
    let (_stage, took) = tokio::try_join!(Stage::start_at(programs, mint, &places, 1, to.port()), answered)?;
    Ok(took)
}

async fn is_decided(to: SocketAddr, request: &std::sync::Arc<[Vec<u8>]>) -> bool {
    // From another address than the listener's: a client there could be given the very port that Envoy is to listen on.
    let Ok(mut clients) = Clients::open(to, 1, Sources::Many).await else { return false };
    clients.send(request, 0..1, true).await.is_ok()
}
