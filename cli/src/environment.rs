//! The environment a document will find: which of the variables it names are there.
//!
//! Values are only looked at where the filter would look at them, for their length, and never shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_filter::config::{DELIVERS_BODIES, DISABLE_AUTHENTICATION};
use portcullis_policy::document::{Document, JsonPointer, KeySource};
use portcullis_policy::lint::Finding;

use crate::exit;

/// Where a command looks for variables.
#[derive(Debug, clap::Args)]
pub(crate) struct EnvironmentArgs {
    /// Look for the variables that documents name as `${NAME}` in this file of `NAME=value` lines, not in the
    /// environment of this command.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

impl EnvironmentArgs {
    /// That of the file if one is named, else that of this process.
    ///
    /// # Errors
    /// The exit status, after having said what is wrong.
    pub(crate) fn open(&self) -> Result<Environment, ExitCode> {
        let opened = self.env_file.as_deref().map_or(Ok(Environment::Process), Environment::open);
        opened.map_err(|error| exit::unusable(&error))
    }
}

/// The variables that the proxy will have.
pub(crate) enum Environment {
    /// Those of this process.
    Process,
    /// Those of a file.
    File(BTreeMap<String, String>),
}

impl Environment {
    /// Reads `NAME=value` lines; empty lines and those that start with `#` are skipped, and so are quotes around a value.
    fn open(path: &Path) -> Result<Self, EnvironmentError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| EnvironmentError::Unreadable { path: path.to_owned(), error })?;
        let mut variables = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let assignment = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = assignment.split_once('=') else {
                return Err(EnvironmentError::NotAnAssignment {
                    path: path.to_owned(),
                    line: index.saturating_add(1),
                });
            };
            let quoted =
                ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
            variables.insert(name.trim().to_owned(), quoted.unwrap_or(value).to_owned());
        }
        Ok(Self::File(variables))
    }

    /// The value of a variable.
    fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => std::env::var(name).ok(),
            Self::File(variables) => variables.get(name).cloned(),
        }
    }

    /// Whether a variable is there.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of a variable, or one that is good enough to load a document by: what is missing here may well be
    /// there where the proxy runs.
    pub(crate) fn get_or_stand_in(&self, name: &str) -> Option<String> {
        let is_lock = [DISABLE_AUTHENTICATION, DELIVERS_BODIES].contains(&name);
        let stand_in = || if is_lock { "true".to_owned() } else { STAND_IN.repeat(8) };
        Some(self.get(name).unwrap_or_else(stand_in))
    }

    /// A finding for each variable that `document` names and that is not here.
    pub(crate) fn missing(&self, document: &Document) -> Vec<Finding> {
        let methods = JsonPointer::members(&["authentication", "methods"]);
        let named = document.authentication.methods.iter().enumerate().filter_map(|(index, method)| {
            match method.jwt.keys() {
                Some(KeySource::Secret { secret, .. }) => Some((methods.element(index), secret.variable())),
                Some(KeySource::Static(_) | KeySource::Remote { .. }) | None => None,
            }
        });
        let missing = named.filter(|(_, variable)| self.get(variable).is_none());
        missing
            .map(|(method, variable)| {
                let message =
                    format!("`{variable}` is not set here; without it the proxy refuses the document");
                let pointer = method.member("jwt").member("secret");
                Finding { pointer, code: UNSET_VARIABLE, message, remedy: SET_IT }
            })
            .collect()
    }
}

/// Why a file holds no environment.
#[derive(Debug, thiserror::Error)]
enum EnvironmentError {
    /// The system would not give it.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A line that is none of the known ones; it is not repeated, for it could be half of a secret.
    #[error("{}:{line}: not `NAME=value`", path.display())]
    NotAnAssignment {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The finding that only this command can make, for it alone has an environment.
pub(crate) const UNSET_VARIABLE: &str = "unset-variable";

/// What to do about it.
pub(crate) const SET_IT: &str = "set it where the proxy runs, or name its file here with `--env-file`";

/// Sixteen characters that are base64url too.
const STAND_IN: &str = "stand-in-secret_";
