//! Which role is also which, by inheritance.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Named, Role};

/// The roles of a document, and what each inherits.
#[derive(Debug)]
pub(super) struct RoleGraph<'d> {
    roles: &'d Named<Role>,
}

impl<'d> RoleGraph<'d> {
    pub(super) fn of(roles: &'d Named<Role>) -> RoleGraph<'d> {
        RoleGraph { roles }
    }

    /// `role` itself and everything it inherits, at most [`MAX_ANCESTORS`] names.
    pub(super) fn is_also<'a>(&'a self, role: &'a str) -> Vec<&'a str> {
        let mut names = vec![role];
        let mut seen = BTreeSet::from([role]);
        let mut next = 0;
        while let Some(name) = names.get(next) {
            next = next.saturating_add(1);
            let inherited = self.roles.get(*name).map(|role| role.inherits.as_slice()).unwrap_or_default();
            for name in inherited {
                if seen.len() < MAX_ANCESTORS && seen.insert(name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// `seeds` and every role that inherits one of them, however far.
    pub(super) fn heirs<'a>(&'a self, seeds: BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut inherited_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, role) in self.roles.iter() {
            for inherited in &role.inherits {
                inherited_by.entry(inherited).or_default().push(name);
            }
        }
        let mut pending: Vec<&str> = seeds.iter().copied().collect();
        let mut all = seeds;
        while let Some(name) = pending.pop() {
            for heir in inherited_by.get(name).into_iter().flatten() {
                if all.insert(heir) {
                    pending.push(heir);
                }
            }
        }
        all
    }
}

/// Most names that a rule's role is looked up under: a role that is more than this many others is worth no lint.
const MAX_ANCESTORS: usize = 64;
