//! What a policy answers otherwise than before, counted and grouped by what is responsible.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::recorded::{Asked, Foreseen, Recorded};

/// Everything that was compared.
#[derive(Default)]
pub(crate) struct Comparison {
    pub(super) unchanged: u64,
    pub(super) groups: BTreeMap<Group, Examples>,
    /// Requests of groups beyond [`MAX_GROUPS`], by change.
    pub(super) ungrouped: BTreeMap<Change, u64>,
    /// Requests that no policy was asked about, by the reason.
    pub(super) left_out: BTreeMap<String, u64>,
}

/// What became of an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    NewlyAllowed,
    NewlyDenied,
    Otherwise,
    Open,
}

/// Requests that changed in the same way for the same reason.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) change: Change,
    /// What was answered; empty where one of the two answers cannot be known.
    pub(super) was: String,
    pub(super) now: String,
    /// The rules responsible; of what cannot be known, the facts that are missing.
    pub(super) by: Vec<String>,
}

/// The requests of a group.
#[derive(Default)]
pub(super) struct Examples {
    pub(super) count: u64,
    /// The first lines, at most [`MAX_LINES`].
    pub(super) lines: Vec<u64>,
    /// The request of the first line.
    pub(super) first: String,
}

/// Groups told apart: more than anybody reads, and few enough to keep.
const MAX_GROUPS: usize = 1_000;
/// Lines named of each group.
const MAX_LINES: usize = 100;

impl Comparison {
    /// Notes a request that no policy is asked about.
    pub(super) fn leave_out(&mut self, reason: String) {
        let count = self.left_out.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Notes what became of the answer to `asked`, which stood at `line`.
    pub(super) fn add(&mut self, line: u64, asked: &Asked, was: &Foreseen, now: &Foreseen) {
        let Some(group) = compare(was, now) else {
            self.unchanged = self.unchanged.saturating_add(1);
            return;
        };
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&group) {
            let count = self.ungrouped.entry(group.change).or_default();
            *count = count.saturating_add(1);
            return;
        }
        let examples = self.groups.entry(group).or_default();
        if examples.count == 0 {
            examples.first = asked.shown();
        }
        examples.count = examples.count.saturating_add(1);
        if examples.lines.len() < MAX_LINES {
            examples.lines.push(line);
        }
    }

    /// How many answers changed in this way.
    pub(super) fn count(&self, change: Change) -> u64 {
        let grouped = self.groups.iter().filter(|(group, _)| group.change == change);
        let ungrouped = self.ungrouped.get(&change).copied().unwrap_or_default();
        grouped.map(|(_, examples)| examples.count).fold(ungrouped, u64::saturating_add)
    }

    /// How many requests were asked.
    pub(super) fn asked(&self) -> u64 {
        Change::ALL.into_iter().map(|change| self.count(change)).fold(self.unchanged, u64::saturating_add)
    }

    /// Whether an answer changed.
    pub(crate) fn has_changes(&self) -> bool {
        [Change::NewlyAllowed, Change::NewlyDenied, Change::Otherwise]
            .into_iter()
            .any(|change| self.count(change) > 0)
    }

    /// Whether an answer cannot be known.
    pub(crate) fn is_open(&self) -> bool {
        self.count(Change::Open) > 0
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let groups = self.groups.iter().map(|(group, examples)| {
            let mut said = json!({
                "change": group.change.as_str(),
                "requests": examples.count,
                "lines": examples.lines,
                "example": examples.first,
            });
            let why = match group.change {
                Change::Open => json!({ "missing": group.by }),
                Change::NewlyAllowed | Change::NewlyDenied | Change::Otherwise => {
                    json!({ "was": group.was, "now": group.now, "rules": group.by })
                }
            };
            if let (Some(members), Value::Object(why)) = (said.as_object_mut(), why) {
                members.extend(why);
            }
            said
        });
        let counts = Change::ALL.map(|change| (change.as_str().to_owned(), Value::from(self.count(change))));
        json!({
            "asked": self.asked(),
            "unchanged": self.unchanged,
            "changes": Value::Object(counts.into_iter().collect()),
            "groups": groups.collect::<Vec<_>>(),
            "left_out": self.left_out,
        })
    }
}

impl Change {
    pub(super) const ALL: [Change; 4] =
        [Change::NewlyAllowed, Change::NewlyDenied, Change::Otherwise, Change::Open];

    /// In JSON.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Change::NewlyAllowed => "newly_allowed",
            Change::NewlyDenied => "newly_denied",
            Change::Otherwise => "answered_otherwise",
            Change::Open => "cannot_be_known",
        }
    }

    /// For people.
    pub(super) fn in_words(self) -> String {
        self.as_str().replace('_', " ")
    }
}

/// What changed, if anything did.
fn compare(was: &Foreseen, now: &Foreseen) -> Option<Group> {
    let group = |change, by: &[String]| {
        Some(Group { change, was: in_words(was), now: in_words(now), by: by.to_vec() })
    };
    let (was_permit, now_permit) = match (was.is_permit(), now.is_permit()) {
        (Some(was), Some(now)) => (was, now),
        (None, _) | (_, None) => {
            let missed: BTreeSet<String> = missed(was).chain(missed(now)).collect();
            let by = missed.into_iter().collect();
            return Some(Group { change: Change::Open, was: String::new(), now: String::new(), by });
        }
    };
    let by: &[String] = match now {
        Foreseen::Exact { rules, .. } => rules,
        Foreseen::Settled { .. } | Foreseen::Open { .. } => &[],
    };
    match (was_permit, now_permit) {
        (false, true) => group(Change::NewlyAllowed, by),
        (true, false) => group(Change::NewlyDenied, by),
        (true, true) | (false, false) => match (was, now) {
            (Foreseen::Exact { answer: was, .. }, Foreseen::Exact { answer: now, .. })
                if !was.is_same_as(now) =>
            {
                group(Change::Otherwise, by)
            }
            _same_or_not_told => None,
        },
    }
}

impl Foreseen {
    fn is_permit(&self) -> Option<bool> {
        match self {
            Foreseen::Exact { answer, .. } => Some(answer.code.is_none()),
            Foreseen::Settled { is_permit, .. } => Some(*is_permit),
            Foreseen::Open { .. } => None,
        }
    }
}

impl Recorded {
    /// Whether the answers are the same in all that both tell.
    fn is_same_as(&self, other: &Recorded) -> bool {
        let differ =
            |one: Option<bool>, other: Option<bool>| one.zip(other).is_some_and(|(one, other)| one != other);
        let tenants = self.tenant.as_ref().zip(other.tenant.as_ref());
        self.code == other.code
            && !differ(self.cross_tenant, other.cross_tenant)
            && tenants.is_none_or(|(one, other)| one == other)
    }
}

fn missed(foreseen: &Foreseen) -> impl Iterator<Item = String> {
    let missed = match foreseen {
        Foreseen::Open { missed } => Some(missed),
        Foreseen::Exact { .. } | Foreseen::Settled { .. } => None,
    };
    missed.into_iter().flatten().cloned()
}

fn in_words(foreseen: &Foreseen) -> String {
    match foreseen {
        Foreseen::Exact { answer: Recorded { code: Some(code), .. }, .. } => code.clone(),
        Foreseen::Exact { answer: Recorded { code: None, cross_tenant, tenant }, .. } => {
            match (cross_tenant, tenant) {
                (Some(true), Some(Some(tenant))) => format!("permit, across tenants in {tenant}"),
                (_, Some(Some(tenant))) => format!("permit, tenant {tenant}"),
                (_, _) => "permit".to_owned(),
            }
        }
        Foreseen::Settled { is_permit: true, .. } => "permit".to_owned(),
        Foreseen::Settled { is_permit: false, .. } => "refused".to_owned(),
        Foreseen::Open { .. } => String::new(),
    }
}
