//! A document file: its text, the value it holds, and where in the text each part of the value stands.

mod positions;
mod yaml;

use std::path::{Path, PathBuf};

use portcullis_policy::document::{JsonPointer, Problem, Problems};
use portcullis_policy::json;
use portcullis_policy::limits::MAX_JSON_BYTES;
use serde_json::Value;

pub(crate) use positions::{Place, Positions};

/// A document file that could be read as text.
pub(crate) struct Source {
    /// The file's name, as it was given.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
    /// Where each part of the value stands in the text.
    pub(crate) positions: Positions,
    /// The value, or why there is none.
    pub(crate) value: Result<Value, Problems>,
}

impl Source {
    /// Reads the file at `path`; `-` is standard input.
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |error| SourceError::Unreadable { path: path.to_owned(), error };
        let bytes = if path == Path::new("-") {
            let mut bytes = Vec::new();
            let mut bounded = std::io::Read::take(std::io::stdin().lock(), READ_LIMIT);
            std::io::Read::read_to_end(&mut bounded, &mut bytes).map_err(unreadable)?;
            bytes
        } else {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(unreadable)?;
            std::io::Read::read_to_end(&mut std::io::Read::take(file, READ_LIMIT), &mut bytes)
                .map_err(unreadable)?;
            bytes
        };
        if bytes.len() > MAX_JSON_BYTES {
            return Err(SourceError::TooLarge { path: path.to_owned() });
        }
        let text = String::from_utf8(bytes).map_err(|_| SourceError::NotUtf8 { path: path.to_owned() })?;
        Ok(Self::from_text(path.display().to_string(), text))
    }

    /// Reads `text`: as the proxy does if it is JSON, as YAML otherwise. The places come from YAML in both cases, for
    /// which JSON is a way of writing too.
    pub(crate) fn from_text(name: String, text: String) -> Self {
        let yaml = yaml::load(&text);
        let value = match (json::parse(text.as_bytes()), yaml.value) {
            (Ok(value), _) => Ok(value),
            (Err(error), Ok(_)) if name.ends_with(".json") => {
                Err(Problem::new(JsonPointer::root(), error.to_string()).into())
            }
            (Err(_), value) => value,
        };
        Self { name, text, positions: yaml.positions, value }
    }
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The system would not give it.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Longer than a document may be.
    #[error("{}: longer than {MAX_JSON_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Not text.
    #[error("{}: not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
}

/// One byte more than a document may have, so that a longer one is noticed and an endless one ends.
const READ_LIMIT: u64 = MAX_JSON_BYTES as u64 + 1;
