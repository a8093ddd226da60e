//! Every policy that is shown to people loads: those of `examples/` and those in Markdown, through the command people
//! are told to use.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// The first line of a policy, by which one is known among other YAML.
const FIRST_LINE: &str = "version: 1";

/// A policy and where it stands.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    place: String,
    text: String,
}

/// Checks all of them and returns how many there were, or what is wrong with the first bad ones.
///
/// # Errors
/// When one does not load, or none was found.
pub(super) fn check(workspace: &Workspace) -> Result<usize> {
    let mut shown = Vec::new();
    for file in markdown_and_policies(&workspace.root)? {
        let text = std::fs::read_to_string(&file)?;
        let place = file.strip_prefix(&workspace.root).unwrap_or(&file).display().to_string();
        if file.extension().is_some_and(|extension| extension == "md") {
            shown.extend(blocks(&place, &text));
        } else {
            shown.push(Shown { place, text });
        }
    }
    ensure!(!shown.is_empty(), "no policy was found");
    let program = workspace.program("portcullis");
    let bad: Vec<_> = shown.iter().filter_map(|policy| complaint(&program, policy).transpose()).collect();
    let bad: Vec<String> = bad.into_iter().collect::<Result<_>>()?;
    ensure!(bad.is_empty(), "{}", bad.join("\n"));
    Ok(shown.len())
}

/// What the command says against a policy, if anything.
fn complaint(program: &Path, policy: &Shown) -> Result<Option<String>> {
    let folder = std::env::temp_dir().join(format!("portcullis-policies-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("policy.yaml");
    std::fs::write(&file, &policy.text)?;
    let output = Command::new(program).arg("check").arg(&file).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    std::fs::remove_dir_all(&folder)?;
    let said = [output.stdout, output.stderr].concat();
    Ok((!output.status.success())
        .then(|| format!("{}: {}", policy.place, String::from_utf8_lossy(&said).trim_end())))
}

fn markdown_and_policies(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![root.join("README.md")];
    for folder in ["docs", "examples", "envoy"] {
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md")
                    || path.ends_with("policy.yaml")
                {
                    files.push(path);
                }
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The YAML blocks of a Markdown text that are whole policies.
fn blocks(place: &str, text: &str) -> Vec<Shown> {
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let policies = blocks.filter(|block| block.starts_with(FIRST_LINE)).enumerate();
    policies
        .map(|(number, block)| Shown {
            place: format!("{place}, policy {}", number + 1),
            text: block.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_policies_are_found_among_other_yaml() {
        let text = "a\n```yaml\nversion: 1\nname: x\n```\nb\n```yaml\nadmin: {}\n```\n";
        let found = blocks("README.md", text);
        assert_eq!(
            found,
            [Shown { place: "README.md, policy 1".to_owned(), text: "version: 1\nname: x".to_owned() }]
        );
    }
}
