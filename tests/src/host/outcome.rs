//! What became of a request.

use super::HeaderMap;

/// A request in flight or done: a handle for [`Envoy::outcome`](super::Envoy::outcome) and the worker's methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    pub(super) worker: usize,
    pub(super) exchange: usize,
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The filter holds it: nothing has reached the upstream or the client.
    Paused,
    /// It went on to the upstream with these headers.
    Continued {
        /// The headers the next filter sees.
        headers: HeaderMap,
    },
    /// The filter, or Envoy on its account, answered.
    Replied(LocalReply),
    /// The module trapped while this request was in its hands: the client got 503.
    Trapped {
        /// What the runtime said.
        reason: String,
    },
    /// The filter is not installed on this worker, or it failed open: the request passed unseen.
    Bypassed,
    /// The client went away before there was an answer.
    Aborted,
}

impl Outcome {
    /// The status the client sees, if there is an answer already.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Replied(reply) => Some(reply.status),
            Self::Trapped { .. } => Some(503),
            Self::Paused | Self::Continued { .. } | Self::Bypassed | Self::Aborted => None,
        }
    }

    /// The local reply.
    ///
    /// # Panics
    /// When there is none: the message says what happened instead.
    pub fn reply(&self) -> &LocalReply {
        match self {
            Self::Replied(reply) => reply,
            other => panic!("expected a local reply, got {other:?}"),
        }
    }

    /// The headers that reached the upstream.
    ///
    /// # Panics
    /// When the request did not go on: the message says what happened instead.
    pub fn upstream(&self) -> &HeaderMap {
        match self {
            Self::Continued { headers } => headers,
            other => panic!("expected the request to continue, got {other:?}"),
        }
    }

    /// Whether the request got through to the upstream, by permission or because nobody stood at the gate.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Continued { .. } | Self::Bypassed)
    }
}

/// An answer made by the filter, as the client sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status; 200 for a gRPC request, whose status is in `headers`.
    pub status: u16,
    /// Response headers, `:status` included.
    pub headers: HeaderMap,
    /// The body the client receives: empty for `HEAD` and for gRPC.
    pub body: Vec<u8>,
    /// `%RESPONSE_CODE_DETAILS%`, whitespace replaced by `_`.
    pub details: String,
}

impl LocalReply {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The `code` member of a problem document, when the body is one.
    pub fn code(&self) -> Option<String> {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        problem.get("code")?.as_str().map(str::to_owned)
    }
}
