//! One request put to the filter's own gate, here, without a proxy around it.
//!
//! The gate is the one that the proxy runs, and so are its words. Two things are not as there: keys are those that the
//! command has, and the record is acknowledged at once and kept nowhere.

use std::time::Duration;

use portcullis_filter::audit::{Digest, Settings, StreamId, WhenFull};
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::NoHostCrypto;
use portcullis_filter::config::{AuditConfig, Config};
use portcullis_filter::gate::{
    Answer, Body, CalloutId, CalloutReply, Command, Event, ExchangeId, Gate, HeaderEdit, RequestHead,
};
use portcullis_filter::time::UnixTime;
use serde_json::Value;

/// What the gate did.
pub(crate) struct Rehearsed {
    /// What became of the request.
    pub(crate) ending: Ending,
    /// The event that goes on record.
    pub(crate) record: Option<Value>,
}

/// How the request ended.
pub(crate) enum Ending {
    /// It goes on, and tells the upstream this much of the caller.
    Passed {
        /// Names and values of the identity headers.
        identity: Vec<(String, String)>,
    },
    /// It is answered by the gate.
    Refused(Answer),
}

/// Puts a request to the gate of `config`, the policy with this digest, at `now`.
///
/// # Errors
/// Why there is no answer: the gate wants keys that are not here.
pub(crate) fn rehearse(
    mut config: Config,
    digest: Digest,
    head: RequestHead,
    body: Option<&[u8]>,
    now: UnixTime,
) -> Result<Rehearsed, &'static str> {
    if config.audit.is_none() {
        config.audit = any_sink(digest);
    }
    let names = &config.identity_headers;
    let ours: Vec<String> = [&names.tenant, &names.user, &names.roles, &names.method, &names.scopes]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let (gate, _greeting) = Gate::new(config, StreamId::from_bytes([0; 16]), now, HostProbe::nothing());
    let mut stage = Stage { gate, now, ending: None, records: Vec::new(), wants_keys: false };
    stage.perform(Event::Head { exchange: EXCHANGE, head }, &ours);
    if let Some(bound) = stage.gate.body_bound(EXCHANGE) {
        let body = match body {
            None => Body::Unknown,
            Some(body) if body.len() > bound => Body::TooLarge,
            Some(body) => Body::Arrived(body.to_vec()),
        };
        stage.perform(Event::Body { exchange: EXCHANGE, body }, &ours);
    }
    // What has not been recorded by now is recorded before a gate retires.
    stage.perform(Event::Retired, &ours);
    let record = stage.records.iter().find_map(|body| decision(body));
    match stage.ending {
        Some(_) | None if stage.wants_keys => Err("the gate would fetch keys; give them with --jwks"),
        Some(ending) => Ok(Rehearsed { ending, record }),
        None => Err("the gate gives no answer"),
    }
}

/// A gate, and what it has said.
struct Stage {
    gate: Gate,
    now: UnixTime,
    ending: Option<Ending>,
    records: Vec<Vec<u8>>,
    wants_keys: bool,
}

impl Stage {
    /// Lets `event` happen, and what follows from it.
    fn perform(&mut self, event: Event, ours: &[String]) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for command in self.gate.handle(event, self.now, &NoHostCrypto) {
                match command {
                    Command::Resume { edits, .. } => {
                        self.ending = Some(Ending::Passed { identity: identity(&edits, ours) });
                    }
                    Command::Refuse { answer, .. } => self.ending = Some(Ending::Refused((*answer).clone())),
                    Command::Dispatch(callout) => events.push(self.reply(callout.id, callout.body)),
                    Command::Increment(_)
                    | Command::Add(..)
                    | Command::Record(..)
                    | Command::Log(..)
                    | Command::TickEvery(_)
                    | Command::Release => {}
                }
            }
        }
    }

    /// Records have a body and a request for keys has none.
    fn reply(&mut self, callout: CalloutId, body: Vec<u8>) -> Event {
        let reply = if body.is_empty() {
            self.wants_keys = true;
            CalloutReply::NotSent
        } else {
            self.records.push(body);
            CalloutReply::Answered { status: 204, body: Vec::new() }
        };
        Event::CalloutReply { callout, reply }
    }
}

/// Only identity headers are shown: another edit may hold the rest of a `cookie` header.
fn identity(edits: &[HeaderEdit], ours: &[String]) -> Vec<(String, String)> {
    let shown = edits.iter().filter_map(|edit| match edit {
        HeaderEdit::Set(line) => {
            let (name, value) = line.to_send().ok()?;
            let name = ours.iter().find(|ours| ours.as_bytes() == name)?;
            Some((name.clone(), String::from_utf8_lossy(value).into_owned()))
        }
        HeaderEdit::Remove(_) => None,
    });
    shown.collect()
}

fn decision(batch: &[u8]) -> Option<Value> {
    batch.split(|byte| *byte == b'\n').find_map(|line| {
        let mut record: Value = serde_json::from_slice(line).ok()?;
        let event = record.get_mut("event")?.take();
        (event.get("kind")? == "decision").then_some(event)
    })
}

/// A place for the record of a policy that keeps none.
fn any_sink(policy_digest: Digest) -> Option<AuditConfig> {
    let patience = Duration::from_secs(1);
    Some(AuditConfig {
        policy_digest,
        cluster: String::new(),
        authority: String::new(),
        path: "/".to_owned(),
        timeout: patience,
        settings: Settings::new(RECORDS, RECORDS, patience, WhenFull::Refuse).ok()?,
        flush_interval: patience,
    })
}

/// The one request.
const EXCHANGE: ExchangeId = ExchangeId(1);

/// More records than one request makes.
const RECORDS: usize = 64;
