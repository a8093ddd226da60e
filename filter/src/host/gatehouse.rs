//! One gate with what the host knows by number: its requests, its callouts, its metrics, its timer.

use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use portcullis_policy::decision::Permit;
use rustc_hash::FxHasher;

use super::abi::{self, Action, Buffer, HeaderMap, Level};
use super::crypto::ForeignCrypto;
use super::metrics::HostMetrics;
use super::perform::{self, PerformError};
use super::schedule::Schedule;
use super::status::{HostError, HostStatus};
use super::{callout, log};
use crate::gate::{
    Answer, Body, Callout, CalloutId, CalloutReply, Command, Event, ExchangeId, Gate, HeaderEdit, LogLevel,
    RequestHead,
};
use crate::header_pairs;
use crate::time::UnixTime;

/// Path of the peer's address, its segments with one NUL between them.
const SOURCE_ADDRESS: &[u8] = b"source\0address";

/// Whether a request may go on. A request that waits is decided in a callback of another context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Its headers have not arrived.
    Expected,
    /// Not decided. The request is held.
    Undecided,
    /// Permitted, edited, and marked unless the environment says that nobody asks for the mark.
    Permitted,
    /// Refused.
    Refused,
}

impl Passage {
    /// The one place that says `Continue`.
    fn action(self) -> Action {
        match self {
            Passage::Permitted => Action::Continue,
            Passage::Expected | Passage::Undecided | Passage::Refused => Action::Pause,
        }
    }
}

/// A request that is here.
struct Exchange {
    passage: Passage,
    /// Bytes of its body that have arrived, while it is held.
    body_bytes: usize,
}

/// Requests under way that there is room for from the beginning: a table that is nearly full is put in order again and again.
const USUAL_EXCHANGES: usize = 256;

/// Requests by number. The host counts them up, so no client chooses where they fall.
type Exchanges = HashMap<ExchangeId, Exchange, BuildHasherDefault<FxHasher>>;

/// One root context of the host: one document in force.
///
/// Without a gate, which is how it begins, it refuses everything.
pub(crate) struct Gatehouse {
    root: u32,
    gate: Option<Gate>,
    metrics: HostMetrics,
    /// Requests that have begun and are not over.
    exchanges: Exchanges,
    /// Callouts in flight, by the host's token.
    callouts: BTreeMap<u32, CalloutId>,
    /// Callouts that wait for a callback of the root context.
    outbox: VecDeque<Callout>,
    schedule: Schedule,
    /// The last time the host told.
    last_time: UnixTime,
    retired: bool,
    released: bool,
    is_over: bool,
}

impl Gatehouse {
    /// The gatehouse of this root context, closed.
    pub(crate) fn new(root: u32) -> Gatehouse {
        Gatehouse {
            root,
            gate: None,
            metrics: HostMetrics::default(),
            exchanges: Exchanges::with_capacity_and_hasher(USUAL_EXCHANGES, BuildHasherDefault::default()),
            callouts: BTreeMap::new(),
            outbox: VecDeque::new(),
            schedule: Schedule::default(),
            last_time: UnixTime::default(),
            retired: false,
            released: false,
            is_over: false,
        }
    }

    /// Puts a gate in place and does what it commands at once. Requests that wait for an earlier gate are refused.
    pub(crate) fn open(&mut self, gate: Gate, commands: Vec<Command>) {
        self.keep_time();
        self.refuse_undecided();
        self.callouts.clear();
        self.outbox.clear();
        self.metrics.flush();
        self.metrics = HostMetrics::define(gate.metrics().definitions());
        self.gate = Some(gate);
        for command in commands {
            self.perform(command, self.root);
        }
        self.leave_root();
    }

    /// A request will arrive.
    pub(crate) fn expect(&mut self, exchange: ExchangeId) {
        self.exchanges.insert(exchange, Exchange { passage: Passage::Expected, body_bytes: 0 });
    }

    /// Whether nothing is left to do and nobody will come: the host has let go.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// A request has arrived, and with its headers ended or not. Called within its own context.
    pub(crate) fn arrive(&mut self, exchange: ExchangeId, ended: bool) -> Action {
        let Some(here) = self.exchanges.get_mut(&exchange) else { return Action::Pause };
        // A request arrives once. What a host says of it a second time was never looked at.
        here.passage = match here.passage {
            Passage::Expected => Passage::Undecided,
            Passage::Undecided | Passage::Permitted | Passage::Refused => Passage::Refused,
        };
        if here.passage == Passage::Refused {
            return Action::Pause;
        }
        let head = self.tell_time().map_err(PerformError::from).and_then(|()| self.request_head(ended));
        match head {
            Ok(head) if self.gate.is_some() => self.handle(Event::Head { exchange, head }, exchange.0),
            Ok(_) => self.refuse(exchange, &Answer::internal_error(), exchange.0),
            Err(error) => {
                log::write(Level::Error, || format!("request {} cannot be read: {error}", exchange.0));
                self.refuse(exchange, &Answer::internal_error(), exchange.0);
            }
        }
        self.leave_exchange(exchange);
        self.action(exchange)
    }

    /// More of the body of a request has arrived, `size` bytes in all if that is known anew, and perhaps all. Called within
    /// its own context.
    pub(crate) fn receive_body(&mut self, exchange: ExchangeId, size: Option<usize>, ended: bool) -> Action {
        if let Some(here) = self.exchanges.get_mut(&exchange) {
            here.body_bytes = size.unwrap_or(here.body_bytes);
            if here.passage == Passage::Undecided {
                let size = here.body_bytes;
                self.hand_on_body(exchange, size, ended);
            }
        }
        self.action(exchange)
    }

    /// The trailers of a request have arrived, so its body has ended. What a client may not send as a header it may not send
    /// as a trailer either: some servers read both alike. They are cleaned before the decision, for it may be made where they
    /// cannot be seen.
    pub(crate) fn receive_trailers(&mut self, exchange: ExchangeId) -> Action {
        let refused = self.exchanges.get(&exchange).is_some_and(|here| here.passage == Passage::Refused);
        if let (false, Err(error)) = (refused, self.clean_trailers()) {
            if let Some(here) = self.exchanges.get_mut(&exchange) {
                here.passage = Passage::Refused;
            }
            log::write(Level::Error, || {
                format!("request {} is cut off at its trailers: {error}", exchange.0)
            });
            // The upstream may have had the headers; all that can be done is to end the request.
            let _ = perform::answer(&Answer::internal_error());
        }
        self.receive_body(exchange, None, true)
    }

    fn hand_on_body(&mut self, exchange: ExchangeId, size: usize, ended: bool) {
        let Some(bound) = self.gate.as_ref().and_then(|gate| gate.body_bound(exchange)) else { return };
        let body = if size > bound {
            Body::TooLarge
        } else if ended {
            request_body(size).unwrap_or_else(|error| {
                log::write(Level::Error, || {
                    format!("the body of request {} cannot be read: {error}", exchange.0)
                });
                Body::Unknown
            })
        } else {
            return;
        };
        self.keep_time();
        self.handle(Event::Body { exchange, body }, exchange.0);
        self.leave_exchange(exchange);
    }

    /// Removes from the trailers of the effective context what no client may send.
    ///
    /// # Errors
    ///
    /// They cannot be read, or one cannot be removed. The request must not go on.
    fn clean_trailers(&self) -> Result<(), PerformError> {
        let trailers = header_pairs::decode(abi::header_pairs(HeaderMap::RequestTrailers)?)?;
        let forged = self.gate.as_ref().map(|gate| gate.forged_trailers(&trailers)).unwrap_or_default();
        for edit in forged {
            if let HeaderEdit::Remove(name) = edit {
                abi::remove_header(HeaderMap::RequestTrailers, &name)?;
            }
        }
        Ok(())
    }

    /// A request is over. Called within its own context.
    pub(crate) fn finish(&mut self, exchange: ExchangeId) {
        self.exchanges.remove(&exchange);
        if self.gate.as_ref().is_some_and(|gate| gate.is_waiting(exchange)) {
            self.keep_time();
            self.handle(Event::Finished { exchange }, exchange.0);
            self.leave_exchange(exchange);
        }
    }

    /// The timer has run out.
    pub(crate) fn tick(&mut self) {
        self.keep_time();
        if self.schedule.is_due(self.last_time) {
            self.handle(Event::Tick, self.root);
        }
        self.metrics.flush();
        self.leave_root();
    }

    /// A callout has ended.
    pub(crate) fn reply(&mut self, token: u32, reply: CalloutReply) {
        if let Some(callout) = self.callouts.remove(&token) {
            self.keep_time();
            self.handle(Event::CalloutReply { callout, reply }, self.root);
        }
        self.leave_root();
    }

    /// The host wants this root context to end. Whether it may right now; if not, `proxy_done` will say when.
    pub(crate) fn retire(&mut self) -> bool {
        self.keep_time();
        self.handle(Event::Retired, self.root);
        self.send_callouts();
        self.metrics.flush();
        let released = self.released || self.gate.is_none();
        self.retired = !released;
        if released {
            self.rest();
        }
        self.arm();
        self.is_over = released;
        released
    }

    /// Tells the gate what happened in a callback of the context `within`, and does what it commands.
    fn handle(&mut self, event: Event, within: u32) {
        let Some(gate) = &mut self.gate else { return };
        for command in gate.handle(event, self.last_time, &ForeignCrypto) {
            self.perform(command, within);
        }
    }

    fn perform(&mut self, command: Command, within: u32) {
        match command {
            Command::Resume { exchange, permit, edits, record } => {
                if !self.resume(exchange, permit, &edits, within) {
                    self.handle(Event::Unperformed { record }, within);
                }
            }
            Command::Refuse { exchange, answer } => self.refuse(exchange, &answer, within),
            Command::Dispatch(callout) => self.outbox.push_back(callout),
            Command::Increment(metric) => self.metrics.increment(metric),
            Command::Add(metric, amount) => self.metrics.add(metric, amount),
            Command::Record(metric, value) => self.metrics.record(metric, value),
            Command::Log(level, line) => log::write(level_of(level), || line),
            Command::TickEvery(period) => self.schedule.ask(period, self.last_time),
            Command::Release => self.released = true,
        }
    }

    /// Whether the request goes on.
    fn resume(&mut self, exchange: ExchangeId, permit: Permit, edits: &[HeaderEdit], within: u32) -> bool {
        if !self.is_undecided(exchange) {
            return false;
        }
        let marked = self.gate.as_ref().is_none_or(Gate::marks_permits);
        let outcome = within_exchange(exchange, within, || {
            perform::prepare(&permit, edits, marked)?;
            if exchange.0 != within {
                abi::continue_request()?;
            }
            Ok(())
        });
        match outcome {
            Ok(()) => {
                self.conclude(exchange, Passage::Permitted);
                true
            }
            Err(error) => {
                log::write(Level::Error, || format!("request {} cannot go on: {error}", exchange.0));
                self.refuse(exchange, &Answer::internal_error(), within);
                false
            }
        }
    }

    fn refuse(&mut self, exchange: ExchangeId, answer: &Answer, within: u32) {
        if !self.is_undecided(exchange) {
            return;
        }
        // Whatever becomes of the answer: this request does not go on.
        self.conclude(exchange, Passage::Refused);
        let outcome = within_exchange(exchange, within, || {
            perform::answer(answer).or_else(|_| perform::answer(&Answer::internal_error()))
        });
        if let Err(error) = outcome {
            log::write(Level::Error, || format!("request {} stays unanswered: {error}", exchange.0));
        }
    }

    /// A decision is made once, and only for a request that is here.
    fn is_undecided(&self, exchange: ExchangeId) -> bool {
        self.exchanges.get(&exchange).is_some_and(|here| here.passage == Passage::Undecided)
    }

    fn conclude(&mut self, exchange: ExchangeId, passage: Passage) {
        if let Some(here) = self.exchanges.get_mut(&exchange) {
            here.passage = passage;
        }
    }

    fn action(&self, exchange: ExchangeId) -> Action {
        self.exchanges.get(&exchange).map_or(Action::Pause, |here| here.passage.action())
    }

    /// Answers whoever waits for a decision: none will be made.
    pub(crate) fn refuse_undecided(&mut self) {
        for exchange in self.undecided() {
            self.refuse(exchange, &Answer::internal_error(), self.root);
        }
    }

    fn undecided(&self) -> Vec<ExchangeId> {
        let undecided = self.exchanges.iter().filter(|(_, here)| here.passage == Passage::Undecided);
        undecided.map(|(exchange, _)| *exchange).collect()
    }

    /// Tells the host when to call next. Whether it knows.
    fn arm(&mut self) -> bool {
        self.schedule.arm(!self.outbox.is_empty(), self.metrics.has_unflushed())
    }

    /// What is left to do at the end of each callback of a request.
    fn leave_exchange(&mut self, exchange: ExchangeId) {
        if self.arm() || self.outbox.is_empty() {
            return;
        }
        // Without a timer no callback of the root context will come to send them.
        for Callout { id: callout, .. } in std::mem::take(&mut self.outbox) {
            self.handle(Event::CalloutReply { callout, reply: CalloutReply::NotSent }, exchange.0);
        }
    }

    /// What is left to do at the end of each callback of the root context.
    fn leave_root(&mut self) {
        self.send_callouts();
        if self.retired && self.released {
            self.retired = false;
            self.rest();
            self.is_over = true;
            // No timer of this root comes any more.
            self.metrics.flush();
            if let Err(error) = abi::done() {
                log::write(Level::Error, || format!("the host does not let go: {error}"));
            }
        }
        self.arm();
    }

    /// Sends what waits. What the gate adds meanwhile waits for the next callback, so this ends.
    fn send_callouts(&mut self) {
        for callout in std::mem::take(&mut self.outbox) {
            match callout::dispatch(&callout, self.root) {
                Ok(token) => {
                    self.callouts.insert(token, callout.id);
                }
                Err(error) => {
                    log::write(Level::Warn, || {
                        format!("cluster {:?} cannot be called: {error}", callout.cluster)
                    });
                    let event = Event::CalloutReply { callout: callout.id, reply: CalloutReply::NotSent };
                    self.handle(event, self.root);
                }
            }
        }
    }

    /// Nothing is to happen any more: a host may go on calling a timer whose root context is gone.
    fn rest(&mut self) {
        self.outbox.clear();
        self.schedule.ask(std::time::Duration::ZERO, self.last_time);
    }

    /// Everything that the gate is told about a request: the headers in one call, and the peer if anybody asks for it.
    fn request_head(&self, ended: bool) -> Result<RequestHead, PerformError> {
        let headers = header_pairs::decode(abi::header_pairs(HeaderMap::Request)?)?;
        let wanted = self.gate.as_ref().is_some_and(Gate::wants_source);
        let source = wanted.then(|| abi::property(SOURCE_ADDRESS).ok()).flatten();
        Ok(RequestHead { headers, source: source.filter(|address| !address.is_empty()), ended })
    }

    /// The clock of a host may fail for a moment. An arrival is refused then; all else goes by the last time known.
    fn keep_time(&mut self) {
        let _ = self.tell_time();
    }

    fn tell_time(&mut self) -> Result<(), HostError> {
        self.last_time = UnixTime::from_nanos(abi::current_time_nanoseconds()?);
        Ok(())
    }
}

/// Performs calls on the request `exchange` in a callback of the context `within`, and sets the effective context back.
///
/// # Errors
///
/// Those of `calls`, or that the request is gone.
fn within_exchange(
    exchange: ExchangeId,
    within: u32,
    calls: impl FnOnce() -> Result<(), PerformError>,
) -> Result<(), PerformError> {
    if exchange.0 == within {
        return calls();
    }
    abi::set_effective_context(exchange.0)?;
    let outcome = calls();
    if let Err(error) = abi::set_effective_context(within) {
        // Every call about a request names it first, so nothing goes to the wrong one.
        log::write(Level::Error, || format!("the context of the callback is lost: {error}"));
    }
    outcome
}

/// All of a body of this size.
fn request_body(size: usize) -> Result<Body, HostError> {
    if size == 0 {
        return Ok(Body::Arrived(Vec::new()));
    }
    let body = abi::buffer(Buffer::RequestBody, size)?;
    if body.len() == size {
        Ok(Body::Arrived(body))
    } else {
        Err(HostError { call: "proxy_get_buffer_bytes", status: HostStatus::ImpossibleResult })
    }
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
    }
}
