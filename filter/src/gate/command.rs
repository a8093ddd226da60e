//! The closed set of what a gate may ask of its host.
//!
//! A command is performed in the order given. The host interprets none of them: it has no `if` about policy.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::decision::Permit;

use crate::audit::Sequence;
use crate::gate::answer::Answer;
use crate::gate::event::ExchangeId;
use crate::header_pairs::HeaderLine;
use crate::metrics::MetricIndex;

/// One callout, numbered by the gate and unique in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalloutId(pub u64);

/// What the host is asked to do.
#[derive(Debug)]
pub enum Command {
    /// Let the request through. There is no other command that does, and it demands the decision's proof.
    Resume {
        /// Which exchange.
        exchange: ExchangeId,
        /// The proof.
        permit: Permit,
        /// Changes to the request's headers, to be made before it goes on. If one of them cannot be made the request
        /// must be refused with [`Answer::internal_error`], and
        /// the gate told so by [`crate::gate::Event::Unperformed`].
        edits: Vec<HeaderEdit>,
        /// The record of the permit, to be named should it not be carried out.
        record: Option<Sequence>,
    },
    /// Answer the request here.
    Refuse {
        /// Which exchange.
        exchange: ExchangeId,
        /// What to say.
        answer: Arc<Answer>,
    },
    /// Send an HTTP request to a cluster, and report its end as [`crate::gate::Event::CalloutReply`].
    Dispatch(Callout),
    /// Add one to a counter.
    Increment(MetricIndex),
    /// Add to a counter, or to a gauge, from which an amount below zero is taken.
    Add(MetricIndex, i64),
    /// Record a value in a histogram, or set a gauge.
    Record(MetricIndex, u64),
    /// Write a line to the host's log.
    Log(LogLevel, String),
    /// Ask for [`crate::gate::Event::Tick`] at this period.
    TickEvery(Duration),
    /// All that a retired gate had to do is done; the host may drop it.
    Release,
}

/// One change to a request's headers. Names are in lower case.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Remove every line of this name.
    Remove(Arc<[u8]>),
    /// Replace every line of this name with this one. Where it must not be written to a connection, the edit cannot be made.
    Set(Arc<HeaderLine>),
}

impl HeaderEdit {
    /// Replaces every line of this name.
    pub(crate) fn set(name: &[u8], value: &[u8]) -> HeaderEdit {
        HeaderEdit::Set(Arc::new(HeaderLine::new(name, value)))
    }
}

/// Values are left out: one of them may hold the rest of a `cookie` header.
impl fmt::Debug for HeaderEdit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderEdit::Remove(name) => write!(formatter, "Remove({})", String::from_utf8_lossy(name)),
            HeaderEdit::Set(line) => write!(formatter, "Set({line:?})"),
        }
    }
}

/// An HTTP request to a named cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callout {
    /// Comes back in the reply.
    pub id: CalloutId,
    /// The cluster, by the name it has in the proxy's configuration.
    pub cluster: String,
    /// Headers, pseudo-headers first.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// When to give up. Never zero: hosts read that as "never".
    pub timeout: Duration,
}

/// How much a line in the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// For someone following one request.
    Debug,
    /// Something changed.
    Info,
    /// Something is wrong and the gate copes.
    Warn,
    /// Something is wrong and requests are refused for it.
    Error,
}
