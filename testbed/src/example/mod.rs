//! The examples of this repository, on stage: each is a folder with a policy, an Envoy configuration and cases, and each
//! case becomes a real request with a real token.
//!
//! The same cases are asked of the policy natively by `tests/tests/examples.rs`. This ring knows nothing of how a decision is made: it mints the token
//! that stands for a subject, sends the request, and reads the answer as a client would.

mod caller;
mod case;
mod outcome;
mod stage;

pub use case::{Ask, Case, CaseFile, Expectation, Subject};
pub use outcome::Outcome;
pub use stage::{Stage, StageOptions};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::envoy_config::read_yaml;

/// The folder of all examples, below the root of the repository.
const FOLDER: &str = "examples";

/// Cases, by which a folder is known as an example of this kind.
const CASES: &str = "cases.yaml";

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
    /// Cases that cannot be sent through a proxy, by name, each with the reason.
    pub skips: BTreeMap<String, String>,
}

/// One line of `envoy-skips.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    case: String,
    reason: String,
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
    /// When there is none, a file of it is malformed, two cases share a name, or a skip names no case.
    pub fn open(root: &Path, name: &str) -> Result<Self> {
        let names = Self::names(root)?;
        ensure!(names.iter().any(|known| known == name), "no example {name}; there are {}", names.join(", "));
        let folder = Path::new(FOLDER).join(name);
        let here = root.join(&folder);
        let cases: CaseFile = typed(&here.join(CASES))?;
        let document = read_yaml(&here.join(&cases.policy))?;
        let skips = match here.join("envoy-skips.yaml") {
            file if file.is_file() => typed::<Vec<Skip>>(&file)?,
            _ => Vec::new(),
        };
        let mut seen = std::collections::BTreeSet::new();
        for case in &cases.cases {
            ensure!(seen.insert(case.name.as_str()), "{name}: two cases are called {:?}", case.name);
        }
        for skip in &skips {
            ensure!(seen.contains(skip.case.as_str()), "{name}: no case {:?} to skip", skip.case);
        }
        let skips = skips.into_iter().map(|skip| (skip.case, skip.reason)).collect();
        Ok(Self { name: name.to_owned(), folder, document, cases, skips })
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
