//! Checks on single lines of source and prose.

use std::path::Path;

use super::Finding;

/// The most lines a source file may have: one idea fits well below.
const LONGEST_FILE_LINES: usize = 500;

/// Files nobody writes by hand.
const GENERATED: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// What must stand in no file; split here so that this file passes.
const FORBIDDEN: [(&str, &str); 5] = [
    (concat!("/ro", "ot/."), "a path of somebody's machine"),
    (concat!("/ho", "me/"), "a path of somebody's machine"),
    (concat!("/wo", "rk/"), "a path of somebody's machine"),
    (concat!("TO", "DO"), "an intention: file an issue instead"),
    (concat!("FIX", "ME"), "an intention: file an issue instead"),
];

/// Everything wrong with the text of one file.
pub(super) fn look(file: &Path, content: &str) -> Vec<Finding> {
    if GENERATED.iter().any(|name| file.ends_with(name)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let lines = content.lines().count();
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    if is_rust && lines > LONGEST_FILE_LINES {
        findings.push(Finding::new(file, 0, format!("{lines} lines, more than {LONGEST_FILE_LINES}")));
    }
    for (number, line) in content.lines().enumerate() {
        for (forbidden, what) in FORBIDDEN {
            if begins_somewhere(line, forbidden) {
                findings.push(Finding::new(file, number + 1, format!("`{forbidden}`: {what}")));
            }
        }
        if line.ends_with([' ', '\t']) && !is_data(file) {
            findings.push(Finding::new(file, number + 1, "blanks at the end of the line"));
        }
    }
    findings
}

/// Whether `text` stands in `line` other than as the end of a longer word or path.
fn begins_somewhere(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| !line[..at].ends_with(char::is_alphanumeric))
}

/// Test data, in which every byte is meant.
fn is_data(file: &Path) -> bool {
    file.components().any(|part| matches!(part.as_os_str().to_str(), Some("fixtures" | "vectors" | "cases")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, content: &str) -> Vec<String> {
        look(Path::new(name), content).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_files_and_names_of_machines_are_found() {
        assert_eq!(findings("a.rs", &"x\n".repeat(501)), ["a.rs:0: 501 lines, more than 500"]);
        assert!(findings("a.rs", &"x\n".repeat(500)).is_empty());
        let path = format!("see {}cargo", FORBIDDEN[0].0);
        assert!(findings("a.md", &path)[0].starts_with("a.md:1: `"));
        let path = format!("GET /tenants/acme{}", FORBIDDEN[1].0);
        assert!(findings("a.md", &path).is_empty(), "a path of a request");
        assert_eq!(findings("a.md", "ends \n"), ["a.md:1: blanks at the end of the line"]);
    }

    #[test]
    fn lock_files_are_left_alone() {
        assert!(findings("Cargo.lock", &"x \n".repeat(900)).is_empty());
    }
}
