//! Words that may stand in some files only. Each boundary holds an invariant of `docs/ARCHITECTURE.md` that no type and
//! no lint can hold.

use std::path::Path;

use super::Finding;
use super::rust::{code, has_word, words};

/// Something that may be written in some places only.
struct Boundary {
    /// Folders or files that the boundary is drawn in.
    within: &'static [&'static str],
    /// Those of them where it may be written.
    allowed: &'static [&'static str],
    /// Whether a line of code writes it.
    written: fn(&str) -> bool,
    /// What to say to whoever wrote it elsewhere.
    instead: &'static str,
}

const GUARDED: &[&str] = &["policy-sdk/src/", "filter/src/", "cli/src/"];
const ABI: &str = "filter/src/host/abi.rs";

const BOUNDARIES: [Boundary; 8] = [
    Boundary {
        within: &[""],
        allowed: &[ABI],
        written: |line| has_word(line, concat!("un", "safe")) || lifts(line, concat!("un", "safe_code")),
        instead: "the ABI of the host is the one place for code that the compiler cannot check",
    },
    Boundary {
        within: GUARDED,
        allowed: &[],
        written: |line| has_word(line, "proxy_wasm"),
        instead: "the SDK panics where a worker must live: the host is called through `host::abi`",
    },
    Boundary {
        within: GUARDED,
        allowed: &["policy-sdk/src/policy/mod.rs"],
        written: |line| line.contains("Permit::new("),
        instead: "a permit is made where the engine decides, and nowhere else",
    },
    Boundary {
        within: &["filter/src/"],
        allowed: &["filter/src/gate/conclusion.rs"],
        written: |line| line.contains("push(Command::Resume"),
        instead: "the gate resumes in `Gate::resume` only",
    },
    Boundary {
        within: &["filter/src/"],
        allowed: &["filter/src/host/gatehouse.rs"],
        written: |line| line.contains("Action::Continue"),
        instead: "`Passage::action` is the one place that says `Continue`",
    },
    Boundary {
        within: &["filter/src/"],
        allowed: &["filter/src/host/gatehouse.rs"],
        written: |line| line.contains("Passage::Permitted)") || line.contains("continue_request()?"),
        instead: "a request goes on in `Gatehouse::resume`, which shows the permit",
    },
    Boundary {
        within: &["filter/src/"],
        allowed: &["filter/src/config/"],
        written: |line| line.contains("portcullis_policy::document") || line.contains("document::Document"),
        instead: "a document is taken apart by `config`; nobody behind it sees one",
    },
    Boundary {
        within: &["policy-sdk/src/", "filter/src/"],
        allowed: &["policy-sdk/src/document/", "policy-sdk/src/json.rs"],
        written: |line| {
            ["Serialize", "Deserialize", "Deserr", "JsonSchema"].iter().any(|name| has_word(line, name))
        },
        instead: "only document types are read from a wire; take them apart by hand",
    },
];

/// Everything that a Rust file writes outside its boundaries, and what every file of ours has.
pub(super) fn look(file: &Path, content: &str) -> Vec<Finding> {
    let name = file.to_string_lossy();
    let is_in = |places: &[&str]| places.iter().any(|place| name.starts_with(place));
    let mut findings = Vec::new();
    for boundary in BOUNDARIES.iter().filter(|boundary| is_in(boundary.within) && !is_in(boundary.allowed)) {
        let written = code(content).filter(|(_, line)| (boundary.written)(line));
        findings.extend(written.map(|(number, _)| Finding::new(file, number, boundary.instead)));
    }
    if is_in(GUARDED) {
        findings.extend(bare_bounds(file, content));
        findings.extend(blanket_exceptions(file, content));
    }
    if name.contains("src/") && !name.ends_with("/tests.rs") && !content.starts_with("//!") {
        findings.push(Finding::new(file, 1, "says nothing of itself: begin with `//!`"));
    }
    findings
}

/// Whether an attribute lifts the lint `lint`.
fn lifts(line: &str, lint: &str) -> bool {
    has_word(line, lint) && (has_word(line, "allow") || has_word(line, "expect"))
}

/// Bounds without a word on their unit and reason.
fn bare_bounds(file: &Path, content: &str) -> Vec<Finding> {
    let is_bound = |line: &str| {
        let mut words = words(line).skip_while(|word| ["pub", "crate", "super"].contains(word));
        let name = words.next().filter(|word| *word == "const").and_then(|_const| words.next());
        name.is_some_and(|name| ["MAX_", "MIN_"].iter().any(|prefix| name.starts_with(prefix)))
    };
    let mut findings = Vec::new();
    let mut explained = false;
    for (number, line) in (1..).zip(content.lines()) {
        let line = line.trim();
        if is_bound(line) && !line.starts_with("//") && !explained {
            findings.push(Finding::new(
                file,
                number,
                "a bound without its unit and reason: add a `///` line",
            ));
        }
        explained = line.starts_with("///") || line.starts_with("#[");
    }
    findings
}

/// Lints that are lifted for a whole file.
fn blanket_exceptions(file: &Path, content: &str) -> Vec<Finding> {
    if file == Path::new(ABI) {
        return Vec::new();
    }
    let blanket = |line: &str| line.starts_with("#![allow") || line.starts_with("#![expect");
    let lines = code(content).filter(|(_, line)| blanket(line));
    lines
        .map(|(number, _)| Finding::new(file, number, "lifts a lint for the whole file: name the item"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a file that consists of a module doc and `line`.
    fn found(file: &str, line: &str) -> usize {
        look(Path::new(file), &format!("//! Doc.\n{line}\n")).len()
    }

    #[test]
    fn each_boundary_is_seen_from_outside_and_not_from_inside() {
        let outside_and_inside = [
            (concat!("un", "safe { call() }"), "filter/src/host/port.rs", ABI),
            (concat!("#![expect(un", "safe_code)]"), "filter/src/time.rs", ABI),
            ("use proxy_wasm::types::Action;", "filter/src/host/port.rs", "bench/empty/src/lib.rs"),
            (
                "let permit = Permit::new(basis);",
                "policy-sdk/src/policy/rule.rs",
                "policy-sdk/src/policy/mod.rs",
            ),
            (
                "commands.push(Command::Resume {",
                "filter/src/gate/waiting.rs",
                "filter/src/gate/conclusion.rs",
            ),
            ("Action::Continue", "filter/src/host/callbacks.rs", "filter/src/host/gatehouse.rs"),
            (
                "self.conclude(exchange, Passage::Permitted);",
                "filter/src/host/callbacks.rs",
                "filter/src/host/gatehouse.rs",
            ),
            ("use portcullis_policy::document;", "filter/src/gate/keys.rs", "filter/src/config/mod.rs"),
            ("#[derive(Serialize)]", "filter/src/audit/record.rs", "policy-sdk/src/document/mod.rs"),
        ];
        for (line, outside, inside) in outside_and_inside {
            assert!(found(outside, line) > 0, "{line} in {outside}");
            assert_eq!(found(inside, line), 0, "{line} in {inside}");
        }
    }

    #[test]
    fn bounds_docs_and_exceptions_are_looked_at() {
        assert_eq!(found("filter/src/secret.rs", "pub const MAX_X: usize = 1;"), 1);
        assert_eq!(found("filter/src/secret.rs", "/// Bytes, because.\npub const MAX_X: usize = 1;"), 0);
        assert_eq!(found("filter/src/secret.rs", "struct Text<const MAX_BYTES: usize>;"), 0);
        assert_eq!(found("filter/src/secret.rs", "#![allow(dead_code)]"), 1);
        assert_eq!(look(Path::new("filter/src/x.rs"), "fn f() {}\n").len(), 1);
    }
}
