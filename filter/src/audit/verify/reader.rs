//! Lines of bounded length from any reader.

use std::io::{self, BufRead};

use crate::audit::MAX_LINE_BYTES;

/// The lines of a reader, in a buffer that never grows beyond the longest record.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
}

/// One line, without its line feed.
pub(super) enum Read<'b> {
    Line(&'b [u8]),
    /// The last one, which has no line feed.
    Unterminated(&'b [u8]),
    /// Longer than any record; it has been skipped.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// The next line, or none at the end.
    pub(super) fn read(&mut self) -> io::Result<Option<Read<'_>>> {
        self.buffer.clear();
        let mut too_long = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let line_feed = available.iter().position(|byte| *byte == b'\n');
            let at_end = available.is_empty();
            let part = available.get(..line_feed.unwrap_or(available.len())).unwrap_or_default();
            // The bound counts the line feed.
            if self.buffer.len().saturating_add(part.len()) < MAX_LINE_BYTES {
                self.buffer.extend_from_slice(part);
            } else {
                too_long = true;
            }
            let consumed = part.len().saturating_add(usize::from(line_feed.is_some()));
            self.reader.consume(consumed);
            return Ok(match (line_feed, too_long) {
                (Some(_), true) => Some(Read::TooLong),
                (Some(_), false) => Some(Read::Line(&self.buffer)),
                (None, true) if at_end => Some(Read::TooLong),
                (None, false) if at_end && self.buffer.is_empty() => None,
                (None, false) if at_end => Some(Read::Unterminated(&self.buffer)),
                (None, true | false) => continue,
            });
        }
    }
}
