//! Links of Markdown files into the repository, and the commands their shell blocks name.

use std::path::Path;

use super::Finding;

/// What `cargo xtask` can be told to do.
const TASKS: [&str; 10] =
    ["bench", "build", "counts", "demo", "example", "sdk", "sizes", "test", "tidy", "deny"];

/// Links to files that are not there, and tasks that do not exist.
pub(super) fn look(root: &Path, file: &Path, content: &str) -> Vec<Finding> {
    let folder = root.join(file).parent().map(Path::to_owned).unwrap_or_default();
    let mut findings = Vec::new();
    for (number, line) in content.lines().enumerate() {
        for target in targets(line).filter(|target| leads_into_repository(target)) {
            let path = target.split('#').next().unwrap_or_default();
            let from = if path.starts_with('/') { root } else { &folder };
            if !from.join(path.trim_start_matches('/')).exists() {
                findings.push(Finding::new(file, number + 1, format!("the link to {target} leads nowhere")));
            }
        }
        for task in line.split("cargo xtask ").skip(1) {
            let task: String = task.chars().take_while(char::is_ascii_alphabetic).collect();
            if !task.is_empty() && !TASKS.contains(&task.as_str()) {
                findings.push(Finding::new(file, number + 1, format!("there is no `cargo xtask {task}`")));
            }
        }
    }
    findings
}

/// What the inline links of a line point to: the part between `](` and `)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

fn leads_into_repository(target: &str) -> bool {
    !target.is_empty() && !target.contains(':') && !target.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_and_unknown_tasks_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = "[a](Cargo.toml) [b](xtask/Cargo.toml#x) [c](gone.md) [d](https://example.com) [e](#here)\n\
                    `cargo xtask fly` and `cargo xtask demo --once`";
        let found: Vec<_> =
            look(root, Path::new("README.md"), text).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["README.md:1: the link to gone.md leads nowhere", "README.md:2: there is no `cargo xtask fly`"]
        );
    }
}
