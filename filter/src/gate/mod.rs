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
mod callout;
mod command;
mod conclusion;
mod denial;
mod event;
mod identity;
mod keys;
mod recording;
mod request;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Stream, StreamId};
use crate::authn::signature::HostCrypto;
use crate::config::Config;
use crate::metrics::{Metric, Metrics};
use crate::time::UnixTime;

pub use answer::{Answer, AnswerForm};
pub use command::{Callout, CalloutId, Command, HeaderEdit, LogLevel};
pub use denial::{Code, Denial, Malformed};
pub use event::{CalloutReply, Event, ExchangeId, RequestHead};
pub use identity::IdentityHeaders;
pub use keys::RemoteKeySettings;
pub use request::{MAX_HEADER_BYTES, MAX_HEADERS};

use authentication::Authenticator;
use callout::Purpose;
use request::{Outline, Request};
use waiting::Waiting;

/// One configuration's gate in one worker.
#[derive(Debug)]
pub struct Gate {
    config: Arc<Config>,
    metrics: Metrics,
    authenticator: Authenticator,
    stream: Option<Stream>,
    waiting: BTreeMap<ExchangeId, Waiting>,
    callouts: BTreeMap<CalloutId, Purpose>,
    last_callout: u64,
    retired_at: Option<UnixTime>,
    lost_counted: u64,
}

/// What is at hand while one event is handled.
struct Turn<'a> {
    now: UnixTime,
    crypto: &'a dyn HostCrypto,
    commands: Vec<Command>,
}

impl Turn<'_> {
    fn log(&mut self, level: LogLevel, line: String) {
        self.commands.push(Command::Log(level, line));
    }
}

impl Gate {
    /// A gate for `config`. `stream` names its audit stream and must be random, because two streams of one name cannot be
    /// told apart. What `crypto` can be trusted with is found out here, once. The commands are to be performed before any
    /// event is handled.
    pub fn new(
        config: Config,
        stream: StreamId,
        now: UnixTime,
        crypto: &dyn HostCrypto,
    ) -> (Gate, Vec<Command>) {
        let methods: Vec<&str> = config.methods.iter().map(|method| method.name.as_str()).collect();
        let metrics = Metrics::new(&config.name, &methods);
        let config = Arc::new(config);
        let mut gate = Gate {
            authenticator: Authenticator::new(Arc::clone(&config), crypto),
            stream: recording::open(&config, stream, now),
            metrics,
            config,
            waiting: BTreeMap::new(),
            callouts: BTreeMap::new(),
            last_callout: 0,
            retired_at: None,
            lost_counted: 0,
        };
        let commands = gate.greet(now);
        (gate, commands)
    }

    /// The metrics to define before the first event.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Handles one event. `now` must not be earlier than at the call before; a clock set back delays retries and does no
    /// other harm.
    pub fn handle(&mut self, event: Event, now: UnixTime, crypto: &dyn HostCrypto) -> Vec<Command> {
        let mut turn = Turn { now, crypto, commands: Vec::new() };
        match event {
            Event::Head { exchange, head } => self.arrive(exchange, head, &mut turn),
            Event::CalloutReply { callout, reply } => self.callout_ended(callout, reply, &mut turn),
            Event::Tick => self.tick(&mut turn),
            Event::Finished { exchange } => {
                // The client has gone, or has been answered: nothing more may be done to this exchange.
                if self.waiting.remove(&exchange).is_some() {
                    self.record(Metric::Waiting, self.waiting.len(), &mut turn);
                }
            }
            Event::Retired => self.retire(&mut turn),
        }
        self.flush_records(&mut turn);
        turn.commands
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
        let outline = Outline::of(&head);
        match Request::read(head, outline.clone(), self.config.path_mode) {
            Ok(request) => self.admit(exchange, request, turn),
            Err(denial) => {
                if let Denial::AmbiguousPath(kind) = denial {
                    self.count(Metric::AmbiguousPath(kind), turn);
                }
                self.refuse_unread(exchange, &outline, &denial, turn);
            }
        }
    }

    fn tick(&mut self, turn: &mut Turn<'_>) {
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
        let given_up = self.retired_at.is_some_and(|at| turn.now.saturating_since(at) >= MAX_RETIREMENT);
        if drained || given_up {
            if !drained {
                turn.log(
                    LogLevel::Error,
                    "audit: records of a retired configuration were not acknowledged".to_owned(),
                );
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

    fn record(&self, metric: Metric, value: usize, turn: &mut Turn<'_>) {
        if let Some(index) = self.metrics.index(metric) {
            turn.commands.push(Command::Record(index, u64::try_from(value).unwrap_or(u64::MAX)));
        }
    }
}

/// Bytes of a callout's response that are read: a JWKS of a hundred RSA-4096 keys has 80 KiB; what a sink answers is not
/// looked at.
pub const MAX_CALLOUT_BODY_BYTES: usize = 256 * 1024;

/// How long a retired gate tries to hand its last records to the sink before it gives up and says so.
pub const MAX_RETIREMENT: Duration = Duration::from_secs(30);
