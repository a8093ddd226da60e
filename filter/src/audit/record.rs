//! What happened: the events of a stream, a closed set.
//!
//! A record carries what an auditor asks for (who, what, from where, what was decided and by which rule of which
//! policy) and nothing that could be used again: no token, no secret, no raw claim, no query string. It knows
//! nothing of hashes or order; the chain adds those.

use std::net::IpAddr;
use std::time::Duration;

use super::canonical::SafeInteger;
use super::chain::{Digest, Sequence};
use super::members::{Canonical, Members, name};
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
pub enum Record<'a> {
    /// The stream starts; always its first record and never a later one.
    Open(Open<'a>),
    /// A request was decided.
    Decision(Box<Decision<'a>>),
    /// Records were lost before this one.
    Gap(Gap),
    /// The permit on record under this number was not carried out: the request did not go on.
    Unperformed(Sequence),
    /// Authentication is switched off: every request passes unauthenticated from here on.
    AuthenticationDisabled(AuthenticationDisabled<'a>),
    /// The stream ends; nothing follows.
    Close,
}

/// Who writes the stream, and under which policy it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open<'a> {
    /// Version of the module.
    pub module_version: Text<'a, MAX_LABEL_BYTES>,
    /// Name of the document, as in metrics.
    pub policy: Text<'a, MAX_LABEL_BYTES>,
    /// SHA-256 of the document.
    pub policy_digest: Digest,
}

/// One decision about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// `x-request-id`.
    pub request_id: Option<Text<'a, MAX_REQUEST_ID_BYTES>>,
    /// Request method.
    pub method: Option<Text<'a, MAX_METHOD_BYTES>>,
    /// Authority the request was sent to.
    pub host: Option<Text<'a, MAX_HOST_BYTES>>,
    /// Canonical path, without query; absent when the request had no path that reads in one way.
    pub path: Option<Text<'a, MAX_PATH_BYTES>>,
    /// The path was sent in a form that two servers could read differently, and was made plain.
    pub path_normalized: bool,
    /// The protocol that the request asks for on its connection (RFC 9110 section 7.8).
    pub upgrade: Option<Text<'a, MAX_UPGRADE_BYTES>>,
    /// Address of the peer, as the proxy reports it.
    pub source: Option<IpAddr>,
    /// `user-agent`, as the client gave it.
    pub user_agent: Option<Text<'a, MAX_USER_AGENT_BYTES>>,
    /// Subject id, only once authenticated.
    pub subject: Option<Text<'a, MAX_SUBJECT_BYTES>>,
    /// Tenant of the subject.
    pub tenant: Option<Text<'a, MAX_TENANT_BYTES>>,
    /// The subject's own tenant, where it acts in another.
    pub subject_tenant: Option<Text<'a, MAX_TENANT_BYTES>>,
    /// The credential names no tenant, and the document's default counts.
    pub default_tenant: bool,
    /// Name of the authentication method that succeeded.
    pub authentication: Option<Text<'a, MAX_LABEL_BYTES>>,
    /// Roles of the subject.
    pub roles: Texts<'a, MAX_ROLE_BYTES, MAX_ROLES>,
    /// What was asked for, in the policy's words: the permission of the route or the action of the rule.
    pub action: Option<Text<'a, MAX_LABEL_BYTES>>,
    /// Permit or deny.
    pub outcome: Outcome,
    /// Stable code of the refusal.
    pub code: Option<Text<'a, MAX_LABEL_BYTES>>,
    /// What exactly was wrong, from a closed set: the caller is told the code alone.
    pub reason: Option<Text<'a, MAX_LABEL_BYTES>>,
    /// HTTP status the filter answered with; absent when the upstream answers.
    pub status: Option<u16>,
    /// Ids of the rules that made the decision.
    pub rules: Texts<'a, MAX_RULE_BYTES, MAX_RULES>,
    /// Name of the document that decided.
    pub policy: Text<'a, MAX_LABEL_BYTES>,
    /// SHA-256 of the document that decided.
    pub policy_digest: Digest,
    /// How long the request waited for keys; written in microseconds.
    pub latency: Duration,
    /// The subject acted on a tenant that is not its own.
    pub cross_tenant: bool,
    /// What a candidate answered, where that differs or counted.
    pub candidate: Option<Box<Trial<'a>>>,
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
pub struct AuthenticationDisabled<'a> {
    /// Name of the document that says so.
    pub policy: Text<'a, MAX_LABEL_BYTES>,
    /// SHA-256 of that document.
    pub policy_digest: Digest,
}

/// The event as it is written, without the chain around it. Members stand in canonical order.
impl Canonical for Record<'_> {
    fn write(&self, out: &mut String) {
        match self {
            Self::Open(open) => Members::of(out)
                .with(name!("format"), SafeInteger::saturating(FORMAT_VERSION.into()))
                .with(name!("kind"), "open")
                .with(name!("module_version"), open.module_version)
                .with(name!("policy"), open.policy)
                .with(name!("policy_digest"), open.policy_digest)
                .end(),
            Self::Decision(decision) => decision.write(out),
            Self::Gap(gap) => Members::of(out)
                .with(name!("cause"), gap.cause.as_str())
                .with(name!("kind"), "gap")
                .with(name!("lost"), SafeInteger::saturating(gap.lost))
                .with(name!("since"), gap.since)
                .with(name!("until"), gap.until)
                .end(),
            Self::Unperformed(decision) => Members::of(out)
                .with(name!("decision"), SafeInteger::saturating(decision.get()))
                .with(name!("kind"), "unperformed")
                .end(),
            Self::AuthenticationDisabled(disabled) => Members::of(out)
                .with(name!("kind"), "authentication_disabled")
                .with(name!("policy"), disabled.policy)
                .with(name!("policy_digest"), disabled.policy_digest)
                .end(),
            Self::Close => Members::of(out).with(name!("kind"), "close").end(),
        }
    }
}

impl Decision<'_> {
    fn write(&self, out: &mut String) {
        let latency_micros = u64::try_from(self.latency.as_micros()).unwrap_or(u64::MAX);
        Members::of(out)
            .with_some(name!("action"), self.action)
            .with_some(name!("authentication"), self.authentication)
            .with_some(name!("candidate"), self.candidate.as_deref())
            .with_some(name!("code"), self.code)
            .with(name!("cross_tenant"), self.cross_tenant)
            .with(name!("decision"), self.outcome.as_str())
            .with_some(name!("default_tenant"), self.default_tenant.then_some(true))
            .with_some(name!("host"), self.host)
            .with(name!("kind"), "decision")
            .with(name!("latency_us"), SafeInteger::saturating(latency_micros))
            .with_some(name!("method"), self.method)
            .with_some(name!("path"), self.path)
            .with_some(name!("path_normalized"), self.path_normalized.then_some(true))
            .with(name!("policy"), self.policy)
            .with(name!("policy_digest"), self.policy_digest)
            .with_some(name!("reason"), self.reason)
            .with_some(name!("request_id"), self.request_id)
            .with(name!("roles"), &self.roles)
            .with(name!("rules"), &self.rules)
            .with_some(name!("source"), self.source)
            .with_some(name!("status"), self.status.map(|status| SafeInteger::saturating(status.into())))
            .with_some(name!("subject"), self.subject)
            .with_some(name!("subject_tenant"), self.subject_tenant)
            .with_some(name!("tenant"), self.tenant)
            .with_some(name!("upgrade"), self.upgrade)
            .with_some(name!("user_agent"), self.user_agent)
            .end();
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
