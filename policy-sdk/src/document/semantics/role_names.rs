//! Roles that are named where the document speaks of callers.
//!
//! A role may live in tokens alone, so a name that `roles` does not define is fine. A name that is one slip away
//! from a defined one is not: in a rule that denies it would open the gate in silence. Whoever means it says so by
//! defining it, as `name: {}`.

use std::collections::BTreeSet;

use super::syntax::is_word;
use crate::document::{Document, JsonPointer, Problem, Selection};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let authorization = JsonPointer::members(&["authorization"]);
    for name in document.authorization.roles.keys() {
        if !is_word(name) || name.contains(',') || name == "*" {
            found.push(not_a_role(authorization.member("roles").member(name)));
        }
    }
    let mut named: Vec<(&str, JsonPointer)> = Vec::new();
    let cross_tenant = JsonPointer::members(&["tenancy", "cross_tenant", "roles"]);
    for (index, role) in document.tenancy.cross_tenant.roles.iter().enumerate() {
        named.push((role, cross_tenant.element(index)));
    }
    // Few roles stand in many rules: each that is fine is looked at once.
    let mut fine = BTreeSet::from(["*"]);
    for (index, rule) in document.authorization.rules.iter().enumerate() {
        if fine.contains(rule.role.as_str()) {
            continue;
        }
        let pointer = authorization.member("rules").element(index).member("role");
        match problem(&rule.role, pointer, document) {
            Some(problem) => found.push(problem),
            None => {
                fine.insert(&rule.role);
            }
        }
    }
    for (index, route) in document.authorization.routes.iter().enumerate() {
        let require = authorization.member("routes").element(index).member("require");
        named.extend(selected(&route.require.roles, &require.member("roles")));
        for (scope, pointer) in selected(&route.require.scopes, &require.member("scopes")) {
            if !is_word(scope) {
                found.push(Problem::new(pointer, "not a scope").expected("1 to 256 bytes without spaces"));
            }
        }
    }
    found.extend(named.into_iter().filter_map(|(role, pointer)| problem(role, pointer, document)));
}

fn problem(role: &str, pointer: JsonPointer, document: &Document) -> Option<Problem> {
    let roles = &document.authorization.roles;
    if !is_word(role) || role.contains(',') || role == "*" {
        return Some(not_a_role(pointer));
    }
    if roles.contains_key(role) {
        return None;
    }
    let known = roles.keys().map(String::as_str);
    let problem = Problem::new(pointer, "unknown role, and close to a known one").nearest(role, known);
    problem.nearest.is_some().then(|| {
        let problem = problem.expected("a role of `roles`; define it there if it is meant");
        problem.hinging_on(JsonPointer::members(&["authorization", "roles"]))
    })
}

fn not_a_role(pointer: JsonPointer) -> Problem {
    Problem::new(pointer, "not a role").expected("1 to 256 bytes without spaces and commas")
}

fn selected<'a>(selection: &'a Selection, pointer: &JsonPointer) -> Vec<(&'a str, JsonPointer)> {
    let lists =
        [("any_of", &selection.any_of), ("all_of", &selection.all_of), ("none_of", &selection.none_of)];
    let in_list = |(field, names): (&str, &'a Vec<String>)| {
        let list = pointer.member(field);
        names
            .iter()
            .enumerate()
            .map(move |(index, name)| (name.as_str(), list.element(index)))
            .collect::<Vec<_>>()
    };
    lists.into_iter().flat_map(in_list).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn a_slip_is_told_from_a_role_of_tokens_alone() {
        assert_eq!(
            problems_after(&[
                ("/tenancy/cross_tenant/roles", json!(["amdin", "support"])),
                ("/authorization/rules/0/role", json!("viewers")),
                ("/authorization/routes/0/require", json!({ "roles": { "none_of": ["guest", "Admin"] } })),
            ]),
            [
                "/authorization/routes/0/require/roles/none_of/1: unknown role, and close to a known one; \
                 expected a role of `roles`; define it there if it is meant; did you mean `admin`?",
                "/authorization/rules/0/role: unknown role, and close to a known one; \
                 expected a role of `roles`; define it there if it is meant; did you mean `viewer`?",
                "/tenancy/cross_tenant/roles/0: unknown role, and close to a known one; \
                 expected a role of `roles`; define it there if it is meant; did you mean `admin`?",
            ]
        );
        assert_eq!(problems_after(&[("/authorization/rules/0/role", json!("*"))]), [""; 0]);
    }

    #[test]
    fn names_that_cannot_be_roles_or_scopes() {
        assert_eq!(
            problems_after(&[
                ("/authorization/roles/a,b", json!({})),
                ("/authorization/rules/0/role", json!("")),
                (
                    "/authorization/routes/0/require",
                    json!({ "scopes": { "all_of": ["a b"] }, "roles": { "any_of": ["*"] } })
                ),
            ]),
            [
                "/authorization/roles/a,b: not a role; expected 1 to 256 bytes without spaces and commas",
                "/authorization/routes/0/require/roles/any_of/0: not a role; expected 1 to 256 bytes without spaces and commas",
                "/authorization/routes/0/require/scopes/all_of/0: not a scope; expected 1 to 256 bytes without spaces",
                "/authorization/rules/0/role: not a role; expected 1 to 256 bytes without spaces and commas",
            ]
        );
    }
}
