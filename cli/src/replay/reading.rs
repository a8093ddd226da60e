//! Files of recorded requests, read line by line: what format they have, and what each line comes to.
//!
//! Memory is bounded by the longest line. The chain of audit records is verified on the way: a record that is not what was
//! written is not asked again.

use std::io::{self, BufRead as _, BufReader, Cursor, Read};
use std::path::Path;

use portcullis_filter::audit::{Expectations, verify_records};
use portcullis_policy::authzen::{EvaluationRequest, ShortRequest};
use portcullis_policy::document::{Document, Problems};
use portcullis_policy::json;
use serde_json::Value;

use super::recorded::{Asked, Entry};
use super::{access_log, audit};
use crate::input;
use crate::ndjson::{Line, Lines, MAX_LINE_BYTES};

/// What the lines of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// What the first line says.
    Auto,
    /// Audit records, as the sink wrote them.
    Audit,
    /// Envoy's access log in the JSON format of docs/replay.md.
    Envoy,
    /// Questions, as `decide` reads them.
    Questions,
}

/// What is met in a file.
pub(super) enum Met {
    /// A line that could be read.
    Entry(Entry),
    /// A line that could not, and why.
    Unreadable(String),
    /// A finding about the chain of records.
    Broken(String),
}

/// Reads `file` to its end, or standard input if it is `-`, and hands over what is met with the number of its line; 0 for
/// what is about no line.
///
/// # Errors
/// When the file cannot be read, or its format cannot be told.
pub(super) fn read(
    file: &Path,
    format: Format,
    in_force: Option<&Document>,
    mut meet: impl FnMut(u64, Met),
) -> io::Result<()> {
    let (input, bar) = input::open(file)?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut first = Vec::new();
    let bound = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
    (&mut reader).take(bound).read_until(b'\n', &mut first)?;
    let format = if format == Format::Auto { told(&first)? } else { format };
    let whole = Cursor::new(first).chain(reader);
    let read = match format {
        Format::Auto | Format::Audit => read_audit(whole, &mut meet),
        Format::Envoy => read_lines(whole, &mut meet, |line| access_log::entry(line, in_force)),
        Format::Questions => read_lines(whole, &mut meet, question),
    };
    bar.finish_and_clear();
    read
}

/// What the first line says of the others.
fn told(first: &[u8]) -> io::Result<Format> {
    let members = json::parse_within(first.trim_ascii(), MAX_LINE_BYTES).ok();
    let has = |name: &str| {
        members.as_ref().and_then(Value::as_object).is_some_and(|members| members.contains_key(name))
    };
    if has("event") && has("hash") {
        Ok(Format::Audit)
    } else if members.as_ref().and_then(Value::as_object).is_some_and(access_log::is_one) {
        Ok(Format::Envoy)
    } else if has("resource") || has("action") {
        Ok(Format::Questions)
    } else {
        let what = "its first line is no audit record, no line of the access log of docs/replay.md and no question; say what it is by --format";
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }
}

fn read_audit(reader: impl io::BufRead, meet: &mut impl FnMut(u64, Met)) -> io::Result<()> {
    let meet = std::cell::RefCell::new(meet);
    let on_finding = |finding: portcullis_filter::audit::Finding| {
        let stream = finding.stream.map(|stream| format!("stream {stream}: ")).unwrap_or_default();
        let what = format!("{stream}{}; {}", finding.kind, finding.kind.remedy());
        (meet.borrow_mut())(finding.line.unwrap_or(0), Met::Broken(what));
    };
    let on_record = |record: portcullis_filter::audit::Recorded<'_>| {
        (meet.borrow_mut())(record.line, Met::Entry(audit::entry(&record)));
    };
    verify_records(reader, &Expectations::default(), on_finding, on_record).map(|_report| ())
}

fn read_lines(
    reader: impl Read,
    meet: &mut impl FnMut(u64, Met),
    mut entry: impl FnMut(&Value) -> Result<Entry, String>,
) -> io::Result<()> {
    let mut lines = Lines::new(BufReader::new(reader));
    let mut number = 0_u64;
    while let Some(line) = lines.read()? {
        number = number.saturating_add(1);
        let parsed = match line {
            Line::Whole(bytes) => {
                json::parse_within(bytes, MAX_LINE_BYTES).map_err(|error| error.to_string())
            }
            Line::TooLong => Err(format!("longer than {MAX_LINE_BYTES} bytes")),
        };
        meet(number, parsed.and_then(|value| entry(&value)).map_or_else(Met::Unreadable, Met::Entry));
    }
    Ok(())
}

/// A question as `decide` reads it. A token cannot be compared by: whether it is accepted depends on keys and time.
fn question(line: &Value) -> Result<Entry, String> {
    let in_words = |problems: Problems| problems.to_string().replace('\n', "; ");
    let question = if ShortRequest::is_meant(line) {
        let short = ShortRequest::from_value(line).map_err(in_words)?;
        if short.token().is_some() {
            return Err("a question with a token; put the caller in its place".to_owned());
        }
        short.without_token().map_err(in_words)?
    } else {
        EvaluationRequest::from_value(line).map_err(in_words)?
    };
    Ok(Entry::Asked(Box::new(Asked::Question(question)), None))
}

/// Bytes read at once: large enough that reading is not what one waits for.
const BUFFER_BYTES: usize = 1 << 20;
