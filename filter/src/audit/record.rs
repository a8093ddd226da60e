//! What happened: the events of a stream, a closed set.
//!
//! A record carries what an auditor asks for (who, what, from where, what was decided and by which rule of which
//! policy) and nothing that could be used again: no token, no secret, no raw claim, no query string. It knows
//! nothing of hashes or order; the chain adds those.

use std::net::IpAddr;
use std::time::Duration;

use super::canonical::{Object, SafeInteger, Value};
use super::chain::{Digest, Sequence};
use super::text::{Text, Texts};
use super::trial::Trial;
use crate::time::UnixTime;

/// The version of the record format, written into every `open`.
pub const FORMAT_VERSION: u32 = 1;

/// Longest `x-request-id` kept, in bytes: a UUID is 36, tracing systems go to 128.
pub const MAX_REQUEST_ID_BYTES: usize = 128;
/// Longest request method kept, in bytes: the longest registered one has 17.
pub const MAX_METHOD_BYTES: usize = 32;
/// Longest host kept, in bytes: RFC 1035 names end at 255, and a port fits with any real one.
pub const MAX_HOST_BYTES: usize = 260;
/// Longest canonical path kept, in bytes.
pub const MAX_PATH_BYTES: usize = 1_024;
/// Longest name of a protocol that is upgraded to, in bytes: the one that can be permitted is `websocket`.
pub const MAX_UPGRADE_BYTES: usize = 64;
/// Longest user agent kept, in bytes: real ones stay below.
pub const MAX_USER_AGENT_BYTES: usize = 256;
/// Longest subject id kept, in bytes: OpenID Connect Core section 2 bounds `sub` to 255.
pub const MAX_SUBJECT_BYTES: usize = 256;
/// Longest tenant kept, in bytes.
pub const MAX_TENANT_BYTES: usize = 128;
/// Longest label of ours kept, in bytes: document, method, code and permission names are bounded to 63 or so.
pub const MAX_LABEL_BYTES: usize = 128;
/// Longest name of a role, in bytes.
pub const MAX_ROLE_BYTES: usize = 64;
/// Most roles kept.
pub const MAX_ROLES: usize = 32;
/// Longest rule id kept, in bytes.
pub const MAX_RULE_BYTES: usize = 128;
/// Most rule ids kept.
pub const MAX_RULES: usize = 16;

/// One event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The stream starts; always its first record and never a later one.
    Open(Open),
    /// A request was decided.
    Decision(Box<Decision>),
    /// Records were lost before this one.
    Gap(Gap),
    /// The permit on record under this number was not carried out: the request did not go on.
    Unperformed(Sequence),
    /// Authentication is switched off: every request passes unauthenticated from here on.
    AuthenticationDisabled(AuthenticationDisabled),
    /// The stream ends; nothing follows.
    Close,
}

/// Who writes the stream, and under which policy it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Version of the module.
    pub module_version: Text<MAX_LABEL_BYTES>,
    /// Name of the document, as in metrics.
    pub policy: Text<MAX_LABEL_BYTES>,
    /// SHA-256 of the document.
    pub policy_digest: Digest,
}

/// One decision about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// `x-request-id`.
    pub request_id: Option<Text<MAX_REQUEST_ID_BYTES>>,
    /// Request method.
    pub method: Option<Text<MAX_METHOD_BYTES>>,
    /// Authority the request was sent to.
    pub host: Option<Text<MAX_HOST_BYTES>>,
    /// Canonical path, without query; absent when the request had no path that reads in one way.
    pub path: Option<Text<MAX_PATH_BYTES>>,
    /// The path was sent in a form that two servers could read differently, and was made plain.
    pub path_normalized: bool,
    /// The protocol that the request asks for on its connection (RFC 9110 section 7.8).
    pub upgrade: Option<Text<MAX_UPGRADE_BYTES>>,
    /// Address of the peer, as the proxy reports it.
    pub source: Option<IpAddr>,
    /// `user-agent`, as the client gave it.
    pub user_agent: Option<Text<MAX_USER_AGENT_BYTES>>,
    /// Subject id, only once authenticated.
    pub subject: Option<Text<MAX_SUBJECT_BYTES>>,
    /// Tenant of the subject.
    pub tenant: Option<Text<MAX_TENANT_BYTES>>,
    /// The subject's own tenant, where it acts in another.
    pub subject_tenant: Option<Text<MAX_TENANT_BYTES>>,
    /// The credential names no tenant, and the document's default counts.
    pub default_tenant: bool,
    /// Name of the authentication method that succeeded.
    pub authentication: Option<Text<MAX_LABEL_BYTES>>,
    /// Roles of the subject.
    pub roles: Texts<MAX_ROLE_BYTES, MAX_ROLES>,
    /// What was asked for, in the policy's words: the permission of the route or the action of the rule.
    pub action: Option<Text<MAX_LABEL_BYTES>>,
    /// Permit or deny.
    pub outcome: Outcome,
    /// Stable code of the refusal.
    pub code: Option<Text<MAX_LABEL_BYTES>>,
    /// What exactly was wrong, from a closed set: the caller is told the code alone.
    pub reason: Option<Text<MAX_LABEL_BYTES>>,
    /// HTTP status the filter answered with; absent when the upstream answers.
    pub status: Option<u16>,
    /// Ids of the rules that made the decision.
    pub rules: Texts<MAX_RULE_BYTES, MAX_RULES>,
    /// Name of the document that decided.
    pub policy: Text<MAX_LABEL_BYTES>,
    /// SHA-256 of the document that decided.
    pub policy_digest: Digest,
    /// How long the request waited for keys; written in microseconds.
    pub latency: Duration,
    /// The subject acted on a tenant that is not its own.
    pub cross_tenant: bool,
    /// What a candidate answered, where that differs or counted.
    pub candidate: Option<Box<Trial>>,
}

/// Permit or deny: what the gate did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request went on.
    Permit,
    /// The request was refused.
    Deny,
}

/// Records that were lost because the buffer was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many.
    pub lost: u64,
    /// What became of the requests they were about.
    pub cause: GapCause,
    /// When the first was lost.
    pub since: UnixTime,
    /// When the last was lost.
    pub until: UnixTime,
}

/// What became of requests whose records were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapCause {
    /// The document says `when_full: drop`: the requests were decided, and their records dropped.
    Dropped,
    /// They were refusals of callers whom nothing had identified, and the buffer was half full: the other half is kept for
    /// those who are known.
    Strangers,
    /// The document says `when_full: refuse`: the requests were refused with `audit_unavailable`.
    Refused,
}

/// Both locks were opened and authentication is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationDisabled {
    /// Name of the document that says so.
    pub policy: Text<MAX_LABEL_BYTES>,
    /// SHA-256 of that document.
    pub policy_digest: Digest,
}

impl Record {
    /// The event as it is written, without the chain around it.
    pub(super) fn event(&self) -> Object<'_> {
        let event = Object::default().with("kind", self.kind());
        match self {
            Self::Open(open) => event
                .with("format", SafeInteger::saturating(FORMAT_VERSION.into()))
                .with("module_version", &open.module_version)
                .with("policy", &open.policy)
                .with("policy_digest", open.policy_digest.to_string()),
            Self::Decision(decision) => decision.write(event),
            Self::Gap(gap) => event
                .with("cause", gap.cause.as_str())
                .with("lost", SafeInteger::saturating(gap.lost))
                .with("since", rfc3339(gap.since))
                .with("until", rfc3339(gap.until)),
            Self::Unperformed(decision) => event.with("decision", SafeInteger::saturating(decision.get())),
            Self::AuthenticationDisabled(disabled) => event
                .with("policy", &disabled.policy)
                .with("policy_digest", disabled.policy_digest.to_string()),
            Self::Close => event,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Decision(_) => "decision",
            Self::Gap(_) => "gap",
            Self::Unperformed(_) => "unperformed",
            Self::AuthenticationDisabled(_) => "authentication_disabled",
            Self::Close => "close",
        }
    }
}

impl Decision {
    fn write<'a>(&'a self, event: Object<'a>) -> Object<'a> {
        let latency_micros = u64::try_from(self.latency.as_micros()).unwrap_or(u64::MAX);
        event
            .with_some("action", self.action.as_ref())
            .with_some("authentication", self.authentication.as_ref())
            .with_some("candidate", self.candidate.as_ref().map(|trial| Value::Object(trial.write())))
            .with_some("code", self.code.as_ref())
            .with("cross_tenant", self.cross_tenant)
            .with("decision", self.outcome.as_str())
            .with_some("default_tenant", self.default_tenant.then_some(true))
            .with_some("host", self.host.as_ref())
            .with("latency_us", SafeInteger::saturating(latency_micros))
            .with_some("method", self.method.as_ref())
            .with_some("path", self.path.as_ref())
            .with_some("path_normalized", self.path_normalized.then_some(true))
            .with("policy", &self.policy)
            .with("policy_digest", self.policy_digest.to_string())
            .with_some("reason", self.reason.as_ref())
            .with_some("request_id", self.request_id.as_ref())
            .with("roles", &self.roles)
            .with("rules", &self.rules)
            .with_some("source", self.source.map(|address| Value::from(address.to_string())))
            .with_some("status", self.status.map(|status| SafeInteger::saturating(status.into())))
            .with_some("subject", self.subject.as_ref())
            .with_some("subject_tenant", self.subject_tenant.as_ref())
            .with_some("tenant", self.tenant.as_ref())
            .with_some("upgrade", self.upgrade.as_ref())
            .with_some("user_agent", self.user_agent.as_ref())
    }
}

impl Outcome {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        }
    }
}

impl GapCause {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Strangers => "strangers",
            Self::Refused => "refused",
        }
    }
}

/// RFC 3339 in UTC with nine digits: lossless, of one length, and sorted as text like the instants.
pub(super) fn rfc3339(time: UnixTime) -> String {
    // Every `u64` of nanoseconds ends before the year 2555, where this neither overflows nor changes length.
    let since_epoch = Duration::from_nanos(time.as_nanos());
    std::time::SystemTime::UNIX_EPOCH
        .checked_add(since_epoch)
        .map(|instant| humantime::format_rfc3339_nanos(instant).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_with_nine_digits_to_the_end_of_the_range() {
        assert_eq!(rfc3339(UnixTime::from_nanos(0)), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(
            rfc3339(UnixTime::from_nanos(1_709_210_096_000_000_007)),
            "2024-02-29T12:34:56.000000007Z"
        );
        assert_eq!(rfc3339(UnixTime::from_nanos(u64::MAX)), "2554-07-21T23:34:33.709551615Z");
    }
}
