//! The end of a request: the decision, its record, and the one command that carries it out.

use std::sync::Arc;

use portcullis_policy::decision::{Permit, Response, RuleId};
use portcullis_policy::policy::{Access, Route};
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};

use crate::audit::Sequence;
use crate::authn::error::ClaimDefect;
use crate::authn::jwt::VerifiedToken;
use crate::config::{Config, Method};
use crate::credential::{self, Location, has_cookie, without_cookies, without_parameter};
use crate::gate::body::{Body, MAX_BODY_WAIT};
use crate::gate::command::{Command, HeaderEdit};
use crate::gate::identity::Identity;
use crate::gate::recording::{Kept, Verdict};
use crate::gate::request::{Outline, Request};
use crate::gate::trial::{Opinion, Sides, locate};
use crate::gate::waiting::{Waiting, Wanted};
use crate::gate::{Denial, ExchangeId, Gate, Turn};
use crate::metrics::Metric;
use crate::time::UnixTime;

/// A verified caller: who, and by which method.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) method: usize,
    pub(super) subject: Subject,
    /// Why its groups could not be read, where the credential is good all the same.
    pub(super) groups_defect: Option<ClaimDefect>,
    /// The identity headers of a request that it makes in its own tenant.
    introduction: Vec<HeaderEdit>,
}

impl Caller {
    pub(super) fn new(method: usize, settings: &Method, token: &VerifiedToken, config: &Config) -> Caller {
        let subject = subject(settings, token);
        let identity =
            Identity { subject: &subject, tenant: subject.tenant.as_deref(), method: &settings.name };
        let introduction = config.identity_headers.introduction(identity);
        Caller { method, subject, groups_defect: token.groups().err(), introduction }
    }

    /// Of whom nothing is known.
    #[cfg(test)]
    pub(super) fn unknown(method: usize) -> Caller {
        Caller { method, subject: Subject::default(), groups_defect: None, introduction: Vec::new() }
    }
}

impl Request {
    /// What the request asks to do.
    pub fn action(&self) -> Action<'_> {
        Action::of_method(&self.method)
    }

    /// What it asks to do that to.
    pub fn resource(&self) -> Resource<'_> {
        Resource::at(&self.host, &self.target.path)
    }

    /// What else is known of the request at the time `now`.
    pub(super) fn context(&self, now: UnixTime) -> Context<'_> {
        Context {
            headers: self.headers(),
            query: self.target.query.as_deref(),
            has_body: !self.ended,
            source: self.outline.source,
            time: i64::try_from(now.seconds()).ok(),
            ..Context::default()
        }
    }
}

impl Gate {
    /// Decides a request whose caller is known, or known to be anonymous.
    pub(super) fn conclude(
        &mut self,
        exchange: ExchangeId,
        mut request: Request,
        caller: Option<Arc<Caller>>,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        let config = turn.config;
        let sides = Sides::of(config, caller.as_ref().map(|caller| &caller.subject));
        let known = turn.located.take().filter(|(of, _)| *of == exchange && sides.other.is_none());
        let located =
            known.map_or_else(|| locate(sides.deciding, &request, turn.now), |(_, located)| located);
        let body = std::mem::take(&mut request.body);
        // Who has to say who they are first learns that, and not what their body has to be like. What only the policy on trial
        // would look at holds nobody up.
        if (caller.is_some() || located.access() != Access::Required)
            && sides.deciding.needs_body(&located, request.action(), request.resource())
        {
            if body.is_awaited() {
                let deadline = turn.now.saturating_add(MAX_BODY_WAIT);
                let wanted = Wanted::Body { caller };
                request.body = body;
                return self.wait(exchange, Waiting { request, since, deadline, wanted }, turn);
            }
            if body == Body::TooLarge {
                let caller = caller.as_deref();
                return self.refuse(exchange, &request, caller, &Denial::BodyTooLarge, since, turn);
            }
        }
        let body = body.read();
        let response = sides.deciding.decide(
            &located,
            &AccessRequest {
                subject: caller.as_ref().map(|caller| &caller.subject),
                action: request.action(),
                resource: request.resource(),
                context: Context { body: body.as_ref(), ..request.context(turn.now) },
            },
        );
        let must_wait = located.waits_for_record();
        let permission = self.stream.as_ref().and_then(|_record| located.route()).and_then(Route::permission);
        let permission = permission.map(ToString::to_string);
        let opinion = self.compare(sides, &request, body.as_ref(), caller.as_deref(), &response, turn);
        let Response { outcome, reasons, tenant, cross_tenant, .. } = response;
        // Whom the other policy looks at is nobody where the deciding one looks at nobody.
        let caller = caller.filter(|_| located.access() != Access::Public);
        match outcome {
            Err(refusal) => {
                let denial = Denial::Refused(refusal);
                let because = Because {
                    rules: &reasons,
                    permission: permission.as_deref(),
                    tenant: tenant.as_deref(),
                    cross_tenant,
                    opinion: opinion.as_ref(),
                };
                self.refuse_for(exchange, &request, caller.as_deref(), because, &denial, since, turn);
            }
            Ok(permit) => {
                let edits = edits(config, &request, caller.as_deref(), tenant.as_deref());
                let granted = Granted { permit, reasons, permission, tenant, cross_tenant, edits, opinion };
                self.permit(exchange, request, caller, must_wait, granted, since, turn);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one conclusion, in one place")]
    fn permit(
        &mut self,
        exchange: ExchangeId,
        request: Request,
        caller: Option<Arc<Caller>>,
        must_wait: bool,
        granted: Granted,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        let verdict = Verdict {
            denial: None,
            rules: &granted.reasons,
            permission: granted.permission.as_deref(),
            tenant: granted.tenant.as_deref(),
            cross_tenant: granted.cross_tenant,
            opinion: granted.opinion.as_ref(),
        };
        let kept = self.keep(&request.outline, Some(&request), caller.as_deref(), &verdict, since, turn);
        let Granted { permit, edits, .. } = granted;
        match kept {
            Kept::Unavailable => self.answer(exchange, &request.outline, &Denial::AuditUnavailable, turn),
            Kept::Lost if must_wait => {
                self.answer(exchange, &request.outline, &Denial::AuditUnavailable, turn)
            }
            Kept::Sealed(sequence) if must_wait => {
                let deadline = self.acknowledgement_deadline(turn.now);
                let wanted = Wanted::Record { sequence, permit, edits, caller: caller.clone() };
                self.expedite(sequence);
                self.wait(exchange, Waiting { request, since, deadline, wanted }, turn);
            }
            Kept::NotConfigured if must_wait => {
                self.answer(exchange, &request.outline, &Denial::AuditUnavailable, turn);
            }
            Kept::Sealed(sequence) => self.resume(exchange, permit, edits, Some(sequence), turn),
            Kept::Lost | Kept::NotConfigured => self.resume(exchange, permit, edits, None, turn),
        }
        self.observe_latency(caller.as_deref(), since, turn);
    }

    /// Lets a request through; `permit` is the proof that the policy did.
    pub(super) fn resume(
        &mut self,
        exchange: ExchangeId,
        permit: Permit,
        edits: Vec<HeaderEdit>,
        record: Option<Sequence>,
        turn: &mut Turn<'_>,
    ) {
        self.count(Metric::Decisions(None), turn);
        turn.commands.push(Command::Resume { exchange, permit, edits, record });
    }

    /// Refuses a request that no rule had a part in refusing.
    pub(super) fn refuse(
        &mut self,
        exchange: ExchangeId,
        request: &Request,
        caller: Option<&Caller>,
        denial: &Denial,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        self.refuse_for(exchange, request, caller, Because::default(), denial, since, turn);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one conclusion, in one place")]
    fn refuse_for(
        &mut self,
        exchange: ExchangeId,
        request: &Request,
        caller: Option<&Caller>,
        because: Because<'_>,
        denial: &Denial,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        let own_tenant = || caller.and_then(|caller| caller.subject.tenant.as_deref());
        let Because { rules, permission, tenant, cross_tenant, opinion } = because;
        let tenant = tenant.or_else(own_tenant);
        let verdict = Verdict { denial: Some(denial), rules, permission, tenant, cross_tenant, opinion };
        let kept = self.keep(&request.outline, Some(request), caller, &verdict, since, turn);
        self.answer(exchange, &request.outline, unless_unavailable(kept, denial), turn);
        self.observe_latency(caller, since, turn);
    }

    /// Refuses a request that could not be read.
    pub(super) fn refuse_unread(
        &mut self,
        exchange: ExchangeId,
        outline: &Outline,
        denial: &Denial,
        turn: &mut Turn<'_>,
    ) {
        let verdict = Verdict {
            denial: Some(denial),
            rules: &[],
            permission: None,
            tenant: None,
            cross_tenant: false,
            opinion: None,
        };
        let kept = self.keep(outline, None, None, &verdict, turn.now, turn);
        self.answer(exchange, outline, unless_unavailable(kept, denial), turn);
    }

    fn answer(&mut self, exchange: ExchangeId, outline: &Outline, denial: &Denial, turn: &mut Turn<'_>) {
        self.count(Metric::Decisions(Some(denial.code())), turn);
        let answer = self.answers.to(denial, outline.form(&self.config.name));
        turn.commands.push(Command::Refuse { exchange, answer });
    }

    /// Nothing is told of a request that is decided as it arrives, where the clock stands still: it would be a call of the host
    /// for each. Nor of one during which the clock was set back.
    fn observe_latency(&self, caller: Option<&Caller>, since: UnixTime, turn: &mut Turn<'_>) {
        if turn.now <= since {
            return;
        }
        let elapsed = turn.now.saturating_since(since);
        let milliseconds = usize::try_from(elapsed.as_micros().div_ceil(1000)).unwrap_or(usize::MAX);
        self.record(Metric::AuthLatency(caller.map(|caller| caller.method)), milliseconds, turn);
    }
}

/// The caller that a verified token tells of, as the policy sees it.
pub fn subject(method: &Method, token: &VerifiedToken) -> Subject {
    Subject {
        id: Some(token.user_id().to_owned()),
        tenant: token.tenant().map(str::to_owned),
        roles: token.roles().to_vec(),
        scopes: token.scopes().to_vec(),
        permissions: token.permissions().to_vec(),
        groups: token.groups().unwrap_or_default().to_vec(),
        method: Some(method.name.clone()),
        key_type: method.key_type.clone(),
        attributes: token.attributes().clone(),
        ..Subject::default()
    }
}

/// The rules that refused, what the route asked for, and the tenant that it was decided in, if the policy came to that.
#[derive(Debug, Clone, Copy, Default)]
struct Because<'a> {
    rules: &'a [RuleId],
    permission: Option<&'a str>,
    tenant: Option<&'a str>,
    cross_tenant: bool,
    opinion: Option<&'a Opinion>,
}

/// What a permit comes with.
struct Granted {
    permit: Permit,
    reasons: Vec<RuleId>,
    permission: Option<String>,
    tenant: Option<String>,
    cross_tenant: bool,
    edits: Vec<HeaderEdit>,
    opinion: Option<Opinion>,
}

/// Under `when_full: refuse` a request whose record has no room gets no other answer than that.
fn unless_unavailable(kept: Kept, denial: &Denial) -> &Denial {
    match kept {
        Kept::Unavailable => &Denial::AuditUnavailable,
        Kept::Sealed(_) | Kept::Lost | Kept::NotConfigured => denial,
    }
}

/// What the upstream gets to see of a permitted request.
fn edits(
    config: &Config,
    request: &Request,
    caller: Option<&Caller>,
    tenant: Option<&str>,
) -> Vec<HeaderEdit> {
    let mut edits = config.identity_headers.removals(request.headers());
    match caller.map(|caller| (caller, config.methods.get(caller.method))) {
        Some((caller, _)) if tenant == caller.subject.tenant.as_deref() => {
            edits.extend_from_slice(&caller.introduction);
        }
        Some((caller, Some(method))) => {
            let identity = Identity { subject: &caller.subject, tenant, method: &method.name };
            edits.append(&mut config.identity_headers.introduction(identity));
        }
        Some((_, None)) | None => {}
    }
    withhold_credentials(config, request, &mut edits);
    edits
}

/// Whoever the caller is, and even if nobody looked: a credential that is not to be forwarded stays here.
fn withhold_credentials(config: &Config, request: &Request, edits: &mut Vec<HeaderEdit>) {
    let withheld = |method: &usize| config.methods.get(*method).is_some_and(|method| !method.forward);
    let mut cookies: Vec<&[u8]> = Vec::new();
    let mut query = None;
    for (_method, location) in config.locations.iter().filter(|(method, _)| withheld(method)) {
        match location {
            Location::Header { name, scheme } => {
                if credential::is_present(request.headers(), name, scheme.as_deref()) {
                    edits.push(HeaderEdit::Remove(name.as_bytes().into()));
                }
            }
            Location::Cookie { name } => {
                if has_cookie(request.headers(), name.as_bytes()) {
                    cookies.push(name.as_bytes());
                }
            }
            Location::Query { name } => {
                let before = query.take().unwrap_or_else(|| request.target.query.clone());
                query = Some(before.as_deref().and_then(|query| without_parameter(query, name)));
            }
        }
    }
    if !cookies.is_empty() {
        edits.push(match without_cookies(request.headers(), &cookies) {
            Some(rest) => HeaderEdit::set(b"cookie", &rest),
            None => HeaderEdit::Remove(b"cookie".as_slice().into()),
        });
    }
    let query = query.filter(|query| *query != request.target.query);
    if request.target.rewritten || query.is_some() {
        let mut target = request.target.clone();
        target.query = query.unwrap_or(target.query);
        edits.push(HeaderEdit::set(b":path", target.origin_form().as_bytes()));
    }
}
