//! How much a stream may hold and how it is paced.
//!
//! The document's figures become [`Settings`] once; what lies outside the bounds makes none.

use std::time::Duration;

use super::{MAX_BATCH_RECORDS, MAX_LINE_BYTES};

/// How a stream is bounded and paced; built with [`Settings::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(super) max_pending_records: usize,
    pub(super) max_pending_bytes: usize,
    pub(super) max_batch_records: usize,
    pub(super) flush_interval: Duration,
    pub(super) when_full: WhenFull,
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

/// A place for the `open` or the `gap` in front of the requests, so that one pending request is a usable bound.
const OWN_RECORDS: usize = 1;
/// Places kept for the `gap` and the `close` that end a full stream.
pub(super) const RESERVED_RECORDS: usize = 2;
/// Bytes kept for them: both together stay below 1 KiB, since neither carries foreign text.
pub(super) const RESERVED_BYTES: usize = 1_024;
