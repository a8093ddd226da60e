//! How soon after Envoy was started a request is decided.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::client::{Clients, Sources};
use crate::lane::Lane;
use crate::measured::{Bar, Spread, Start, StartOfLane};
use crate::place::Place;
use crate::stage::{Programs, Stage};
use crate::traffic::{Mint, Traffic};

/// The lanes that are started, in turns.
const LANES: [Lane; 4] = [Lane::Bare, Lane::Empty, Lane::NativeCachedRbac, Lane::Ours];

/// What the gate may take of what the empty filter takes.
const BAR: f64 = 1.5;

/// How often a listener that is not yet there is asked again: Envoy offers no event.
const POLL: Duration = Duration::from_millis(1);

/// How long to wait for the first answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts every lane once in each turn.
///
/// # Errors
/// When Envoy does not start.
pub(crate) async fn measure(programs: &Programs, mint: &mut Mint, turns: usize) -> Result<Start> {
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
    let lanes =
        found.into_iter().map(|(lane, ms)| StartOfLane { lane: lane.name().to_owned(), ms: Spread::of(ms) });
    Ok(Start { lanes: lanes.collect(), above_bare, bars })
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
