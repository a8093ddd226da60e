//! The functions of WASI preview 1 a proxy provides, and the codes of those it only pretends to.

use crate::host::{
    LogLevel, LogLine,
    guest::{Guest, HostResult, Stop},
    state::State,
};
use wasmtime::{Caller, Linker};

/// Both names a module may import them under.
pub(super) const MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

const DEFINED: &[&str] = &[
    "fd_write",
    "fd_read",
    "fd_seek",
    "fd_close",
    "fd_fdstat_get",
    "fd_prestat_get",
    "fd_prestat_dir_name",
    "path_open",
    "clock_time_get",
    "random_get",
    "environ_sizes_get",
    "environ_get",
    "args_sizes_get",
    "args_get",
    "proc_exit",
    "sched_yield",
    "poll_oneoff",
];

/// WASI errno values the host answers with.
const EBADF: i32 = 8;
const EINVAL: i32 = 28;
const ENOENT: i32 = 44;
const ENOSYS: i32 = 52;
const EFAULT: i32 = 21;

/// The most bytes one `random_get` gives in Envoy.
const MAX_RANDOM: u32 = 64 * 1024;

pub(super) fn defines(name: &str) -> bool {
    DEFINED.contains(&name)
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for module in MODULES {
        linker.func_wrap(
            module,
            "fd_write",
            |c: Caller<'_, State>, fd: i32, iovs: u32, count: u32, out: u32| {
                run(c, |guest| fd_write(guest, fd, iovs, count, out))
            },
        )?;
        linker.func_wrap(module, "clock_time_get", |c: Caller<'_, State>, _: i32, _: i64, out: u32| {
            run(c, |guest| {
                let now = guest.state().process.borrow().now;
                guest.write_u64(out, now).map(|()| 0)
            })
        })?;
        linker.func_wrap(module, "random_get", |c: Caller<'_, State>, pointer: u32, length: u32| {
            run(c, |guest| {
                if length > MAX_RANDOM {
                    return Ok(EINVAL);
                }
                let bytes = guest.state().process.borrow_mut().random(length as usize);
                guest.write(pointer, &bytes).map(|()| 0)
            })
        })?;
        linker.func_wrap(module, "environ_sizes_get", |c: Caller<'_, State>, count: u32, size: u32| {
            run(c, |guest| {
                let environment = &guest.state().environment;
                let (number, bytes) =
                    (environment.len(), environment.iter().map(|pair| pair.len() + 1).sum::<usize>());
                guest.write_u32(count, number as u32)?;
                guest.write_u32(size, bytes as u32).map(|()| 0)
            })
        })?;
        linker.func_wrap(module, "environ_get", |c: Caller<'_, State>, pointers: u32, buffer: u32| {
            run(c, |guest| environ_get(guest, pointers, buffer).map(|()| 0))
        })?;
        linker.func_wrap(module, "args_sizes_get", |c: Caller<'_, State>, count: u32, size: u32| {
            run(c, |guest| {
                guest.write_u32(count, 0)?;
                guest.write_u32(size, 0).map(|()| 0)
            })
        })?;
        linker.func_wrap(module, "args_get", |_: Caller<'_, State>, _: u32, _: u32| 0)?;
        // Envoy logs and returns; what the compiler put after the call traps.
        linker.func_wrap(module, "proc_exit", |c: Caller<'_, State>, code: i32| {
            say(c.data(), LogLevel::Error, format!("proc_exit {code}"));
        })?;
        linker.func_wrap(module, "sched_yield", |_: Caller<'_, State>| 0)?;
        linker.func_wrap(module, "poll_oneoff", |_: Caller<'_, State>, _: u32, _: u32, _: u32, _: u32| {
            ENOSYS
        })?;
        linker.func_wrap(module, "fd_read", |_: Caller<'_, State>, _: i32, _: u32, _: u32, _: u32| ENOSYS)?;
        linker.func_wrap(module, "fd_seek", |_: Caller<'_, State>, _: i32, _: i64, _: i32, _: u32| 0)?;
        linker.func_wrap(module, "fd_close", |_: Caller<'_, State>, _: i32| 0)?;
        linker.func_wrap(module, "fd_fdstat_get", |_: Caller<'_, State>, _: i32, _: u32| ENOSYS)?;
        linker.func_wrap(module, "fd_prestat_get", |_: Caller<'_, State>, _: i32, _: u32| EBADF)?;
        linker.func_wrap(module, "fd_prestat_dir_name", |_: Caller<'_, State>, _: i32, _: u32, _: u32| {
            ENOSYS
        })?;
        linker.func_wrap(
            module,
            "path_open",
            |_: Caller<'_, State>, _: i32, _: i32, _: u32, _: u32, _: i32, _: i64, _: i64, _: i32, _: u32| {
                ENOENT
            },
        )?;
    }
    Ok(())
}

fn run(
    caller: Caller<'_, State>,
    call: impl FnOnce(&mut Guest<'_>) -> Result<i32, Stop>,
) -> wasmtime::Result<i32> {
    match call(&mut Guest::new(caller)) {
        Ok(errno) => Ok(errno),
        Err(Stop::Status(_)) => Ok(EFAULT),
        Err(Stop::Trap(error)) => Err(error),
    }
}

fn fd_write(guest: &mut Guest<'_>, fd: i32, iovs: u32, count: u32, out: u32) -> Result<i32, Stop> {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Ok(EBADF),
    };
    let mut message = Vec::new();
    for index in 0..count {
        let entry = guest.read(iovs + index * 8, 8)?;
        let word = |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]);
        message.extend(guest.read(word(0), word(4))?);
    }
    guest.write_u32(out, message.len() as u32)?;
    say(guest.state(), level, String::from_utf8_lossy(&message).trim_end().to_owned());
    Ok(0)
}

fn environ_get(guest: &mut Guest<'_>, pointers: u32, buffer: u32) -> HostResult {
    let mut at = buffer;
    for (index, pair) in guest.state().environment.clone().iter().enumerate() {
        guest.write_u32(pointers + index as u32 * 4, at)?;
        guest.write(at, &[pair.as_bytes(), &[0]].concat())?;
        at += pair.len() as u32 + 1;
    }
    Ok(())
}

fn say(state: &State, level: LogLevel, message: String) {
    if !message.is_empty() {
        state.process.borrow_mut().log.push(LogLine { vm: state.name, level, message });
    }
}
