//! Which crate may depend on which: the edges of the workspace, and all that stands behind the two crates that end up in
//! the module. Asks cargo, and looks at nothing that cargo does not resolve.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Finding;

/// Members of the workspace and the members each may depend on.
const MEMBERS: [(&str, &[&str]); 8] = [
    ("portcullis-policy", &[]),
    ("portcullis-filter", &["portcullis-policy"]),
    ("portcullis-cli", &["portcullis-filter", "portcullis-policy"]),
    ("portcullis-bench", &["portcullis-testbed"]),
    ("portcullis-bench-empty", &[]),
    ("portcullis-testbed", &[]),
    ("portcullis-tests", &["portcullis-filter", "portcullis-policy", "portcullis-testbed"]),
    ("xtask", &["portcullis-testbed"]),
];

/// What the tests of every member may depend on besides: the crates under test. Nothing else of a test bed shares code with
/// what it tests.
const UNDER_TEST: [&str; 2] = ["portcullis-filter", "portcullis-policy"];

/// The member that stands alone in its tests too.
const ALONE: &str = "portcullis-policy";

/// Dependencies that the filter has in a wasm build only, so that a native build cannot name the host.
const HOST_ONLY: [&str; 2] = ["getrandom", "proxy-wasm"];

/// Everything behind the decision point. A crate that is new here has been read: it sees every request.
const BEHIND_POLICY: [&str; 31] = [
    "convert_case",
    "deserr",
    "deserr-internal",
    "dyn-clone",
    "hashbrown",
    "humantime",
    "itoa",
    "memchr",
    "percent-encoding",
    "portcullis-policy",
    "proc-macro2",
    "quote",
    "ref-cast",
    "ref-cast-impl",
    "rustc-hash",
    "schemars",
    "schemars_derive",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_derive_internals",
    "serde_json",
    "smallvec",
    "smol_str",
    "strsim",
    "syn",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
    "unicode-segmentation",
    "zmij",
];

/// What must not come near the module: other hosts' APIs, runtimes, second crypto libraries.
const NEVER_IN_MODULE: [&str; 10] = [
    "aws-lc-rs",
    "hyper",
    "js-sys",
    "jsonwebtoken",
    "mio",
    "openssl-sys",
    "ring",
    "socket2",
    "tokio",
    "wasm-bindgen",
];

/// Looks at the whole dependency graph.
///
/// # Errors
/// When cargo cannot tell.
pub(super) fn look(root: &Path) -> Result<Vec<Finding>> {
    let metadata = cargo(root, &["metadata", "--no-deps", "--format-version", "1"])?;
    let mut findings = edges(&serde_json::from_str(&metadata)?);
    let policy = names_behind(root, "portcullis-policy", "all")?;
    let allowed: BTreeSet<&str> = BEHIND_POLICY.into();
    findings.extend(policy.iter().filter(|name| !allowed.contains(name.as_str())).map(|name| {
        finding(
            Path::new("policy-sdk"),
            format!("the decision point depends on {name}, which nobody has allowed"),
        )
    }));
    let module = names_behind(root, "portcullis-filter", "wasm32-wasip1")?;
    let banned = NEVER_IN_MODULE.iter().filter(|name| module.contains(**name));
    findings.extend(banned.map(|name| finding(Path::new("filter"), format!("the module depends on {name}"))));
    Ok(findings)
}

/// What is wrong with the dependencies that the members declare.
fn edges(metadata: &Value) -> Vec<Finding> {
    let allowed: BTreeMap<&str, &[&str]> = MEMBERS.into();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut findings = Vec::new();
    for package in list(metadata, "packages") {
        let member = text(&package, "name");
        let manifest = text(&package, "manifest_path");
        let folder = Path::new(&manifest).parent().and_then(Path::file_name).unwrap_or_default();
        let finding = |what: String| finding(Path::new(folder), what);
        let Some(may) = allowed.get(member.as_str()) else {
            findings.push(finding("a new member: say in `MEMBERS` what it may depend on".to_owned()));
            continue;
        };
        for dependency in list(&package, "dependencies") {
            let name = text(&dependency, "name");
            let in_tests = text(&dependency, "kind") == "dev" && member != ALONE;
            let allowed_here =
                may.contains(&name.as_str()) || in_tests && UNDER_TEST.contains(&name.as_str());
            if allowed.contains_key(name.as_str()) && !allowed_here {
                findings.push(finding(format!("must not depend on {name}")));
            }
            let host_only = HOST_ONLY.contains(&name.as_str());
            let in_filter = member == "portcullis-filter";
            let is_floor = member == "portcullis-bench-empty";
            let wasm_only = text(&dependency, "target") == "cfg(target_arch = \"wasm32\")";
            if name == "proxy-wasm" && !in_filter && !is_floor {
                findings.push(finding("must not know proxy-wasm".to_owned()));
            }
            if host_only && in_filter && !wasm_only {
                findings.push(finding(format!("must depend on {name} in wasm builds only")));
            }
        }
    }
    findings
}

/// The names of all crates behind `package`, itself included, without those of its tests.
fn names_behind(root: &Path, package: &str, target: &str) -> Result<BTreeSet<String>> {
    let arguments =
        ["tree", "--package", package, "--target", target, "--edges", "normal", "--prefix", "none"];
    let tree = cargo(root, &arguments)?;
    Ok(tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).arg("--locked").current_dir(root);
    let output = cargo.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn finding(folder: &Path, what: String) -> Finding {
    Finding::new(&folder.join("Cargo.toml"), 0, what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(member: &str, dependency: &Value) -> Vec<String> {
        let metadata = json!({"packages": [{"name": member, "dependencies": [dependency]}]});
        edges(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_edge_that_leads_the_wrong_way_is_found() {
        let wasm = "cfg(target_arch = \"wasm32\")";
        for (member, dependency, findings) in [
            ("portcullis-policy", json!({"name": "portcullis-filter"}), 1),
            ("portcullis-policy", json!({"name": "portcullis-filter", "kind": "dev"}), 1),
            ("portcullis-filter", json!({"name": "portcullis-testbed"}), 1),
            ("portcullis-testbed", json!({"name": "portcullis-filter"}), 1),
            ("portcullis-testbed", json!({"name": "portcullis-filter", "kind": "dev"}), 0),
            ("portcullis-filter", json!({"name": "portcullis-policy"}), 0),
            ("portcullis-filter", json!({"name": "proxy-wasm", "target": null}), 1),
            ("portcullis-filter", json!({"name": "proxy-wasm", "target": wasm}), 0),
            ("portcullis-cli", json!({"name": "proxy-wasm", "target": wasm}), 1),
            ("portcullis-new", json!({"name": "serde"}), 1),
        ] {
            assert_eq!(found(member, &dependency).len(), findings, "{member} on {dependency}");
        }
    }
}
