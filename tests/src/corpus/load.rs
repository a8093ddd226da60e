//! Finding and reading the corpus.

use super::case::CaseFile;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every file of cases, and what is left out where.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The files, in order of their names.
    pub files: Vec<CaseFile>,
    /// What is left out.
    pub skips: Vec<Skip>,
}

/// A case that one ring leaves out, and why.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// The case.
    pub id: String,
    /// The ring.
    pub ring: String,
    /// Why it cannot hold there.
    pub reason: String,
}

impl Corpus {
    /// Reads `tests/cases`.
    ///
    /// # Errors
    /// When a file cannot be read, an id is used twice, or a skip names nothing.
    pub fn load() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let mut paths = Vec::new();
        collect(&folder, &mut paths)?;
        paths.sort();
        let skips = folder.join("skips.yaml");
        let mut files = Vec::new();
        for path in paths.iter().filter(|path| **path != skips) {
            let mut file: CaseFile = read(path)?;
            let name = path.strip_prefix(&folder).unwrap_or(path).with_extension("");
            file.name = name.to_string_lossy().into_owned();
            files.push(file);
        }
        let corpus = Self { files, skips: read(&skips)? };
        corpus.refuse_ambiguous_ids()?;
        Ok(corpus)
    }

    /// Why a ring leaves a case out, if it does.
    pub fn skip(&self, ring: &str, id: &str) -> Option<&Skip> {
        self.skips.iter().find(|skip| skip.ring == ring && skip.id == id)
    }

    fn refuse_ambiguous_ids(&self) -> Result<(), String> {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for file in &self.files {
            // A ring tells by the realm which document is in force.
            let name = file.document["name"].as_str().unwrap_or_default();
            if name.is_empty() || !names.insert(name) {
                return Err(format!("{}: the document needs a name of its own", file.name));
            }
        }
        for case in self.files.iter().flat_map(|file| &file.cases) {
            if !ids.insert(case.id.as_str()) {
                return Err(format!("two cases are called {}", case.id));
            }
        }
        match self.skips.iter().find(|skip| !ids.contains(skip.id.as_str()) || skip.reason.is_empty()) {
            Some(skip) => Err(format!("skips.yaml: {} is no case, or has no reason", skip.id)),
            None => Ok(()),
        }
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            paths.push(path);
        }
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // By way of two values: the first refuses a member that stands twice, the second knows enums without YAML tags.
    let value: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let value = serde_json::to_value(value).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_value(value).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Keys, Sent};

    #[test]
    fn every_file_is_readable_and_every_token_can_be_made() {
        let (corpus, keys) = (Corpus::load().unwrap(), Keys::generate());
        assert!(corpus.files.len() > 1);
        for file in &corpus.files {
            keys.resolve(&file.document).unwrap();
            for case in &file.cases {
                Sent::of(file, case, &keys, 1_780_315_200).unwrap();
                let wants = usize::from(case.want.permitted) + usize::from(case.want.status.is_some());
                assert!(wants == 1, "{}: wants a permit or a status", case.id);
            }
        }
    }
}
