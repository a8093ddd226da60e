//! The running proxy: workers to send requests through, a clock to advance, things to look at.

use super::{
    Answer, Call, Callout, FailurePolicy, Fault, HeaderMap, LocalReply, LogLine, Metric, Outcome, Request,
    SharedData, Stream,
    process::{Exchange, Shared, VmName},
    vm::{Blueprint, Vm},
    worker::{MainVm, Worker},
};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// At most this many callouts are answered by one [`Envoy::settle`]: a module that asks for ever is a failed test.
const MAX_SETTLED: usize = 10_000;

/// How long after a load a crashed VM is not loaded again, in nanoseconds: Envoy's `base_interval`.
const RELOAD_BACKOFF: u64 = 1_000_000_000;

/// A running proxy. Nothing happens in it unless the test makes it happen.
pub struct Envoy {
    process: Shared,
    blueprint: Blueprint,
    policy: FailurePolicy,
    configuration: Vec<u8>,
    /// The main thread's, then the workers'.
    pub(super) slots: Vec<Slot>,
    /// A configuration failed on a thread after the canary passed: no configuration is accepted any more.
    poisoned: bool,
}

/// One thread's place for a VM.
pub(super) struct Slot {
    name: VmName,
    pub(super) vm: Option<Vm>,
    loaded_at: u64,
    /// The filter is not installed here.
    unguarded: bool,
}

impl Slot {
    pub(super) fn empty(name: VmName) -> Self {
        Self { name, vm: None, loaded_at: 0, unguarded: false }
    }
}

impl Envoy {
    pub(super) fn new(
        process: Shared,
        blueprint: Blueprint,
        policy: FailurePolicy,
        slots: Vec<Slot>,
    ) -> Self {
        Self { process, blueprint, policy, configuration: Vec::new(), slots, poisoned: false }
    }

    /// A worker thread, counted from 0.
    pub fn worker(&mut self, index: usize) -> Worker<'_> {
        assert!(index + 1 < self.slots.len(), "there is no worker {index}");
        Worker(MainVm { envoy: self, slot: index + 1 })
    }

    /// The main thread: it ticks and calls out, and sees no request.
    pub fn main(&mut self) -> MainVm<'_> {
        MainVm { envoy: self, slot: 0 }
    }

    /// Pushes a new configuration, as ECDS would.
    ///
    /// # Errors
    /// When the canary refuses it, or a thread refused an earlier one: the configuration in force stays.
    pub fn reconfigure(&mut self, configuration: impl AsRef<[u8]>) -> Result<(), Rejected> {
        let before = self.process.borrow().log.len();
        let rejected = |envoy: &Self, reason: String| {
            Err(Rejected { reason, log: envoy.process.borrow().log[before..].to_vec() })
        };
        if self.poisoned {
            return rejected(self, "Unable to create Wasm plugin".to_owned());
        }
        let tried = Vm::new(&self.blueprint, VmName::Canary, self.process.clone())
            .and_then(|mut canary| canary.configure(configuration.as_ref()));
        if let Err(reason) = tried {
            return rejected(self, reason);
        }
        self.load_everywhere(configuration.as_ref().to_vec());
        Ok(())
    }

    /// Lets time pass: ticks and callout timeouts happen in order, at their time.
    pub fn advance(&mut self, duration: Duration) {
        let until = self.after(duration);
        while self.step(until) {}
    }

    /// Lets time pass in a world that answers callouts as soon as they are sent.
    pub fn run_for(&mut self, duration: Duration, mut world: impl FnMut(&Callout) -> Option<Answer>) {
        let until = self.after(duration);
        self.settle(&mut world);
        while self.step(until) {
            self.settle(&mut world);
        }
    }

    /// Lets time pass in such a world until the request is decided, at most for as long as `patience` says.
    pub fn decide(
        &mut self,
        stream: Stream,
        patience: Duration,
        mut world: impl FnMut(&Callout) -> Option<Answer>,
    ) -> Outcome {
        let until = self.after(patience);
        self.settle(&mut world);
        while self.outcome(stream) == Outcome::Paused && self.step(until) {
            self.settle(&mut world);
        }
        self.outcome(stream)
    }

    fn after(&self, duration: Duration) -> u64 {
        self.now() + duration.as_nanos() as u64
    }

    /// Lets the next thing that is due by `until` happen. Without one the clock goes to `until`, and that was all.
    fn step(&mut self, until: u64) -> bool {
        let due = self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let (at, due) = slot.vm.as_ref()?.next_due()?;
            (at <= until).then_some((at, index, due))
        });
        let next = due.min();
        let now = self.now();
        self.process.borrow_mut().now = next.map_or(until, |(at, ..)| at.max(now));
        if let Some((_, index, due)) = next
            && let Some(vm) = &mut self.slots[index].vm
        {
            vm.fire(due);
        }
        next.is_some()
    }

    /// Answers every callout on every thread until there are none. `None` leaves a callout waiting.
    ///
    /// # Panics
    /// When the module keeps asking.
    pub fn settle(&mut self, mut world: impl FnMut(&Callout) -> Option<Answer>) {
        let mut left_waiting = std::collections::BTreeSet::new();
        for _ in 0..MAX_SETTLED {
            let waiting = self.slots.iter().enumerate().find_map(|(index, slot)| {
                let callouts = &slot.vm.as_ref()?.state().callouts;
                let token = callouts.keys().find(|token| !left_waiting.contains(&(index, **token)))?;
                Some((index, callouts[token].clone()))
            });
            let Some((index, callout)) = waiting else { return };
            match (world(&callout), &mut self.slots[index].vm) {
                (Some(answer), Some(vm)) => vm.complete(callout.token, answer),
                _ => {
                    left_waiting.insert((index, callout.token));
                }
            }
        }
        panic!("{MAX_SETTLED} callouts answered and still more");
    }

    /// Where a request stands.
    pub fn outcome(&self, stream: Stream) -> Outcome {
        self.process.borrow().exchanges[stream.exchange].outcome.clone()
    }

    /// The response headers the client saw, after the module changed them.
    pub fn response(&self, stream: Stream) -> Option<HeaderMap> {
        self.process.borrow().exchanges[stream.exchange].response.clone()
    }

    /// The request's trailers as the upstream got them, once it has the whole request.
    pub fn trailers(&self, stream: Stream) -> Option<HeaderMap> {
        self.process.borrow().exchanges[stream.exchange].trailers.clone()
    }

    /// The filter state a request carries, as a later filter would read it: what the module set as `x` is `wasm.x`.
    pub fn filter_state(&self, stream: Stream) -> BTreeMap<String, Vec<u8>> {
        self.process.borrow().exchanges[stream.exchange].filter_state.clone()
    }

    /// Whether the request's context is gone: log, done, delete have all been called.
    pub fn ended(&self, stream: Stream) -> bool {
        self.process.borrow().exchanges[stream.exchange].ended
    }

    /// Nanoseconds since 1970.
    pub fn now(&self) -> u64 {
        self.process.borrow().now
    }

    /// A metric by its full name.
    pub fn metric(&self, name: &str) -> Option<Metric> {
        self.process.borrow().metrics.get(name).cloned()
    }

    /// The sum of every counter whose name contains all of `parts`.
    pub fn count(&self, parts: &[&str]) -> u64 {
        let metrics = &self.process.borrow().metrics;
        let named = metrics.iter().filter(|(name, _)| parts.iter().all(|part| name.contains(part)));
        named.map(|(_, metric)| metric.value).sum()
    }

    /// Every metric by name.
    pub fn metrics(&self) -> BTreeMap<String, Metric> {
        self.process.borrow().metrics.clone()
    }

    /// Everything logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.process.borrow().log.clone()
    }

    /// Whether a line of the log contains `text`.
    pub fn logged(&self, text: &str) -> bool {
        self.process.borrow().log.iter().any(|line| line.message.contains(text))
    }

    /// The level the module is told to log at.
    pub fn set_log_level(&mut self, level: super::LogLevel) {
        self.process.borrow_mut().log_level = level;
    }

    /// The shared data of the module's `vm_id`.
    pub fn shared_data(&self) -> SharedData {
        self.process.borrow().shared.clone()
    }

    /// Writes shared data, as another plugin under the same `vm_id` could.
    pub fn write_shared_data(&mut self, key: &str, value: &[u8]) {
        self.process.borrow_mut().shared.set(key.as_bytes(), value, 0).expect("0 always writes");
    }

    /// Adds a cluster, or gives it hosts again.
    pub fn add_cluster(&mut self, name: &str) {
        self.process.borrow_mut().clusters.insert(name.to_owned(), true);
    }

    /// Takes a cluster away: callouts to it get `BadArgument`.
    pub fn remove_cluster(&mut self, name: &str) {
        self.process.borrow_mut().clusters.remove(name);
    }

    /// Puts a fault on a hostcall, in every VM unless the fault names one.
    pub fn inject(&mut self, call: Call, fault: Fault) {
        self.process.borrow_mut().inject(call, fault);
    }

    /// Takes every fault away.
    pub fn clear_faults(&mut self) {
        self.process.borrow_mut().clear_faults();
    }

    /// How often a hostcall has been made, by all VMs together.
    pub fn calls(&self, call: Call) -> usize {
        self.process.borrow().calls.get(&call).copied().unwrap_or_default()
    }

    /// Removes the plugin: root contexts get `proxy_on_done` as their last streams end.
    pub fn shut_down(&mut self) {
        for vm in self.slots.iter_mut().filter_map(|slot| slot.vm.as_mut()) {
            vm.shut_down();
        }
    }

    pub(super) fn load_everywhere(&mut self, configuration: Vec<u8>) {
        self.configuration = configuration;
        for index in 0..self.slots.len() {
            if self.slots[index].vm.is_none() {
                self.load(index);
            } else if let Some(vm) = self.slots[index].vm.as_mut().filter(|vm| vm.death.is_none()) {
                let failed = vm.configure(&self.configuration).is_err();
                self.slots[index].unguarded = failed;
                self.poisoned |= failed;
            }
        }
    }

    /// A fresh VM under the configuration in force. A failure here comes after the canary passed: the thread is left
    /// without the filter.
    fn load(&mut self, index: usize) {
        let name = self.slots[index].name;
        let made = Vm::new(&self.blueprint, name, self.process.clone()).and_then(|mut vm| {
            vm.configure(&self.configuration)?;
            Ok(vm)
        });
        let slot = &mut self.slots[index];
        slot.loaded_at = self.process.borrow().now;
        slot.unguarded = made.is_err();
        self.poisoned |= made.is_err();
        slot.vm = made.ok();
    }

    pub(super) fn request(&mut self, slot: usize, request: Request) -> Stream {
        let exchange = self.process.borrow().exchanges.len();
        self.process.borrow_mut().exchanges.push(Exchange {
            context: 0,
            outcome: Outcome::Paused,
            response: None,
            trailers: None,
            filter_state: BTreeMap::new(),
            ended: false,
        });
        let dead = self.slots[slot].vm.as_ref().is_some_and(|vm| vm.death.is_some());
        let rested = self.now() - self.slots[slot].loaded_at >= RELOAD_BACKOFF;
        if dead && self.policy == FailurePolicy::Reload && rested {
            self.load(slot);
        }
        let outcome = match &mut self.slots[slot] {
            Slot { unguarded: true, .. } => Some(Outcome::Bypassed),
            Slot { vm: Some(vm), .. } if vm.death.is_none() => {
                vm.request(request.arrive(exchange), exchange);
                None
            }
            _ if self.policy == FailurePolicy::Open => Some(Outcome::Bypassed),
            _ => Some(Outcome::Replied(LocalReply {
                status: 503,
                headers: [(":status", "503")].into_iter().collect(),
                body: Vec::new(),
                details: "wasm_fail_stream".to_owned(),
            })),
        };
        if let Some(outcome) = outcome {
            let exchange = &mut self.process.borrow_mut().exchanges[exchange];
            exchange.outcome = outcome;
            exchange.ended = true;
        }
        Stream { worker: slot - 1, exchange }
    }

    /// The VM that holds a stream, and the stream's context in it.
    pub(super) fn holder(&mut self, stream: Stream) -> Option<(&mut Vm, u32)> {
        let (context, ended) = {
            let exchange = &self.process.borrow().exchanges[stream.exchange];
            (exchange.context, exchange.ended)
        };
        let vm = self.slots[stream.worker + 1].vm.as_mut()?;
        (!ended).then_some((vm, context))
    }
}

/// Why a configuration was not taken.
#[derive(Debug)]
pub struct Rejected {
    /// What the runtime or the simulator says.
    pub reason: String,
    /// What the module logged meanwhile.
    pub log: Vec<LogLine>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        self.log.iter().try_for_each(|line| write!(f, "\n  {:?} {:?}: {}", line.vm, line.level, line.message))
    }
}

impl std::error::Error for Rejected {}
