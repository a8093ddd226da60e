//! The gate: a state machine that turns what happens into what to do. No IO, no clock, no randomness: events and the
//! time come in, commands go out, and the same events at the same times give the same commands.
//!
//! One gate serves one configuration in one worker. A request passes these stops, all of them inside [`Gate::handle`]:
//! read the head ([`request`]), find the route, find the credential ([`crate::credential`]), verify it
//! ([`authentication`], which may have to wait for keys), decide ([`portcullis_policy::policy`]), record and conclude
//! ([`conclusion`]).
//!
//! A gate never resumes a request without a [`Permit`](portcullis_policy::decision::Permit), and it answers each
//! request once: with a resume, with a refusal, or, when the client has gone, not at all.

mod answer;
mod authentication;
mod body;
mod callout;
mod command;
mod conclusion;
mod denial;
mod event;
mod identity;
mod keys;
mod recording;
mod request;
mod trial;
mod verified_tokens;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::headers::Headers;
use portcullis_policy::policy::Located;

use crate::audit::{Stream, StreamId};
use crate::authn::probe::HostProbe;
use crate::authn::signature::HostCrypto;
use crate::config::Config;
use crate::metrics::{Mending, Metric, Metrics};
use crate::time::UnixTime;

pub use answer::{Answer, AnswerForm};
pub use body::Body;
pub use command::{Callout, CalloutId, Command, HeaderEdit, LogLevel};
pub use conclusion::subject;
pub use denial::{Code, Denial, Malformed};
pub use event::{CalloutReply, Event, ExchangeId, RequestHead};
pub use identity::IdentityHeaders;
pub use keys::RemoteKeySettings;
pub use request::{MAX_HEADER_BYTES, MAX_HEADERS, Outline, Request, Unread};

use answer::Answers;
use authentication::Authenticator;
use callout::Ongoing;
use request::Before;
use waiting::{Waiting, Wanted};

/// One configuration's gate in one worker.
#[derive(Debug)]
pub struct Gate {
    config: Arc<Config>,
    metrics: Metrics,
    authenticator: Authenticator,
    stream: Option<Stream>,
    waiting: BTreeMap<ExchangeId, Waiting>,
    callouts: BTreeMap<CalloutId, Ongoing>,
    last_callout: u64,
    retired_at: Option<UnixTime>,
    lost_counted: u64,
    shown: Shown,
    answers: Answers,
    before: Before,
    /// Whether the host has ever delivered the body of a request that was held.
    has_bodies: bool,
}

/// What this gate has added to the gauges that all workers share.
#[derive(Debug, Default)]
struct Shown {
    waiting: usize,
    pending: usize,
}

/// What is at hand while one event is handled.
struct Turn<'a> {
    now: UnixTime,
    config: &'a Config,
    crypto: &'a dyn HostCrypto,
    commands: Vec<Command>,
    /// What the one policy there is says of where this request goes: asked before its caller is known, and used after.
    located: Option<(ExchangeId, Located<'a>)>,
}

impl Turn<'_> {
    fn log(&mut self, level: LogLevel, line: String) {
        self.commands.push(Command::Log(level, line));
    }
}

impl Gate {
    /// A gate for `config`. `stream` names its audit stream and must be random, because two streams of one name cannot be
    /// told apart. `probe` says what the host's cryptography can be trusted with. The commands are to be performed before
    /// any event is handled.
    pub fn new(config: Config, stream: StreamId, now: UnixTime, probe: HostProbe) -> (Gate, Vec<Command>) {
        let methods: Vec<&str> = config.methods.iter().map(|method| method.name.as_str()).collect();
        let candidate = config.candidate.as_ref();
        let candidate = candidate.map(|candidate| (candidate.name.as_str(), candidate.rules.as_slice()));
        let metrics = Metrics::new(&config.name, &methods, candidate);
        let config = Arc::new(config);
        let mut gate = Gate {
            authenticator: Authenticator::new(Arc::clone(&config), probe),
            stream: recording::open(&config, stream, now),
            metrics,
            config,
            waiting: BTreeMap::new(),
            callouts: BTreeMap::new(),
            last_callout: 0,
            retired_at: None,
            lost_counted: 0,
            shown: Shown::default(),
            answers: Answers::default(),
            before: Before::default(),
            has_bodies: false,
        };
        let commands = gate.greet(now);
        (gate, commands)
    }

    /// The metrics to define before the first event.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Handles one event. A `now` before that of the event before is a clock that was set back: what waits for a moment in
    /// what is now the future stops waiting.
    pub fn handle(&mut self, event: Event, now: UnixTime, crypto: &dyn HostCrypto) -> Vec<Command> {
        let config = Arc::clone(&self.config);
        let mut turn = Turn {
            now,
            config: &config,
            crypto,
            commands: Vec::with_capacity(USUAL_COMMANDS),
            located: None,
        };
        match event {
            Event::Head { exchange, head } => self.arrive(exchange, head, &mut turn),
            Event::Body { exchange, body } => self.body_arrived(exchange, body, &mut turn),
            Event::CalloutReply { callout, reply } => self.callout_ended(callout, reply, &mut turn),
            Event::Tick => self.tick(&mut turn),
            Event::Finished { exchange } => {
                // The client has gone, or has been answered: nothing more may be done to this exchange.
                if let Some(Waiting { wanted: Wanted::Record { sequence, .. }, .. }) =
                    self.waiting.remove(&exchange)
                {
                    self.record_unperformed(sequence, &turn);
                }
            }
            Event::Unperformed { record } => {
                self.count(Metric::Decisions(Some(Code::InternalError)), &mut turn);
                if let Some(sequence) = record {
                    self.record_unperformed(sequence, &turn);
                }
            }
            Event::Retired => self.retire(&mut turn),
        }
        self.flush_records(&mut turn);
        self.show_gauges(&mut turn);
        turn.commands
    }

    /// Whether anything here asks for the address of a request's peer.
    pub fn wants_source(&self) -> bool {
        self.stream.is_some() || self.config.policy.reads_source()
    }

    /// Whether a permitted request is to be marked for the guard.
    pub fn marks_permits(&self) -> bool {
        self.config.marks_permits
    }

    /// Which of a request's trailers no client may send: those that an upstream could take for an identity header.
    pub fn forged_trailers(&self, trailers: &Headers) -> Vec<HeaderEdit> {
        self.config.identity_headers.removals(trailers)
    }

    /// The most bytes of the body of this exchange that the gate wants to have; `None` when it wants none, or has it.
    pub fn body_bound(&self, exchange: ExchangeId) -> Option<usize> {
        let waiting = self.waiting.get(&exchange)?;
        self.config.max_body_bytes.filter(|_| waiting.request.body.is_awaited())
    }

    /// Whether this exchange waits for anything.
    pub fn is_waiting(&self, exchange: ExchangeId) -> bool {
        self.waiting.contains_key(&exchange)
    }

    fn greet(&mut self, now: UnixTime) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(period) = self.config.tick_period() {
            commands.push(Command::TickEvery(period));
        }
        if self.config.authentication_disabled {
            let line =
                "AUTHENTICATION IS DISABLED by the document and by the environment: every request passes";
            commands.push(Command::Log(LogLevel::Error, line.to_owned()));
            recording::authentication_disabled(&self.config, self.stream.as_mut(), now);
        }
        commands
    }

    fn arrive(&mut self, exchange: ExchangeId, head: RequestHead, turn: &mut Turn<'_>) {
        let ended = head.ended;
        match Request::read_knowing(&mut self.before, head, self.config.path_mode) {
            Ok(request) => {
                if !request.target.normalized.is_empty() {
                    for kind in request.target.normalized.iter() {
                        self.count(Metric::AmbiguousPath(kind, Mending::Normalized), turn);
                    }
                }
                self.admit(exchange, request, ended, turn);
            }
            Err(unread) => {
                if let Denial::AmbiguousPath(kind) = unread.denial {
                    self.count(Metric::AmbiguousPath(kind, Mending::Refused), turn);
                }
                self.refuse_unread(exchange, &unread.outline, &unread.denial, turn);
            }
        }
    }

    fn tick(&mut self, turn: &mut Turn<'_>) {
        self.expire_callouts(turn);
        self.refresh_keys(turn);
        self.expire_waiting(turn);
        if self.retired_at.is_some() {
            self.release_if_done(turn);
        }
    }

    fn retire(&mut self, turn: &mut Turn<'_>) {
        self.retired_at = Some(turn.now);
        if let Some(stream) = &mut self.stream {
            stream.close(turn.now);
        }
        self.flush_records(turn);
        self.release_if_done(turn);
    }

    /// A retired gate goes when its sink has everything, or has had its chance.
    fn release_if_done(&mut self, turn: &mut Turn<'_>) {
        let drained = self.stream.as_ref().is_none_or(Stream::is_drained);
        let over = |at: UnixTime| at.saturating_add(MAX_RETIREMENT).has_come(turn.now, MAX_RETIREMENT);
        if drained || self.retired_at.is_some_and(over) {
            let left = self.stream.as_ref().map_or(0, |stream| stream.pending().records);
            if left > 0 {
                let line = format!(
                    "audit: {left} records of a retired configuration were not acknowledged and are lost"
                );
                turn.log(LogLevel::Error, line);
                self.add(Metric::AuditLost, left, turn);
            }
            turn.commands.push(Command::TickEvery(Duration::ZERO));
            turn.commands.push(Command::Release);
        }
    }

    fn count(&self, metric: Metric, turn: &mut Turn<'_>) {
        if let Some(index) = self.metrics.index(metric) {
            turn.commands.push(Command::Increment(index));
        }
    }

    fn add(&self, metric: Metric, amount: usize, turn: &mut Turn<'_>) {
        if let (Some(index), Ok(amount)) = (self.metrics.index(metric), i64::try_from(amount)) {
            turn.commands.push(Command::Add(index, amount));
        }
    }

    /// Workers share a gauge, so each adds what has changed at its own place instead of setting the whole.
    fn show_gauges(&mut self, turn: &mut Turn<'_>) {
        let pending = self.stream.as_ref().map_or(0, |stream| stream.pending().records);
        let now = Shown {
            waiting: self.waiting.len(),
            pending: if self.retired_at.is_some() { 0 } else { pending },
        };
        let before = std::mem::replace(&mut self.shown, now);
        for (metric, before, now) in [
            (Metric::Waiting, before.waiting, self.shown.waiting),
            (Metric::AuditPending, before.pending, self.shown.pending),
        ] {
            let difference = i64::try_from(now).ok().zip(i64::try_from(before).ok());
            let difference = difference.and_then(|(now, before)| now.checked_sub(before)).unwrap_or(0);
            if difference != 0
                && let Some(index) = self.metrics.index(metric)
            {
                turn.commands.push(Command::Add(index, difference));
            }
        }
    }

    fn record(&self, metric: Metric, value: usize, turn: &mut Turn<'_>) {
        if let Some(index) = self.metrics.index(metric) {
            turn.commands.push(Command::Record(index, u64::try_from(value).unwrap_or(u64::MAX)));
        }
    }
}

/// Commands that nearly all requests come to, at most.
const USUAL_COMMANDS: usize = 4;

/// Bytes of a callout's response that are read: a JWKS of a hundred RSA-4096 keys has 80 KiB; what a sink answers is not
/// looked at.
pub const MAX_CALLOUT_BODY_BYTES: usize = 256 * 1024;

/// How long a retired gate tries to hand its last records to the sink before it gives up and says so.
pub const MAX_RETIREMENT: Duration = Duration::from_secs(30);
