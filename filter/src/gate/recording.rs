//! The record of every decision, and its way to the sink.

use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::decision::RuleId;
use portcullis_policy::request::Context;

use crate::audit::{
    Appended, AuthenticationDisabled, Batch, BatchId, Decision, Digest, Open, Outcome, Record, Sequence,
    Stream, StreamId,
};
use crate::config::{AuditConfig, Config};
use crate::gate::callout::Purpose;
use crate::gate::command::{Callout, CalloutId, Command, LogLevel};
use crate::gate::conclusion::Caller;
use crate::gate::request::{Outline, Request};
use crate::gate::trial::Opinion;
use crate::gate::waiting::{Waiting, Wanted};
use crate::gate::{CalloutReply, Denial, Gate, Turn};
use crate::metrics::{Done, Metric};
use crate::time::UnixTime;

/// What was decided, as the record tells it.
pub(super) struct Verdict<'a> {
    pub(super) denial: Option<&'a Denial>,
    /// The permission that the route asks for.
    pub(super) permission: Option<&'a str>,
    pub(super) rules: &'a [RuleId],
    pub(super) tenant: Option<&'a str>,
    pub(super) cross_tenant: bool,
    /// What the policy said whose answer does not count.
    pub(super) opinion: Option<&'a Opinion>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is in the chain.
    Sealed(Sequence),
    /// It was dropped because the document says so; the chain will tell.
    Lost,
    /// It could not be kept, and the document says to refuse the request.
    Unavailable,
    /// The document asks for no record.
    NotConfigured,
}

/// Opens the stream that the document asks for.
pub(super) fn open(config: &Config, id: StreamId, now: UnixTime) -> Option<Stream> {
    let audit = config.audit.as_ref()?;
    let open = Open {
        module_version: env!("CARGO_PKG_VERSION").into(),
        policy: config.name.as_str().into(),
        policy_digest: audit.policy_digest,
    };
    Some(Stream::open(id, audit.settings, open, now))
}

/// Puts it on record that authentication is off.
pub(super) fn authentication_disabled(config: &Config, stream: Option<&mut Stream>, now: UnixTime) {
    if let (Some(stream), Some(audit)) = (stream, &config.audit) {
        let record = Record::AuthenticationDisabled(AuthenticationDisabled {
            policy: config.name.as_str().into(),
            policy_digest: audit.policy_digest,
        });
        // A stream that was just opened has room, and no request is there to be refused.
        let _appended = stream.append(&record, now);
    }
}

impl Gate {
    /// Puts a decision into the chain.
    pub(super) fn keep(
        &mut self,
        outline: &Outline,
        request: Option<&Request>,
        caller: Option<&Caller>,
        verdict: &Verdict<'_>,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) -> Kept {
        let config = Arc::clone(&self.config);
        let (Some(stream), Some(audit)) = (&mut self.stream, &config.audit) else {
            return Kept::NotConfigured;
        };
        let latency = turn.now.saturating_since(since);
        let upgrade = request.and_then(upgrade);
        let asked = Asked { outline, request, upgrade: upgrade.as_deref(), latency };
        let record = decision(&config, audit.policy_digest, &asked, caller, verdict);
        let of_stranger = caller.is_none() && verdict.denial.is_some();
        let appended = if of_stranger {
            stream.append_refusal_of_stranger(&record, turn.now)
        } else {
            stream.append(&record, turn.now)
        };
        match appended {
            Ok(Appended::Sealed(sequence)) => Kept::Sealed(sequence),
            Ok(Appended::Dropped) => Kept::Lost,
            Err(_not_recorded) => Kept::Unavailable,
        }
    }

    /// Takes back what a record said of a request that did not go on after all. There is no request left to refuse, so a
    /// record that has no room here is counted as lost and nothing more.
    pub(super) fn record_unperformed(&mut self, sequence: Sequence, turn: &Turn<'_>) {
        if let Some(stream) = &mut self.stream {
            let _appended = stream.append(&Record::Unperformed(sequence), turn.now);
        }
    }

    pub(super) fn expedite(&mut self, sequence: Sequence) {
        if let Some(stream) = &mut self.stream {
            stream.expedite(sequence);
        }
    }

    /// How long a request may wait for its record: for a batch that is out already, and then for its own.
    pub(super) fn acknowledgement_deadline(&self, now: UnixTime) -> UnixTime {
        let timeout = self.config.audit.as_ref().map_or(Duration::ZERO, |audit| audit.timeout);
        now.saturating_add(timeout.saturating_mul(2))
    }

    /// Sends the batch that is due, if there is one, and counts what waits.
    pub(super) fn flush_records(&mut self, turn: &mut Turn<'_>) {
        let config = Arc::clone(&self.config);
        let (Some(stream), Some(audit)) = (&mut self.stream, &config.audit) else { return };
        if let Some(batch) = stream.next_batch(turn.now) {
            let id = self.next_callout(Purpose::Records { batch: batch.id }, audit.timeout, turn.now);
            turn.commands.push(Command::Dispatch(batch_request(id, audit, batch)));
        }
        self.count_lost(turn);
    }

    fn count_lost(&mut self, turn: &mut Turn<'_>) {
        let lost = self.stream.as_ref().map_or(0, |stream| stream.pending().lost);
        while self.lost_counted < lost {
            self.lost_counted = self.lost_counted.saturating_add(1);
            self.count(Metric::AuditLost, turn);
        }
    }

    /// The sink has answered, or has not.
    pub(super) fn records_answered(&mut self, batch: BatchId, reply: &CalloutReply, turn: &mut Turn<'_>) {
        let Some(stream) = &mut self.stream else { return };
        let acknowledged = matches!(reply, CalloutReply::Answered { status: 200..=299, .. });
        // An answer to a batch that nobody waits for changes nothing, and is no acknowledgement.
        let known =
            if acknowledged { stream.acknowledged(batch, turn.now) } else { stream.failed(batch, turn.now) };
        if known.is_err() {
            return;
        }
        self.count(Metric::AuditBatches(if acknowledged { Done::Success } else { Done::Failure }), turn);
        if !acknowledged && batch.attempt == 0 {
            turn.log(
                LogLevel::Warn,
                "audit: the sink did not acknowledge a batch; it will be sent again".to_owned(),
            );
        }
        self.release_acknowledged(turn);
        if self.retired_at.is_some() {
            self.release_if_done(turn);
        }
    }

    fn release_acknowledged(&mut self, turn: &mut Turn<'_>) {
        let acknowledged_up_to = |stream: &Stream, waiting: &Waiting| match &waiting.wanted {
            Wanted::Record { sequence, .. } => stream.is_acknowledged(*sequence),
            Wanted::Keys { .. } | Wanted::Body { .. } => false,
        };
        let Some(stream) = self.stream.take() else { return };
        let woken = self.wake(|waiting| acknowledged_up_to(&stream, waiting));
        self.stream = Some(stream);
        for (exchange, waiting) in woken {
            if let Wanted::Record { sequence, permit, edits, .. } = waiting.wanted {
                self.resume(exchange, permit, edits, Some(sequence), turn);
            }
        }
    }
}

/// What was asked, and how long it took.
struct Asked<'a> {
    outline: &'a Outline,
    request: Option<&'a Request>,
    upgrade: Option<&'a str>,
    latency: Duration,
}

fn decision<'a>(
    config: &'a Config,
    policy_digest: Digest,
    asked: &Asked<'a>,
    caller: Option<&'a Caller>,
    verdict: &Verdict<'a>,
) -> Record<'a> {
    let Asked { outline, request, upgrade, latency } = *asked;
    let subject = caller.map(|caller| &caller.subject);
    let method = caller.and_then(|caller| config.methods.get(caller.method));
    let user_agent =
        request.and_then(|request| std::str::from_utf8(request.headers().values(b"user-agent").next()?).ok());
    let own_tenant = subject.and_then(|subject| subject.tenant.as_deref());
    let code = verdict.denial.map(Denial::code);
    let named = request.and_then(|request| request.action().name());
    Record::Decision(Box::new(Decision {
        request_id: outline.request_id().map(Into::into),
        method: outline.method.as_deref().map(Into::into),
        host: outline.host.as_deref().map(Into::into),
        path: request.map(|request| request.target.path.as_str().into()),
        path_normalized: request.is_some_and(|request| request.target.normalized.iter().next().is_some()),
        upgrade: upgrade.map(Into::into),
        source: outline.source,
        user_agent: user_agent.map(Into::into),
        subject: subject.and_then(|subject| subject.id.as_deref()).map(Into::into),
        tenant: verdict.tenant.map(Into::into),
        subject_tenant: own_tenant.filter(|_| verdict.cross_tenant).map(Into::into),
        default_tenant: !verdict.cross_tenant && own_tenant.is_none() && verdict.tenant.is_some(),
        authentication: method.map(|method| method.name.as_str().into()),
        roles: subject.into_iter().flat_map(|subject| &subject.roles).map(String::as_str).collect(),
        action: verdict.permission.or(named).map(Into::into),
        outcome: if verdict.denial.is_some() { Outcome::Deny } else { Outcome::Permit },
        code: code.map(|code| code.as_str().into()),
        reason: verdict.denial.and_then(Denial::reason).map(Into::into),
        status: code.map(|code| code.status()),
        rules: verdict.rules.iter().map(RuleId::as_str).collect(),
        policy: config.name.as_str().into(),
        policy_digest,
        latency,
        cross_tenant: verdict.cross_tenant,
        candidate: verdict.opinion.and_then(|opinion| opinion.record(config, verdict)),
    }))
}

/// The protocol that a request asks for. Several that do not agree are told as they came: none of them is permitted.
fn upgrade(request: &Request) -> Option<String> {
    let context = Context { headers: request.headers(), ..Context::default() };
    let mut lines: Vec<String> = context
        .asks_for_upgrade()
        .then(|| {
            context.header_values("upgrade").map(|line| String::from_utf8_lossy(line.trim_ascii()).into())
        })
        .into_iter()
        .flatten()
        .collect();
    lines.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn batch_request(id: CalloutId, audit: &AuditConfig, batch: Batch) -> Callout {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":authority", &audit.authority),
        header(":path", &audit.path),
    ];
    headers.extend(batch.headers().into_iter().map(|(name, value)| (name.to_owned(), value)));
    Callout { id, cluster: audit.cluster.clone(), headers, body: batch.body, timeout: audit.timeout }
}
