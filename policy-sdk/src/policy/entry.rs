//! Rules and access lists, found by what they are about: the resource in a tree, then action and principal by number.

mod body;
mod building;
mod names;
mod telling;

use std::collections::BTreeSet;

use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::condition::{Conditions, Facts, Fault, Steps, Truth};
use crate::decision::{Refusal, RuleId};
use crate::document::Effect;
use crate::limits::MAX_REASONS;
use crate::path_tree::{Match, PathTemplate, PathTree, Spellings};
use crate::request::AccessRequest;

use super::action::{Actions, MAX_WORDS, denies};
use super::caller::Caller;
use super::hash::hash_numbers;
use super::symbol::{Symbol, Symbols};
use super::vote::Votes;
use names::Names;

/// Every rule and every access list of one place of a document.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Which entries each resource has.
    tree: PathTree<Span>,
    /// Sorted by span, then by what they are about.
    entries: Vec<Entry>,
    /// The first entry of each that is about the same, and of each that is about the same action with the same effect, in
    /// spans that are too long to be read through.
    index: HashTable<u32>,
    conditioned: Vec<Conditioned>,
    /// The spans in which conditions look at the body, each by its first entry.
    body_spans: BTreeSet<u32>,
    /// Whether any of them denies.
    deny: bool,
    names: Names,
}

/// The entries of one resource.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    first: u32,
    len: u32,
}

/// One rule, or one line of an access list for one action and one principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Its action and its effect, as [`super::action::what`] has them.
    what: u32,
    principal: u32,
    /// The number of the rule, or of the line of a list, in the document's order.
    number: u32,
    /// One more than the place of its conditions; 0 for none.
    conditions: u32,
}

/// Conditions with the template whose placeholders they name.
#[derive(Debug)]
struct Conditioned {
    conditions: Conditions,
    template: PathTemplate,
}

/// What is asked of rules and lists.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) request: &'a AccessRequest<'a>,
    pub(super) actions: Actions,
    pub(super) caller: &'a Caller<'a>,
    pub(super) paths: &'a Spellings<'a>,
    pub(super) symbols: &'a Symbols,
}

/// What rules and lists say, by number, the lowest first and each list bounded.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) permit: Numbers,
    pub(super) deny: Numbers,
    /// Would permit, if it were known that their conditions hold.
    pub(super) may_permit: Numbers,
    /// Would deny, if it were known that their conditions hold.
    pub(super) may_deny: Numbers,
    /// Something permits or not, as a fact has it that is not known.
    pub(super) perhaps_permits: bool,
    /// Something denies or not, as a fact has it that is not known.
    pub(super) perhaps_denies: bool,
}

/// The lowest numbers, at most [`MAX_REASONS`].
#[derive(Debug, Default)]
pub(super) struct Numbers(SmallVec<[u32; EXPECTED_REASONS]>);

impl Numbers {
    fn add(&mut self, number: u32) {
        if let Err(place) = self.0.binary_search(&number) {
            self.0.insert(place, number);
            self.0.truncate(MAX_REASONS);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entries {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the entries say of a request.
    ///
    /// What denies is about both spellings of a path, with and without a slash at its end; what allows is about the
    /// spelling it was written for.
    pub(super) fn decide(&self, asked: Asked<'_>, steps: &mut Steps) -> Tally {
        let mut tally = Tally::default();
        for found in self.tree.all(asked.paths) {
            let is_own = found.is_own();
            if is_own || self.deny {
                self.read(*found.value, is_own, asked, steps, &mut tally);
            }
        }
        tally
    }

    /// Adds what was counted. Most of it is nothing.
    pub(super) fn vote(&self, tally: &Tally, votes: &mut Votes) {
        if !tally.permit.is_empty() {
            votes.permit(self.ids(&tally.permit));
        }
        if !tally.deny.is_empty() {
            votes.deny(self.ids(&tally.deny), Refusal::AccessDenied);
        }
        if !tally.may_permit.is_empty() {
            votes.may_permit(self.ids(&tally.may_permit));
        }
        if !tally.may_deny.is_empty() {
            votes.may_deny(self.ids(&tally.may_deny));
        }
        if tally.perhaps_permits {
            votes.perhaps_permit();
        }
        if tally.perhaps_denies {
            votes.perhaps_deny();
        }
    }

    /// Entries that would have permitted another role the same: some of them, where there are many.
    pub(super) fn for_other_roles(&self, asked: Asked<'_>) -> Numbers {
        let mut found = Numbers::default();
        for own in self.tree.all(asked.paths).filter(Match::is_own) {
            let entries = self.entries_of(*own.value);
            for what in asked.actions.of_effect(Effect::Allow) {
                let first = entries.partition_point(|entry| entry.what < what);
                let same = entries.iter().skip(first).take_while(|entry| entry.what == what);
                let others = same.take(MAX_NEAR_MISSES).filter(|entry| {
                    let principal = Symbol(entry.principal);
                    asked.symbols.is_role(principal) && !asked.caller.is(principal)
                });
                others.for_each(|entry| found.add(entry.number));
            }
        }
        found
    }

    /// The names of numbers.
    pub(super) fn ids(&self, numbers: &Numbers) -> impl Iterator<Item = RuleId> {
        numbers.0.iter().map(|number| self.names.id(*number))
    }

    fn entries_of(&self, span: Span) -> &[Entry] {
        let first = usize::try_from(span.first).unwrap_or(usize::MAX);
        let end = first.saturating_add(usize::try_from(span.len).unwrap_or(0));
        self.entries.get(first..end).unwrap_or_default()
    }

    /// Reads through a short span; in a long one looks up what the caller and the action could be. What is not about the
    /// path as it came can only deny.
    fn read(&self, span: Span, is_own: bool, asked: Asked<'_>, steps: &mut Steps, tally: &mut Tally) {
        let entries = self.entries_of(span);
        let lookups = || asked.caller.held.len().saturating_mul(MAX_WORDS);
        if entries.len() <= MAX_READ_THROUGH || entries.len() <= lookups() {
            for entry in entries.iter().filter(|entry| is_own || denies(entry.what)) {
                if let Some(effect) = asked.actions.effect_of(entry.what) {
                    let fits = asked.caller.has(Symbol(entry.principal));
                    self.count(*entry, effect, fits, is_own, asked, steps, tally);
                }
            }
            return;
        }
        let effects = if is_own { [Effect::Allow, Effect::Deny].as_slice() } else { &[Effect::Deny] };
        for effect in effects {
            self.look_up(span, *effect, is_own, asked, steps, tally);
        }
    }

    /// Looks up what the caller and the action could be.
    fn look_up(
        &self,
        span: Span,
        effect: Effect,
        is_own: bool,
        asked: Asked<'_>,
        steps: &mut Steps,
        tally: &mut Tally,
    ) {
        let end = usize::try_from(span.first.saturating_add(span.len)).unwrap_or(0);
        for what in asked.actions.of_effect(effect) {
            if self.first_of(span, what, None).is_none() {
                continue;
            }
            let mut look_up = |Symbol(principal): Symbol, fits: Truth| {
                // To the end of this span: what follows is about another resource, and may be about the same otherwise.
                let first = self.first_of(span, what, Some(principal));
                let rest = first.and_then(|first| self.entries.get(first..end)).unwrap_or_default();
                let same = rest.iter().take_while(|entry| (entry.what, entry.principal) == (what, principal));
                let mut found = false;
                for entry in same {
                    found = true;
                    self.count(*entry, effect, fits, is_own, asked, steps, tally);
                }
                found
            };
            asked.caller.held.for_each(|principal| {
                look_up(principal, Truth::True);
            });
            asked.caller.perhaps.any(|principal| look_up(principal, Truth::Unknown(Fault::NotKnown)));
        }
    }

    /// The place of the first entry about this in a long span; of any about this action and effect, with no principal.
    fn first_of(&self, span: Span, what: u32, principal: Option<u32>) -> Option<usize> {
        let hash = hash_numbers([span.first, what, principal.unwrap_or(ANY_PRINCIPAL)]);
        let place = self.index.find(hash, |place| {
            let entry = usize::try_from(*place).ok().and_then(|place| self.entries.get(place));
            entry.is_some_and(|entry| {
                entry.what == what && principal.is_none_or(|principal| principal == entry.principal)
            }) && (span.first..span.first.saturating_add(span.len)).contains(place)
        });
        usize::try_from(*place?).ok()
    }

    /// Counts what an entry says that is about the caller, if `fits` holds.
    #[expect(clippy::too_many_arguments, reason = "the parts of one question, and where its answer goes")]
    fn count(
        &self,
        entry: Entry,
        effect: Effect,
        fits: Truth,
        is_own: bool,
        asked: Asked<'_>,
        steps: &mut Steps,
        tally: &mut Tally,
    ) {
        if fits == Truth::False {
            return;
        }
        let truth = match steps.spend(1) {
            Ok(()) => Truth::all([fits, self.truth(entry, is_own, asked, steps)]),
            Err(fault) => Truth::Unknown(fault),
        };
        match (effect, truth) {
            (Effect::Allow, Truth::True) => tally.permit.add(entry.number),
            (Effect::Deny, Truth::True) => tally.deny.add(entry.number),
            (Effect::Allow, Truth::Unknown(Fault::NotKnown)) => tally.perhaps_permits = true,
            (Effect::Deny, Truth::Unknown(Fault::NotKnown)) => tally.perhaps_denies = true,
            (Effect::Allow, Truth::Unknown(_)) => tally.may_permit.add(entry.number),
            (Effect::Deny, Truth::Unknown(_)) => tally.may_deny.add(entry.number),
            (Effect::Allow | Effect::Deny, Truth::False) => {}
        }
    }

    fn truth(&self, entry: Entry, is_own: bool, asked: Asked<'_>, steps: &mut Steps) -> Truth {
        let Some(place) = entry.conditions.checked_sub(1) else { return Truth::True };
        let conditioned = usize::try_from(place).ok().and_then(|place| self.conditioned.get(place));
        // There are none that cannot be found; if there were, nobody could say that an entry that denies does not.
        let Some(Conditioned { conditions, template }) = conditioned else {
            return Truth::Unknown(Fault::Missing);
        };
        let path = if is_own { Some(asked.paths.own()) } else { asked.paths.twin() };
        let captures = path.and_then(|path| template.captures(path));
        conditions.evaluate(&Facts { request: asked.request, tenant: asked.caller.tenant, captures }, steps)
    }
}

/// Entries of one resource that are read through one by one: about as dear as the lookups they replace.
const MAX_READ_THROUGH: usize = 16;

/// No principal's number: a document is too short for so many names.
const ANY_PRINCIPAL: u32 = u32::MAX;

/// Rules that most decisions rest on at most: room for them is on the stack.
const EXPECTED_REASONS: usize = 4;

/// Entries that are looked at for one action to tell a caller that another role would do: a courtesy has its price.
const MAX_NEAR_MISSES: usize = 256;
