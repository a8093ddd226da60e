//! One virtual machine: the guest's exports called in Envoy's order, and after each call whatever the guest deferred.

mod stream;

use super::{
    Answer, Cost, LocalReply, Outcome, VmName, imports,
    metrics::MetricIds,
    module::{self, Module},
    process::Shared,
    state::{Deferred, Phase, Root, State},
};
use std::collections::{BTreeMap, VecDeque};
use wasmtime::{Instance, InstancePre, Store, StoreLimitsBuilder, Val};

/// What every VM of a proxy is given.
#[derive(Clone)]
pub(super) struct Terms {
    /// `NAME=value`, in order.
    pub(super) environment: Vec<String>,
    /// The most bytes of linear memory.
    pub(super) memory: usize,
    /// The most fuel of one call.
    pub(super) fuel: u64,
    /// The fuel of all calls of a worker's VM.
    pub(super) stop: u64,
}

/// Everything needed to make another VM of the same module.
pub(super) struct Blueprint {
    pre: InstancePre<State>,
    terms: Terms,
}

impl Blueprint {
    pub(super) fn new(module: &Module, tolerated: &[String], terms: Terms) -> Result<Self, String> {
        let linker =
            imports::link(module::engine(), &module.0, tolerated).map_err(|error| format!("{error:#}"))?;
        let pre = linker.instantiate_pre(&module.0).map_err(|error| format!("{error:#}"))?;
        Ok(Self { pre, terms })
    }
}

pub(super) struct Vm {
    store: Store<State>,
    instance: Instance,
    fuel: u64,
    /// Fuel left for all calls.
    left: u64,
    /// Why it is dead, once it is.
    pub(super) death: Option<String>,
    /// Fuel the most expensive guest call has burnt.
    pub(super) hottest: u64,
    /// Fuel that calls of each export have burnt.
    burnt: BTreeMap<&'static str, u64>,
}

/// A timer that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Timeout(u32),
    Tick(u32),
}

impl Vm {
    /// Instantiates and runs `_initialize`.
    pub(super) fn new(blueprint: &Blueprint, name: VmName, process: Shared) -> Result<Self, String> {
        let state = State {
            process,
            name,
            environment: blueprint.terms.environment.clone(),
            limits: StoreLimitsBuilder::new().memory_size(blueprint.terms.memory).build(),
            initializing: true,
            current: 0,
            effective: 0,
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
            callouts: BTreeMap::new(),
            deferred: VecDeque::new(),
            answer: None,
            plugin_configuration: None,
            metric_ids: MetricIds::default(),
            last_context: 0,
            last_token: 0,
            calls: BTreeMap::new(),
        };
        let mut store = Store::new(module::engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_fuel(blueprint.terms.fuel).map_err(|error| error.to_string())?;
        let instance = blueprint.pre.instantiate(&mut store).map_err(|error| format!("{error:#}"))?;
        let Terms { fuel, stop, .. } = blueprint.terms;
        let left = if matches!(name, VmName::Worker(_)) { stop } else { u64::MAX };
        let mut vm = Self { store, instance, fuel, left, death: None, hottest: 0, burnt: BTreeMap::new() };
        let entry = if vm.exports("_initialize") { "_initialize" } else { "_start" };
        vm.enter(0, entry, &[], 0);
        vm.state_mut().initializing = false;
        match vm.death.take() {
            Some(reason) => Err(reason),
            None => Ok(vm),
        }
    }

    pub(super) fn state(&self) -> &State {
        self.store.data()
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        self.store.data_mut()
    }

    pub(super) fn memory_bytes(&mut self) -> usize {
        let memory = self.instance.get_memory(&mut self.store, "memory");
        memory.map_or(0, |memory| memory.data_size(&self.store))
    }

    /// What the guest has cost since it was made.
    pub(super) fn cost(&self) -> Cost {
        Cost { instructions: self.burnt.clone(), calls: self.state().calls.clone() }
    }

    /// Makes a root context for this configuration and retires the ones before it.
    pub(super) fn configure(&mut self, configuration: &[u8]) -> Result<(), String> {
        let root = self.new_context();
        self.state_mut().roots.insert(root, Root::default());
        self.enter(root, "proxy_on_context_create", &[root, 0], 0);
        let started = self.enter(root, "proxy_on_vm_start", &[root, 0], 1);
        self.state_mut().plugin_configuration = Some(configuration.to_vec());
        let configured = match started {
            0 => 0,
            _ => self.enter(root, "proxy_on_configure", &[root, configuration.len() as u32], 1),
        };
        self.state_mut().plugin_configuration = None;
        self.perform_deferred();
        match &self.death {
            Some(reason) => return Err(format!("trap: {reason}")),
            None if started == 0 => return Err("proxy_on_vm_start returned false".to_owned()),
            None if configured == 0 => return Err("proxy_on_configure returned false".to_owned()),
            None => {}
        }
        self.retire_roots_before(root);
        Ok(())
    }

    /// Retires every root context: the plugin is being removed.
    pub(super) fn shut_down(&mut self) {
        self.retire_roots_before(u32::MAX);
    }

    pub(super) fn complete(&mut self, token: u32, answer: Answer) {
        let Some(callout) = self.state_mut().callouts.remove(&token) else { return };
        let arguments = [callout.root, token, answer.headers.len() as u32, answer.body.len() as u32, 0];
        self.state_mut().answer = Some(answer);
        self.enter(callout.root, "proxy_on_http_call_response", &arguments, 0);
        self.state_mut().answer = None;
        self.perform_deferred();
    }

    /// The earliest timer.
    pub(super) fn next_due(&self) -> Option<(u64, Due)> {
        if self.death.is_some() {
            return None;
        }
        let state = self.state();
        let ticks = state.roots.iter().filter_map(|(id, root)| Some((root.tick?.due, Due::Tick(*id))));
        let timeouts = state
            .callouts
            .values()
            .filter_map(|callout| Some((callout.deadline()?, Due::Timeout(callout.token))));
        ticks.chain(timeouts).min()
    }

    pub(super) fn fire(&mut self, due: Due) {
        match due {
            Due::Timeout(token) => self.complete(token, Answer::timed_out()),
            Due::Tick(root) => {
                if let Some(tick) = self.state_mut().roots.get_mut(&root).and_then(|root| root.tick.as_mut())
                {
                    tick.due += tick.period;
                }
                self.enter(root, "proxy_on_tick", &[root], 0);
                self.perform_deferred();
            }
        }
    }

    /// One call of a host that has lost its way. An export the guest does not have, and a dead guest, return -1.
    pub(super) fn stray_call(&mut self, context: u32, export: &'static str, arguments: &[u32]) -> i32 {
        let returned = self.enter(context, export, arguments, -1);
        self.perform_deferred();
        returned
    }

    /// One call into the guest. An export it does not have, and a dead guest, return `absent`.
    fn enter(&mut self, context: u32, export: &'static str, arguments: &[u32], absent: i32) -> i32 {
        let function = self.instance.get_func(&mut self.store, export);
        let Some(function) = function.filter(|_| self.death.is_none()) else { return absent };
        self.state_mut().current = context;
        self.state_mut().effective = context;
        let fuel = self.fuel.min(self.left);
        self.store.set_fuel(fuel).expect("fuel is enabled");
        let arguments: Vec<Val> = arguments.iter().map(|argument| Val::I32(*argument as i32)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let outcome = function.call(&mut self.store, &arguments, &mut results);
        let burnt = fuel - self.store.get_fuel().unwrap_or_default();
        self.left -= burnt;
        self.hottest = self.hottest.max(burnt);
        *self.burnt.entry(export).or_default() += burnt;
        if let Err(error) = outcome {
            self.die(format!("{export}: {error:?}"));
            return absent;
        }
        results.first().and_then(Val::i32).unwrap_or(absent)
    }

    /// A trap: every stream in this VM's hands is answered with 503, and nothing runs here again.
    fn die(&mut self, reason: String) {
        let state = self.state_mut();
        let process = state.process.clone();
        for stream in state.streams.values() {
            let exchange = &mut process.borrow_mut().exchanges[stream.exchange];
            if exchange.outcome == Outcome::Paused {
                exchange.outcome = Outcome::Trapped { reason: reason.clone() };
            }
            exchange.ended = true;
        }
        state.streams.clear();
        state.callouts.clear();
        state.deferred.clear();
        self.death = Some(reason);
    }

    fn perform_deferred(&mut self) {
        while let Some(action) = self.state_mut().deferred.pop_front() {
            match action {
                Deferred::ContinueRequest(id) => match self.phase(id) {
                    Some(Phase::RequestHeaders) => self.continue_request(id),
                    Some(Phase::RequestBody) => self.deliver_trailers(id),
                    Some(Phase::RequestTrailers) => self.complete_request(id),
                    _ => {}
                },
                Deferred::ContinueResponse(id) => {
                    if self.phase(id) == Some(Phase::Response) {
                        self.continue_response(id);
                    }
                }
                Deferred::LocalReply(id, reply) => {
                    let reply = self.with_details_of_the_last(id, reply);
                    self.reply(id, reply);
                }
                Deferred::Close(id) => self.abort(id),
                Deferred::Done(id) => match self.state().streams.contains_key(&id) {
                    true => self.delete_stream(id),
                    false => self.delete_root(id),
                },
            }
        }
    }

    /// Two local replies in one call: the first is sent, the details of the last are logged.
    fn with_details_of_the_last(&mut self, id: u32, mut reply: LocalReply) -> LocalReply {
        self.state_mut().deferred.retain(|action| match action {
            Deferred::LocalReply(other, later) if *other == id => {
                reply.details.clone_from(&later.details);
                false
            }
            _ => true,
        });
        reply
    }

    fn retire_roots_before(&mut self, newest: u32) {
        for (id, root) in &mut self.state_mut().roots {
            root.retired |= *id < newest;
        }
        self.release_roots();
    }

    /// `proxy_on_done` for retired root contexts without streams.
    fn release_roots(&mut self) {
        let state = self.state();
        let idle = |id: u32| state.streams.values().all(|stream| stream.root != id);
        let ready = state.roots.iter().filter(|(id, root)| root.retired && !root.done && idle(**id));
        let ready: Vec<u32> = ready.map(|(id, _)| *id).collect();
        for id in ready {
            if let Some(root) = self.state_mut().roots.get_mut(&id) {
                root.done = true;
            }
            if self.enter(id, "proxy_on_done", &[id], 1) != 0 {
                self.delete_root(id);
            }
            self.perform_deferred();
        }
    }

    fn delete_root(&mut self, id: u32) {
        if self.state().roots.get(&id).is_some_and(|root| root.done) {
            self.enter(id, "proxy_on_delete", &[id], 0);
            self.state_mut().roots.remove(&id);
            self.state_mut().callouts.retain(|_, callout| callout.root != id);
        }
    }

    fn new_context(&mut self) -> u32 {
        self.state_mut().last_context += 1;
        self.state().last_context
    }

    fn exports(&mut self, name: &str) -> bool {
        self.instance.get_func(&mut self.store, name).is_some()
    }
}
