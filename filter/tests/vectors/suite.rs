//! The suites, and what they print.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::path::CryptoPath;
use crate::{jose, wycheproof};

/// One suite's tally through one crypto path.
pub(crate) struct Suite {
    name: String,
    passed: usize,
    failures: Vec<String>,
}

impl Suite {
    pub(crate) fn new(name: &str, path: &CryptoPath) -> Self {
        Self { name: format!("{name} ({})", path.name), passed: 0, failures: Vec::new() }
    }

    /// Counts one case: `accepted` is what we did, `owed` what a strict verifier does.
    pub(crate) fn case(&mut self, id: impl std::fmt::Display, accepted: bool, owed: bool) {
        if accepted == owed {
            self.passed += 1;
        } else {
            let did = if accepted { "accepted" } else { "refused" };
            self.failures.push(format!("{id}: {did}"));
        }
    }

    fn print(&self) {
        println!("{}: {} passed, {} failed", self.name, self.passed, self.failures.len());
        for failure in &self.failures {
            println!("  {failure}");
        }
    }
}

pub(crate) fn run() -> ExitCode {
    let named = std::env::var_os("PORTCULLIS_VECTORS").map(PathBuf::from);
    let demanded = named.is_some();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"));
    if !folder.is_dir() {
        println!("vectors: no folder {}: nothing checked", folder.display());
        return if demanded { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let mut suites = Vec::new();
    for path in CryptoPath::both() {
        suites.extend(wycheproof::suites(&folder, &path));
        suites.extend(jose::suites(&folder, &path));
        path.assert_it_was_taken();
    }
    suites.iter().for_each(Suite::print);
    if suites.iter().all(|suite| suite.failures.is_empty() && suite.passed > 0) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

pub(crate) fn read(folder: &Path, file: &str) -> Value {
    let bytes = std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"))
}
