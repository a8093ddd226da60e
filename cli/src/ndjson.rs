//! Many questions at once: one JSON value a line in, one a line out, in the same order.
//!
//! Memory is bounded by the longest line. A line that cannot be read gets a line that says so, and the next one is read;
//! the exit status tells that there was one.

use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _, Write};
use std::path::Path;
use std::process::ExitCode;

use portcullis_policy::json;
use serde_json::{Value, json};

use crate::exit;
use crate::input::{self, InputError, Name};

/// The longest line, in bytes with its line feed: a request has at most 64 KiB of headers, and escapes in JSON can make six
/// bytes of one.
pub(crate) const MAX_LINE_BYTES: usize = 512 * 1024;

/// What a line came to.
pub(crate) struct Answered {
    /// What to write.
    pub(crate) value: Value,
    /// Whether it is what one hopes for: accepted, permitted, unchanged.
    pub(crate) is_good: bool,
}

/// Answers every line of `file`, or of standard input if it is `-`. `answer` says of a line that is JSON what it comes to, or
/// what is wrong with it. `good` and `bad` are the words for the tally.
///
/// Exit status 0 when every line was good, 1 when one was not, 2 when one could not be read.
pub(crate) fn answer_each(
    file: &Path,
    [good, bad]: [&str; 2],
    mut answer: impl FnMut(Value) -> Result<Answered, String>,
) -> ExitCode {
    let mut tally = Tally::default();
    match each(file, &mut tally, &mut answer) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return exit::unusable(&InputError::Unreadable { name: Name(file).to_string(), error }),
    }
    let Tally { good: goods, bad: bads, unreadable } = tally;
    let lines = goods.saturating_add(bads).saturating_add(unreadable);
    // Nothing can be done when standard error is closed.
    let _written =
        writeln!(io::stderr(), "{lines} lines: {goods} {good}, {bads} {bad}, {unreadable} unreadable");
    match (unreadable, bads) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        (_, _) => exit::unreadable_lines(),
    }
}

#[derive(Default)]
struct Tally {
    good: u64,
    bad: u64,
    unreadable: u64,
}

fn each(
    file: &Path,
    tally: &mut Tally,
    answer: &mut impl FnMut(Value) -> Result<Answered, String>,
) -> io::Result<()> {
    let (input, bar) = input::open(file)?;
    let mut lines = Lines::new(BufReader::new(input));
    let stdout = io::stdout();
    if stdout.is_terminal() {
        // The answers themselves show how far it is.
        bar.finish_and_clear();
    }
    let mut out = io::BufWriter::new(stdout.lock());
    let mut number = 0_u64;
    while let Some(line) = lines.read()? {
        number = number.saturating_add(1);
        let read = match line {
            Line::Whole(bytes) => parse(bytes),
            Line::TooLong => Err(format!("longer than {MAX_LINE_BYTES} bytes")),
        };
        let value = match read.and_then(&mut *answer) {
            Ok(Answered { value, is_good }) => {
                let count = if is_good { &mut tally.good } else { &mut tally.bad };
                *count = count.saturating_add(1);
                value
            }
            Err(message) => {
                tally.unreadable = tally.unreadable.saturating_add(1);
                json!({ "line": number, "error": message })
            }
        };
        serde_json::to_writer(&mut out, &value)?;
        out.write_all(b"\n")?;
        // Who asks line by line waits for the answer; who sends a file does not.
        if lines.is_waiting() {
            out.flush()?;
        }
    }
    bar.finish_and_clear();
    out.flush()
}

fn parse(line: &[u8]) -> Result<Value, String> {
    if line.trim_ascii().is_empty() {
        return Err("an empty line; expected a JSON value".to_owned());
    }
    json::parse_within(line, MAX_LINE_BYTES).map_err(|error| error.to_string())
}

/// The lines of a reader, in a buffer that never grows beyond [`MAX_LINE_BYTES`].
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    buffer: Vec<u8>,
}

/// One line, without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'b> {
    /// All of it.
    Whole(&'b [u8]),
    /// It was longer than [`MAX_LINE_BYTES`] and has been skipped.
    TooLong,
}

impl<R: io::Read> Lines<R> {
    pub(crate) fn new(reader: BufReader<R>) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// The next line, or none at the end. The last line may lack its line feed.
    pub(crate) fn read(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let bound = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        let read = (&mut self.reader).take(bound).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        match self.buffer.strip_suffix(b"\n") {
            Some(line) => Ok(Some(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line)))),
            None if read < MAX_LINE_BYTES => Ok(Some(Line::Whole(&self.buffer))),
            None => {
                self.reader.skip_until(b'\n')?;
                Ok(Some(Line::TooLong))
            }
        }
    }

    /// Whether the next read may have to wait for whoever writes.
    pub(crate) fn is_waiting(&self) -> bool {
        self.reader.buffer().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_or_skipped() {
        let long = "x".repeat(MAX_LINE_BYTES);
        let fits = "y".repeat(MAX_LINE_BYTES - 1);
        let text = format!("a\r\n\n{long}\n{fits}\nlast");
        let mut lines = Lines::new(BufReader::new(text.as_bytes()));
        let mut found = Vec::new();
        while let Some(line) = lines.read().unwrap() {
            found.push(match line {
                Line::Whole(line) => Some(line.len()),
                Line::TooLong => None,
            });
        }
        assert_eq!(found, [Some(1), Some(0), None, Some(MAX_LINE_BYTES - 1), Some(4)]);
    }
}
