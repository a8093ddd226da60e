//! The audit chain: what was decided, in a form that shows when it was changed afterwards.
//!
//! [`Record`] says what happened, [`Chain`] links records, [`Stream`] keeps them until a sink has them, and
//! [`verify()`] reads them back. Everything here is sans-IO: batches are handed out, acknowledgements and time
//! are handed in. It does not know where batches go, and it never sees a token, a secret or a raw claim. The
//! format is described for auditors in `docs/audit.md`.

mod alike_hash;
mod backoff;
mod batch;
mod canonical;
mod chain;
mod members;
pub mod record;
mod seconds;
mod settings;
mod stream;
mod text;
mod trial;
mod verify;

pub use batch::{Batch, BatchId, CONTENT_TYPE, StaleBatch};
pub use canonical::{Object, OutOfSubset, SafeInteger, Value};
pub use chain::{Chain, Digest, Exhausted, NotHex, Sealed, Sequence, StreamId};
pub use record::{AuthenticationDisabled, Decision, FORMAT_VERSION, Gap, GapCause, Open, Outcome, Record};
pub use settings::{Settings, SettingsError, WhenFull};
pub use stream::{Appended, NotRecorded, Pending, Stream};
pub use text::{Text, Texts};
pub use trial::{Answer, Change, MAX_TRIAL_RULES, Trial};
pub use verify::{
    Expectations, ExpectedHead, Finding, FindingKind, NotAHead, Recorded, Report, StreamSummary, verify,
    verify_records,
};

/// The longest line a sealed record can make, in bytes with its line feed: every text field at its bound and
/// every character escaped sixfold stays below it (a test builds that record). The verifier reads no further.
pub const MAX_LINE_BYTES: usize = 65_536;

/// The most records one batch can carry. The verifier remembers as many hashes a stream, so that a repeated
/// batch is recognised.
pub const MAX_BATCH_RECORDS: usize = 4_096;
