//! What the parts of a policy say of a request, combined with deny-overrides (XACML 3.0, appendix C.2).

use crate::decision::{Refusal, RuleId};
use crate::limits::MAX_REASONS;

/// What has been said so far. The order of saying chooses the order of reasons, and never the answer.
#[derive(Debug, Default)]
pub(super) struct Votes {
    pub(super) permits: Vec<RuleId>,
    pub(super) denials: Vec<RuleId>,
    /// What is answered when something denies: the first denial's.
    pub(super) refusal: Option<Refusal>,
    /// Might have permitted.
    pub(super) may_permit: Vec<RuleId>,
    /// Might have denied.
    pub(super) may_deny: Vec<RuleId>,
    /// Something permits or not, as a fact has it that is not known.
    perhaps_permits: bool,
    /// Something denies or not, as a fact has it that is not known.
    perhaps_denies: bool,
}

/// What the votes come to.
#[derive(Debug)]
pub(super) enum Verdict {
    Permit(Vec<RuleId>),
    Deny(Refusal, Vec<RuleId>),
    Indeterminate(Vec<RuleId>),
    NotApplicable,
    /// It depends on facts that are not known.
    NotKnown,
}

impl Votes {
    pub(super) fn permit(&mut self, ids: impl IntoIterator<Item = RuleId>) {
        keep(&mut self.permits, ids);
    }

    pub(super) fn deny(&mut self, ids: impl IntoIterator<Item = RuleId>, refusal: Refusal) {
        keep(&mut self.denials, ids);
        self.refusal.get_or_insert(refusal);
    }

    /// Rules that deny, if there are any.
    pub(super) fn deny_if(&mut self, ids: impl IntoIterator<Item = RuleId>) {
        let mut ids = ids.into_iter().peekable();
        if ids.peek().is_some() {
            self.deny(ids, Refusal::AccessDenied);
        }
    }

    pub(super) fn may_permit(&mut self, ids: impl IntoIterator<Item = RuleId>) {
        keep(&mut self.may_permit, ids);
    }

    pub(super) fn may_deny(&mut self, ids: impl IntoIterator<Item = RuleId>) {
        keep(&mut self.may_deny, ids);
    }

    pub(super) fn perhaps_permit(&mut self) {
        self.perhaps_permits = true;
    }

    pub(super) fn perhaps_deny(&mut self) {
        self.perhaps_denies = true;
    }

    /// What is not known counts only where it could make a refusal of a permit, or a permit of a refusal.
    pub(super) fn conclude(self) -> Verdict {
        if let Some(refusal) = self.refusal {
            Verdict::Deny(refusal, self.denials)
        } else if !self.may_deny.is_empty() {
            Verdict::Indeterminate(self.may_deny)
        } else if self.perhaps_denies && (self.perhaps_permits || !self.permits.is_empty()) {
            Verdict::NotKnown
        } else if !self.permits.is_empty() {
            Verdict::Permit(self.permits)
        } else if self.perhaps_permits {
            Verdict::NotKnown
        } else if !self.may_permit.is_empty() {
            Verdict::Indeterminate(self.may_permit)
        } else {
            Verdict::NotApplicable
        }
    }
}

fn keep(kept: &mut Vec<RuleId>, ids: impl IntoIterator<Item = RuleId>) {
    for id in ids {
        if kept.len() < MAX_REASONS && !kept.contains(&id) {
            kept.push(id);
        }
    }
}
