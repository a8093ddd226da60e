//! What is sent to a sink, and how its answer is told apart from another.

use super::chain::{Digest, Sequence, StreamId};

/// Media type of a batch body: one record a line.
pub const CONTENT_TYPE: &str = "application/x-ndjson";

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
