//! What the parts of a policy say of a request, combined with deny-overrides (XACML 3.0, appendix C.2).

use crate::decision::{Refusal, RuleId};
use crate::limits::MAX_REASONS;

/// What has been said so far. The order of saying chooses the order of reasons, and never the answer.
#[derive(Debug, Default)]
pub(super) struct Votes {
    permits: Vec<RuleId>,
    /// Absent in most decisions.
    others: Option<Box<Others>>,
    /// Something permits or not, as a fact has it that is not known.
    perhaps_permits: bool,
    /// Something denies or not, as a fact has it that is not known.
    perhaps_denies: bool,
}

/// What does not permit.
#[derive(Debug, Default)]
struct Others {
    denials: Vec<RuleId>,
    /// What is answered when something denies: the first denial's.
    refusal: Option<Refusal>,
    /// Might have permitted.
    may_permit: Vec<RuleId>,
    /// Might have denied.
    may_deny: Vec<RuleId>,
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
        let others = self.others.get_or_insert_default();
        keep(&mut others.denials, ids);
        others.refusal.get_or_insert(refusal);
    }

    pub(super) fn may_permit(&mut self, ids: impl IntoIterator<Item = RuleId>) {
        keep(&mut self.others.get_or_insert_default().may_permit, ids);
    }

    pub(super) fn may_deny(&mut self, ids: impl IntoIterator<Item = RuleId>) {
        keep(&mut self.others.get_or_insert_default().may_deny, ids);
    }

    pub(super) fn perhaps_permit(&mut self) {
        self.perhaps_permits = true;
    }

    pub(super) fn perhaps_deny(&mut self) {
        self.perhaps_denies = true;
    }

    /// What is not known counts only where it could make a refusal of a permit, or a permit of a refusal.
    pub(super) fn conclude(self) -> Verdict {
        let Votes { permits, others, perhaps_permits, perhaps_denies } = self;
        let others = others.map(|others| *others).unwrap_or_default();
        if let Some(refusal) = others.refusal {
            Verdict::Deny(refusal, others.denials)
        } else if !others.may_deny.is_empty() {
            Verdict::Indeterminate(others.may_deny)
        } else if perhaps_denies && (perhaps_permits || !permits.is_empty()) {
            Verdict::NotKnown
        } else if !permits.is_empty() {
            Verdict::Permit(permits)
        } else if perhaps_permits {
            Verdict::NotKnown
        } else if !others.may_permit.is_empty() {
            Verdict::Indeterminate(others.may_permit)
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
