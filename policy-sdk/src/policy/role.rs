//! Roles with inheritance, resolved when the document is loaded.
//!
//! A role that inherits another *is* that other too: it carries its permissions, and rules about the other, allowing or
//! denying, are about it as well.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{self, Named, Problem};
use crate::permission::PermissionPattern;
use crate::policy::in_document;
use crate::request::Subject;

/// The roles of a document.
#[derive(Debug, Default)]
pub(super) struct Roles {
    by_name: BTreeMap<String, Role>,
}

#[derive(Debug, Default)]
struct Role {
    /// The role itself and everything it inherits.
    is_also: BTreeSet<String>,
    permissions: Vec<PermissionPattern>,
}

/// The roles a caller holds, inherited ones included.
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    names: BTreeSet<&'a str>,
}

impl Held<'_> {
    pub(super) fn contains(&self, role: &str) -> bool {
        self.names.contains(role)
    }
}

impl Roles {
    /// Resolves inheritance. Unknown names and cycles are problems that reading the document reports; here they merely
    /// end the walk.
    pub(super) fn compile(roles: &Named<document::Role>, problems: &mut Vec<Problem>) -> Roles {
        let mut by_name = BTreeMap::new();
        for (name, _role) in roles.iter() {
            let mut compiled = Role::default();
            let mut to_visit = vec![name.as_str()];
            while let Some(next) = to_visit.pop() {
                if !compiled.is_also.insert(next.to_owned()) {
                    continue;
                }
                let Some(role) = roles.get(next) else { continue };
                compiled.permissions.extend(role.permissions.iter().filter_map(|text| text.parse().ok()));
                to_visit.extend(role.inherits.iter().map(String::as_str));
            }
            by_name.insert(name.clone(), compiled);
        }
        for (name, role) in roles.iter() {
            for (index, text) in role.permissions.iter().enumerate() {
                if let Err(error) = text.parse::<PermissionPattern>() {
                    let pointer = in_document("roles").member(name).member("permissions").element(index);
                    problems.push(Problem::new(pointer, "not a permission").expected(error.to_string()));
                }
            }
        }
        Roles { by_name }
    }

    /// The roles a caller holds; an anonymous caller holds none.
    pub(super) fn held_by<'a>(&'a self, subject: Option<&'a Subject>) -> Held<'a> {
        let mut names = BTreeSet::new();
        for role in subject.iter().flat_map(|subject| &subject.roles) {
            names.insert(role.as_str());
            if let Some(known) = self.by_name.get(role) {
                names.extend(known.is_also.iter().map(String::as_str));
            }
        }
        Held { names }
    }

    /// The roles that carry `wanted`.
    pub(super) fn granting(&self, wanted: &PermissionPattern) -> BTreeSet<String> {
        let grants = |role: &Role| role.permissions.iter().any(|held| held.covers(wanted));
        self.by_name.iter().filter(|(_, role)| grants(role)).map(|(name, _)| name.clone()).collect()
    }
}
