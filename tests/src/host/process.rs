//! What all VMs of one proxy share: the clock, shared data, metrics, clusters, log, faults, and what became of requests.

use super::{
    Call, Fault, HeaderMap, Outcome, SharedData,
    fault::{Effect, Faults},
    metrics::Metrics,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One of the proxy's virtual machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VmName {
    /// The one that tries a configuration out on the main thread and is thrown away.
    Canary,
    /// The one on the main thread: it ticks and calls out, and never sees a request.
    Main,
    /// A worker's, counted from 0.
    Worker(usize),
}

/// Log levels of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl LogLevel {
    pub(super) fn from_abi(number: u32) -> Option<Self> {
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical]
            .get(number as usize)
            .copied()
    }
}

/// One line the module logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Which VM said it.
    pub vm: VmName,
    /// How loudly. What the module prints on standard output and error is `Info` and `Error`.
    pub level: LogLevel,
    /// The message, bytes that are not UTF-8 replaced.
    pub message: String,
}

/// What became of one request, kept after its context is gone.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) context: u32,
    pub(super) outcome: Outcome,
    pub(super) response: Option<HeaderMap>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) filter_state: BTreeMap<String, Vec<u8>>,
    pub(super) ended: bool,
}

pub(super) struct Process {
    /// Nanoseconds since 1970.
    pub(super) now: u64,
    pub(super) shared: SharedData,
    pub(super) metrics: Metrics,
    /// Clusters by name; `false` is one without hosts.
    pub(super) clusters: BTreeMap<String, bool>,
    pub(super) absent_functions: BTreeSet<String>,
    /// `allow_on_headers_stop_iteration`: pausing the headers does not pause the body.
    pub(super) stops_iteration_only: bool,
    pub(super) log: Vec<LogLine>,
    pub(super) log_level: LogLevel,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) calls: BTreeMap<Call, usize>,
    faults: Faults,
    entropy: u64,
}

/// The one process, held by every VM of it.
pub(super) type Shared = Rc<RefCell<Process>>;

impl Process {
    pub(super) fn new(now: u64) -> Self {
        Self {
            now,
            shared: SharedData::default(),
            metrics: Metrics::new(),
            clusters: BTreeMap::new(),
            absent_functions: BTreeSet::new(),
            stops_iteration_only: false,
            log: Vec::new(),
            log_level: LogLevel::Trace,
            exchanges: Vec::new(),
            calls: BTreeMap::new(),
            faults: Faults::default(),
            entropy: 0x9e37_79b9_7f4a_7c15,
        }
    }

    pub(super) fn inject(&mut self, call: Call, fault: Fault) {
        self.faults.inject(call, fault);
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Counts the call and says what happens to it, if anything does.
    pub(super) fn strike(&mut self, call: Call, vm: VmName) -> Option<Effect> {
        *self.calls.entry(call).or_default() += 1;
        self.faults.strike(call, vm)
    }

    /// Bytes that differ from call to call and are the same in every run (xorshift64*).
    pub(super) fn random(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.entropy ^= self.entropy >> 12;
            self.entropy ^= self.entropy << 25;
            self.entropy ^= self.entropy >> 27;
            (self.entropy.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }
}
