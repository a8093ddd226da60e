//! The examples of this repository, on stage: each is a folder with a policy, an Envoy configuration and cases, and each
//! case becomes a real request with a real token.
//!
//! The same cases are asked of the policy natively by `tests/tests/examples.rs`, those that say what time it is among them,
//! which cannot be sent. This ring knows nothing of how a decision is made: it mints the token that stands for a subject,
//! sends the request, and reads the answer as a client would.

mod caller;
mod case;
mod outcome;
mod stage;

pub use case::{Ask, Case, CaseFile, Expectation, Subject};
pub use outcome::Outcome;
pub use stage::{Stage, StageOptions};

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::envoy_config::read_yaml;

/// The folder of all examples, below the root of the repository.
const FOLDER: &str = "examples";

/// Cases, by which a folder is known as an example of this kind.
const CASES: &str = "cases.yaml";

/// Why a case that says what time it is goes through no proxy.
const OWN_CLOCK: &str = "it says what time it is, and a proxy has its own clock";

/// One example, read.
#[derive(Clone, Debug)]
pub struct Example {
    /// The name of its folder.
    pub name: String,
    /// Its folder, relative to the root of the repository.
    pub folder: PathBuf,
    /// The policy document.
    pub document: Value,
    /// The cases and those who appear in them.
    pub cases: CaseFile,
}

impl Example {
    /// The names of all examples with cases, in order.
    ///
    /// # Errors
    /// When the folder of examples cannot be read.
    pub fn names(root: &Path) -> Result<Vec<String>> {
        let folder = root.join(FOLDER);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
            let entry = entry?;
            if entry.path().join(CASES).is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Reads the example of that name.
    ///
    /// # Errors
    /// When there is none, a file of it is malformed, or two cases share a name.
    pub fn open(root: &Path, name: &str) -> Result<Self> {
        let names = Self::names(root)?;
        ensure!(names.iter().any(|known| known == name), "no example {name}; there are {}", names.join(", "));
        let folder = Path::new(FOLDER).join(name);
        let here = root.join(&folder);
        let cases: CaseFile = typed(&here.join(CASES))?;
        let document = read_yaml(&here.join(&cases.policy))?;
        let mut seen = std::collections::BTreeSet::new();
        for case in &cases.cases {
            ensure!(seen.insert(case.name.as_str()), "{name}: two cases are called {:?}", case.name);
        }
        Ok(Self { name: name.to_owned(), folder, document, cases })
    }

    /// The cases that can be sent through a proxy.
    pub fn sent(&self) -> impl Iterator<Item = &Case> {
        self.cases.cases.iter().filter(|case| case.time(&self.cases).is_none())
    }

    /// The names of those that cannot be, each with the reason.
    pub fn left_out(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let left_out = self.cases.cases.iter().filter(|case| case.time(&self.cases).is_some());
        left_out.map(|case| (case.name.as_str(), OWN_CLOCK))
    }

    /// The Envoy configuration, relative to the root of the repository.
    pub fn envoy(&self) -> PathBuf {
        self.folder.join("envoy.yaml")
    }

    /// The filter with the policy as `portcullis render` wrote it, relative to the root of the repository.
    pub fn discovery(&self) -> PathBuf {
        self.folder.join("xds/portcullis.json")
    }

    /// The policy, relative to the root of the repository.
    pub fn policy(&self) -> PathBuf {
        self.folder.join(&self.cases.policy)
    }
}

fn typed<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_yaml_ng::from_str(&text).with_context(|| format!("{} is not as it should be", file.display()))
}
