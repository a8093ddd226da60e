//! One stream, followed record by record.
//!
//! After a finding the stream is followed on from the record that was found, so that one edit is one finding and
//! not one for every record behind it.

use std::collections::VecDeque;

use super::finding::FindingKind;
use super::line::{Event, Line};
use crate::audit::MAX_BATCH_RECORDS;
use crate::audit::chain::{Digest, Sequence, StreamId};

/// What one stream in a file amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    /// Records, repetitions not counted.
    pub records: u64,
    /// Records that were delivered again.
    pub repeated: u64,
    /// Decisions to permit.
    pub permits: u64,
    /// Decisions to deny.
    pub denies: u64,
    /// Gaps the stream itself records.
    pub gaps: u64,
    /// Records lost in them.
    pub lost: u64,
    /// Time of the first record.
    pub first_time: String,
    /// Time of the last record.
    pub last_time: String,
    /// The last record.
    pub last: Sequence,
    /// Its hash: the head, to be kept elsewhere and expected the next time.
    pub head: Digest,
    /// Whether the stream ended with `close`.
    pub closed: bool,
    /// Findings about it.
    pub findings: u64,
}

/// Where one stream stands.
pub(super) struct Follower {
    /// None after the last possible record.
    next: Option<Sequence>,
    /// What the next record may link to: the last record's hash. Both of them, when an edited record claims
    /// another: the record behind it links to the one it was sealed with.
    links: [Digest; 2],
    /// Hashes of the last records, ascending by sequence, as far back as a repeated batch can reach.
    seen: VecDeque<(Sequence, Digest)>,
    summary: StreamSummary,
}

impl Follower {
    pub(super) fn new(stream: StreamId) -> Self {
        let genesis = stream.genesis();
        Self {
            next: Some(Sequence::FIRST),
            links: [genesis; 2],
            seen: VecDeque::new(),
            summary: StreamSummary {
                records: 0,
                repeated: 0,
                permits: 0,
                denies: 0,
                gaps: 0,
                lost: 0,
                first_time: String::new(),
                last_time: String::new(),
                last: Sequence::FIRST,
                head: genesis,
                closed: false,
                findings: 0,
            },
        }
    }

    /// Takes the next line of the stream and says what is wrong with it.
    pub(super) fn follow(&mut self, line: &Line) -> Vec<FindingKind> {
        let sequence = line.sequence;
        if !line.is_sound() {
            // Its content cannot be trusted, its place only if it is the one that is due.
            if self.next == Some(sequence) {
                self.advance(line);
            }
            return vec![FindingKind::Edited { sequence }];
        }
        match self.next {
            Some(next) if sequence >= next => {}
            Some(_) | None => return self.looking_back(line),
        }
        let mut findings = Vec::new();
        let begins = self.summary.records == 0;
        match self.absent_before(sequence) {
            0 if !self.links.contains(&line.previous) => findings.push(FindingKind::BrokenLink { sequence }),
            0 => {}
            _absent if begins => findings.push(FindingKind::HeadMissing { sequence }),
            count => findings.extend(self.next.map(|first| FindingKind::Missing { first, count })),
        }
        match line.event {
            Event::Open if sequence > Sequence::FIRST => findings.push(FindingKind::OpenedAgain { sequence }),
            Event::Permit | Event::Deny | Event::Gap { .. } | Event::Close | Event::Other
                if sequence == Sequence::FIRST =>
            {
                findings.push(FindingKind::HeadMissing { sequence });
            }
            Event::Open | Event::Permit | Event::Deny | Event::Gap { .. } | Event::Close | Event::Other => {}
        }
        if self.summary.closed {
            findings.push(FindingKind::AfterClose { sequence });
        }
        self.advance(line);
        self.count(line.event);
        findings
    }

    pub(super) fn count_finding(&mut self) {
        self.summary.findings = self.summary.findings.saturating_add(1);
    }

    pub(super) fn summary(&self) -> &StreamSummary {
        &self.summary
    }

    pub(super) fn into_summary(self) -> StreamSummary {
        self.summary
    }

    /// A sound record at a place that has passed: a repetition, or something worse.
    fn looking_back(&mut self, line: &Line) -> Vec<FindingKind> {
        let sequence = line.sequence;
        let position = self.seen.partition_point(|(seen, _)| *seen < sequence);
        match self.seen.get(position) {
            Some((seen, hash)) if *seen == sequence && *hash == line.computed => {
                self.summary.repeated = self.summary.repeated.saturating_add(1);
                Vec::new()
            }
            Some((seen, _)) if *seen == sequence => vec![FindingKind::Conflict { sequence }],
            Some(_) | None if position > 0 || self.seen.len() < MAX_BATCH_RECORDS => {
                vec![FindingKind::OutOfOrder { sequence }]
            }
            Some(_) | None => vec![FindingKind::TooFarBack { sequence }],
        }
    }

    fn absent_before(&self, sequence: Sequence) -> u64 {
        self.next.map_or(0, |next| sequence.get().saturating_sub(next.get()))
    }

    fn advance(&mut self, line: &Line) {
        self.next = line.sequence.next();
        self.links = [line.computed, line.claimed];
        if self.seen.len() >= MAX_BATCH_RECORDS {
            self.seen.pop_front();
        }
        self.seen.push_back((line.sequence, line.claimed));
        let summary = &mut self.summary;
        if summary.records == 0 {
            summary.first_time.clone_from(&line.time);
        }
        summary.last_time.clone_from(&line.time);
        summary.records = summary.records.saturating_add(1);
        summary.last = line.sequence;
        summary.head = line.computed;
    }

    fn count(&mut self, event: Event) {
        let summary = &mut self.summary;
        match event {
            Event::Permit => summary.permits = summary.permits.saturating_add(1),
            Event::Deny => summary.denies = summary.denies.saturating_add(1),
            Event::Gap { lost } => {
                summary.gaps = summary.gaps.saturating_add(1);
                summary.lost = summary.lost.saturating_add(lost);
            }
            Event::Close => summary.closed = true,
            Event::Open | Event::Other => {}
        }
    }
}
