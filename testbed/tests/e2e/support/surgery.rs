//! The module with a callback wrapped, so that it fails where the shipped one does not.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use walrus::ir::{BinaryOp, StoreKind, UnaryOp};
use walrus::{ExportItem, FunctionBuilder, FunctionId, InstrSeqBuilder, Module, ValType};

use super::module;

/// A changed copy of the module.
#[derive(Debug)]
pub(crate) struct Surgery {
    folder: TempDir,
}

impl Surgery {
    /// A module that traps on every request with exactly `headers` header lines, pseudo-headers included.
    pub(crate) fn trap_on_header_count(headers: i32) -> Self {
        Self::wrap("proxy_on_request_headers", 3, |_module, body, arguments| {
            body.local_get(arguments[1]).i32_const(headers).binop(BinaryOp::I32Eq).if_else(
                None,
                |unlucky| {
                    unlucky.unreachable();
                },
                |_| {},
            );
        })
    }

    /// A module whose `on_configure` says no in every VM but the first `good` ones, as no module should: Envoy asks its
    /// main thread first and its workers after.
    pub(crate) fn refuse_configuration_after(good: u8) -> Self {
        Self::wrap("proxy_on_configure", 2, |module, body, _arguments| {
            let i32s = |count| vec![ValType::I32; count];
            let set_type = module.types.add(&i32s(5), &i32s(1));
            let known = module.imports.get_func("env", "proxy_set_shared_data").ok();
            let set =
                known.unwrap_or_else(|| module.add_import_func("env", "proxy_set_shared_data", set_type).0);
            let memory = module.memories.iter().next().expect("the module has a memory").id();
            let page = module.locals.add(ValType::I32);
            let calls = module.locals.add(ValType::I32);
            // A page of our own for the key; one VM configures once or twice.
            body.i32_const(1).memory_grow(memory).i32_const(16).binop(BinaryOp::I32Shl).local_set(page);
            body.i32_const(0).local_set(calls);
            // Takes the first number that no VM has taken: with a `cas` that cannot be, the host only creates.
            for number in 1..=good {
                body.local_get(page).i32_const(i32::from(number)).store(
                    memory,
                    StoreKind::I32_8 { atomic: false },
                    walrus::ir::MemArg { align: 1, offset: 0 },
                );
                body.local_get(calls).unop(UnaryOp::I32Eqz).if_else(
                    None,
                    |free| {
                        free.local_get(page)
                            .i32_const(1)
                            .local_get(page)
                            .i32_const(1)
                            .i32_const(-1)
                            .call(set);
                        free.unop(UnaryOp::I32Eqz).local_set(calls);
                    },
                    |_| {},
                );
            }
            body.local_get(calls).unop(UnaryOp::I32Eqz).if_else(
                None,
                |surplus| {
                    surplus.i32_const(0).return_();
                },
                |_| {},
            );
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        Self::file(self.folder.path())
    }

    /// Puts `before` in front of an exported callback with that many arguments, all of them i32, as its answer is.
    fn wrap(
        callback: &str,
        arguments: usize,
        before: impl FnOnce(&mut Module, &mut InstrSeqBuilder<'_>, &[walrus::LocalId]),
    ) -> Self {
        let mut module = Module::from_file(module()).expect("the module can be read");
        let (export, original) = exported(&module, callback);
        let parameters = vec![ValType::I32; arguments];
        let locals: Vec<_> = parameters.iter().map(|parameter| module.locals.add(*parameter)).collect();
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &[ValType::I32]);
        let mut body = builder.func_body();
        before(&mut module, &mut body, &locals);
        locals.iter().for_each(|local| {
            body.local_get(*local);
        });
        body.call(original);
        let wrapper = builder.finish(locals, &mut module.funcs);
        module.exports.get_mut(export).item = ExportItem::Function(wrapper);
        let folder = tempfile::tempdir().expect("a temporary folder");
        module.emit_wasm_file(Self::file(folder.path())).expect("the folder can be written");
        Self { folder }
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("portcullis.wasm")
    }
}

fn exported(module: &Module, name: &str) -> (walrus::ExportId, FunctionId) {
    let export = module.exports.iter().find(|export| export.name == name);
    let export = export.unwrap_or_else(|| panic!("the module does not export {name}"));
    match export.item {
        ExportItem::Function(function) => (export.id(), function),
        _ => panic!("{name} is no function"),
    }
}
