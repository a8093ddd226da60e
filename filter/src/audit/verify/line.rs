//! One line, read as a record: its place, its links, and the hash it ought to have.
//!
//! Only what the chain needs is looked at. Members of an event that this version does not know are covered by the
//! hash like all others.

use crate::audit::canonical::{Object, Value};
use crate::audit::chain::{Digest, Sequence, StreamId, record_hash};

/// A record as it was found.
pub(super) struct Line {
    pub(super) stream: StreamId,
    pub(super) sequence: Sequence,
    pub(super) previous: Digest,
    /// The hash the line carries.
    pub(super) claimed: Digest,
    /// The hash its content has.
    pub(super) computed: Digest,
    pub(super) time: String,
    pub(super) event: Event,
    /// The whole event.
    pub(super) content: Object<'static>,
    /// Whether the bytes are the canonical form of what they say.
    pub(super) canonical: bool,
}

/// What the chain has to know of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Open,
    Permit,
    Deny,
    Gap {
        lost: u64,
    },
    Close,
    /// Anything else, known to this version or not.
    Other,
}

/// Why a line is no record.
pub(super) enum Illegible {
    Json,
    Record,
}

impl Line {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Illegible> {
        let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|_error| Illegible::Json)?;
        let value = Value::try_from(json).map_err(|_out_of_subset| Illegible::Record)?;
        let canonical = value.encode().as_bytes() == bytes;
        let Value::Object(mut record) = value else { return Err(Illegible::Record) };
        Self::from_record(&mut record, canonical).ok_or(Illegible::Record)
    }

    /// Whether the line's content has the hash it carries.
    pub(super) fn is_sound(&self) -> bool {
        self.claimed == self.computed
    }

    fn from_record(record: &mut Object<'static>, canonical: bool) -> Option<Self> {
        let claimed = match record.remove("hash")? {
            Value::Text(hash) => hash.parse().ok()?,
            Value::Integer(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => return None,
        };
        let computed = record_hash(record.encode().as_bytes());
        let content = match record.remove("event")? {
            Value::Object(event) => event,
            Value::Text(_) | Value::Integer(_) | Value::Boolean(_) | Value::List(_) => return None,
        };
        let line = Self {
            stream: text(record, "stream")?.parse().ok()?,
            sequence: Sequence::try_from(number(record, "sequence")?).ok()?,
            previous: text(record, "previous")?.parse().ok()?,
            claimed,
            computed,
            time: text(record, "time").filter(|time| humantime::parse_rfc3339(time).is_ok())?.to_owned(),
            event: event(&content)?,
            content,
            canonical,
        };
        // previous, sequence, stream, time: nothing else.
        (record.len() == 4).then_some(line)
    }
}

fn event(event: &Object<'_>) -> Option<Event> {
    Some(match text(event, "kind")? {
        "open" => Event::Open,
        "close" => Event::Close,
        "gap" => Event::Gap { lost: number(event, "lost")? },
        "decision" if text(event, "decision")? == "permit" => Event::Permit,
        "decision" => Event::Deny,
        _other_kind => Event::Other,
    })
}

fn text<'r>(object: &'r Object<'_>, name: &'static str) -> Option<&'r str> {
    match object.get(name)? {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn number(object: &Object<'_>, name: &'static str) -> Option<u64> {
    match object.get(name)? {
        Value::Integer(number) => u64::try_from(number.get()).ok(),
        Value::Text(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => None,
    }
}
