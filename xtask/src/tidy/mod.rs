//! What no compiler looks at: who may depend on whom, words with a place of their own, length of files, links in
//! documents, commands they name, copies that must stay alike, and names of machines that crept in. Reads only files that
//! git knows or would add.

mod boundaries;
mod dependencies;
mod invariants;
mod links;
mod lockfiles;
mod modules;
mod rust;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use portcullis_testbed::envoy_config::read_yaml;
use portcullis_testbed::example::Example;

use crate::workspace::Workspace;

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    file: PathBuf,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    what: String,
}

impl Finding {
    fn new(file: &Path, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// Looks at everything.
///
/// # Errors
/// When git cannot list the files or one that must be there cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<Vec<Finding>> {
    let root = &workspace.root;
    let files = files(root)?;
    let mut findings = Vec::new();
    for file in &files {
        // Vectors, archives and other data that is no text are nobody's prose.
        let Ok(content) = std::fs::read_to_string(root.join(file)) else { continue };
        findings.extend(text::look(file, &content));
        findings.extend(lockfiles::look(file, &content));
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("md") => findings.extend(links::look(root, file, &content)),
            Some("rs") => {
                findings.extend(boundaries::look(file, &content));
                findings.extend(modules::look(file, &content));
            }
            _ => {}
        }
    }
    match dependencies::look(root) {
        Ok(found) => findings.extend(found),
        // A lock file that does not fit, for one: the other findings may say why.
        Err(error) => findings.push(Finding::new(Path::new("Cargo.lock"), 0, error.to_string())),
    }
    findings.extend(invariants::look(root, &files)?);
    findings.extend(policy_copies(root)?);
    Ok(findings)
}

/// The policy in the shipped Envoy configuration is that of the quick start, and the one an example's Envoy reads is that
/// beside it, so that they are tested as such.
fn policy_copies(root: &Path) -> Result<Vec<Finding>> {
    let (shipped, original) = ("envoy/policy/ecds.yaml", "examples/quickstart/policy.yaml");
    let place = "/resources/0/typed_config/config/configuration/value";
    let copy = read_yaml(&root.join(shipped))?;
    let same = copy.pointer(place) == Some(&read_yaml(&root.join(original))?);
    let mut findings = Vec::new();
    if !same {
        findings.push(Finding::new(Path::new(shipped), 0, format!("the policy differs from {original}")));
    }
    for name in Example::names(root)? {
        let example = Example::open(root, &name)?;
        let (copy, policy) = (example.discovery(), example.policy());
        let rendered = read_yaml(&root.join(&copy))?;
        let text = rendered.pointer(place).and_then(serde_json::Value::as_str).unwrap_or_default();
        if serde_json::from_str::<serde_json::Value>(text).ok().as_ref() != Some(&example.document) {
            let (from, to) = (policy.display(), copy.display());
            let mend = format!("portcullis render {from} --format envoy -o {to}");
            findings.push(Finding::new(&copy, 0, format!("differs from {from}: `{mend}`")));
        }
    }
    Ok(findings)
}

/// Files that git tracks, or would if they were added, relative to the root.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(root);
    let output = git.output().context("cannot run git")?;
    ensure!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout)?;
    let files = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    Ok(files.filter(|file| root.join(file).is_file()).collect())
}
