//! A request as it reaches the filter.

use super::{HeaderMap, Property};
use std::collections::BTreeMap;

/// A request to send through a worker. Pseudo headers not given are filled in, as is `x-request-id`.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) piece: usize,
    pub(super) unfinished: bool,
    pub(super) trailers: HeaderMap,
    pub(super) properties: BTreeMap<Vec<u8>, Property>,
    pub(super) bare: bool,
}

impl Request {
    /// `GET` of `target` at `api.example.com`.
    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// Any method.
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self::default().header(":method", method).header(":path", target)
    }

    /// Exactly these headers: nothing is filled in, so `:path` can be missing.
    pub fn bare<N: AsRef<str>, V: AsRef<[u8]>>(headers: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { headers: headers.into_iter().collect(), bare: true, ..Self::default() }
    }

    /// Adds a header after those already there. The value is bytes: `b"\xff"` is one.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value.as_ref());
        self
    }

    /// Adds `authorization: Bearer <token>`.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Gives the request a body, delivered in one piece once its headers have gone on.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A body that is delivered while the headers are held comes in pieces of this many bytes.
    pub fn in_pieces_of(mut self, bytes: usize) -> Self {
        self.piece = bytes;
        self
    }

    /// A body that is delivered while the headers are held does not end.
    pub fn unfinished(mut self) -> Self {
        self.unfinished = true;
        self
    }

    /// Adds a trailer, delivered after the body.
    pub fn trailer(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.trailers.add(name, value.as_ref());
        self
    }

    /// What the host says at this property path, instead of its own idea.
    pub fn property(mut self, path: &[&str], value: impl Into<Property>) -> Self {
        self.properties.insert(path.join("\0").into_bytes(), value.into());
        self
    }

    /// The headers as Envoy would hand them to its first filter; `number` makes the request id.
    pub(super) fn arrive(mut self, number: usize) -> Self {
        if !self.bare {
            for (name, value) in
                [(":method", "GET"), (":path", "/"), (":authority", "api.example.com"), (":scheme", "http")]
            {
                if !self.headers.contains(name) {
                    self.headers.add(name, value);
                }
            }
            self.headers.add("x-forwarded-proto", "http");
            if !self.headers.contains("x-request-id") {
                self.headers.add("x-request-id", format!("00000000-0000-4000-8000-{number:012}"));
            }
        }
        self.headers = self.headers.joined_as_by_envoy();
        self
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> From<&[(N, V); COUNT]> for Request {
    fn from(headers: &[(N, V); COUNT]) -> Self {
        Self::from(headers.as_slice())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> From<&[(N, V)]> for Request {
    fn from(headers: &[(N, V)]) -> Self {
        headers.iter().fold(Self::default(), |request, (name, value)| request.header(name.as_ref(), value))
    }
}
