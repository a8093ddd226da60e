//! The functions a module imports: the proxy-wasm ABI in `env`, and the few of WASI that a proxy provides.

mod callouts;
mod data;
mod headers;
mod streams;
mod wasi;

use super::{Call, Status, guest::Guest, state::State};
use wasmtime::{Caller, ExternType, Linker, Val};

/// Links every function of the ABI: `Call = implementation(arguments)`.
macro_rules! link {
    ($linker:ident: $($call:ident = $function:path $(as ($($argument:ident: $type:ty),*))? ;)*) => {
        $(link!(@one $linker $call $function as ($($($argument: $type),*)?));)*
    };
    (@one $linker:ident $call:ident $function:path as ($($argument:ident: $type:ty),*)) => {
        $linker.func_wrap("env", Call::$call.import(), |caller: Caller<'_, State>, $($argument: $type),*| {
            Guest::new(caller).hostcall(Call::$call, |guest| $function(guest, $($argument),*))
        })?;
    };
}

/// Everything the host offers, for `module`. Imports it does not offer are an error, unless `tolerated` names them:
/// those become `Unimplemented`.
pub(super) fn link(
    engine: &wasmtime::Engine,
    module: &wasmtime::Module,
    tolerated: &[String],
) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    link_abi(&mut linker)?;
    wasi::link(&mut linker)?;
    for import in module.imports() {
        let defined = match import.module() {
            "env" => Call::ALL.iter().any(|call| call.import() == import.name()),
            module => wasi::MODULES.contains(&module) && wasi::defines(import.name()),
        };
        let ExternType::Func(signature) = import.ty() else { continue };
        if !defined && tolerated.iter().any(|name| name == import.name()) {
            linker.func_new(import.module(), import.name(), signature, |_, _, results| {
                results.fill(Val::I32(Status::UNIMPLEMENTED.0 as i32));
                Ok(())
            })?;
        } else if !defined {
            let (module, name) = (import.module(), import.name());
            return Err(wasmtime::Error::msg(format!(
                "the host does not provide the import {module}.{name}"
            )));
        }
    }
    Ok(linker)
}

fn link_abi(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    link! { linker:
        Log = data::log as (level: u32, p: u32, l: u32);
        GetLogLevel = data::get_log_level as (out: u32);
        GetCurrentTimeNanoseconds = data::get_current_time as (out: u32);
        GetBufferBytes = data::get_buffer_bytes as (kind: u32, start: u32, max: u32, p: u32, l: u32);
        SetBufferBytes = data::set_buffer_bytes as (kind: u32, start: u32, size: u32, p: u32, l: u32);
        GetBufferStatus = data::get_buffer_status as (kind: u32, length: u32, flags: u32);
        GetSharedData = data::get_shared_data as (kp: u32, kl: u32, p: u32, l: u32, cas: u32);
        SetSharedData = data::set_shared_data as (kp: u32, kl: u32, vp: u32, vl: u32, cas: u32);
        DefineMetric = data::define_metric as (kind: u32, np: u32, nl: u32, out: u32);
        GetMetric = data::get_metric as (id: u32, out: u32);
        RecordMetric = data::record_metric as (id: u32, value: u64);
        IncrementMetric = data::increment_metric as (id: u32, offset: i64);
        CallForeignFunction = data::call_foreign_function as (np: u32, nl: u32, ap: u32, al: u32, p: u32, l: u32);
        GetHeaderMapSize = headers::get_size as (map: u32, out: u32);
        GetHeaderMapPairs = headers::get_pairs as (map: u32, p: u32, l: u32);
        SetHeaderMapPairs = headers::set_pairs as (map: u32, p: u32, l: u32);
        GetHeaderMapValue = headers::get_value as (map: u32, kp: u32, kl: u32, p: u32, l: u32);
        AddHeaderMapValue = headers::add_value as (map: u32, kp: u32, kl: u32, vp: u32, vl: u32);
        ReplaceHeaderMapValue = headers::replace_value as (map: u32, kp: u32, kl: u32, vp: u32, vl: u32);
        RemoveHeaderMapValue = headers::remove_value as (map: u32, kp: u32, kl: u32);
        GetProperty = streams::get_property as (pp: u32, pl: u32, p: u32, l: u32);
        SetProperty = streams::set_property as (pp: u32, pl: u32, vp: u32, vl: u32);
        ContinueStream = streams::continue_stream as (kind: u32);
        CloseStream = streams::close_stream as (kind: u32);
        SetEffectiveContext = streams::set_effective_context as (id: u32);
        SetTickPeriodMilliseconds = streams::set_tick_period as (period: u32);
        Done = streams::done;
        HttpCall = callouts::http_call as (
            up: u32, ul: u32, hp: u32, hl: u32, bp: u32, bl: u32, tp: u32, tl: u32, timeout: i32, out: u32);
    }
    linker.func_wrap(
        "env",
        Call::SendLocalResponse.import(),
        |caller: Caller<'_, State>,
         code: u32,
         dp: u32,
         dl: u32,
         bp: u32,
         bl: u32,
         hp: u32,
         hl: u32,
         grpc: i32| {
            Guest::new(caller).hostcall(Call::SendLocalResponse, |guest| {
                streams::send_local_response(guest, code, (dp, dl), (bp, bl), (hp, hl), grpc)
            })
        },
    )?;
    callouts::link_what_is_not_simulated(linker)
}
