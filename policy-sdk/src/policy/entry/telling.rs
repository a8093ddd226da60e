//! What a witness is told of rules and lists: those that fit, and those that would have for another role.

use std::collections::BTreeMap;

use crate::condition::{Facts, Steps, Truth};
use crate::document::Effect;
use crate::explain::{Node, Verdict};
use crate::limits::MAX_EXPLAINED_ENTRIES;

use super::super::symbol::Symbol;
use super::super::telling;
use super::{Asked, Conditioned, Entries, Entry};

impl Entries {
    /// Everything that is about the request's path and action, in the document's order: what fits the caller, and what permits
    /// other roles. Read entry by entry: whoever explains has the time that a request does not have.
    pub(in super::super) fn tell(&self, asked: Asked<'_>) -> Vec<Node> {
        let mut fits = BTreeMap::new();
        let mut others = BTreeMap::new();
        for found in self.tree.all(asked.paths) {
            let is_own = found.is_own();
            for entry in self.entries_of(*found.value) {
                let Some(effect) = asked.actions.effect_of(entry.what) else { continue };
                if effect == Effect::Allow && !is_own {
                    continue;
                }
                let principal = Symbol(entry.principal);
                if asked.caller.is(principal) {
                    fits.entry(entry.number).or_insert_with(|| self.fitting(*entry, effect, is_own, asked));
                } else if effect == Effect::Allow && asked.symbols.is_role(principal) {
                    others.entry(entry.number).or_insert_with(|| {
                        let role = asked.symbols.text(principal);
                        let detail = format!("would be about the role `{role}`");
                        Node::new(self.names.id(entry.number).as_str(), Verdict::NotApplicable, detail)
                    });
                }
            }
        }
        others.retain(|number, _| !fits.contains_key(number));
        let all = fits.len().saturating_add(others.len());
        let mut told: Vec<Node> = fits.into_values().chain(others.into_values()).collect();
        told.truncate(MAX_EXPLAINED_ENTRIES);
        if let Some(more @ 1..) = all.checked_sub(told.len()) {
            told.push(Node::new("more", Verdict::NotApplicable, format!("{more} that are not listed")));
        }
        told
    }

    fn fitting(&self, entry: Entry, effect: Effect, is_own: bool, asked: Asked<'_>) -> Node {
        let (verdict, detail) = match (effect, self.truth(entry, is_own, asked, &mut Steps::default())) {
            (Effect::Allow, Truth::True) => (Verdict::Permit, "allows"),
            (Effect::Deny, Truth::True) => (Verdict::Deny, "denies"),
            (Effect::Allow, Truth::Unknown(_)) => (Verdict::Indeterminate, "might have allowed"),
            (Effect::Deny, Truth::Unknown(_)) => (Verdict::Indeterminate, "might have denied"),
            (Effect::Allow | Effect::Deny, Truth::False) => {
                (Verdict::NotApplicable, "fits, and its conditions do not hold")
            }
        };
        let place = entry.conditions.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        let conditioned = place.and_then(|place| self.conditioned.get(place));
        let path = if is_own { Some(asked.paths.own()) } else { asked.paths.twin() };
        let children = conditioned.map(|Conditioned { conditions, template }| {
            telling::conditions(
                conditions,
                &Facts {
                    request: asked.request,
                    tenant: asked.caller.tenant,
                    captures: path.and_then(|path| template.captures(path)),
                },
            )
        });
        Node::new(self.names.id(entry.number).as_str(), verdict, detail).with(children.unwrap_or_default())
    }
}
