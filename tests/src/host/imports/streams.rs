//! What is done to streams and contexts. Whatever would call the guest again waits until its call has returned.

use crate::host::{
    HeaderMap, LocalReply, Status,
    guest::{Guest, HostResult},
    property,
    state::{Deferred, Tick},
};

pub(super) fn get_property(guest: &mut Guest<'_>, pp: u32, pl: u32, pointer: u32, length: u32) -> HostResult {
    let path = guest.read(pp, pl)?;
    let state = guest.state();
    let value = match (property::of_root(&path), state.stream()) {
        (Ok(value), _) => value,
        (Err(_), Some(stream)) => property::of_stream(stream, &path)?,
        (Err(status), None) => return Err(status.into()),
    };
    guest.give(&value.encode(), pointer, length)
}

/// Filter state, under `wasm.`: later filters and the access log can read it, so the exchange keeps it.
pub(super) fn set_property(guest: &mut Guest<'_>, pp: u32, pl: u32, vp: u32, vl: u32) -> HostResult {
    let (path, value) = (guest.read_text(pp, pl)?, guest.read(vp, vl)?);
    let process = guest.state().process.clone();
    let stream = guest.state_mut().stream_mut().ok_or(Status::NOT_FOUND)?;
    let key = format!("wasm.{path}");
    process.borrow_mut().exchanges[stream.exchange].filter_state.insert(key.clone(), value.clone());
    stream.filter_state.insert(key, value);
    Ok(())
}

pub(super) fn continue_stream(guest: &mut Guest<'_>, kind: u32) -> HostResult {
    let state = guest.state_mut();
    let id = state.effective;
    let action = match kind {
        0 => Deferred::ContinueRequest(id),
        1 => Deferred::ContinueResponse(id),
        _ => return Err(Status::BAD_ARGUMENT.into()),
    };
    state.deferred.push_back(action);
    Ok(())
}

pub(super) fn close_stream(guest: &mut Guest<'_>, kind: u32) -> HostResult {
    if kind > 3 {
        return Err(Status::BAD_ARGUMENT.into());
    }
    let state = guest.state_mut();
    let id = state.effective;
    state.deferred.push_back(Deferred::Close(id));
    Ok(())
}

pub(super) fn send_local_response(
    guest: &mut Guest<'_>,
    code: u32,
    details: (u32, u32),
    body: (u32, u32),
    headers: (u32, u32),
    grpc: i32,
) -> HostResult {
    let details = guest.read_text(details.0, details.1)?.replace(char::is_whitespace, "_");
    let body = guest.read(body.0, body.1)?;
    let extra = HeaderMap::from_pairs(&guest.read(headers.0, headers.1)?);
    let state = guest.state_mut();
    let id = state.effective;
    // On a root context there is nobody to answer: the host says OK all the same.
    if let Some(stream) = state.stream() {
        let reply = local_reply(&stream.request, code as u16, details, body, &extra, grpc);
        state.deferred.push_back(Deferred::LocalReply(id, reply));
    }
    Ok(())
}

pub(super) fn set_effective_context(guest: &mut Guest<'_>, id: u32) -> HostResult {
    let state = guest.state_mut();
    if !state.is_context(id) {
        return Err(Status::BAD_ARGUMENT.into());
    }
    state.effective = id;
    Ok(())
}

pub(super) fn set_tick_period(guest: &mut Guest<'_>, milliseconds: u32) -> HostResult {
    let now = guest.state().process.borrow().now;
    let period = u64::from(milliseconds) * 1_000_000;
    let state = guest.state_mut();
    let root = state.root();
    if let Some(root) = state.roots.get_mut(&root) {
        root.tick = (period > 0).then_some(Tick { period, due: now + period });
    }
    Ok(())
}

pub(super) fn done(guest: &mut Guest<'_>) -> HostResult {
    let state = guest.state_mut();
    let id = state.effective;
    state.deferred.push_back(Deferred::Done(id));
    Ok(())
}

/// What the client gets for a local reply: a trailers-only response for gRPC, no body for `HEAD`.
fn local_reply(
    request: &HeaderMap,
    code: u16,
    details: String,
    body: Vec<u8>,
    extra: &HeaderMap,
    grpc: i32,
) -> LocalReply {
    let is_grpc = request
        .get("content-type")
        .is_some_and(|value| value == b"application/grpc" || value.starts_with(b"application/grpc+"));
    let mut headers: HeaderMap =
        [(":status", if is_grpc { "200".to_owned() } else { code.to_string() })].into_iter().collect();
    if is_grpc {
        headers.add("content-type", "application/grpc");
        let status = if grpc >= 0 { grpc } else { grpc_status(code) };
        headers.add("grpc-status", status.to_string());
        if !body.is_empty() {
            headers.add("grpc-message", percent_encode(&body));
        }
    } else if !body.is_empty() {
        headers.add("content-length", body.len().to_string());
        headers.add("content-type", "text/plain");
    }
    // The caller's headers are appended; a content type replaces, and nothing is checked for CR or LF.
    for (name, value) in extra.iter() {
        if name == "content-type" {
            headers.replace(name, value);
        } else {
            headers.add(name, value);
        }
    }
    let silent = is_grpc || request.get(":method") == Some(b"HEAD");
    LocalReply {
        status: if is_grpc { 200 } else { code },
        headers,
        body: if silent { Vec::new() } else { body },
        details,
    }
}

/// Envoy's map from HTTP to gRPC status.
fn grpc_status(code: u16) -> i32 {
    match code {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

fn percent_encode(message: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b' '..=b'~' if *byte != b'%' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    message.iter().map(encode).collect()
}
