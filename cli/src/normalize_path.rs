//! `portcullis normalize-path`: the one path that policy sees, or why there is none.
//!
//! A query is read past and never shown: it may carry a token.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use portcullis_policy::path::{self, PathAmbiguity, PathError, PathMode};
use serde_json::{Value, json};

use crate::exit;
use crate::ndjson::{self, Answered};

/// Show how a request's path is read: its one canonical form, or the way in which it is ambiguous.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 every path has one reading, 1 one is refused, 2 wrong usage or unreadable input.\n\
    A line of NDJSON is a text, or an object with the member `path`."
)]
pub(crate) struct NormalizePathArgs {
    /// Request targets, as they stand in the request line; a query is read past.
    #[arg(required_unless_present = "ndjson")]
    paths: Vec<String>,
    /// What to do with a path that can be read in two ways, as `request.ambiguous_path` of a document says it.
    #[arg(long, value_enum, default_value_t = Mode::Refuse)]
    mode: Mode,
    /// Print JSON, one object a path.
    #[arg(long)]
    json: bool,
    /// Read paths from this file of NDJSON, `-` for standard input, and answer each line by one.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    ndjson: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Refuse it.
    Refuse,
    /// Make it plain where one reading is defined, refuse it otherwise.
    Normalize,
}

/// Runs the command.
pub(crate) fn run(args: &NormalizePathArgs) -> ExitCode {
    let mode = match args.mode {
        Mode::Refuse => PathMode::Refuse,
        Mode::Normalize => PathMode::Normalize,
    };
    if let Some(file) = &args.ndjson {
        return ndjson::answer_each(file, ["with one reading", "refused"], |line| {
            let path = path_of(&line)?;
            Ok(Answered { value: to_json(path, mode), is_good: read(path, mode).is_ok() })
        });
    }
    let all_good = args.paths.iter().all(|path| read(path, mode).is_ok());
    exit::after_saying(all_good, |out| {
        args.paths.iter().try_for_each(|path| match (args.json, read(path, mode)) {
            (true, _) => writeln!(out, "{}", to_json(path, mode)),
            (false, Ok(reading)) => writeln!(out, "{}", reading.path),
            (false, Err(error)) => writeln!(out, "refused: {error}{}", remedy(error)),
        })
    })
}

fn read(path: &str, mode: PathMode) -> Result<path::RequestTarget, PathError> {
    path::canonicalize(path.as_bytes(), mode)
}

fn path_of(line: &Value) -> Result<&str, String> {
    let path = line.as_str().or_else(|| line.get("path")?.as_str());
    path.ok_or_else(|| "not a path; expected a text, or an object with the text `path`".to_owned())
}

fn to_json(path: &str, mode: PathMode) -> Value {
    match read(path, mode) {
        Ok(reading) => json!({ "path": reading.path.as_str(), "rewritten": reading.rewritten }),
        Err(error) => {
            let (code, reason) = match error {
                PathError::Ambiguous(kind) => ("ambiguous_path", kind.label()),
                PathError::Malformed(_) | PathError::TooLong => ("malformed_request", "path"),
            };
            json!({ "code": code, "reason": reason, "message": error.to_string() })
        }
    }
}

/// What to do about a path that is refused.
fn remedy(error: PathError) -> &'static str {
    let PathError::Ambiguous(kind) = error else {
        return "; send the path alone, from its first slash";
    };
    match kind {
        PathAmbiguity::DoubleSlash | PathAmbiguity::DotSegment | PathAmbiguity::NonUriCharacter => {
            "; send it in its plain form, or let the document say `request: {ambiguous_path: normalize}`"
        }
        PathAmbiguity::EncodedSlash
        | PathAmbiguity::Backslash
        | PathAmbiguity::PathParameter
        | PathAmbiguity::Fragment
        | PathAmbiguity::EncodedQuestionMark
        | PathAmbiguity::ControlCharacter
        | PathAmbiguity::BadEscape
        | PathAmbiguity::DoubleEncoding
        | PathAmbiguity::InvalidUtf8 => {
            "; send it in its plain form: there is no reading that all servers share"
        }
    }
}
