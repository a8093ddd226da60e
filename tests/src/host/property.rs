//! Properties: what the host knows about a request, in Envoy's encodings.

use super::{HeaderMap, Status, state::StreamState};

/// A value as the host types it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// Text or bytes, raw. Empty is a null pointer to the guest, the same as absent.
    Bytes(Vec<u8>),
    /// Eight bytes, little endian; also timestamps and durations, in nanoseconds.
    Int(i64),
    /// One byte.
    Bool(bool),
    /// Pairs, as headers are.
    Map(HeaderMap),
}

impl Property {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Int(number) => number.to_le_bytes().to_vec(),
            Self::Bool(flag) => vec![u8::from(*flag)],
            Self::Map(map) => map.to_pairs(),
        }
    }
}

impl From<&str> for Property {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Property {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<i64> for Property {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Property {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

/// What `proxy_get_property` finds for a stream: the test's own values first, then filter state, then the defaults.
///
/// # Errors
/// `SerializationFailure` for a path that names a whole wrapper, `NotFound` for anything else that is not there.
pub(super) fn of_stream(stream: &StreamState, path: &[u8]) -> Result<Property, Status> {
    if let Some(value) = stream.properties.get(path) {
        return Ok(value.clone());
    }
    let parts: Vec<&[u8]> = path.split(|byte| *byte == 0).collect();
    let state_key = match parts.as_slice() {
        [b"filter_state", key] => String::from_utf8_lossy(key).into_owned(),
        _ => format!("wasm.{}", String::from_utf8_lossy(path)),
    };
    if let Some(value) = stream.filter_state.get(&state_key) {
        return Ok(Property::Bytes(value.clone()));
    }
    match parts.as_slice() {
        [b"request" | b"source" | b"connection" | b"response" | b""] => Err(Status::SERIALIZATION_FAILURE),
        [b"request", rest @ ..] => request(stream, rest),
        [b"response", b"code"] => stream.response_code().map(Property::Int).ok_or(Status::NOT_FOUND),
        [b"source", b"address"] => Ok("192.0.2.7:40000".into()),
        [b"source", b"port"] => Ok(40_000.into()),
        [b"destination", b"address"] => Ok("198.51.100.1:443".into()),
        [b"destination", b"port"] => Ok(443.into()),
        [b"connection", b"id"] | [b"connection_id"] => Ok(1.into()),
        [b"connection", b"mtls"] => Ok(false.into()),
        [b"connection", b"requested_server_name" | b"tls_version"] => Ok("".into()),
        // No client certificate: the host says OK and hands over nothing.
        [b"connection", name] if name.ends_with(b"peer_certificate") => Ok("".into()),
        _ => Err(Status::NOT_FOUND),
    }
}

/// What is there without a stream.
pub(super) fn of_root(path: &[u8]) -> Result<Property, Status> {
    match path {
        b"plugin_name" => Ok("portcullis".into()),
        b"plugin_root_id" => Ok("".into()),
        b"plugin_vm_id" => Ok("portcullis".into()),
        _ => Err(Status::NOT_FOUND),
    }
}

fn request(stream: &StreamState, rest: &[&[u8]]) -> Result<Property, Status> {
    let empty = HeaderMap::new();
    // After the request phase the wrapper is there and everything in it is empty.
    let headers = if stream.request_visible { &stream.request } else { &empty };
    let text = |name: &str| Ok(Property::Bytes(headers.get(name).unwrap_or_default().to_vec()));
    let target = headers.get(":path").unwrap_or_default();
    let question = target.iter().position(|byte| *byte == b'?');
    match rest {
        [b"path"] => text(":path"),
        [b"url_path"] => Ok(target[..question.unwrap_or(target.len())].into()),
        [b"query"] => Ok(question.map_or(&b""[..], |at| &target[at + 1..]).into()),
        [b"host"] => text(":authority"),
        [b"scheme"] => text(":scheme"),
        [b"method"] => text(":method"),
        [b"id"] => text("x-request-id"),
        [b"useragent"] => text("user-agent"),
        [b"referer"] => text("referer"),
        [b"protocol"] => Ok("HTTP/1.1".into()),
        [b"time"] => Ok((stream.started as i64).into()),
        [b"size"] => Ok((stream.body.len() as i64).into()),
        [b"total_size"] => Ok(((stream.body.len() + headers.byte_size()) as i64).into()),
        [b"headers"] => Ok(Property::Map(headers.clone())),
        [b"headers", name] => {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let values: Vec<&[u8]> = headers.all(&name).collect();
            if values.is_empty() {
                Err(Status::NOT_FOUND)
            } else {
                Ok(values.join(&b","[..]).as_slice().into())
            }
        }
        _ => Err(Status::NOT_FOUND),
    }
}
