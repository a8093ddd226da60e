//! Log, time, buffers, shared data, metrics, foreign functions.

use crate::host::{
    LogLevel, LogLine, MetricKind, Status, foreign,
    guest::{Guest, HostResult},
};

/// Buffers, by the ABI's numbers.
const REQUEST_BODY: u32 = 0;
const CALLOUT_BODY: u32 = 4;
const VM_CONFIGURATION: u32 = 6;
const PLUGIN_CONFIGURATION: u32 = 7;

pub(super) fn log(guest: &mut Guest<'_>, level: u32, pointer: u32, length: u32) -> HostResult {
    let level = LogLevel::from_abi(level).ok_or(Status::BAD_ARGUMENT)?;
    let message = guest.read_text(pointer, length)?;
    let vm = guest.state().name;
    guest.state().process.borrow_mut().log.push(LogLine { vm, level, message });
    Ok(())
}

pub(super) fn get_log_level(guest: &mut Guest<'_>, out: u32) -> HostResult {
    let level = guest.state().process.borrow().log_level;
    guest.write_u32(out, level as u32)
}

pub(super) fn get_current_time(guest: &mut Guest<'_>, out: u32) -> HostResult {
    let now = guest.state().process.borrow().now;
    guest.write_u64(out, now)
}

fn buffer(guest: &Guest<'_>, kind: u32) -> Option<Vec<u8>> {
    let state = guest.state();
    match kind {
        REQUEST_BODY => {
            let stream = state.stream().filter(|stream| stream.body_visible)?;
            stream.body.get(..stream.arrived).map(<[u8]>::to_vec)
        }
        CALLOUT_BODY => state.answer.as_ref().map(|answer| answer.body.clone()),
        VM_CONFIGURATION => Some(Vec::new()),
        PLUGIN_CONFIGURATION => state.plugin_configuration.clone(),
        _ => None,
    }
}

pub(super) fn get_buffer_bytes(
    guest: &mut Guest<'_>,
    kind: u32,
    start: u32,
    max: u32,
    pointer: u32,
    length: u32,
) -> HostResult {
    let buffer = buffer(guest, kind).ok_or(Status::NOT_FOUND)?;
    let end = start.checked_add(max).ok_or(Status::BAD_ARGUMENT)?;
    let bytes = buffer.get(start as usize..(end as usize).min(buffer.len())).unwrap_or_default();
    guest.give(bytes, pointer, length)
}

pub(super) fn set_buffer_bytes(
    guest: &mut Guest<'_>,
    kind: u32,
    start: u32,
    size: u32,
    pointer: u32,
    length: u32,
) -> HostResult {
    let bytes = guest.read(pointer, length)?;
    let stream = guest.state_mut().stream_mut().filter(|stream| kind == REQUEST_BODY && stream.body_visible);
    let body = &mut stream.ok_or(Status::NOT_FOUND)?.body;
    let start = (start as usize).min(body.len());
    let end = (start + size as usize).min(body.len());
    body.splice(start..end, bytes);
    Ok(())
}

pub(super) fn get_buffer_status(guest: &mut Guest<'_>, kind: u32, length: u32, flags: u32) -> HostResult {
    let buffer = buffer(guest, kind).ok_or(Status::NOT_FOUND)?;
    guest.write_u32(length, buffer.len() as u32)?;
    guest.write_u32(flags, 0)
}

pub(super) fn get_shared_data(
    guest: &mut Guest<'_>,
    kp: u32,
    kl: u32,
    p: u32,
    l: u32,
    cas: u32,
) -> HostResult {
    let key = guest.read(kp, kl)?;
    let found = guest.state().process.borrow().shared.get(key).map(|(value, cas)| (value.to_vec(), cas));
    let (value, number) = found.ok_or(Status::NOT_FOUND)?;
    guest.give(&value, p, l)?;
    guest.write_u32(cas, number)
}

pub(super) fn set_shared_data(
    guest: &mut Guest<'_>,
    kp: u32,
    kl: u32,
    vp: u32,
    vl: u32,
    cas: u32,
) -> HostResult {
    let (key, value) = (guest.read(kp, kl)?, guest.read(vp, vl)?);
    guest.state().process.borrow_mut().shared.set(&key, &value, cas).map_err(Into::into)
}

pub(super) fn define_metric(guest: &mut Guest<'_>, kind: u32, np: u32, nl: u32, out: u32) -> HostResult {
    let kind = MetricKind::from_abi(kind).ok_or(Status::BAD_ARGUMENT)?;
    let name = guest.read_text(np, nl)?;
    let process = guest.state().process.clone();
    let id = guest.state_mut().metric_ids.define(&mut process.borrow_mut().metrics, kind, name);
    guest.write_u32(out, id)
}

pub(super) fn get_metric(guest: &mut Guest<'_>, id: u32, out: u32) -> HostResult {
    let process = guest.state().process.clone();
    let value = guest.state().metric_ids.get(&mut process.borrow_mut().metrics, id)?;
    guest.write_u64(out, value)
}

pub(super) fn record_metric(guest: &mut Guest<'_>, id: u32, value: u64) -> HostResult {
    let state = guest.state();
    state.metric_ids.record(&mut state.process.borrow_mut().metrics, id, value).map_err(Into::into)
}

pub(super) fn increment_metric(guest: &mut Guest<'_>, id: u32, offset: i64) -> HostResult {
    let state = guest.state();
    state.metric_ids.increment(&mut state.process.borrow_mut().metrics, id, offset).map_err(Into::into)
}

pub(super) fn call_foreign_function(
    guest: &mut Guest<'_>,
    np: u32,
    nl: u32,
    ap: u32,
    al: u32,
    pointer: u32,
    length: u32,
) -> HostResult {
    let (name, argument) = (guest.read_text(np, nl)?, guest.read(ap, al)?);
    if guest.state().process.borrow().absent_functions.contains(&name) {
        return Err(Status::NOT_FOUND.into());
    }
    let result = foreign::call(&name, &argument)?;
    guest.give(&result, pointer, length)
}
