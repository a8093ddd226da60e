//! A stream: records wait here until a sink has them.
//!
//! Bounded in records and in bytes. At most one batch is out at a time; it stays the same bytes until it is
//! acknowledged, so a sink may receive it twice and recognise it. It does not send, and it does not decide what
//! counts as an acknowledgement: the caller does both.

use std::collections::VecDeque;
use std::time::Duration;

use super::backoff::Backoff;
use super::chain::{Chain, Digest, Sealed, Sequence, StreamId};
use super::record::{Gap, GapCause, Open, Record};
use super::{MAX_BATCH_RECORDS, MAX_LINE_BYTES};
use crate::time::UnixTime;

/// Media type of a batch body: one record a line.
pub const CONTENT_TYPE: &str = "application/x-ndjson";

/// Most bytes in one batch: below the 1 MiB that servers commonly accept, above any single record.
const MAX_BATCH_BYTES: usize = 512 * 1_024;
/// A place for the `open` or the `gap` in front of the requests, so that one pending request is a usable bound.
const OWN_RECORDS: usize = 1;
/// Places kept for the `gap` and the `close` that end a full stream.
const RESERVED_RECORDS: usize = 2;
/// Bytes kept for them: both together stay below 1 KiB, since neither carries foreign text.
const RESERVED_BYTES: usize = 1_024;

/// How a stream is bounded and paced; built with [`Settings::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    max_pending_records: usize,
    max_pending_bytes: usize,
    max_batch_records: usize,
    flush_interval: Duration,
    when_full: WhenFull,
}

/// What happens to a request whose record has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused with `audit_unavailable`.
    Refuse,
    /// It goes on; the loss is counted and recorded.
    Drop,
}

/// Why settings make no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// `max_pending` lies outside [`Settings::PENDING_RECORDS`].
    #[error("max_pending is 1 to 65536 records")]
    MaxPending,
    /// `max_batch` lies outside 1 to [`MAX_BATCH_RECORDS`].
    #[error("max_batch is 1 to 4096 records")]
    MaxBatch,
    /// `flush_interval` lies outside [`Settings::FLUSH_INTERVAL`].
    #[error("flush_interval is 10ms to 60s")]
    FlushInterval,
}

/// What became of a record that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It has its place in the chain and waits for the sink.
    Sealed(Sequence),
    /// There was no room and the document says `drop`: a `gap` record will tell.
    Dropped,
}

/// The record was not kept: the request it is about must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// There is no room and the document says `refuse`.
    #[error("the audit buffer is full")]
    Full,
    /// The stream has been closed.
    #[error("the audit stream is closed")]
    Closed,
    /// No sequence number is left.
    #[error("the audit stream has no sequence number left")]
    Exhausted,
}

/// One attempt to deliver one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchId {
    /// Sequence of its first record.
    pub first: Sequence,
    /// Sequence of its last record.
    pub last: Sequence,
    /// Which attempt, from 0.
    pub attempt: u32,
}

/// The answer belongs to no batch that is waited for: it came late, or twice. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such audit batch is waited for")]
pub struct StaleBatch;

/// A batch to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// To be given back with the sink's answer.
    pub id: BatchId,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Hash of its last record.
    pub head: Digest,
    /// Lines of NDJSON.
    pub body: Vec<u8>,
}

/// What waits, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Records not yet acknowledged.
    pub records: usize,
    /// Their bytes.
    pub bytes: usize,
    /// When the oldest of them was sealed.
    pub oldest: Option<UnixTime>,
    /// Records lost since the stream opened, recorded in a gap or not yet.
    pub lost: u64,
}

/// One worker's stream.
#[derive(Debug)]
pub struct Stream {
    chain: Chain,
    settings: Settings,
    pending: VecDeque<Sealed>,
    pending_bytes: usize,
    delivery: Delivery,
    acknowledged: Option<Sequence>,
    expedited: Option<Sequence>,
    unrecorded: Option<Gap>,
    lost: u64,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// Nothing is out.
    Idle,
    /// This attempt is out.
    InFlight(BatchId),
    /// The attempt failed; the same batch goes out again from this time on.
    Waiting(BatchId, UnixTime),
}

impl Settings {
    /// What `max_pending` may be: at the upper end 128 MiB, as much as one VM's memory should give to this.
    pub const PENDING_RECORDS: std::ops::RangeInclusive<usize> = 1..=65_536;
    /// What `flush_interval` may be.
    pub const FLUSH_INTERVAL: std::ops::RangeInclusive<Duration> =
        Duration::from_millis(10)..=Duration::from_secs(60);
    /// Bytes kept for each pending record of the bound: a usual record has 600 to 900.
    pub const BYTES_PER_PENDING_RECORD: usize = 2_048;
    /// The byte bound is never smaller than this, so that a few records of the greatest size fit.
    pub const MIN_PENDING_BYTES: usize = 8 * MAX_LINE_BYTES;

    /// Settings within their bounds: `max_pending` requests may wait on record, besides what the stream says of
    /// itself. The bound in bytes follows from it.
    ///
    /// # Errors
    /// Names the first setting out of its bounds.
    pub fn new(
        max_pending: usize,
        max_batch: usize,
        flush_interval: Duration,
        when_full: WhenFull,
    ) -> Result<Self, SettingsError> {
        if !Self::PENDING_RECORDS.contains(&max_pending) {
            return Err(SettingsError::MaxPending);
        }
        if !(1..=MAX_BATCH_RECORDS).contains(&max_batch) {
            return Err(SettingsError::MaxBatch);
        }
        if !Self::FLUSH_INTERVAL.contains(&flush_interval) {
            return Err(SettingsError::FlushInterval);
        }
        Ok(Self {
            max_pending_records: max_pending.saturating_add(OWN_RECORDS).saturating_add(RESERVED_RECORDS),
            max_pending_bytes: max_pending
                .saturating_mul(Self::BYTES_PER_PENDING_RECORD)
                .max(Self::MIN_PENDING_BYTES),
            max_batch_records: max_batch,
            flush_interval,
            when_full,
        })
    }
}

impl Stream {
    /// Starts a stream with its `open` record.
    pub fn open(id: StreamId, settings: Settings, open: Open, now: UnixTime) -> Self {
        let mut stream = Self {
            chain: Chain::new(id),
            settings,
            pending: VecDeque::new(),
            pending_bytes: 0,
            delivery: Delivery::Idle,
            acknowledged: None,
            expedited: None,
            unrecorded: None,
            lost: 0,
            closed: false,
        };
        // A new chain has every number left, and the least settings have room for one record.
        let _first = stream.seal(&Record::Open(open), now);
        stream
    }

    /// The stream's id.
    pub fn id(&self) -> StreamId {
        self.chain.stream()
    }

    /// Puts a record into the chain, to be delivered with the next batch.
    ///
    /// # Errors
    /// When the record could not be kept and the request it is about must be refused with `audit_unavailable`.
    /// The loss itself is recorded as a gap once there is room.
    pub fn append(&mut self, record: &Record, now: UnixTime) -> Result<Appended, NotRecorded> {
        if self.closed {
            return Err(NotRecorded::Closed);
        }
        let gap_first = usize::from(self.unrecorded.is_some());
        if !self.has_room(gap_first.saturating_add(1)) {
            return self.lose(now);
        }
        self.seal_gap(now)?;
        self.seal(record, now).map(Appended::Sealed)
    }

    /// Asks that everything up to this record goes out with the next batch, without waiting for the interval:
    /// for requests that wait until their record is acknowledged.
    pub fn expedite(&mut self, sequence: Sequence) {
        self.expedited = self.expedited.max(Some(sequence));
    }

    /// Whether the sink has this record.
    pub fn is_acknowledged(&self, sequence: Sequence) -> bool {
        self.acknowledged.is_some_and(|acknowledged| sequence <= acknowledged)
    }

    /// The batch to send now, if there is one: none while another is out or waits to be repeated.
    pub fn next_batch(&mut self, now: UnixTime) -> Option<Batch> {
        let id = match self.delivery {
            Delivery::InFlight(_) => return None,
            Delivery::Waiting(_, until) if now < until => return None,
            Delivery::Waiting(failed, _) => BatchId { attempt: failed.attempt.saturating_add(1), ..failed },
            Delivery::Idle => self.due_batch(now)?,
        };
        let mut body = Vec::new();
        let mut head = None;
        for sealed in self.pending.iter().take_while(|sealed| sealed.sequence <= id.last) {
            body.extend_from_slice(sealed.line.as_bytes());
            head = Some(sealed.hash);
        }
        self.delivery = Delivery::InFlight(id);
        Some(Batch { id, stream: self.id(), head: head?, body })
    }

    /// The sink has the batch: its records are let go.
    ///
    /// A late answer to an earlier attempt of the same batch counts: the bytes were the same.
    ///
    /// # Errors
    /// When no such batch is waited for.
    pub fn acknowledged(&mut self, batch: BatchId, now: UnixTime) -> Result<(), StaleBatch> {
        let outstanding = match self.delivery {
            Delivery::Idle => return Err(StaleBatch),
            Delivery::InFlight(outstanding) | Delivery::Waiting(outstanding, _) => outstanding,
        };
        let same_batch = batch.first == outstanding.first && batch.last == outstanding.last;
        if !same_batch || batch.attempt > outstanding.attempt {
            return Err(StaleBatch);
        }
        while let Some(sealed) = self.pending.pop_front_if(|sealed| sealed.sequence <= batch.last) {
            self.pending_bytes = self.pending_bytes.saturating_sub(sealed.line.len());
        }
        self.acknowledged = Some(batch.last);
        self.expedited = self.expedited.filter(|sequence| *sequence > batch.last);
        self.delivery = Delivery::Idle;
        if !self.closed && self.pending.is_empty() {
            // No request may come for long, and the loss should not wait for one. With records still pending it
            // does wait, or gaps would take the places that requests need. Exhaustion shows at the next append.
            let _sealed = self.seal_gap(now);
        }
        Ok(())
    }

    /// The sink does not have the batch, or did not say: the same bytes go out again after a pause.
    ///
    /// # Errors
    /// When this attempt is not the one that is out.
    pub fn failed(&mut self, batch: BatchId, now: UnixTime) -> Result<(), StaleBatch> {
        match self.delivery {
            Delivery::InFlight(outstanding) if outstanding == batch => {
                let pause = Backoff::of(self.id()).pause(batch.attempt);
                self.delivery = Delivery::Waiting(batch, now.saturating_add(pause));
                Ok(())
            }
            Delivery::InFlight(_) | Delivery::Waiting(..) | Delivery::Idle => Err(StaleBatch),
        }
    }

    /// Ends the stream: a last gap if records were lost, then `close`. Batches go on until all are delivered.
    pub fn close(&mut self, now: UnixTime) {
        if !self.closed {
            // The reserve holds room for both; without numbers left the stream stays visibly open.
            let _sealed = self.seal_gap(now).and_then(|()| self.seal(&Record::Close, now));
            self.closed = true;
        }
    }

    /// Whether the stream is closed and the sink has all of it: nothing is left to do.
    pub fn is_drained(&self) -> bool {
        self.closed && self.pending.is_empty()
    }

    /// What waits.
    pub fn pending(&self) -> Pending {
        Pending {
            records: self.pending.len(),
            bytes: self.pending_bytes,
            oldest: self.pending.front().map(|sealed| sealed.time),
            lost: self.lost,
        }
    }

    /// The batch that is due: enough records, an old enough one, one that is waited for, or the end.
    fn due_batch(&self, now: UnixTime) -> Option<BatchId> {
        let first = self.pending.front()?;
        let due = self.closed
            || self.pending.len() >= self.settings.max_batch_records
            || self.expedited.is_some_and(|sequence| first.sequence <= sequence)
            || now >= first.time.saturating_add(self.settings.flush_interval);
        if !due {
            return None;
        }
        let mut bytes = 0_usize;
        let last = self
            .pending
            .iter()
            .take(self.settings.max_batch_records)
            .take_while(|sealed| {
                bytes = bytes.saturating_add(sealed.line.len());
                bytes <= MAX_BATCH_BYTES
            })
            .last()?;
        Some(BatchId { first: first.sequence, last: last.sequence, attempt: 0 })
    }

    /// Whether that many records of the greatest size fit without touching the reserve. Asked before anything
    /// is encoded or hashed: a full buffer must cost a request next to nothing.
    fn has_room(&self, records: usize) -> bool {
        let used_records = self.pending.len().saturating_add(RESERVED_RECORDS);
        let used_bytes = self.pending_bytes.saturating_add(RESERVED_BYTES);
        used_records.saturating_add(records) <= self.settings.max_pending_records
            && used_bytes.saturating_add(records.saturating_mul(MAX_LINE_BYTES))
                <= self.settings.max_pending_bytes
    }

    fn seal(&mut self, record: &Record, now: UnixTime) -> Result<Sequence, NotRecorded> {
        let sealed = self.chain.seal(record, now).map_err(|_exhausted| NotRecorded::Exhausted)?;
        let sequence = sealed.sequence;
        self.pending_bytes = self.pending_bytes.saturating_add(sealed.line.len());
        self.pending.push_back(sealed);
        Ok(sequence)
    }

    fn seal_gap(&mut self, now: UnixTime) -> Result<(), NotRecorded> {
        if let Some(gap) = self.unrecorded {
            self.seal(&Record::Gap(gap), now)?;
            self.unrecorded = None;
        }
        Ok(())
    }

    fn lose(&mut self, now: UnixTime) -> Result<Appended, NotRecorded> {
        let cause = match self.settings.when_full {
            WhenFull::Refuse => GapCause::Refused,
            WhenFull::Drop => GapCause::Dropped,
        };
        let gap = self.unrecorded.get_or_insert(Gap { lost: 0, cause, since: now, until: now });
        gap.lost = gap.lost.saturating_add(1);
        gap.until = now;
        self.lost = self.lost.saturating_add(1);
        match self.settings.when_full {
            WhenFull::Refuse => Err(NotRecorded::Full),
            WhenFull::Drop => Ok(Appended::Dropped),
        }
    }
}

impl Batch {
    /// The headers that describe the batch to the sink, names in lower case. A sink that keeps `head` apart
    /// from the records can later show that a tail was cut off.
    pub fn headers(&self) -> [(&'static str, String); 5] {
        [
            ("content-type", CONTENT_TYPE.to_owned()),
            ("portcullis-audit-stream", self.stream.to_string()),
            ("portcullis-audit-first", self.id.first.to_string()),
            ("portcullis-audit-last", self.id.last.to_string()),
            ("portcullis-audit-head", self.head.to_string()),
        ]
    }
}
