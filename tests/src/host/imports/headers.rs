//! Header maps.

use crate::host::{
    HeaderMap, Status,
    guest::{Guest, HostResult},
    state::REQUEST_HEADERS,
};

pub(super) fn get_size(guest: &mut Guest<'_>, map: u32, out: u32) -> HostResult {
    let size = guest.state().map(map).ok_or(Status::BAD_ARGUMENT)?.byte_size();
    guest.write_u32(out, size as u32)
}

pub(super) fn get_pairs(guest: &mut Guest<'_>, map: u32, pointer: u32, length: u32) -> HostResult {
    let pairs = match guest.state().map(map) {
        Some(map) => map.to_pairs(),
        None if guest.state().in_log_phase() => HeaderMap::new().to_pairs(),
        None => return Err(Status::BAD_ARGUMENT.into()),
    };
    guest.give(&pairs, pointer, length)
}

pub(super) fn set_pairs(guest: &mut Guest<'_>, map: u32, pointer: u32, length: u32) -> HostResult {
    let pairs = guest.read(pointer, length)?;
    let target = guest.state_mut().map_mut(map).ok_or(Status::BAD_ARGUMENT)?;
    // Everything goes first, pseudo headers too.
    *target = HeaderMap::from_pairs(&pairs);
    Ok(())
}

pub(super) fn get_value(guest: &mut Guest<'_>, map: u32, kp: u32, kl: u32, p: u32, l: u32) -> HostResult {
    let name = guest.read_text(kp, kl)?;
    let in_log_phase = guest.state().in_log_phase();
    let missing = if in_log_phase { Status::NOT_FOUND } else { Status::BAD_ARGUMENT };
    let value = guest.state().map(map).ok_or(missing)?.get(&name).ok_or(Status::NOT_FOUND)?.to_vec();
    guest.give(&value, p, l)
}

pub(super) fn add_value(guest: &mut Guest<'_>, map: u32, kp: u32, kl: u32, vp: u32, vl: u32) -> HostResult {
    let (name, value) = (guest.read_text(kp, kl)?, guest.read(vp, vl)?);
    guest.state_mut().map_mut(map).ok_or(Status::BAD_ARGUMENT)?.add(&name, value);
    Ok(())
}

pub(super) fn replace_value(
    guest: &mut Guest<'_>,
    map: u32,
    kp: u32,
    kl: u32,
    vp: u32,
    vl: u32,
) -> HostResult {
    let (name, value) = (guest.read_text(kp, kl)?, guest.read(vp, vl)?);
    let target = guest.state_mut().map_mut(map).ok_or(Status::BAD_ARGUMENT)?;
    // A pseudo header keeps its place at the front, as HTTP demands.
    if map == REQUEST_HEADERS && name.starts_with(':') {
        let rest: Vec<_> = target.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        *target =
            [(name.clone(), value)].into_iter().chain(rest.into_iter().filter(|(n, _)| *n != name)).collect();
    } else {
        target.replace(&name, value);
    }
    Ok(())
}

pub(super) fn remove_value(guest: &mut Guest<'_>, map: u32, kp: u32, kl: u32) -> HostResult {
    let name = guest.read_text(kp, kl)?;
    guest.state_mut().map_mut(map).ok_or(Status::BAD_ARGUMENT)?.remove(&name);
    Ok(())
}
