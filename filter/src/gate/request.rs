//! A request's head, read once into what decisions and records need.
//!
//! Reading refuses; it never repairs, except that the path may be normalised where the document says so.

use std::fmt;

use portcullis_policy::host::canonical_host;
use portcullis_policy::path::{self, PathError, PathMode, RequestTarget};

use crate::gate::answer::AnswerForm;
use crate::gate::body::Body;
use crate::gate::denial::{Denial, Malformed};
use crate::gate::event::RequestHead;

/// What is known of a request, readable or not.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// `:method`, if it could be read.
    pub method: Option<String>,
    /// The canonical host, if it could be read.
    pub host: Option<String>,
    /// `x-request-id` as the proxy passed it on.
    pub request_id: Option<String>,
    /// The peer's address.
    pub source: Option<String>,
    /// Whether the caller speaks gRPC and must be answered so.
    pub grpc: bool,
}

impl Outline {
    /// Reads what can be read. Nothing here can fail: what cannot be read is absent.
    pub fn of(head: &RequestHead) -> Outline {
        let text = |name: &str| {
            let value = std::str::from_utf8(only(head, name)?).ok()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        let source = head.source.as_deref().and_then(|source| std::str::from_utf8(source).ok());
        Outline {
            method: text(":method"),
            host: only(head, ":authority").and_then(canonical_host),
            request_id: text("x-request-id"),
            source: source.map(str::to_owned),
            grpc: is_grpc(head),
        }
    }

    /// How an answer to this request must look.
    pub fn form<'a>(&self, realm: &'a str) -> AnswerForm<'a> {
        AnswerForm { realm, head: self.method.as_deref() == Some("HEAD"), grpc: self.grpc }
    }
}

/// A request that can be decided on.
#[derive(Clone)]
pub struct Request {
    /// What is known besides.
    pub outline: Outline,
    /// `:method`.
    pub method: String,
    /// The canonical host.
    pub host: String,
    /// The canonical path and the query.
    pub target: RequestTarget,
    /// Every header line.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Nothing follows the headers.
    pub ended: bool,
    /// The body, as far as an answer depends on it.
    pub body: Body,
}

/// Header lines are counted and not shown: some of them are credentials.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { outline, method: _, host: _, target, headers, ended: _, body } = self;
        write!(formatter, "Request({outline:?}, {target:?}, {} header lines, {body:?})", headers.len())
    }
}

impl Request {
    /// Reads a head.
    ///
    /// # Errors
    ///
    /// [`Denial::MalformedRequest`] or [`Denial::AmbiguousPath`].
    pub fn read(head: RequestHead, outline: Outline, mode: PathMode) -> Result<Request, Denial> {
        let malformed = |what| Err(Denial::MalformedRequest(what));
        let bytes = head.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        if head.headers.len() > MAX_HEADERS || bytes.fold(0, usize::saturating_add) > MAX_HEADER_BYTES {
            return malformed(Malformed::Headers);
        }
        // Bytes that are no text are read differently by everyone who reads text: one server cuts them off, another takes
        // them for Latin-1. RFC 9110 section 5.5 asks senders to stay within ASCII.
        if head.headers.iter().any(|(name, value)| !(is_utf8(name) && is_utf8(value))) {
            return malformed(Malformed::Encoding);
        }
        let Some(method) = outline.method.clone().filter(|method| is_method(method)) else {
            return malformed(Malformed::Method);
        };
        // CONNECT names an authority and no path (RFC 9110 section 9.3.6), so no route can be meant by it.
        if method == "CONNECT" {
            return malformed(Malformed::Path);
        }
        // An extended CONNECT (RFC 8441) that a host has made half a request of. Envoy makes a whole one: a GET with `upgrade`.
        if head.headers.iter().any(|(name, _)| name == b":protocol") {
            return malformed(Malformed::Method);
        }
        let Some(host) = outline.host.clone() else { return malformed(Malformed::Authority) };
        let Some(raw_path) = only(&head, ":path") else { return malformed(Malformed::Path) };
        let target = match path::canonicalize(raw_path, mode) {
            Ok(target) => target,
            Err(PathError::Ambiguous(kind)) => return Err(Denial::AmbiguousPath(kind)),
            Err(PathError::Malformed(_) | PathError::TooLong) => return malformed(Malformed::Path),
        };
        let RequestHead { headers, ended, source: _ } = head;
        Ok(Request { outline, method, host, target, headers, ended, body: Body::Unknown })
    }
}

fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// The value of a header that stands there exactly once.
fn only<'a>(head: &'a RequestHead, name: &str) -> Option<&'a [u8]> {
    let mut values =
        head.headers.iter().filter(|(key, _)| key == name.as_bytes()).map(|(_, value)| value.as_slice());
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The content types of gRPC over HTTP/2: `application/grpc`, and the same with a `+codec` or a parameter behind.
fn is_grpc(head: &RequestHead) -> bool {
    let Some(content_type) = only(head, "content-type") else { return false };
    let Some(rest) = content_type.strip_prefix(b"application/grpc".as_slice()) else { return false };
    matches!(rest.first(), None | Some(b'+' | b';'))
}

/// A token (RFC 9110 section 5.6.2) without small letters: methods are case-sensitive (section 9.1), no registered one has
/// any, and servers exist that take `delete` for `DELETE`, which rules would not.
fn is_method(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_METHOD_BYTES
        && text.bytes().all(|byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
        })
}

/// Header lines in a request, pseudo-headers included: Envoy's own default, so that other hosts are held to it too.
pub const MAX_HEADERS: usize = 104;

/// Bytes of all header names and values together: a little above Envoy's default of 60 KiB, which then answers first.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Bytes of a method; the longest registered one (UPDATEREDIRECTREF) has 17.
const MAX_METHOD_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn head(pairs: &[(&str, &[u8])]) -> RequestHead {
        let headers = pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
        RequestHead { headers, source: Some(b"10.0.0.1:4711".to_vec()), ended: true }
    }

    fn read(pairs: &[(&str, &[u8])]) -> Result<Request, Denial> {
        let head = head(pairs);
        let outline = Outline::of(&head);
        Request::read(head, outline, PathMode::Refuse)
    }

    const GOOD: [(&str, &[u8]); 3] =
        [(":method", b"GET"), (":authority", b"API.example.com:443"), (":path", b"/a?b")];

    fn with<'a>(name: &'a str, value: &'a [u8]) -> Vec<(&'a str, &'a [u8])> {
        GOOD.iter().map(|pair| if pair.0 == name { (name, value) } else { *pair }).collect()
    }

    #[test]
    fn a_good_head_is_read() {
        let request = read(&GOOD).unwrap();
        assert_eq!((request.method.as_str(), request.host.as_str()), ("GET", "api.example.com"));
        assert_eq!(request.target.path.as_str(), "/a");
        assert_eq!(request.outline.source.as_deref(), Some("10.0.0.1:4711"));
    }

    #[test]
    fn what_lacks_a_part_is_malformed() {
        use Malformed::{Authority, Headers, Method, Path};
        for (name, value, what) in [
            (":method", b"".as_slice(), Method),
            (":method", b"G T", Method),
            (":method", b"get", Method),
            (":method", b"Delete", Method),
            (":method", b"\xff", Malformed::Encoding),
            (":method", b"CONNECT", Path),
            (":authority", b"", Authority),
            (":authority", b"a@b", Authority),
            (":path", b"", Path),
            (":path", b"*", Path),
            (":path", b"http://a/", Path),
        ] {
            assert_eq!(
                read(&with(name, value)).unwrap_err(),
                Denial::MalformedRequest(what),
                "{name} {value:?}"
            );
        }
        for missing in [":method", ":authority", ":path"] {
            let pairs: Vec<_> = GOOD.into_iter().filter(|pair| pair.0 != missing).collect();
            assert!(matches!(read(&pairs).unwrap_err(), Denial::MalformedRequest(_)), "{missing}");
            let twice: Vec<_> =
                GOOD.into_iter().chain(GOOD.into_iter().filter(|pair| pair.0 == missing)).collect();
            assert!(matches!(read(&twice).unwrap_err(), Denial::MalformedRequest(_)), "{missing} twice");
        }
        let half = |method| [with(":method", method), vec![(":protocol", b"websocket".as_slice())]].concat();
        assert_eq!(read(&half(b"GET")).unwrap_err(), Denial::MalformedRequest(Method));
        assert_eq!(read(&half(b"CONNECT")).unwrap_err(), Denial::MalformedRequest(Path));
        let odd: Vec<_> = GOOD.into_iter().chain([("x-odd", b"caf\xe9".as_slice())]).collect();
        assert_eq!(read(&odd).unwrap_err(), Denial::MalformedRequest(Malformed::Encoding));
        let text: Vec<_> = GOOD.into_iter().chain([("x-text", "café".as_bytes())]).collect();
        assert!(read(&text).is_ok());
        let many: Vec<_> =
            GOOD.into_iter().chain(std::iter::repeat_n(("x", b"y".as_slice()), MAX_HEADERS)).collect();
        assert_eq!(read(&many).unwrap_err(), Denial::MalformedRequest(Headers));
        let large = vec![b'x'; MAX_HEADER_BYTES];
        let long: Vec<_> = GOOD.into_iter().chain([("x", large.as_slice())]).collect();
        assert_eq!(read(&long).unwrap_err(), Denial::MalformedRequest(Headers));
    }

    #[test]
    fn grpc_is_known_by_its_content_type() {
        for (content_type, grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let head = head(&[("content-type", content_type.as_bytes())]);
            assert_eq!(Outline::of(&head).grpc, grpc, "{content_type}");
        }
    }
}
