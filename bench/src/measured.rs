//! What is measured, as it is printed and kept: one document of JSON. `cargo xtask bench` reads it by this file, too.

use serde::{Deserialize, Serialize};

/// Smallest, median and largest of some figures.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// CPU for a request, lane against lane, in rounds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Rounds {
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) costs: Vec<Cost>,
}

/// How one comparison came out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ratio {
    pub(crate) name: String,
    pub(crate) ours: String,
    pub(crate) against: String,
    pub(crate) ratio: Spread,
    pub(crate) bar: Option<f64>,
    /// Whether the median keeps the bar; none where there is none.
    pub(crate) kept: Option<bool>,
}

/// What one lane costs under one kind of traffic.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Cost {
    pub(crate) lane: String,
    pub(crate) traffic: String,
    /// CPU for a request above the bare listener in the same round, in microseconds.
    pub(crate) cpu_us: Spread,
    /// Requests a second of wall clock.
    pub(crate) per_second: Spread,
}

/// From when requests were due until they were answered, at a rate that every lane bears.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Latency {
    /// Requests a second.
    pub(crate) rate: u32,
    /// How long one turn of one lane takes.
    pub(crate) seconds: f64,
    pub(crate) turns: usize,
    pub(crate) lanes: Vec<LatencyOfLane>,
}

/// In microseconds; spreads are over turns.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LatencyOfLane {
    pub(crate) lane: String,
    pub(crate) p50_us: Spread,
    pub(crate) p99_us: Spread,
    pub(crate) p999_us: Spread,
}

/// What many workers do with a second of CPU, against one: the gate, and for comparison the bare listener and Envoy's own
/// filters.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Workers {
    pub(crate) workers: u32,
    /// Cores of this machine, which the clients share.
    pub(crate) cores: usize,
    pub(crate) lanes: Vec<WorkersOfLane>,
    pub(crate) bars: Vec<Bar>,
}

/// Requests for each second of CPU.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct WorkersOfLane {
    pub(crate) lane: String,
    pub(crate) one: Spread,
    pub(crate) many: Spread,
    /// Many by one, in each turn.
    pub(crate) ratio: Spread,
}

/// A policy replaced under load.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Push {
    pub(crate) rules: usize,
    /// Requests a second.
    pub(crate) rate: u32,
    /// Of the second before the push.
    pub(crate) before_p99_us: Spread,
    /// Of the second that begins with the push.
    pub(crate) push_p99_us: Spread,
    /// The longest wait in the second of the push.
    pub(crate) push_max_us: Spread,
    /// How many exchanges of all turns broke or were refused.
    pub(crate) failed: usize,
    /// The last turn: p99 in each twentieth of a second, from one second before the push on.
    pub(crate) picture_p99_us: Vec<f64>,
    pub(crate) bars: Vec<Bar>,
}

/// How soon after Envoy was started a request is decided.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Start {
    pub(crate) lanes: Vec<StartOfLane>,
    /// The gate by the empty filter, both above the bare listener, in each turn: without what Envoy takes for itself.
    pub(crate) above_bare: Spread,
    pub(crate) bars: Vec<Bar>,
}

/// To the first decision, in milliseconds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StartOfLane {
    pub(crate) lane: String,
    pub(crate) ms: Spread,
}

/// Resident memory.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Memory {
    pub(crate) lanes: Vec<MemoryOfLane>,
    pub(crate) workers: Vec<MemoryOfWorkers>,
    pub(crate) long_run: LongRun,
    pub(crate) bars: Vec<Bar>,
}

/// Of an Envoy with one worker and this lane alone.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemoryOfLane {
    pub(crate) lane: String,
    pub(crate) resident_mb: f64,
}

/// What each worker after the first takes, Envoy's own share included.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemoryOfWorkers {
    pub(crate) lane: String,
    pub(crate) each_mb: Spread,
}

/// Resident memory, in MB, after so many requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LongRun {
    pub(crate) requests: usize,
    pub(crate) growth_mb: f64,
    pub(crate) samples: Vec<(usize, f64)>,
}

/// A figure and what it may be.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Bar {
    pub(crate) name: String,
    /// What it is counted in; empty for ratios.
    pub(crate) unit: String,
    pub(crate) measured: Spread,
    pub(crate) bar: f64,
    /// Whether the figure must be at least that, and not at most.
    pub(crate) at_least: bool,
    /// Whether the median keeps the bar.
    pub(crate) kept: bool,
}
