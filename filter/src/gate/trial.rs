//! A candidate beside the live policy: which of the two answers, what the other would have said, and what differs.
//!
//! The other's answer is looked at, counted and recorded. Nothing of it reaches the request: its permit is dropped here.

use std::sync::Arc;

use portcullis_policy::decision::{Decision, Response, RuleId};
use portcullis_policy::policy::{Access, Located, Policy};
use portcullis_policy::request::{AccessRequest, Context, Subject};
use serde_json::Value;

use crate::audit::{Answer, Change, Outcome, Trial};
use crate::authn::error::{AuthnError, ClaimDefect};
use crate::config::Config;
use crate::credential::{self, Found};
use crate::gate::authentication::Attempt;
use crate::gate::conclusion::Caller;
use crate::gate::recording::Verdict;
use crate::gate::request::Request;
use crate::gate::verified_tokens::Known;
use crate::gate::{Code, Gate, Turn};
use crate::metrics::{Metric, Trialled};
use crate::time::UnixTime;

/// The policies of a document, as one caller meets them.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    /// The one whose answer counts.
    pub(super) deciding: &'a Policy,
    /// The one whose answer is only compared.
    pub(super) other: Option<&'a Policy>,
    /// Whether it is the candidate that decides.
    pub(super) enforced: bool,
}

impl<'a> Sides<'a> {
    /// Where `subject` stands; nobody stands where everyone does.
    pub(super) fn of(config: &'a Config, subject: Option<&Subject>) -> Sides<'a> {
        let live = &config.policy;
        match config.candidate.as_ref().zip(live.candidate()) {
            Some((settings, candidate)) if !config.authentication_disabled => {
                let enforced = settings.share.holds(subject);
                let (deciding, other) = if enforced { (candidate, live) } else { (live, candidate) };
                Sides { deciding, other: Some(other), enforced }
            }
            Some(_) | None => Sides { deciding: live, other: None, enforced: false },
        }
    }
}

/// What the policy said whose answer does not count.
#[derive(Debug)]
pub(super) struct Opinion {
    outcome: Outcome,
    code: Option<&'static str>,
    is_error: bool,
    rules: Vec<RuleId>,
    /// Whether the candidate decided, and this is what the live policy said.
    enforced: bool,
}

impl Opinion {
    fn of(response: Response, enforced: bool) -> Opinion {
        let is_error = response.decision == Decision::Indeterminate;
        let (outcome, code) = match &response.outcome {
            Ok(_unused) => (Outcome::Permit, None),
            Err(refusal) => (Outcome::Deny, Some(refusal.code())),
        };
        Opinion { outcome, code, is_error, rules: response.reasons, enforced }
    }

    fn unreadable(enforced: bool) -> Opinion {
        let code = Some(Code::InvalidToken.as_str());
        Opinion { outcome: Outcome::Deny, code, is_error: false, rules: Vec::new(), enforced }
    }

    fn answer(&self) -> Answer<'_> {
        Answer { outcome: self.outcome, code: self.code.map(Into::into), rules: texts(&self.rules) }
    }

    /// For the record, where there is something to tell: the answers differ, or the candidate's counted.
    pub(super) fn record<'a>(&'a self, config: &'a Config, verdict: &Verdict<'a>) -> Option<Box<Trial<'a>>> {
        let counted = Answer {
            outcome: outcome(verdict),
            code: verdict.denial.map(|denial| denial.code().as_str().into()),
            rules: texts(verdict.rules),
        };
        let (answer, live) = if self.enforced { (counted, self.answer()) } else { (self.answer(), counted) };
        let change = Change::between(live.outcome, answer.outcome);
        let name = config.candidate.as_ref()?.name.as_str().into();
        let live = self.enforced.then_some(live);
        (self.enforced || change.is_some())
            .then(|| Box::new(Trial { name, enforced: self.enforced, change, answer, live }))
    }
}

impl Gate {
    /// What the other policy says of a request that the deciding one has answered; counts what the candidate changes.
    pub(super) fn compare(
        &self,
        sides: Sides<'_>,
        request: &Request,
        body: Option<&Value>,
        caller: Option<&Caller>,
        response: &Response,
        turn: &mut Turn<'_>,
    ) -> Option<Opinion> {
        let opinion = opinion(sides, request, body, caller, turn.now)?;
        let deciding = if response.outcome.is_ok() { Outcome::Permit } else { Outcome::Deny };
        let (live, candidate, rules, is_error, code) = if sides.enforced {
            let refusal = response.outcome.as_ref().err();
            let is_error = response.decision == Decision::Indeterminate;
            (opinion.outcome, deciding, &response.reasons, is_error, refusal.map(|refusal| refusal.code()))
        } else {
            (deciding, opinion.outcome, &opinion.rules, opinion.is_error, opinion.code)
        };
        self.count(Metric::CandidateDecisions(sides.enforced), turn);
        let change = Change::between(live, candidate).map(|change| match change {
            Change::NewlyAllowed => Trialled::NewlyAllowed,
            Change::NewlyDenied => Trialled::NewlyDenied,
        });
        for what in change.into_iter().chain(is_error.then_some(Trialled::Error)) {
            // The first rule that made the candidate's answer; where none did, the code of its refusal.
            let cause = rules.first().map(RuleId::as_str).or(code).unwrap_or_default();
            self.count(Metric::CandidateChanges(what, self.metrics.rule(cause)), turn);
        }
        Some(opinion)
    }

    /// The caller of a request that the deciding policy looks at nobody for, where the other one would: known if its
    /// credential is good and the keys are at hand, and otherwise nobody. It is refused nothing and waits for nothing.
    pub(super) fn recognise(&mut self, request: &Request, turn: &Turn<'_>) -> Option<Arc<Caller>> {
        let config = Arc::clone(&self.config);
        let other = Sides::of(&config, None).other?;
        if locate(other, request, turn.now).access() == Access::Public {
            return None;
        }
        let locations = config.locations.iter().enumerate().map(|(place, (_, location))| (place, location));
        let found = credential::find(locations, request.headers(), request.target.query.as_deref());
        let Found::One(credential, places) = found else { return None };
        let (token, now) = (credential.expose(), turn.now);
        let method = self.authenticator.choose(&places, &credential)?;
        match self.authenticator.recall(method, token, now) {
            Some(Known::Caller(caller)) => return Some(caller),
            Some(Known::Expired) => return None,
            None => {}
        }
        match self.authenticator.attempt(method, token, now, turn.crypto, true) {
            Attempt::Verified(verified) => {
                let caller = Arc::new(Caller::new(method, config.methods.get(method)?, &verified, &config));
                self.authenticator.remember(token, &caller, now, verified.valid_until());
                Some(caller)
            }
            Attempt::Failed(_) | Attempt::NeedsKeys | Attempt::Unavailable(_) => None,
        }
    }

    /// What makes a good credential one that the deciding policy cannot use, where only one of the two policies needs it.
    pub(super) fn defect(&self, caller: &Caller, request: &Request, now: UnixTime) -> Option<AuthnError> {
        let deciding = Sides::of(&self.config, Some(&caller.subject)).deciding;
        let defect = caller.defect_for(deciding)?;
        let access = locate(deciding, request, now).access();
        (access != Access::Public).then_some(AuthnError::Claim(defect))
    }
}

impl Caller {
    /// What of its claims cannot be read that `policy` needs.
    fn defect_for(&self, policy: &Policy) -> Option<ClaimDefect> {
        self.groups_defect.filter(|_| policy.needs_more_of_subjects())
    }
}

/// Where `request` goes by `policy`.
pub(super) fn locate<'a>(policy: &'a Policy, request: &Request, now: UnixTime) -> Located<'a> {
    policy.locate(request.action(), request.resource(), &request.context(now))
}

fn opinion(
    sides: Sides<'_>,
    request: &Request,
    body: Option<&Value>,
    caller: Option<&Caller>,
    now: UnixTime,
) -> Option<Opinion> {
    let other = sides.other?;
    let context = Context { body, ..request.context(now) };
    let located = other.locate(request.action(), request.resource(), &context);
    let is_public = located.access() == Access::Public;
    if !is_public && caller.is_some_and(|caller| caller.defect_for(other).is_some()) {
        return Some(Opinion::unreadable(sides.enforced));
    }
    let subject = caller.map(|caller| &caller.subject);
    let (action, resource) = (request.action(), request.resource());
    let response = other.decide(&located, &AccessRequest { subject, action, resource, context });
    Some(Opinion::of(response, sides.enforced))
}

fn outcome(verdict: &Verdict<'_>) -> Outcome {
    if verdict.denial.is_some() { Outcome::Deny } else { Outcome::Permit }
}

fn texts<const BYTES: usize, const ITEMS: usize>(rules: &[RuleId]) -> crate::audit::Texts<'_, BYTES, ITEMS> {
    rules.iter().map(RuleId::as_str).collect()
}
