//! A stream: records wait here until a sink has them.
//!
//! Bounded in records and in bytes. At most one batch is out at a time; it stays the same bytes until it is
//! acknowledged, so a sink may receive it twice and recognise it. It does not send, and it does not decide what
//! counts as an acknowledgement: the caller does both.

use std::collections::VecDeque;

use super::MAX_LINE_BYTES;
use super::backoff::{Backoff, LONGEST_PAUSE};
use super::batch::{Batch, BatchId, StaleBatch};
use super::chain::{Chain, Sealed, Sequence, StreamId};
use super::record::{Gap, GapCause, Open, Record};
use super::settings::{RESERVED_BYTES, RESERVED_RECORDS, Settings, WhenFull};
use crate::time::UnixTime;

/// Most bytes in one batch: below the 1 MiB that servers commonly accept, above any single record.
const MAX_BATCH_BYTES: usize = 512 * 1_024;

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

impl Stream {
    /// Starts a stream with its `open` record.
    pub fn open(id: StreamId, settings: Settings, open: Open<'_>, now: UnixTime) -> Self {
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
    pub fn append(&mut self, record: &Record<'_>, now: UnixTime) -> Result<Appended, NotRecorded> {
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

    /// Puts the refusal of a caller whom nothing has identified into the chain, or counts it towards the next gap once the
    /// buffer is half full: a flood from strangers must not take the place of those who are known.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn append_refusal_of_stranger(
        &mut self,
        record: &Record<'_>,
        now: UnixTime,
    ) -> Result<Appended, NotRecorded> {
        let half_full = self.pending.len() >= self.settings.max_pending_records.div_ceil(2)
            || self.pending_bytes >= self.settings.max_pending_bytes.div_ceil(2);
        if half_full && !self.closed {
            self.count_loss(GapCause::Strangers, now);
            return Ok(Appended::Dropped);
        }
        self.append(record, now)
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
            Delivery::Waiting(_, until) if !until.has_come(now, LONGEST_PAUSE) => return None,
            Delivery::Waiting(failed, _) => BatchId { attempt: failed.attempt.saturating_add(1), ..failed },
            Delivery::Idle => self.due_batch(now)?,
        };
        let records = || self.pending.iter().take_while(|sealed| sealed.sequence <= id.last);
        let mut body = Vec::with_capacity(records().map(|sealed| sealed.line.len()).sum());
        let mut head = None;
        for sealed in records() {
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
            if let Delivery::Waiting(batch, _until) = self.delivery {
                // Little time is left: the pause, however long it has grown, ends here.
                self.delivery = Delivery::Waiting(batch, now);
            }
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
            || first
                .time
                .saturating_add(self.settings.flush_interval)
                .has_come(now, self.settings.flush_interval);
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

    fn seal(&mut self, record: &Record<'_>, now: UnixTime) -> Result<Sequence, NotRecorded> {
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

    /// A gap that holds losses of both kinds tells of the graver one.
    fn count_loss(&mut self, cause: GapCause, now: UnixTime) {
        let gap = self.unrecorded.get_or_insert(Gap { lost: 0, cause, since: now, until: now });
        if gap.cause == GapCause::Strangers {
            gap.cause = cause;
        }
        gap.lost = gap.lost.saturating_add(1);
        gap.until = now;
        self.lost = self.lost.saturating_add(1);
    }

    fn lose(&mut self, now: UnixTime) -> Result<Appended, NotRecorded> {
        let cause = match self.settings.when_full {
            WhenFull::Refuse => GapCause::Refused,
            WhenFull::Drop => GapCause::Dropped,
        };
        self.count_loss(cause, now);
        match self.settings.when_full {
            WhenFull::Refuse => Err(NotRecorded::Full),
            WhenFull::Drop => Ok(Appended::Dropped),
        }
    }
}
