//! Every symbol that stands for one caller, put together for one decision.

use smallvec::SmallVec;

use super::symbol::Symbol;
use super::symbol_set::SymbolSet;

/// What a caller has. Most callers have one role of the document's and a few names besides: nothing is copied for them.
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    roles: Roles<'a>,
    /// Sorted, each once.
    others: SmallVec<[Symbol; EXPECTED_SYMBOLS]>,
}

/// Roles with what they inherit.
#[derive(Debug, Default)]
enum Roles<'a> {
    #[default]
    None,
    One(&'a SymbolSet),
    Several(SymbolSet),
}

impl<'a> Held<'a> {
    /// Adds one symbol.
    pub(super) fn insert(&mut self, symbol: Symbol) {
        if let Err(place) = self.others.binary_search(&symbol) {
            self.others.insert(place, symbol);
        }
    }

    /// Adds a role with what it inherits.
    pub(super) fn extend(&mut self, role: &'a SymbolSet) {
        match &mut self.roles {
            Roles::None => self.roles = Roles::One(role),
            Roles::One(first) => {
                let mut both = (*first).clone();
                both.extend(role);
                self.roles = Roles::Several(both);
            }
            Roles::Several(all) => all.extend(role),
        }
    }

    /// Whether `symbol` is among them.
    pub(super) fn contains(&self, symbol: Symbol) -> bool {
        self.others.contains(&symbol) || self.roles().is_some_and(|roles| roles.contains(symbol))
    }

    /// Whether one of `symbols` is among them.
    pub(super) fn is_one_of(&self, symbols: &SymbolSet) -> bool {
        !symbols.is_empty()
            && (self.others.iter().any(|symbol| symbols.contains(*symbol))
                || self.roles().is_some_and(|roles| symbols.intersects(roles)))
    }

    /// How many there are, or a few more.
    pub(super) fn len(&self) -> usize {
        self.roles().map_or(0, SymbolSet::len).saturating_add(self.others.len())
    }

    /// Tells `visit` each of them, once.
    pub(super) fn for_each(&self, mut visit: impl FnMut(Symbol)) {
        let roles = self.roles();
        for other in &self.others {
            if !roles.is_some_and(|roles| roles.contains(*other)) {
                visit(*other);
            }
        }
        if let Some(roles) = roles {
            roles.any(|symbol| {
                visit(symbol);
                false
            });
        }
    }

    fn roles(&self) -> Option<&SymbolSet> {
        match &self.roles {
            Roles::None => None,
            Roles::One(roles) => Some(roles),
            Roles::Several(roles) => Some(roles),
        }
    }
}

/// Symbols besides roles of the document that most callers have at most: room for them is on the stack.
const EXPECTED_SYMBOLS: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_union_of_what_was_added(
            roles in prop::collection::vec(prop::collection::vec(0_u32..200, 0..100), 0..4),
            others in prop::collection::vec(0_u32..200, 0..24),
            asked in prop::collection::vec(0_u32..200, 0..4),
        ) {
            let sets: Vec<SymbolSet> =
                roles.iter().map(|role| role.iter().copied().map(Symbol).collect()).collect();
            let mut held = Held::default();
            sets.iter().for_each(|role| held.extend(role));
            others.iter().for_each(|other| held.insert(Symbol(*other)));
            let expected: BTreeSet<u32> = roles.into_iter().flatten().chain(others).collect();
            let mut seen = Vec::new();
            held.for_each(|Symbol(number)| seen.push(number));
            seen.sort_unstable();
            prop_assert_eq!(&seen, &expected.iter().copied().collect::<Vec<u32>>());
            prop_assert!(held.len() >= expected.len());
            for number in 0..200 {
                prop_assert_eq!(held.contains(Symbol(number)), expected.contains(&number));
            }
            let symbols: SymbolSet = asked.iter().copied().map(Symbol).collect();
            prop_assert_eq!(held.is_one_of(&symbols), asked.iter().any(|number| expected.contains(number)));
        }
    }
}
