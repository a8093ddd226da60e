//! Many requests over several kept-open connections, with every status and latency counted. Not a benchmark tool: it
//! shares the machine with what it measures.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::client::{Connection, Request};

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where to.
    pub address: SocketAddr,
    /// How many requests in all.
    pub requests: u64,
    /// Over how many connections; each has one request under way at a time.
    pub connections: usize,
    /// The requests, sent in turn.
    pub mix: Vec<Request>,
}

/// What came back.
#[derive(Debug)]
pub struct LoadReport {
    /// Responses by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// The first 10 exchanges that broke, as text: none on a good run.
    pub failures: Vec<String>,
    /// How many exchanges broke.
    pub failed: u64,
    /// The time of the whole run.
    pub took: Duration,
    latency_us: Histogram<u64>,
}

/// How many failures are kept word for word.
const FAILURES_KEPT: usize = 10;

impl Load {
    /// Sends everything. `progress` is raised by one after each exchange, good or bad, so that something else can be
    /// done half-way.
    ///
    /// # Errors
    /// When `mix` is empty. Exchanges that break are counted in the report, and their connection is opened anew.
    pub async fn run(&self, progress: Arc<AtomicU64>) -> Result<LoadReport> {
        let mix: Arc<[Request]> = self.mix.clone().into();
        mix.first().context("a load needs at least one request")?;
        let tickets = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..self.connections {
            let (mix, tickets, progress) = (Arc::clone(&mix), Arc::clone(&tickets), Arc::clone(&progress));
            clients.spawn(client(self.address, self.requests, mix, tickets, progress));
        }
        let mut total = LoadReport::empty()?;
        while let Some(report) = clients.join_next().await {
            total.add(report??)?;
        }
        total.took = started.elapsed();
        Ok(total)
    }
}

impl LoadReport {
    /// The latency that `percent` of the exchanges did not exceed.
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_micros(self.latency_us.value_at_percentile(percent))
    }

    fn empty() -> Result<Self> {
        Ok(Self {
            statuses: BTreeMap::new(),
            failures: Vec::new(),
            failed: 0,
            took: Duration::ZERO,
            latency_us: Histogram::new(3)?,
        })
    }

    fn add(&mut self, other: Self) -> Result<()> {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.failures.truncate(FAILURES_KEPT);
        self.latency_us.add(other.latency_us)?;
        Ok(())
    }
}

impl std::fmt::Display for LoadReport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let statuses: Vec<_> =
            self.statuses.iter().map(|(status, count)| format!("{count} x {status}")).collect();
        write!(
            formatter,
            "{}; {} failed; {:.1?} in all; p50 {:.1?}, p99 {:.1?}, max {:.1?}",
            statuses.join(", "),
            self.failed,
            self.took,
            self.percentile(50.0),
            self.percentile(99.0),
            self.percentile(100.0),
        )
    }
}

async fn client(
    address: SocketAddr,
    requests: u64,
    mix: Arc<[Request]>,
    tickets: Arc<AtomicU64>,
    progress: Arc<AtomicU64>,
) -> Result<LoadReport> {
    let mut report = LoadReport::empty()?;
    let mut connection = None;
    loop {
        let ticket = tickets.fetch_add(1, Ordering::Relaxed);
        if ticket >= requests {
            return Ok(report);
        }
        let request = &mix[usize::try_from(ticket)? % mix.len()];
        let started = Instant::now();
        match exchange(&mut connection, address, request).await {
            Ok(status) => {
                *report.statuses.entry(status).or_default() += 1;
                report.latency_us.record(u64::try_from(started.elapsed().as_micros())?)?;
            }
            Err(error) => {
                connection = None;
                report.failed += 1;
                if report.failures.len() < FAILURES_KEPT {
                    report.failures.push(format!("{error:#}"));
                }
            }
        }
        progress.fetch_add(1, Ordering::Relaxed);
    }
}

async fn exchange(
    connection: &mut Option<Connection>,
    address: SocketAddr,
    request: &Request,
) -> Result<u16> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(Connection::open(address).await?),
    };
    Ok(open.exchange(request).await?.status)
}
