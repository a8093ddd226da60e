//! Takes a linked module down to what a host calls. The SDK exports every callback there is; a host that finds one calls
//! it for each body chunk and trailer, and the code behind it stays in the module. Also refuses a module that imports
//! what hosts do not offer: it would be refused at load, far from the line that caused it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use walrus::{Module, ModuleConfig};

use super::name::short_name;

/// The callbacks the filter has, and what a host needs besides. A callback that is used and not listed here is never
/// called: the Envoy ring finds that. Body and trailers are not read, but held: without these two, a host that delivers
/// them while the headers are held would send all three on.
const EXPORTS: [&str; 13] = [
    "memory",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_http_call_response",
    "proxy_on_done",
];

/// The WASI functions that proxy-wasm ABI 0.2.1 promises.
const WASI_IMPORTS: [&str; 8] = [
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// Removes all exports but ours and everything that only they reached.
///
/// # Errors
/// When it is no module, lacks an export, or imports what hosts do not offer.
pub(super) fn slim(linked: &[u8]) -> Result<Vec<u8>> {
    let mut config = ModuleConfig::new();
    // Names stay: a trap must say where.
    config.generate_name_section(true).generate_dwarf(false).generate_producers_section(false);
    let mut module = config.parse(linked).context("the linked file is no module")?;
    let surplus: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !EXPORTS.contains(&export.name.as_str()))
        .map(|export| export.id())
        .collect();
    surplus.into_iter().for_each(|export| module.exports.delete(export));
    walrus::passes::gc::run(&mut module);
    shorten_names(&mut module);
    refuse_missing_exports(&module)?;
    refuse_unknown_imports(&module)?;
    Ok(module.emit_wasm())
}

/// Names as people write them: what a trap shows in the log, in less space.
fn shorten_names(module: &mut Module) {
    for function in module.funcs.iter_mut() {
        let name = function.name.take();
        function.name = name.and_then(|name| short_name(&format!("{:#}", rustc_demangle::demangle(&name))));
    }
}

fn refuse_missing_exports(module: &Module) -> Result<()> {
    let there: BTreeSet<_> = module.exports.iter().map(|export| export.name.as_str()).collect();
    let missing: Vec<_> = EXPORTS.iter().filter(|name| !there.contains(*name)).collect();
    ensure!(missing.is_empty(), "the module lacks the exports {missing:?}");
    Ok(())
}

fn refuse_unknown_imports(module: &Module) -> Result<()> {
    let offered = |space: &str, name: &str| match space {
        "env" => name.starts_with("proxy_"),
        "wasi_snapshot_preview1" => WASI_IMPORTS.contains(&name),
        _ => false,
    };
    let unknown: Vec<_> = module
        .imports
        .iter()
        .filter(|import| !offered(&import.module, &import.name))
        .map(|import| format!("{}.{}", import.module, import.name))
        .collect();
    ensure!(unknown.is_empty(), "the module imports what a host need not have: {}", unknown.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ValType};

    use super::*;

    /// A module with all our exports, one more that alone calls `import`, and nothing else.
    fn linked(import: (&str, &str), kept_calls_it: bool, without: &str) -> Vec<u8> {
        let mut module = Module::with_config(ModuleConfig::new());
        let ty = module.types.add(&[], &[]);
        let (imported, _) = module.add_import_func(import.0, import.1, ty);
        let mut function = |calls: bool| {
            let mut builder = FunctionBuilder::new(&mut module.types, &[] as &[ValType], &[]);
            if calls {
                builder.func_body().call(imported);
            }
            builder.finish(vec![], &mut module.funcs)
        };
        let (kept, dropped) = (function(kept_calls_it), function(true));
        let memory = module.memories.add_local(false, false, 1, None, None);
        for name in EXPORTS.into_iter().filter(|name| *name != without) {
            if name == "memory" {
                module.exports.add(name, memory)
            } else {
                module.exports.add(name, kept)
            };
        }
        module.exports.add("proxy_on_response_trailers", dropped);
        module.emit_wasm()
    }

    #[test]
    fn surplus_callbacks_go_with_what_only_they_reach() {
        let slim = slim(&linked(("elsewhere", "strange"), false, "")).unwrap();
        let module = ModuleConfig::new().parse(&slim).unwrap();
        let exports: Vec<_> = module.exports.iter().map(|export| export.name.clone()).collect();
        assert_eq!(exports.len(), EXPORTS.len());
        assert!(!exports.iter().any(|name| name == "proxy_on_response_trailers"));
        assert_eq!(module.imports.iter().count(), 0);
    }

    #[test]
    fn an_import_no_host_has_is_refused() {
        let error = slim(&linked(("wasi_snapshot_preview1", "path_open"), true, "")).unwrap_err();
        assert!(error.to_string().contains("wasi_snapshot_preview1.path_open"), "{error}");
        slim(&linked(("env", "proxy_log"), true, "")).unwrap();
    }

    #[test]
    fn a_callback_that_is_gone_is_refused() {
        let error = slim(&linked(("env", "proxy_log"), true, "proxy_on_request_headers")).unwrap_err();
        assert!(error.to_string().contains("proxy_on_request_headers"), "{error}");
    }
}
