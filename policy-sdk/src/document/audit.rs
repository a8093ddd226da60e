//! Where the record of decisions goes, and what happens when it cannot go there.

use deserr::Deserr;
use schemars::JsonSchema;

use super::{Duration, Problems};

/// Where the record of decisions goes, and what happens when it cannot go there.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Audit {
    /// The service that receives batches of records.
    pub sink: Sink,
    /// What happens to a request when `max_pending` records wait for acknowledgement.
    #[deserr(default)]
    #[schemars(default)]
    pub when_full: WhenFull,
    /// Most records that may wait for acknowledgement, per worker. 1 to 65536.
    #[deserr(default = default_max_pending())]
    #[schemars(default = "default_max_pending", range(min = 1, max = 65536))]
    pub max_pending: u32,
    /// Most records in one batch. 1 to 4096, and not more than `max_pending`.
    #[deserr(default = default_max_batch())]
    #[schemars(default = "default_max_batch", range(min = 1, max = 4096))]
    pub max_batch: u32,
    /// Longest time a record waits before its batch is sent. `50ms` to `1m`.
    #[deserr(default = default_flush_interval())]
    #[schemars(default = "default_flush_interval")]
    pub flush_interval: Duration,
}

/// The service that receives batches of records.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Sink {
    /// The proxy's name of the cluster that the callout goes to.
    #[schemars(length(min = 1))]
    pub cluster: String,
    /// Path that batches are posted to. Starts with `/`.
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// The `:authority` of the callout. Absent: the cluster's name.
    #[deserr(default)]
    pub authority: Option<String>,
    /// Longest wait for the acknowledgement of one batch. `10ms` to `1m`.
    #[deserr(default = default_timeout())]
    #[schemars(default = "default_timeout")]
    pub timeout: Duration,
}

/// What happens to a request when no more records can be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// The request is answered with 503 `audit_unavailable`.
    #[default]
    Refuse,
    /// The record is dropped; the gap itself is recorded in the chain.
    Drop,
}

fn default_max_pending() -> u32 {
    4096
}

fn default_max_batch() -> u32 {
    256
}

fn default_flush_interval() -> Duration {
    Duration::from_millis(1_000)
}

fn default_timeout() -> Duration {
    Duration::from_millis(2_000)
}
