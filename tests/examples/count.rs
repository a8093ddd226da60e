//! `count FILE [ARGUMENT..]`: runs a WASI program that measures itself, on a clock that counts.
//!
//! Its clock is the number of WebAssembly instructions it has executed, as wasmtime's fuel counts them: the same in every run
//! and on every machine, however busy. It gets its arguments and may write; it has no environment, no files, no network and
//! no randomness, and asking for any of them ends it.

use std::io::Write;
use std::process::ExitCode;

use wasmtime::{Caller, Config, Engine, Error, Extern, Linker, Memory, Module, Result, Store};

/// Instructions that a program may execute: minutes, and half of what can be counted.
const FUEL: u64 = u64::MAX / 2;

const WASI: &str = "wasi_snapshot_preview1";

/// Success, as WASI spells it.
const ESUCCESS: i32 = 0;

/// Its own name, then its arguments; each ends with a zero byte.
struct Program {
    arguments: Vec<Vec<u8>>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(file) = arguments.first() else {
        eprintln!("count FILE [ARGUMENT..]");
        return ExitCode::from(2);
    };
    match run(file, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(file: &str, arguments: &[String]) -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::from_file(&engine, file)?;
    let mut linker = Linker::new(&engine);
    link(&mut linker)?;
    linker.define_unknown_imports_as_traps(&module)?;
    let arguments = arguments.iter().map(|argument| [argument.as_bytes(), b"\0"].concat()).collect();
    let mut store = Store::new(&engine, Program { arguments });
    store.set_fuel(FUEL)?;
    let instance = linker.instantiate(&mut store, &module)?;
    instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
}

fn link(linker: &mut Linker<Program>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "clock_time_get",
        |mut caller: Caller<'_, Program>, _clock: i32, _precision: i64, out: u32| -> Result<i32> {
            let executed = FUEL - caller.get_fuel()?;
            write(&mut caller, out, &executed.to_le_bytes())
        },
    )?;
    linker.func_wrap(
        WASI,
        "fd_write",
        |mut caller: Caller<'_, Program>,
         descriptor: i32,
         vectors: u32,
         count: u32,
         out: u32|
         -> Result<i32> {
            let mut written: u32 = 0;
            for vector in (vectors..).step_by(8).take(usize::try_from(count)?) {
                let (start, len) = (read_u32(&mut caller, vector)?, read_u32(&mut caller, vector + 4)?);
                let mut bytes = vec![0; usize::try_from(len)?];
                memory(&mut caller)?.read(&caller, usize::try_from(start)?, &mut bytes)?;
                match descriptor {
                    1 => std::io::stdout().write_all(&bytes)?,
                    _ => std::io::stderr().write_all(&bytes)?,
                }
                written += len;
            }
            write(&mut caller, out, &written.to_le_bytes())
        },
    )?;
    linker.func_wrap(
        WASI,
        "args_sizes_get",
        |mut caller: Caller<'_, Program>, count: u32, bytes: u32| -> Result<i32> {
            let arguments = &caller.data().arguments;
            let (all, len) = (u32::try_from(arguments.len())?, u32::try_from(arguments.concat().len())?);
            write(&mut caller, count, &all.to_le_bytes())?;
            write(&mut caller, bytes, &len.to_le_bytes())
        },
    )?;
    linker.func_wrap(
        WASI,
        "args_get",
        |mut caller: Caller<'_, Program>, pointers: u32, mut text: u32| -> Result<i32> {
            let arguments = caller.data().arguments.clone();
            for (pointer, argument) in (pointers..).step_by(4).zip(arguments) {
                write(&mut caller, pointer, &text.to_le_bytes())?;
                write(&mut caller, text, &argument)?;
                text += u32::try_from(argument.len())?;
            }
            Ok(ESUCCESS)
        },
    )?;
    linker.func_wrap(
        WASI,
        "environ_sizes_get",
        |mut caller: Caller<'_, Program>, count: u32, bytes: u32| -> Result<i32> {
            write(&mut caller, count, &[0; 4])?;
            write(&mut caller, bytes, &[0; 4])
        },
    )?;
    linker.func_wrap(WASI, "environ_get", |_: Caller<'_, Program>, _: u32, _: u32| ESUCCESS)?;
    linker.func_wrap(WASI, "proc_exit", |_: Caller<'_, Program>, code: i32| -> Result<()> {
        Err(Error::msg(format!("it ended with {code}")))
    })?;
    Ok(())
}

fn memory(caller: &mut Caller<'_, Program>) -> Result<Memory> {
    caller.get_export("memory").and_then(Extern::into_memory).ok_or_else(|| Error::msg("it has no memory"))
}

fn write(caller: &mut Caller<'_, Program>, place: u32, bytes: &[u8]) -> Result<i32> {
    memory(caller)?.write(caller, usize::try_from(place)?, bytes)?;
    Ok(ESUCCESS)
}

fn read_u32(caller: &mut Caller<'_, Program>, place: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    memory(caller)?.read(&*caller, usize::try_from(place)?, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
