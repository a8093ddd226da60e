//! HTTP callouts: what the module asked, and what the test lets the world answer.

use super::HeaderMap;
use std::time::Duration;

/// A callout in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// The number the guest knows it by: 4, 8, 12 ...
    pub token: u32,
    /// The cluster it went to.
    pub cluster: String,
    /// Request headers, pseudo headers included.
    pub headers: HeaderMap,
    /// Request body.
    pub body: Vec<u8>,
    /// How long the host waits for the answer; `None` is for ever.
    pub timeout: Option<Duration>,
    /// When it was sent, nanoseconds since 1970.
    pub(super) sent_at: u64,
    pub(super) root: u32,
}

impl Callout {
    /// `:path` of the callout.
    pub fn path(&self) -> String {
        self.headers.text(":path").unwrap_or_default()
    }

    /// The request body as lines of JSON.
    ///
    /// # Panics
    /// When a line is not JSON.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let lines = self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a line of JSON")).collect()
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.timeout.map(|timeout| self.sent_at + timeout.as_nanos() as u64)
    }
}

/// What comes back for a callout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = [(":status", status.to_string())].into_iter().collect();
        Self { headers, body: body.into() }
    }

    /// A status and a body of JSON.
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self::new(status, body.to_string()).header("content-type", "application/json")
    }

    /// Adds a response header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value.as_ref());
        self
    }

    /// What Envoy makes of a refused connection: a 503 nobody sent.
    pub fn unreachable() -> Self {
        Self::synthetic(503, "upstream connect error or disconnect/reset before headers")
    }

    /// What Envoy makes of a timeout: a 504 nobody sent.
    pub fn timed_out() -> Self {
        Self::synthetic(504, "upstream request timeout")
    }

    /// A stream that was reset: no headers at all.
    pub fn reset() -> Self {
        Self { headers: HeaderMap::new(), body: Vec::new() }
    }

    fn synthetic(status: u16, body: &str) -> Self {
        Self::new(status, body)
            .header("content-length", body.len().to_string())
            .header("content-type", "text/plain")
    }
}
