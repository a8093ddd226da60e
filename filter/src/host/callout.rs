//! HTTP callouts: the one call of the host that goes through the SDK, and the reading of what comes back.
//!
//! The SDK keeps its own register of calls in flight and panics on the answer to a call it does not know, so a call has
//! to be made through it. It also gives the answer to the context whose callback made the call, and drops it if that
//! context is gone: callouts are made in callbacks of the root context only, never in those of a request.

use std::cell::OnceCell;
use std::time::Duration;

use super::abi::{self, Buffer, HeaderMap};
use super::status::{HostError, HostStatus};
use crate::gate::{Callout, CalloutReply, MAX_CALLOUT_BODY_BYTES};

/// Shortest timeout that is sent. Zero means "no timeout" to a host.
const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// Longest timeout that is sent: five minutes, beyond which nobody waits for an answer.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

thread_local! {
    /// Whether this host has callouts. The SDK panics on any status but the two that a host with callouts gives.
    static AVAILABLE: OnceCell<bool> = const { OnceCell::new() };
}

/// Sends a callout, in a callback of the root context `root`, and returns the token under which the host will answer.
///
/// # Errors
///
/// The host refuses: no such cluster, no host in it, no callouts at all. Nothing will come back then.
pub(crate) fn dispatch(callout: &Callout, root: u32) -> Result<u32, HostError> {
    const CALL: &str = "proxy_http_call";
    // The SDK will do the same before it hands over the answer, and panic if it cannot.
    abi::set_effective_context(root)?;
    if !AVAILABLE.with(|available| *available.get_or_init(available_here)) {
        return Err(HostError { call: CALL, status: HostStatus::Unimplemented });
    }
    let headers = callout.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = (!callout.body.is_empty()).then_some(callout.body.as_slice());
    let timeout = callout.timeout.clamp(MIN_TIMEOUT, MAX_TIMEOUT);
    proxy_wasm::hostcalls::dispatch_http_call(&callout.cluster, headers, body, Vec::new(), timeout)
        .map_err(|status| HostError { call: CALL, status: status_of(status) })
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

fn available_here() -> bool {
    match abi::http_call_to_nowhere() {
        Err(HostError { status: HostStatus::BadArgument | HostStatus::InternalFailure, .. }) => true,
        Ok(()) | Err(_) => false,
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

fn status_of(status: proxy_wasm::types::Status) -> HostStatus {
    HostStatus::from_code(status as u32).err().unwrap_or(HostStatus::ImpossibleResult)
}
