//! A request's head, read once into what decisions and records need.
//!
//! Reading refuses; it never repairs, except that the path may be normalised where the document says so.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use portcullis_policy::bytes::is_same;
use portcullis_policy::headers::{Headers, Shapes};
use portcullis_policy::host::canonical_host;
use portcullis_policy::path::{self, PathError, PathMode, RequestTarget};

use crate::gate::answer::AnswerForm;
use crate::gate::body::Body;
use crate::gate::denial::{Denial, Malformed};
use crate::gate::event::RequestHead;

/// What is known of a request, readable or not.
#[derive(Clone, Default)]
pub struct Outline {
    /// `:method`, if it could be read.
    pub method: Option<Arc<str>>,
    /// The canonical host, if it could be read.
    pub host: Option<Arc<str>>,
    /// The peer's address, without its port.
    pub source: Option<IpAddr>,
    /// Whether the caller speaks gRPC and must be answered so.
    pub grpc: bool,
    /// Every header line.
    pub headers: Headers,
}

/// Header lines are counted and not shown: some of them are credentials.
impl fmt::Debug for Outline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outline { method, host, source, grpc, headers } = self;
        write!(formatter, "Outline({method:?}, {host:?}, {source:?}, grpc: {grpc}, {headers:?})")
    }
}

impl Outline {
    /// `x-request-id` as the proxy passed it on.
    pub fn request_id(&self) -> Option<&str> {
        let mut id = Line::Absent;
        self.headers.values(b"x-request-id").for_each(|value| id.see(value));
        id.text()
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
    pub method: Arc<str>,
    /// The canonical host.
    pub host: Arc<str>,
    /// The canonical path and the query.
    pub target: RequestTarget,
    /// Nothing follows the headers.
    pub ended: bool,
    /// The body, as far as an answer depends on it.
    pub body: Body,
}

/// Header lines are counted and not shown: some of them are credentials.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { outline, method: _, host: _, target, ended: _, body } = self;
        write!(formatter, "Request({outline:?}, {target:?}, {body:?})")
    }
}

/// A request that cannot be decided on.
#[derive(Debug, Clone)]
pub struct Unread {
    /// What is known of it all the same.
    pub outline: Outline,
    /// [`Denial::MalformedRequest`] or [`Denial::AmbiguousPath`].
    pub denial: Denial,
}

impl Request {
    /// Reads a head.
    ///
    /// # Errors
    ///
    /// The request cannot be decided on, and why.
    pub fn read(head: RequestHead, mode: PathMode) -> Result<Request, Box<Unread>> {
        Request::read_knowing(&mut Before::default(), head, mode)
    }

    /// The same, by one who has read others before.
    pub(super) fn read_knowing(
        before: &mut Before,
        head: RequestHead,
        mode: PathMode,
    ) -> Result<Request, Box<Unread>> {
        let RequestHead { headers, source, ended } = head;
        let lines = Lines::of(&headers);
        let mut outline = Outline {
            method: lines.method.only().and_then(|method| before.method(method)),
            host: lines.authority.only().and_then(|authority| before.host(authority)),
            source: source.as_deref().and_then(address),
            grpc: lines.content_type.only().is_some_and(is_grpc),
            headers: Headers::new(),
        };
        let read = read(&headers, &lines, &outline, mode);
        outline.headers = headers;
        match read {
            Ok((method, host, target)) => {
                Ok(Request { outline, method, host, target, ended, body: Body::Unknown })
            }
            Err(denial) => Err(Box::new(Unread { outline, denial })),
        }
    }

    /// Every header line.
    pub fn headers(&self) -> &Headers {
        &self.outline.headers
    }
}

fn read(
    headers: &Headers,
    lines: &Lines<'_>,
    outline: &Outline,
    mode: PathMode,
) -> Result<(Arc<str>, Arc<str>, RequestTarget), Denial> {
    let malformed = |what| Err(Denial::MalformedRequest(what));
    if headers.len() > MAX_HEADERS || headers.text_bytes() > MAX_HEADER_BYTES {
        return malformed(Malformed::Headers);
    }
    // Bytes that are no text are read differently by everyone who reads text: one server cuts them off, another takes
    // them for Latin-1. RFC 9110 section 5.5 asks senders to stay within ASCII.
    if !headers.is_utf8() {
        return malformed(Malformed::Encoding);
    }
    let Some(method) = outline.method.as_ref().filter(|method| is_method(method)) else {
        return malformed(Malformed::Method);
    };
    // CONNECT names an authority and no path (RFC 9110 section 9.3.6), so no route can be meant by it.
    if **method == *"CONNECT" {
        return malformed(Malformed::Path);
    }
    // An extended CONNECT (RFC 8441) that a host has made half a request of. Envoy makes a whole one: a GET with `upgrade`.
    if lines.protocol.is_present() {
        return malformed(Malformed::Method);
    }
    let Some(host) = &outline.host else { return malformed(Malformed::Authority) };
    let Some(raw_path) = lines.path.only() else { return malformed(Malformed::Path) };
    match path::canonicalize(raw_path, mode) {
        Ok(target) => Ok((Arc::clone(method), Arc::clone(host), target)),
        Err(PathError::Ambiguous(kind)) => Err(Denial::AmbiguousPath(kind)),
        Err(PathError::Malformed(_) | PathError::TooLong) => malformed(Malformed::Path),
    }
}

/// What the request before had, where most have the same: it is not read again, and not copied again. Nothing is told from
/// one request of another, for what is known here is what reading would come to.
#[derive(Default)]
pub(super) struct Before {
    method: Option<Arc<str>>,
    /// The authority, and the host that it names: what names one is bounded.
    host: Option<(Box<[u8]>, Arc<str>)>,
}

/// Not shown: it is of another request than the one that is looked at.
impl fmt::Debug for Before {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Before")
    }
}

impl Before {
    /// Text that is not empty.
    fn method(&mut self, method: &[u8]) -> Option<Arc<str>> {
        if let Some(known) = self.method.as_ref().filter(|known| is_same(known.as_bytes(), method)) {
            return Some(Arc::clone(known));
        }
        let read: Arc<str> = std::str::from_utf8(method).ok().filter(|text| !text.is_empty())?.into();
        if is_method(&read) {
            self.method = Some(Arc::clone(&read));
        }
        Some(read)
    }

    fn host(&mut self, authority: &[u8]) -> Option<Arc<str>> {
        if let Some((_, host)) = self.host.as_ref().filter(|(known, _)| is_same(known, authority)) {
            return Some(Arc::clone(host));
        }
        let host: Arc<str> = canonical_host(authority)?.into();
        self.host = Some((authority.into(), Arc::clone(&host)));
        Some(host)
    }
}

/// The lines that reading asks for, found in one pass.
#[derive(Default)]
struct Lines<'a> {
    method: Line<'a>,
    authority: Line<'a>,
    path: Line<'a>,
    protocol: Line<'a>,
    content_type: Line<'a>,
}

impl<'a> Lines<'a> {
    fn of(headers: &'a Headers) -> Lines<'a> {
        let mut lines = Lines::default();
        const SHAPES: Shapes = Shapes::of(&[":method", ":authority", ":path", ":protocol", "content-type"]);
        for (name, value) in headers.of_shapes(SHAPES) {
            match name {
                b":method" => lines.method.see(value),
                b":authority" => lines.authority.see(value),
                b":path" => lines.path.see(value),
                b":protocol" => lines.protocol.see(value),
                b"content-type" => lines.content_type.see(value),
                _not_asked_for => {}
            }
        }
        lines
    }
}

/// A header of which one line is wanted.
#[derive(Clone, Copy, Default)]
enum Line<'a> {
    #[default]
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Line<'a> {
    fn see(&mut self, value: &'a [u8]) {
        *self = match self {
            Line::Absent => Line::Once(value),
            Line::Once(_) | Line::Repeated => Line::Repeated,
        };
    }

    fn is_present(&self) -> bool {
        !matches!(self, Line::Absent)
    }

    /// The value, if it stands there exactly once.
    fn only(self) -> Option<&'a [u8]> {
        match self {
            Line::Once(value) => Some(value),
            Line::Absent | Line::Repeated => None,
        }
    }

    /// The same as text that is not empty.
    fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.only()?).ok().filter(|text| !text.is_empty())
    }
}

/// Hosts report `address:port`, and for IPv6 `[address]:port`.
fn address(source: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(source).ok()?;
    let with_port = text.parse::<SocketAddr>().ok().map(|peer| peer.ip());
    with_port.or_else(|| text.parse().ok())
}

/// The content types of gRPC over HTTP/2: `application/grpc`, and the same with a `+codec` or a parameter behind.
fn is_grpc(content_type: &[u8]) -> bool {
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
    use proptest::prelude::*;

    use super::*;

    fn head(pairs: &[(&str, &[u8])]) -> RequestHead {
        let headers = pairs.iter().copied().collect();
        RequestHead { headers, source: Some(b"10.0.0.1:4711".to_vec()), ended: true }
    }

    fn read(pairs: &[(&str, &[u8])]) -> Result<Request, Denial> {
        Request::read(head(pairs), PathMode::Refuse).map_err(|unread| unread.denial)
    }

    const GOOD: [(&str, &[u8]); 3] =
        [(":method", b"GET"), (":authority", b"API.example.com:443"), (":path", b"/a?b")];

    fn with<'a>(name: &'a str, value: &'a [u8]) -> Vec<(&'a str, &'a [u8])> {
        GOOD.iter().map(|pair| if pair.0 == name { (name, value) } else { *pair }).collect()
    }

    #[test]
    fn a_good_head_is_read() {
        let request = read(&GOOD).unwrap();
        assert_eq!((&*request.method, &*request.host), ("GET", "api.example.com"));
        assert_eq!(request.target.path.as_str(), "/a");
        assert_eq!(request.outline.source, Some([10, 0, 0, 1].into()));
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

    proptest! {
        #[test]
        fn whoever_has_read_others_reads_the_same(
            parts in prop::collection::vec(("(GET|POST|get|G T|)", "(a|A|b:80|\\[::1\\]|a b|)"), 1..12)
        ) {
            let mut before = Before::default();
            for (method, authority) in parts {
                let pairs = [(":method", method.as_bytes()), (":authority", authority.as_bytes()), (":path", b"/")];
                let told = |read: Result<Request, Box<Unread>>| match read {
                    Ok(request) => (Some(request.method.clone()), Some(request.host.clone()), None),
                    Err(unread) => (unread.outline.method, unread.outline.host, Some(unread.denial)),
                };
                let knowing = Request::read_knowing(&mut before, head(&pairs), PathMode::Refuse);
                prop_assert_eq!(told(knowing), told(Request::read(head(&pairs), PathMode::Refuse)));
            }
        }
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
            assert_eq!(is_grpc(content_type.as_bytes()), grpc, "{content_type}");
        }
    }
}
