//! Callouts, and the calls that this host answers like one that lacks them.

use crate::host::{
    Call, Callout, HeaderMap, Status,
    guest::{Guest, HostResult},
    state::State,
};
use std::time::Duration;
use wasmtime::{Caller, Linker};

#[allow(clippy::too_many_arguments, reason = "the ABI's own")]
pub(super) fn http_call(
    guest: &mut Guest<'_>,
    up: u32,
    ul: u32,
    hp: u32,
    hl: u32,
    bp: u32,
    bl: u32,
    _trailers: u32,
    _trailers_length: u32,
    timeout: i32,
    out: u32,
) -> HostResult {
    let cluster = guest.read_text(up, ul)?;
    let headers = HeaderMap::from_pairs(&guest.read(hp, hl)?);
    let body = guest.read(bp, bl)?;
    let complete = [":method", ":path", ":authority"].iter().all(|name| headers.contains(name));
    let hosts = guest.state().process.borrow().clusters.get(&cluster).copied();
    let sent_at = guest.state().process.borrow().now;
    match hosts {
        _ if timeout < 0 || !complete => return Err(Status::BAD_ARGUMENT.into()),
        None => return Err(Status::BAD_ARGUMENT.into()),
        Some(false) => return Err(Status::INTERNAL_FAILURE.into()),
        Some(true) => {}
    }
    let timeout = (timeout > 0).then(|| Duration::from_millis(timeout as u64));
    let state = guest.state_mut();
    state.last_token += 4;
    let token = state.last_token;
    // It belongs to the root context: it outlives the stream that asked.
    let root = state.root();
    state.callouts.insert(token, Callout { token, cluster, headers, body, timeout, sent_at, root });
    guest.write_u32(out, token)
}

/// gRPC and queues: a host may lack them, and this one does. The faults still apply.
pub(super) fn link_what_is_not_simulated(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn answer(caller: Caller<'_, State>, call: Call, status: Status) -> wasmtime::Result<u32> {
        Guest::new(caller).hostcall(call, |_| Err(status.into()))
    }
    linker.func_wrap(
        "env",
        Call::GrpcCall.import(),
        |c: Caller<'_, State>,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32| { answer(c, Call::GrpcCall, Status::PARSE_FAILURE) },
    )?;
    linker.func_wrap(
        "env",
        Call::GrpcStream.import(),
        |c: Caller<'_, State>, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32| {
            answer(c, Call::GrpcStream, Status::PARSE_FAILURE)
        },
    )?;
    linker.func_wrap(
        "env",
        Call::GrpcSend.import(),
        |c: Caller<'_, State>, _: u32, _: u32, _: u32, _: u32| {
            answer(c, Call::GrpcSend, Status::BAD_ARGUMENT)
        },
    )?;
    linker.func_wrap("env", Call::GrpcCancel.import(), |c: Caller<'_, State>, _: u32| {
        answer(c, Call::GrpcCancel, Status::BAD_ARGUMENT)
    })?;
    linker.func_wrap("env", Call::GrpcClose.import(), |c: Caller<'_, State>, _: u32| {
        answer(c, Call::GrpcClose, Status::BAD_ARGUMENT)
    })?;
    linker.func_wrap("env", Call::GetStatus.import(), |c: Caller<'_, State>, _: u32, _: u32, _: u32| {
        answer(c, Call::GetStatus, Status::UNIMPLEMENTED)
    })?;
    linker.func_wrap(
        "env",
        Call::RegisterSharedQueue.import(),
        |c: Caller<'_, State>, _: u32, _: u32, _: u32| {
            answer(c, Call::RegisterSharedQueue, Status::UNIMPLEMENTED)
        },
    )?;
    linker.func_wrap(
        "env",
        Call::ResolveSharedQueue.import(),
        |c: Caller<'_, State>, _: u32, _: u32, _: u32, _: u32, _: u32| {
            answer(c, Call::ResolveSharedQueue, Status::NOT_FOUND)
        },
    )?;
    linker.func_wrap(
        "env",
        Call::DequeueSharedQueue.import(),
        |c: Caller<'_, State>, _: u32, _: u32, _: u32| answer(c, Call::DequeueSharedQueue, Status::NOT_FOUND),
    )?;
    linker.func_wrap(
        "env",
        Call::EnqueueSharedQueue.import(),
        |c: Caller<'_, State>, _: u32, _: u32, _: u32| answer(c, Call::EnqueueSharedQueue, Status::NOT_FOUND),
    )?;
    Ok(())
}
