//! Setting the scene: which module, how many workers, which clusters, what the environment says.

use super::{
    Envoy, LogLine, Module,
    envoy::Slot,
    process::{Process, VmName},
    vm::{Blueprint, Terms, Vm},
};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// What the proxy does with requests after the module trapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// 503 on that worker, for good. Envoy's default.
    #[default]
    Closed,
    /// Requests pass unseen: [`Outcome::Bypassed`](super::Outcome::Bypassed).
    Open,
    /// A fresh VM for the next request, at most once a second; 503 in between.
    Reload,
}

/// A proxy about to start.
#[must_use = "nothing runs before `start`"]
pub struct Host {
    module: Module,
    terms: Terms,
    tolerated: Vec<String>,
    workers: usize,
    policy: FailurePolicy,
    process: Process,
}

/// 2026-06-01T12:00:00Z: the hour at which every simulated day starts.
const START: u64 = 1_780_315_200;

impl Host {
    /// A proxy with one worker, no clusters and an empty environment.
    pub fn load(module: &Module) -> Self {
        Self {
            module: module.clone(),
            terms: Terms {
                environment: Vec::new(),
                memory: 1024 * 1024 * 1024,
                fuel: 20_000_000_000,
                stop: u64::MAX,
            },
            tolerated: Vec::new(),
            workers: 1,
            policy: FailurePolicy::default(),
            process: Process::new(START * 1_000_000_000),
        }
    }

    /// Sets an environment variable of the VM.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.terms.environment.push(format!("{name}={value}"));
        self
    }

    /// A cluster that callouts can go to.
    pub fn cluster(mut self, name: &str) -> Self {
        self.process.clusters.insert(name.to_owned(), true);
        self
    }

    /// A cluster that exists and has no hosts: callouts to it fail at once with `InternalFailure`.
    pub fn cluster_without_hosts(mut self, name: &str) -> Self {
        self.process.clusters.insert(name.to_owned(), false);
        self
    }

    /// How many workers, at least one.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// What happens after a trap.
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The most memory one VM may have, in bytes: 1 GiB unless told, as V8's.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.terms.memory = bytes;
        self
    }

    /// The most fuel one call into the guest may burn, about one unit an instruction, before it traps.
    pub fn fuel(mut self, fuel: u64) -> Self {
        self.terms.fuel = fuel;
        self
    }

    /// The instructions after which a worker's VM traps, counted from when it was made: where it traps is where they went.
    pub fn stop_after(mut self, instructions: u64) -> Self {
        self.terms.stop = instructions;
        self
    }

    /// The clock at the start, seconds since 1970; 2026-06-01T12:00:00Z unless told.
    pub fn at(mut self, seconds: u64) -> Self {
        self.process.now = seconds * 1_000_000_000;
        self
    }

    /// A foreign function this host does not have.
    pub fn without_foreign_function(mut self, name: &str) -> Self {
        self.process.absent_functions.insert(name.to_owned());
        self
    }

    /// Envoy's `allow_on_headers_stop_iteration`: the body of a request whose headers the filter holds is delivered to
    /// it, and `Continue` there sends the headers on as well.
    pub fn allow_on_headers_stop_iteration(mut self) -> Self {
        self.process.stops_iteration_only = true;
        self
    }

    /// An import this host does not define, answered with `Unimplemented` instead of refusing to link.
    pub fn tolerate_missing_import(mut self, name: &str) -> Self {
        self.tolerated.push(name.to_owned());
        self
    }

    /// A fault that is there from the start, so that `on_configure` meets it.
    pub fn inject(mut self, call: super::Call, fault: super::Fault) -> Self {
        self.process.inject(call, fault);
        self
    }

    /// Starts the proxy: the canary tries the configuration, then the main thread and every worker load it.
    ///
    /// # Errors
    /// When the module cannot be linked or instantiated, or the canary refuses the configuration: Envoy would exit. A
    /// worker that fails after the canary passed is no error, it is a hole: see [`Outcome::Bypassed`](super::Outcome).
    pub fn start(self, configuration: impl AsRef<[u8]>) -> Result<Envoy, StartError> {
        let process = Rc::new(RefCell::new(self.process));
        let failed = |reason: String| StartError { reason, log: process.borrow().log.clone() };
        let blueprint = Blueprint::new(&self.module, &self.tolerated, self.terms).map_err(failed)?;
        let configuration = configuration.as_ref().to_vec();
        let mut canary = Vm::new(&blueprint, VmName::Canary, process.clone()).map_err(failed)?;
        canary.configure(&configuration).map_err(failed)?;
        drop(canary);
        let names = std::iter::once(VmName::Main).chain((0..self.workers).map(VmName::Worker));
        let slots = names.map(Slot::empty).collect();
        let mut envoy = Envoy::new(process, blueprint, self.policy, slots);
        envoy.load_everywhere(configuration);
        Ok(envoy)
    }
}

/// Why the proxy did not start.
#[derive(Debug)]
pub struct StartError {
    /// What the runtime or the simulator says.
    pub reason: String,
    /// What the module logged on the way.
    pub log: Vec<LogLine>,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        self.log.iter().try_for_each(|line| write!(f, "\n  {:?} {:?}: {}", line.vm, line.level, line.message))
    }
}

impl std::error::Error for StartError {}
