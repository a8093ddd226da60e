//! The invariants of `docs/ARCHITECTURE.md`: each has a fence, and each fence that is named is there. Whether the fence
//! holds the invariant is for whoever reviews it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Finding;

/// Where the invariants are listed.
const MAP: &str = "docs/ARCHITECTURE.md";

/// Looks up every file and every test that a fence names.
///
/// # Errors
/// When the map or a source file cannot be read.
pub(super) fn look(root: &Path, files: &[PathBuf]) -> Result<Vec<Finding>> {
    let map = std::fs::read_to_string(root.join(MAP)).with_context(|| format!("cannot read {MAP}"))?;
    let sources = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let read = |file: &PathBuf| std::fs::read_to_string(root.join(file)).ok();
    let code: String = sources.filter_map(read).collect();
    let is_file = |name: &str| root.join(name).is_file() || root.join("xtask/src/tidy").join(name).is_file();
    let is_test = |name: &str| code.contains(&format!("fn {name}("));
    Ok(missing(&map, is_file, is_test))
}

/// What is wrong with the rows of the invariants.
fn missing(map: &str, is_file: impl Fn(&str) -> bool, is_test: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |number, what: String| findings.push(Finding::new(Path::new(MAP), number, what));
    let mut inside = false;
    for (number, line) in (1..).zip(map.lines()) {
        if let Some(title) = line.strip_prefix("## ") {
            inside = title == "Architecture Invariants";
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_invariant, fence] = cells.as_slice() else { continue };
        if !inside || !line.starts_with('|') || ["fence", "---"].contains(fence) {
            continue;
        }
        if !["type", "lint", "test", "tidy", "cargo"].iter().any(|kind| fence.contains(kind)) {
            found(number, "an invariant without a fence".to_owned());
        }
        for name in fence.split('`').skip(1).step_by(2) {
            let names_file = [".rs", ".toml"].iter().any(|ending| name.ends_with(ending));
            if names_file && !is_file(name) && name != "clippy.toml" {
                found(number, format!("there is no file {name}"));
            }
            // Names of tests are sentences; lints and functions have fewer words.
            if name.matches('_').count() > 3 && !is_test(name) {
                found(number, format!("there is no test {name}"));
            }
        }
    }
    if findings.is_empty() && !map.contains("\n## Architecture Invariants\n") {
        findings.push(Finding::new(Path::new(MAP), 0, "lists no invariants"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &str) -> Vec<String> {
        let map = format!(
            "\n## Architecture Invariants\n\n| invariant | fence |\n| --- | --- |\n{rows}\n## Next\n"
        );
        let findings = missing(&map, |file| file == "there.rs", |test| test == "this_one_is_really_there");
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_fence_that_is_not_there_is_found() {
        assert!(found("| a | test: `this_one_is_really_there`; tidy: `there.rs` |").is_empty());
        assert_eq!(found("| a | we are careful |"), ["docs/ARCHITECTURE.md:6: an invariant without a fence"]);
        assert_eq!(found("| a | tidy: `gone.rs` |"), ["docs/ARCHITECTURE.md:6: there is no file gone.rs"]);
        assert_eq!(
            found("| a | test: `this_one_was_never_there` |"),
            ["docs/ARCHITECTURE.md:6: there is no test this_one_was_never_there"]
        );
        assert_eq!(missing("", |_| true, |_| true).len(), 1);
    }
}
