//! Who carries a permission: found when a document is loaded, by what is wanted.

use std::collections::BTreeMap;

use crate::condition::Truth;
use crate::permission::PermissionPattern;

use super::caller::{Caller, known_or};
use super::symbol::Symbol;
use super::symbol_set::SymbolSet;

/// The roles that carry permissions, while a document is compiled.
#[derive(Debug, Default)]
pub(super) struct Carriers {
    by_pattern: BTreeMap<PermissionPattern, Carrier>,
    asked: Vec<SymbolSet>,
}

#[derive(Debug, Default)]
struct Carrier {
    roles: Vec<Symbol>,
    /// Its place among the sets that somebody asked for.
    place: Option<usize>,
}

/// A permission that is asked for, with the places of the sets of roles that carry it.
#[derive(Debug)]
pub(super) struct Wanted {
    pattern: PermissionPattern,
    places: Vec<usize>,
}

impl Carriers {
    /// Notes that `role` itself carries `pattern`. Who inherits the role also is it, and need not be noted.
    pub(super) fn add(&mut self, pattern: PermissionPattern, role: Symbol) {
        self.by_pattern.entry(pattern).or_default().roles.push(role);
    }

    /// Finds who carries `pattern`: whoever carries it, or one of the three wildcards above it. Each of these sets is kept
    /// once, however many routes ask for it.
    pub(super) fn wanted(&mut self, pattern: PermissionPattern) -> Wanted {
        let mut places = Vec::new();
        for covering in pattern.covering() {
            let Some(carrier) = self.by_pattern.get_mut(&covering) else { continue };
            let place = *carrier.place.get_or_insert_with(|| {
                self.asked.push(carrier.roles.iter().copied().collect());
                self.asked.len().saturating_sub(1)
            });
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.shrink_to_fit();
        Wanted { pattern, places }
    }

    /// The sets that somebody asked for; the others are of no use any more.
    pub(super) fn into_sets(self) -> Vec<SymbolSet> {
        self.asked
    }
}

impl Wanted {
    /// What is asked for.
    pub(super) fn pattern(&self) -> &PermissionPattern {
        &self.pattern
    }

    /// Whether `caller` has it: by a role, by a grant, or directly. A text in a credential that is no permission gives
    /// nothing.
    pub(super) fn is_held(&self, caller: &Caller<'_>, sets: &[SymbolSet]) -> Truth {
        let mut by_role = self.places.iter().filter_map(|place| sets.get(*place));
        let is_held = by_role.clone().any(|set| caller.held.is_one_of(set))
            || caller
                .grants
                .iter()
                .any(|grant| grant.permissions().iter().any(|held| held.covers(&self.pattern)))
            || caller.subject.is_some_and(|subject| {
                let held =
                    subject.permissions.iter().filter_map(|text| text.parse::<PermissionPattern>().ok());
                held.into_iter().any(|held| held.covers(&self.pattern))
            });
        known_or(is_held, || {
            let by_role = by_role.any(|set| caller.perhaps.is_one_of(set));
            caller.perhaps.may(&self.pattern) || by_role
        })
    }
}
