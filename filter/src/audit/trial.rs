//! A candidate's part in a decision, as the record tells it. It has none in what the chain proves.

use super::members::{Canonical, Members, name};
use super::record::{MAX_LABEL_BYTES, MAX_RULE_BYTES, Outcome};
use super::text::{Text, Texts};

/// Most rules kept of one answer: the first is what it is counted by, and a record has room for all of those that counted.
pub const MAX_TRIAL_RULES: usize = 4;

/// What a candidate answered, and what came of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial<'a> {
    /// Name of the candidate.
    pub name: Text<'a, MAX_LABEL_BYTES>,
    /// Whether its answer was the one that counted.
    pub enforced: bool,
    /// What the candidate changes; nothing when both answer alike.
    pub change: Option<Change>,
    /// What the candidate answered.
    pub answer: Answer<'a>,
    /// What the live policy answered, where that did not count.
    pub live: Option<Answer<'a>>,
}

/// What one policy answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Permit or deny.
    pub outcome: Outcome,
    /// Stable code of the refusal.
    pub code: Option<Text<'a, MAX_LABEL_BYTES>>,
    /// Ids of the rules that made the answer.
    pub rules: Texts<'a, MAX_RULE_BYTES, MAX_TRIAL_RULES>,
}

/// How a candidate's answer differs from the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The live policy refuses, and the candidate permits.
    NewlyAllowed,
    /// The live policy permits, and the candidate refuses.
    NewlyDenied,
}

impl Canonical for Trial<'_> {
    fn write(&self, out: &mut String) {
        Members::of(out)
            .with_some(name!("change"), self.change.map(Change::as_str))
            .with_some(name!("code"), self.answer.code)
            .with(name!("decision"), self.answer.outcome.as_str())
            .with(name!("enforced"), self.enforced)
            .with_some(name!("live"), self.live.as_ref())
            .with(name!("name"), self.name)
            .with(name!("rules"), &self.answer.rules)
            .end();
    }
}

impl Canonical for Answer<'_> {
    fn write(&self, out: &mut String) {
        Members::of(out)
            .with_some(name!("code"), self.code)
            .with(name!("decision"), self.outcome.as_str())
            .with(name!("rules"), &self.rules)
            .end();
    }
}

impl Change {
    /// From one outcome to another, if they differ.
    pub const fn between(live: Outcome, candidate: Outcome) -> Option<Self> {
        match (live, candidate) {
            (Outcome::Deny, Outcome::Permit) => Some(Self::NewlyAllowed),
            (Outcome::Permit, Outcome::Deny) => Some(Self::NewlyDenied),
            (Outcome::Permit, Outcome::Permit) | (Outcome::Deny, Outcome::Deny) => None,
        }
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewlyAllowed => "newly_allowed",
            Self::NewlyDenied => "newly_denied",
        }
    }
}
