//! The closed set of what may happen to a gate.
//!
//! Nothing here is interpreted: bytes are as the host gave them.

use std::fmt;

use portcullis_policy::headers::Headers;

use crate::audit::Sequence;
use crate::gate::body::Body;
use crate::gate::command::CalloutId;

/// One HTTP request and its response (RFC 9110 section 3.9), by the number the host gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u32);

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A request's headers have arrived.
    Head {
        /// Which exchange.
        exchange: ExchangeId,
        /// What arrived.
        head: RequestHead,
    },
    /// What [`crate::gate::Gate::body_bound`] asked for has come to an end, or is too long. What nobody asked for, or asked for
    /// once and got, changes nothing.
    Body {
        /// Which exchange.
        exchange: ExchangeId,
        /// All of it; [`Body::Unknown`] if the host does not hand it over.
        body: Body,
    },
    /// A callout ended, one way or the other. Each callout ends exactly once.
    CalloutReply {
        /// Which callout.
        callout: CalloutId,
        /// How it ended.
        reply: CalloutReply,
    },
    /// The period asked for by [`crate::gate::Command::TickEvery`] has passed.
    Tick,
    /// A resume could not be carried out: the request was refused instead.
    Unperformed {
        /// What the command said of its record.
        record: Option<Sequence>,
    },
    /// The exchange is over: answered, or abandoned by the client.
    Finished {
        /// Which exchange.
        exchange: ExchangeId,
    },
    /// A newer configuration has taken this gate's place, or the proxy stops.
    Retired,
}

/// A request's headers and what the host knows of the connection.
#[derive(Clone, Default)]
pub struct RequestHead {
    /// Every header line with pseudo-headers, names in lower case, in the order received.
    pub headers: Headers,
    /// The peer's address as the host reports it (`address:port`); `None` where [`crate::gate::Gate::wants_source`] says that
    /// nobody asks for it. A proxy may have been told to take it from a header.
    pub source: Option<Vec<u8>>,
    /// The request ended with its headers: there is no body and there are no trailers.
    pub ended: bool,
}

/// Header lines are counted and not shown: some of them are credentials.
impl fmt::Debug for RequestHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RequestHead({} header lines)", self.headers.len())
    }
}

/// How a callout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalloutReply {
    /// With a response, whose body is within [`crate::gate::MAX_CALLOUT_BODY_BYTES`].
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// With a response larger than the bound; its body was not read.
    TooLarge,
    /// Without a usable response: timed out, reset, or not readable.
    Failed,
    /// It was never sent: the host knows no such cluster, or refused the call.
    NotSent,
}
