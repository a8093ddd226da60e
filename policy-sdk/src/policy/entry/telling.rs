//! What a witness is told of rules and lists: those that fit, and those that would have for another role.

use std::collections::BTreeMap;

use crate::condition::{Facts, Steps, Truth};
use crate::document::Effect;
use crate::explain::{Node, Verdict};
use crate::limits::MAX_EXPLAINED_ENTRIES;
use crate::path::CanonicalPath;

use super::super::symbol::Symbol;
use super::super::telling;
use super::{Asked, Conditioned, Entries, Entry, what};

impl Entries {
    /// Everything that is about the request's path and action, in the document's order: what fits the caller, and what permits
    /// other roles. Read entry by entry: whoever explains has the time that a request does not have.
    pub(in super::super) fn tell(&self, asked: Asked<'_>) -> Vec<Node> {
        let mut fits = BTreeMap::new();
        let mut others = BTreeMap::new();
        let own = (asked.request.resource.path, [Effect::Allow, Effect::Deny].as_slice());
        let twin = asked.twin.map(|twin| (twin, [Effect::Deny].as_slice()));
        for (path, effects) in [Some(own), twin].into_iter().flatten() {
            for entry in self.spans_of(path).flat_map(|span| self.entries_of(span)) {
                let is_asked = |effect: &Effect| {
                    asked.actions.of_effect(*effect).any(|action| what(action, *effect) == entry.what)
                };
                let Some(effect) = effects.iter().copied().find(is_asked) else { continue };
                let principal = Symbol(entry.principal);
                if asked.caller.is(principal) {
                    fits.entry(entry.number).or_insert_with(|| self.fitting(*entry, effect, path, asked));
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

    fn fitting(&self, entry: Entry, effect: Effect, path: &CanonicalPath, asked: Asked<'_>) -> Node {
        let (verdict, detail) = match (effect, self.truth(entry, path, asked, &mut Steps::default())) {
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
        let children = conditioned.map(|Conditioned { conditions, template }| {
            telling::conditions(
                conditions,
                &Facts {
                    request: asked.request,
                    tenant: asked.caller.tenant,
                    captures: template.captures(path),
                },
            )
        });
        Node::new(self.names.id(entry.number).as_str(), verdict, detail).with(children.unwrap_or_default())
    }
}
