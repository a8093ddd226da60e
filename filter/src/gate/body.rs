//! The body of a request: whether it is waited for, and whether what arrived has one reading only.
//!
//! A body counts when it is sent as JSON (RFC 8259 section 11, or a type with the suffix `+json` of RFC 6839 section 3.1), as it
//! is (no content coding), and is strict JSON. Anything else is as good as none: what one server takes for JSON another
//! does not. Nothing here says what a policy makes of that, and nothing here shows a body.

use std::fmt;

use portcullis_policy::headers::{Shape, Shapes};
use portcullis_policy::json;
use portcullis_policy::policy::Policy;
use portcullis_policy::request::is_read_as;
use serde_json::Value;

use crate::gate::request::Request;
use crate::time::UnixTime;

/// What is known of the body of a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing: no answer depends on it, it is absent, or it is not sent as JSON.
    #[default]
    Unknown,
    /// It has not arrived, and nothing speaks against it so far.
    Awaited,
    /// It is longer than the document's bound.
    TooLarge,
    /// All of it.
    Arrived(Vec<u8>),
}

impl Body {
    /// What can be expected of the body of `request`, of which at most `max_bytes` are held. `ended` says that the request
    /// ended with its headers.
    pub(super) fn expected(request: &Request, ended: bool, max_bytes: usize) -> Body {
        let values = |name: &'static [u8]| {
            let lines = request.headers().of_shapes(Shapes::default().with(Shape::of(name)));
            let named = lines.filter(move |(other, _)| is_read_as(other, name));
            named.map(|(_, value)| value.trim_ascii())
        };
        let mut types = values(b"content-type");
        // A call of gRPC is framed, whatever its type ends in, and what follows an upgrade need not end.
        let is_json = !request.outline.grpc
            && values(b"upgrade").next().is_none()
            && types.next().is_some_and(is_json)
            && types.next().is_none();
        let is_plain = values(b"content-encoding").all(|value| value.eq_ignore_ascii_case(b"identity"))
            && values(b"transfer-encoding").all(|value| value.eq_ignore_ascii_case(b"chunked"));
        let lengths: Option<Vec<u64>> = values(b"content-length").map(length).collect();
        match lengths.as_deref() {
            None | Some([_, _, ..]) => Body::Unknown,
            Some(_) if ended || !is_json || !is_plain => Body::Unknown,
            Some([length]) if usize::try_from(*length).map_or(true, |length| length > max_bytes) => {
                Body::TooLarge
            }
            Some([_] | []) => Body::Awaited,
        }
    }

    /// Whether it has not arrived.
    pub(super) fn is_awaited(&self) -> bool {
        *self == Body::Awaited
    }

    /// Bytes of it that are held here.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Body::Arrived(bytes) => bytes.len(),
            Body::Unknown | Body::Awaited | Body::TooLarge => 0,
        }
    }

    /// What it says, if it says one thing only.
    pub(super) fn read(&self) -> Option<Value> {
        match self {
            Body::Arrived(bytes) => json::parse(bytes).ok(),
            Body::Unknown | Body::Awaited | Body::TooLarge => None,
        }
    }
}

/// Whether what `policy` says of `request` may depend on its body.
pub(super) fn is_needed(policy: &Policy, request: &Request, now: UnixTime) -> bool {
    policy.reads_body() && {
        let located = policy.locate(request.action(), request.resource(), &request.context(now));
        policy.needs_body(&located, request.action(), request.resource())
    }
}

/// Bodies carry whatever people send: only sizes are shown.
impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Body::Unknown => "Unknown",
            Body::Awaited => "Awaited",
            Body::TooLarge => "TooLarge",
            Body::Arrived(bytes) => return write!(formatter, "Arrived({} bytes)", bytes.len()),
        };
        formatter.write_str(text)
    }
}

/// Whether a content type is that of JSON. A `charset` is not defined for it; a server that obeys one all the same must come to
/// UTF-8.
fn is_json(content_type: &[u8]) -> bool {
    let mut parts = content_type.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let has_suffix =
        media.ends_with(b"+json") && media.split(|byte| *byte == b'/').count() == 2 && !media.contains(&b',');
    (media == b"application/json" || has_suffix) && parts.all(is_utf8_if_charset)
}

fn is_utf8_if_charset(parameter: &[u8]) -> bool {
    let mut sides = parameter.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
    let (name, value) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    !name.eq_ignore_ascii_case(b"charset") || value.eq_ignore_ascii_case(b"utf-8")
}

/// RFC 9110 section 8.6: digits and nothing else.
fn length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    // A length that fits no number is longer than any bound.
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok().or(Some(u64::MAX)))?
}

/// How long a body may take from the moment a decision waits for it: time enough for what is small, sent over a bad line.
pub(super) const MAX_BODY_WAIT: std::time::Duration = std::time::Duration::from_secs(15);

/// Bytes of bodies that are held in one worker while their requests wait for keys. A body that is waited for itself stays
/// with the proxy, and is read when it is whole.
pub(super) const MAX_HELD_BODY_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use portcullis_policy::path::PathMode;

    use super::*;
    use crate::gate::event::RequestHead;

    fn expected(headers: &[(&str, &str)], ended: bool) -> Body {
        let good = [(":method", "POST"), (":authority", "api.example"), (":path", "/a")];
        let lines = good.iter().chain(headers);
        let head = RequestHead { headers: lines.copied().collect(), ..RequestHead::default() };
        Body::expected(&Request::read(head, PathMode::Refuse).unwrap(), ended, 100)
    }

    #[test]
    fn what_is_json_is_awaited() {
        for content_type in [
            "application/json",
            "Application/JSON",
            " application/json ;charset=utf-8",
            "application/json; charset=\"UTF-8\"",
            "application/json; profile=x",
            "application/merge-patch+json",
            "application/vnd.api+json",
        ] {
            assert_eq!(expected(&[("content-type", content_type)], false), Body::Awaited, "{content_type}");
            assert_eq!(expected(&[("content-type", content_type)], true), Body::Unknown, "{content_type}");
        }
        for content_type in [
            "",
            "text/json",
            "text/plain",
            "application/jsonx",
            "application/json, text/plain",
            "application/json+x",
            "+json",
            "application/x/y+json",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; charset=utf-7",
            "application/json; a=\"; charset=utf-16\"",
            "application/grpc",
            "application/grpc+json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            assert_eq!(expected(&[("content-type", content_type)], false), Body::Unknown, "{content_type}");
        }
    }

    #[test]
    fn what_has_two_readings_is_none() {
        let json = ("content-type", "application/json");
        for (headers, body) in [
            (vec![], Body::Unknown),
            (vec![json], Body::Awaited),
            (vec![json, json], Body::Unknown),
            (vec![json, ("content_type", "text/plain")], Body::Unknown),
            (vec![json, ("content-encoding", "identity")], Body::Awaited),
            (vec![json, ("content-encoding", "gzip")], Body::Unknown),
            (vec![json, ("content-encoding", "identity, br")], Body::Unknown),
            (vec![json, ("content_encoding", "gzip")], Body::Unknown),
            (vec![json, ("transfer-encoding", "chunked")], Body::Awaited),
            (vec![json, ("transfer-encoding", "gzip, chunked")], Body::Unknown),
            (vec![json, ("upgrade", "websocket")], Body::Unknown),
            (vec![json, ("content-length", "100")], Body::Awaited),
            (vec![json, ("content-length", "101")], Body::TooLarge),
            (vec![json, ("content-length", "99999999999999999999999")], Body::TooLarge),
            (vec![json, ("content-length", "1"), ("content-length", "1")], Body::Unknown),
            (vec![json, ("content-length", "+1")], Body::Unknown),
            (vec![json, ("content-length", "0x1")], Body::Unknown),
            (vec![json, ("content-length", "")], Body::Unknown),
            (vec![("content-length", "101")], Body::Unknown),
        ] {
            assert_eq!(expected(&headers, false), body, "{headers:?}");
        }
    }

    #[test]
    fn only_strict_json_is_read() {
        let read = |text: &[u8]| Body::Arrived(text.to_vec()).read();
        assert_eq!(read(br#"{"a": 1}"#), Some(serde_json::json!({"a": 1})));
        for text in [&b""[..], b"{", b"{} {}", br#"{"a": 1, "a": 2}"#, b"\xef\xbb\xbf{}", b"\"\xff\"", b"a=1"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(&b"[".repeat(100)), None);
        assert_eq!(Body::TooLarge.read(), None);
        assert_eq!(format!("{:?}", Body::Arrived(b"s3cret".to_vec())), "Arrived(6 bytes)");
    }
}
