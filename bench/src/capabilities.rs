//! What a module may use of its host, as Envoy restricts it: everything it was built for, but no foreign function.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use wasmparser::{Parser, Payload};

/// How a module calls what only some hosts have, the verification of signatures above all.
const FOREIGN: &str = "proxy_call_foreign_function";

/// A `CapabilityRestrictionConfig` (envoy.extensions.wasm.v3) with all that the module imports of its host and exports to
/// it, foreign functions left out.
///
/// # Errors
/// When it is no module, or calls no foreign function: there would be nothing to leave out.
pub(crate) fn without_foreign_functions(module: &[u8]) -> Result<Value> {
    let mut allowed = Map::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.context("the module cannot be read")? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    allowed.insert(import?.name.to_owned(), json!({}));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    allowed.insert(export?.name.to_owned(), json!({}));
                }
            }
            _ => {}
        }
    }
    ensure!(allowed.remove(FOREIGN).is_some(), "the module does not import {FOREIGN}");
    Ok(json!({"allowed_capabilities": allowed}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one import and one export, by hand: WebAssembly 2.0, section 5.5.
    fn module(import: &str) -> Vec<u8> {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let section =
            |id: u8, content: Vec<u8>| [vec![id, u8::try_from(content.len()).unwrap()], content].concat();
        let imports = [vec![1], text("env"), text(import), vec![0, 0]].concat();
        let exports = [vec![1], text("proxy_on_log"), vec![0, 0]].concat();
        let parts = [
            b"\0asm\x01\0\0\0".to_vec(),
            section(1, vec![1, 0x60, 0, 0]),
            section(2, imports),
            section(7, exports),
        ];
        parts.concat()
    }

    #[test]
    fn foreign_functions_are_left_out_and_nothing_else() {
        let allowed = without_foreign_functions(&module(FOREIGN)).unwrap();
        assert_eq!(allowed, json!({"allowed_capabilities": {"proxy_on_log": {}}}));
        assert!(without_foreign_functions(&module("proxy_log")).is_err(), "there is nothing to withhold");
        assert!(without_foreign_functions(b"no module").is_err());
    }
}
