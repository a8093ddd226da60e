//! Which module may name which, inside the two crates that end up in the module. Reads `crate::` paths; what a module
//! does with the names is for the compiler.

use std::path::Path;

use super::Finding;
use super::rust::{code, words};

/// The modules of a crate, each with those it may name.
type Table = &'static [(&'static str, &'static [&'static str])];

/// The modules of the decision point, the lowest first, and what each may name besides itself.
const POLICY: [(&str, &[&str]); 20] = [
    ("bytes", &[]),
    ("limits", &[]),
    ("json", &["limits"]),
    ("headers", &["bytes"]),
    ("host", &[]),
    ("path", &["limits"]),
    ("path_tree", &["bytes", "limits", "path"]),
    ("permission", &["limits"]),
    ("moment", &[]),
    ("query", &[]),
    // What is written: knows the syntax of its parts and nothing that evaluates them.
    ("document", &["host", "json", "limits", "moment", "path_tree", "permission"]),
    // What is asked and answered.
    ("unknown", &[]),
    ("request", &["headers", "path", "query", "unknown"]),
    ("decision", &[]),
    // What was looked at: knows the answer and nothing that made it.
    ("explain", &["decision"]),
    // What must hold of a question: evaluates, and knows nothing of permits and refusals.
    ("condition", &["document", "limits", "moment", "path", "path_tree", "query", "request", "unknown"]),
    // What looks at a document and says what is probably not meant. It tries conditions, and decides nothing.
    ("lint", &["condition", "document", "moment", "path", "path_tree", "request"]),
    // What decides: takes documents apart once and evaluates its own types.
    (
        "policy",
        &[
            "bytes",
            "condition",
            "decision",
            "document",
            "explain",
            "host",
            "limits",
            "moment",
            "path",
            "path_tree",
            "permission",
            "query",
            "request",
            "unknown",
        ],
    ),
    // Questions and answers as JSON: takes texts apart and asks.
    (
        "authzen",
        &["decision", "document", "headers", "host", "json", "limits", "moment", "path", "policy", "request"],
    ),
    // With the feature `js` only.
    ("js", &["authzen", "document", "lint", "policy"]),
];

/// The modules of the enforcement point, the lowest first, and what each may name besides itself.
const FILTER: [(&str, &[&str]); 11] = [
    ("time", &[]),
    ("secret", &[]),
    ("header_pairs", &[]),
    ("verify_signature", &[]),
    ("credential", &[]),
    ("audit", &["time"]),
    ("authn", &["secret", "time"]),
    // `gate` for the closed set of codes, which are labels.
    ("metrics", &["authn", "gate"]),
    // `gate` for two plain structures that it fills in: names of identity headers, the place of a JWKS.
    ("config", &["audit", "authn", "credential", "gate", "secret"]),
    ("gate", &["audit", "authn", "config", "credential", "header_pairs", "metrics", "time"]),
    ("host", &["audit", "authn", "config", "gate", "header_pairs", "metrics", "time", "verify_signature"]),
];

/// Names in one file that lead the wrong way.
pub(super) fn look(file: &Path, content: &str) -> Vec<Finding> {
    let Some((module, table)) = place(file) else { return Vec::new() };
    let Some((_, may)) = table.iter().find(|(name, _)| *name == module) else {
        return vec![Finding::new(
            file,
            0,
            format!("`{module}` is a new module: say in tidy what it may name"),
        )];
    };
    let mut findings = Vec::new();
    for (number, line) in code(content) {
        for rest in line.split("crate::").skip(1) {
            let named = words(rest).next().unwrap_or_default();
            if named != module && !may.contains(&named) && rest.starts_with(named) {
                findings.push(Finding::new(file, number, format!("`{module}` must not name `{named}`")));
            }
        }
    }
    findings
}

/// The module of the crate that a file belongs to, and the table of that crate.
fn place(file: &Path) -> Option<(String, Table)> {
    let in_policy = file.strip_prefix("policy-sdk/src").ok().map(|rest| (rest, POLICY.as_slice()));
    let in_filter = file.strip_prefix("filter/src").ok().map(|rest| (rest, FILTER.as_slice()));
    let (rest, table) = in_policy.or(in_filter)?;
    if file.file_name()? == "tests.rs" {
        return None;
    }
    let module = Path::new(rest.iter().next()?).file_stem()?.to_str()?.to_owned();
    (module != "lib").then_some((module, table))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, content: &str) -> Vec<String> {
        look(Path::new(file), content).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_that_leads_the_wrong_way_is_found() {
        assert_eq!(
            found("filter/src/authn/jwt/mod.rs", "use crate::time::UnixTime;\nuse crate::gate::Gate;\n"),
            ["filter/src/authn/jwt/mod.rs:2: `authn` must not name `gate`"]
        );
        assert_eq!(
            found("policy-sdk/src/document/mod.rs", "fn f() { crate::policy::g() }\n").len(),
            1,
            "in the middle of a line too"
        );
        assert!(found("filter/src/gate/mod.rs", "use crate::gate::event::Event;\n").is_empty());
        assert!(found("filter/src/authn/jws.rs", "/// See [`crate::gate`].\n").is_empty());
        assert!(found("filter/src/lib.rs", "pub use crate::gate;\n").is_empty());
        assert!(found("cli/src/main.rs", "use crate::gate;\n").is_empty());
    }

    #[test]
    fn a_new_module_must_be_given_its_place() {
        assert_eq!(found("filter/src/helpers.rs", "").len(), 1);
    }
}
