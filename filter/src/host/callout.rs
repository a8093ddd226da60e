//! HTTP callouts: sending one, and reading what comes back.
//!
//! A host reports the end of a callout to the context that was in effect when it was sent, and to nobody if that context is
//! gone: callouts are sent in callbacks of the root context only, never in those of a request.

use std::time::Duration;

use super::abi::{self, Buffer, HeaderMap};
use super::perform::PerformError;
use crate::gate::{Callout, CalloutReply, MAX_CALLOUT_BODY_BYTES};
use crate::header_pairs;

/// Shortest timeout that is sent. Zero means "no timeout" to a host.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// Longest timeout that is sent: five minutes, beyond which nobody waits for an answer.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// Sends a callout, in a callback of the root context `root`, and returns the token under which the host will answer.
///
/// # Errors
///
/// The host refuses: no such cluster, no host in it, no callouts at all; or a header cannot be sent. Nothing will come back
/// then.
pub(crate) fn dispatch(callout: &Callout, root: u32) -> Result<u32, PerformError> {
    abi::set_effective_context(root)?;
    let headers = header_pairs::encode(&callout.headers)?;
    let trailers = header_pairs::encode::<&str, &str>(&[])?;
    let timeout = callout.timeout.clamp(MIN_TIMEOUT, MAX_TIMEOUT);
    let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    Ok(abi::http_call(callout.cluster.as_bytes(), &headers, &callout.body, &trailers, milliseconds)?)
}

/// Reads how the callout ended that the host is just reporting.
pub(crate) fn reply(headers: usize, body_bytes: usize) -> CalloutReply {
    // A stream that was reset has no headers at all.
    let status = if headers == 0 { None } else { status() };
    let Some(status) = status else { return CalloutReply::Failed };
    if body_bytes > MAX_CALLOUT_BODY_BYTES {
        return CalloutReply::TooLarge;
    }
    let body =
        if body_bytes == 0 { Ok(Vec::new()) } else { abi::buffer(Buffer::CalloutResponseBody, body_bytes) };
    match body {
        Ok(body) if body.len() == body_bytes => CalloutReply::Answered { status, body },
        Ok(_) | Err(_) => CalloutReply::Failed,
    }
}

/// `:status`, three digits (RFC 9110 section 15).
fn status() -> Option<u16> {
    let value = abi::header(HeaderMap::CalloutResponse, b":status").ok()?;
    if value.len() != 3 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(&value).ok()?.parse().ok()
}
