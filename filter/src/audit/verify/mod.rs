//! Reads records back and says where they are not what was written.
//!
//! One pass over NDJSON, streams interleaved as they came. Inside a stream order is demanded, because a swap is one
//! of the things to be found; the exact repetition of a record is allowed, because a batch may be delivered twice.
//! Memory is bounded: for each stream its head and the hashes a repeated batch could reach back to.
//!
//! It cannot tell a stream whose tail was cut off from one that is still being written, nor see that a whole stream
//! is absent: only a head kept elsewhere shows that (see [`Expectations`]).

mod finding;
mod line;
mod reader;
mod stream;

use std::collections::BTreeMap;
use std::io;

pub use finding::{Finding, FindingKind};
pub use stream::StreamSummary;

use super::canonical::Object;
use super::chain::{Digest, NotHex, Sequence, StreamId};
use line::{Illegible, Line};
use reader::{Lines, Read};
use stream::Follower;

/// Most streams followed at once, each with its head and at most 128 KiB of hashes: a year of a hundred workers
/// that restart daily stays below.
const MAX_STREAMS: usize = 65_536;

/// What an auditor knows besides the file.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    /// Every stream must have ended: an open one is a finding.
    pub closed: bool,
    /// Heads kept apart from the records: each must be in the file.
    pub heads: Vec<ExpectedHead>,
}

/// A head kept apart from the records: what `portcullis-audit-head` said when the batch was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedHead {
    /// The stream.
    pub stream: StreamId,
    /// A record of it.
    pub sequence: Sequence,
    /// That record's hash.
    pub hash: Digest,
}

/// The text is not `STREAM:SEQUENCE:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHead {
    /// There are not three parts.
    #[error("expected STREAM:SEQUENCE:HASH")]
    Parts,
    /// The stream or the hash is not hexadecimal.
    #[error(transparent)]
    Hex(#[from] NotHex),
    /// The sequence is not a whole number up to 2^53 - 1.
    #[error("a sequence is a whole number from 0 to 2^53 - 1")]
    Sequence,
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Lines read.
    pub lines: u64,
    /// Findings reported.
    pub findings: u64,
    /// Every stream, by id.
    pub streams: BTreeMap<StreamId, StreamSummary>,
}

/// A record as it was read back.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'l> {
    /// The line it was met at, from 1.
    pub line: u64,
    /// Its stream.
    pub stream: StreamId,
    /// Its place there.
    pub sequence: Sequence,
    /// When it was recorded: RFC 3339 in UTC with nine digits.
    pub time: &'l str,
    /// What happened: the members that `docs/audit.md` lists, and those of later versions.
    pub event: &'l Object<'static>,
}

/// Reads records to the end and reports each finding as it is met.
///
/// # Errors
/// When the reader fails; what was reported until then stands.
pub fn verify(
    reader: impl io::BufRead,
    expectations: &Expectations,
    on_finding: impl FnMut(Finding),
) -> io::Result<Report> {
    verify_records(reader, expectations, on_finding, |_record| {})
}

/// As [`verify()`], and hands over each record whose hash is that of its content, once: not again where it was delivered
/// again, and not where it stands out of order. A finding about a record comes before the record.
///
/// # Errors
/// As [`verify()`].
pub fn verify_records(
    reader: impl io::BufRead,
    expectations: &Expectations,
    on_finding: impl FnMut(Finding),
    on_record: impl FnMut(Recorded<'_>),
) -> io::Result<Report> {
    let mut verification = Verification::new(expectations, on_finding, on_record);
    let mut lines = Lines::new(reader);
    while let Some(read) = lines.read()? {
        verification.line(read);
    }
    Ok(verification.finish(expectations.closed))
}

struct Verification<F, R> {
    on_finding: F,
    on_record: R,
    line: u64,
    findings: u64,
    followers: BTreeMap<StreamId, Follower>,
    heads: BTreeMap<(StreamId, Sequence), Digest>,
}

impl<F: FnMut(Finding), R: FnMut(Recorded<'_>)> Verification<F, R> {
    fn new(expectations: &Expectations, on_finding: F, on_record: R) -> Self {
        let heads = expectations.heads.iter().map(|head| ((head.stream, head.sequence), head.hash)).collect();
        Self { on_finding, on_record, line: 0, findings: 0, followers: BTreeMap::new(), heads }
    }

    fn line(&mut self, read: Read<'_>) {
        self.line = self.line.saturating_add(1);
        let bytes = match read {
            Read::Line(bytes) => bytes,
            Read::Unterminated(bytes) => {
                self.report(None, FindingKind::Unterminated);
                bytes
            }
            Read::TooLong => return self.report(None, FindingKind::TooLong),
        };
        match Line::parse(bytes) {
            Ok(line) => self.record(&line),
            Err(Illegible::Json) => self.report(None, FindingKind::NotJson),
            Err(Illegible::Record) => self.report(None, FindingKind::NotARecord),
        }
    }

    fn record(&mut self, line: &Line) {
        if !line.canonical {
            self.report(Some(line.stream), FindingKind::NotCanonical { sequence: line.sequence });
        }
        // A line whose hash is wrong proves nothing about a stream not seen before, unless it is its first.
        let known = self.followers.contains_key(&line.stream);
        if !known && !line.is_sound() && line.sequence != Sequence::FIRST {
            return self.report(Some(line.stream), FindingKind::Edited { sequence: line.sequence });
        }
        if !known && self.followers.len() >= MAX_STREAMS {
            return self.report(Some(line.stream), FindingKind::TooManyStreams);
        }
        let follower = self.followers.entry(line.stream).or_insert_with(|| Follower::new(line.stream));
        let before = follower.summary().records;
        let findings = follower.follow(line);
        let is_new = line.is_sound() && follower.summary().records > before;
        for kind in findings {
            self.report(Some(line.stream), kind);
        }
        let place = (line.stream, line.sequence);
        if let Some(expected) = self.heads.get(&place).copied() {
            self.heads.remove(&place);
            if expected != line.computed {
                self.report(Some(line.stream), FindingKind::HeadDiffers { sequence: line.sequence });
            }
        }
        if is_new {
            let Line { stream, sequence, time, content, .. } = line;
            let (stream, sequence) = (*stream, *sequence);
            (self.on_record)(Recorded { line: self.line, stream, sequence, time, event: content });
        }
    }

    fn finish(mut self, demand_closed: bool) -> Report {
        let lines = self.line;
        self.line = 0;
        if lines == 0 {
            self.report(None, FindingKind::Empty);
        }
        for ((stream, sequence), _) in std::mem::take(&mut self.heads) {
            self.report(Some(stream), FindingKind::HeadAbsent { sequence });
        }
        if demand_closed {
            let open: Vec<StreamId> = self
                .followers
                .iter()
                .filter(|(_, follower)| !follower.summary().closed)
                .map(|(stream, _)| *stream)
                .collect();
            for stream in open {
                self.report(Some(stream), FindingKind::NotClosed);
            }
        }
        let streams =
            self.followers.into_iter().map(|(id, follower)| (id, follower.into_summary())).collect();
        Report { lines, findings: self.findings, streams }
    }

    fn report(&mut self, stream: Option<StreamId>, kind: FindingKind) {
        self.findings = self.findings.saturating_add(1);
        if let Some(follower) = stream.and_then(|stream| self.followers.get_mut(&stream)) {
            follower.count_finding();
        }
        let line = (self.line > 0).then_some(self.line);
        (self.on_finding)(Finding { line, stream, kind });
    }
}

impl Report {
    /// Whether nothing was found.
    pub fn is_intact(&self) -> bool {
        self.findings == 0
    }
}

impl std::str::FromStr for ExpectedHead {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let mut parts = text.split(':');
        let (Some(stream), Some(sequence), Some(hash), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAHead::Parts);
        };
        let sequence: u64 = sequence.parse().map_err(|_not_a_number| NotAHead::Sequence)?;
        Ok(Self {
            stream: stream.parse()?,
            sequence: Sequence::try_from(sequence).map_err(|_too_great| NotAHead::Sequence)?,
            hash: hash.parse()?,
        })
    }
}
