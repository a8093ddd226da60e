//! What can be wrong with a file of records, where, and what to do about it.

use std::fmt;

use crate::audit::chain::{Sequence, StreamId};

/// One thing that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line it was met at, from 1; none for what only the end of the file shows.
    pub line: Option<u64>,
    /// The stream it concerns, if the line says.
    pub stream: Option<StreamId>,
    /// What it is.
    pub kind: FindingKind,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// There is no record at all.
    Empty,
    /// The line is longer than any record.
    TooLong,
    /// The last line has no line feed.
    Unterminated,
    /// The line is not JSON.
    NotJson,
    /// The line is JSON, but not a record of this format.
    NotARecord,
    /// The record is spelt in another way than RFC 8785 says.
    NotCanonical {
        /// The record.
        sequence: Sequence,
    },
    /// The record's hash is not the hash of the record.
    Edited {
        /// The record.
        sequence: Sequence,
    },
    /// The record does not link to the one before it.
    BrokenLink {
        /// The record.
        sequence: Sequence,
    },
    /// Records are absent between the one before and this one.
    Missing {
        /// The first absent one.
        first: Sequence,
        /// How many are absent.
        count: u64,
    },
    /// The record comes after its successors.
    OutOfOrder {
        /// The record.
        sequence: Sequence,
    },
    /// A different record was read before at the same place.
    Conflict {
        /// The place.
        sequence: Sequence,
    },
    /// The record repeats a place so far back that its hash is no longer remembered.
    TooFarBack {
        /// The place.
        sequence: Sequence,
    },
    /// The stream does not begin with `open` at sequence 0.
    HeadMissing {
        /// The first record there is.
        sequence: Sequence,
    },
    /// Another `open` inside a stream.
    OpenedAgain {
        /// The record.
        sequence: Sequence,
    },
    /// A record after `close`.
    AfterClose {
        /// The record.
        sequence: Sequence,
    },
    /// More streams than are followed; this one is not.
    TooManyStreams,
    /// The stream has no `close`, and it was demanded.
    NotClosed,
    /// The record is not the expected head.
    HeadDiffers {
        /// The record.
        sequence: Sequence,
    },
    /// The expected head is not in the file.
    HeadAbsent {
        /// Its place.
        sequence: Sequence,
    },
}

impl FindingKind {
    /// A stable name for programs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Unterminated => "unterminated",
            Self::NotJson => "not_json",
            Self::NotARecord => "not_a_record",
            Self::NotCanonical { .. } => "not_canonical",
            Self::Edited { .. } => "edited",
            Self::BrokenLink { .. } => "broken_link",
            Self::Missing { .. } => "missing",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::Conflict { .. } => "conflict",
            Self::TooFarBack { .. } => "too_far_back",
            Self::HeadMissing { .. } => "head_missing",
            Self::OpenedAgain { .. } => "opened_again",
            Self::AfterClose { .. } => "after_close",
            Self::TooManyStreams => "too_many_streams",
            Self::NotClosed => "not_closed",
            Self::HeadDiffers { .. } => "head_differs",
            Self::HeadAbsent { .. } => "head_absent",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Empty => "look for the file the sink really wrote",
            Self::TooLong | Self::NotJson | Self::NotARecord => {
                "compare the line with the sink's own copy; something else wrote into this file"
            }
            Self::Unterminated => "the write may have been cut short: fetch the file again from the sink",
            Self::NotCanonical { .. } => {
                "a tool has rewritten the line: verify the bytes the sink received, not a re-encoded export"
            }
            Self::Edited { .. } | Self::BrokenLink { .. } | Self::Conflict { .. } => {
                "treat this record and what follows in its stream as tampered with; compare with another copy"
            }
            Self::Missing { .. } => {
                "look for the absent records in the sink's other files and verify those files joined in order"
            }
            Self::OutOfOrder { .. } => "restore the order of sequence within the stream and verify again",
            Self::TooFarBack { .. } => "remove repeated copies of the same file and verify again",
            Self::HeadMissing { .. } => "join the earlier files of this stream in front of this one",
            Self::OpenedAgain { .. } | Self::AfterClose { .. } => {
                "no stream continues like this: someone who can compute hashes has added records"
            }
            Self::TooManyStreams => "split the file by stream and verify the parts",
            Self::NotClosed => {
                "the worker may still be running or was killed; otherwise the tail was cut off"
            }
            Self::HeadDiffers { .. } => "the stream was rewritten after the head was taken",
            Self::HeadAbsent { .. } => "the tail, or the whole stream, was cut off after the head was taken",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no record in it"),
            Self::TooLong => f.write_str("the line is longer than any record"),
            Self::Unterminated => f.write_str("the last line has no line feed"),
            Self::NotJson => f.write_str("the line is not JSON"),
            Self::NotARecord => f.write_str("the line is not an audit record"),
            Self::NotCanonical { sequence } => write!(f, "record {sequence} is not in canonical form"),
            Self::Edited { sequence } => write!(f, "record {sequence} was edited: its hash does not match"),
            Self::BrokenLink { sequence } => {
                write!(f, "record {sequence} does not link to the record before it")
            }
            Self::Missing { first, count: 1 } => write!(f, "record {first} is missing before this one"),
            Self::Missing { first, count } => {
                write!(f, "{count} records from {first} on are missing before this one")
            }
            Self::OutOfOrder { sequence } => write!(f, "record {sequence} is out of order"),
            Self::Conflict { sequence } => {
                write!(f, "record {sequence} is not the record {sequence} read before")
            }
            Self::TooFarBack { sequence } => {
                write!(f, "record {sequence} is repeated too far back to compare")
            }
            Self::HeadMissing { sequence } => {
                write!(f, "the stream does not begin with `open`: its first record here is {sequence}")
            }
            Self::OpenedAgain { sequence } => write!(f, "record {sequence} opens the stream again"),
            Self::AfterClose { sequence } => write!(f, "record {sequence} follows the end of the stream"),
            Self::TooManyStreams => f.write_str("too many streams to follow: this one was not verified"),
            Self::NotClosed => f.write_str("the stream has no end"),
            Self::HeadDiffers { sequence } => write!(f, "record {sequence} is not the expected head"),
            Self::HeadAbsent { sequence } => write!(f, "the expected head, record {sequence}, is absent"),
        }
    }
}
