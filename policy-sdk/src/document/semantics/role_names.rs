//! Roles that are named where the document speaks of callers.
//!
//! A role may live in tokens alone, so a name that `roles` does not define is fine. A name that is one slip away
//! from a defined one is not: in a rule that denies it would open the gate in silence. Whoever means it says so by
//! defining it, as `name: {}`.

use std::collections::BTreeSet;

use super::slips::{Known, TooMany};
use super::syntax::is_word;
use crate::document::{AccessList, AttachedPolicy, Document, JsonPointer, Problem, Selection};

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
    // Few roles stand in many rules: each that is fine is looked at once. A role of one tenant is fine.
    let of_tenants = document.tenancy.tenants.values().flat_map(|tenant| tenant.roles.keys());
    let mut fine: BTreeSet<&str> = of_tenants.map(String::as_str).collect();
    let of_tenants = fine.clone();
    fine.insert("*");
    let policies = document.authorization.policies.iter().enumerate();
    let policies: Vec<(JsonPointer, &AttachedPolicy)> =
        policies.map(|(index, policy)| (authorization.member("policies").element(index), policy)).collect();
    let mut known = Known::new(document.authorization.roles.keys().map(String::as_str));
    let (rules_place, rules) = document.rules();
    let attached = policies.iter().map(|(place, policy)| (place.member("rules"), policy.rules.as_slice()));
    for (place, rules) in std::iter::once((rules_place, rules)).chain(attached) {
        for (index, rule) in rules.iter().enumerate() {
            if fine.contains(rule.role.as_str()) {
                continue;
            }
            match problem(&rule.role, || place.element(index).member("role"), document, &mut known) {
                Some(problem) => found.push(problem),
                None => {
                    fine.insert(&rule.role);
                }
            }
        }
    }
    let everyone = authorization.member("require").member("roles");
    named.extend(selected(&document.authorization.require.roles, &everyone));
    named.extend(listed(
        &document.authorization.superusers.roles,
        &authorization.member("superusers").member("roles"),
    ));
    for (index, grant) in document.authorization.grants.iter().enumerate() {
        named.extend(listed(&grant.roles, &authorization.member("grants").element(index).member("roles")));
    }
    in_access_lists(&document.authorization.acl, &authorization.member("acl"), &mut named);
    for (place, policy) in &policies {
        named.extend(selected(&policy.require.roles, &place.member("require").member("roles")));
        in_access_lists(&policy.acl, &place.member("acl"), &mut named);
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
    for (role, pointer) in named {
        if of_tenants.contains(role) || role != "*" && fine.contains(role) {
            continue;
        }
        match problem(role, || pointer, document, &mut known) {
            Some(problem) => found.push(problem),
            None => {
                fine.insert(role);
            }
        }
    }
}

fn problem(
    role: &str,
    pointer: impl FnOnce() -> JsonPointer,
    document: &Document,
    known: &mut Known<'_>,
) -> Option<Problem> {
    let roles = &document.authorization.roles;
    if !is_word(role) || role.contains(',') || role == "*" {
        return Some(not_a_role(pointer()));
    }
    if roles.contains_key(role) {
        return None;
    }
    // Silence would be as good as saying that it is no slip.
    let (message, nearest) = match known.nearest(role) {
        Ok(None) => return None,
        Ok(nearest) => ("unknown role, and close to a known one", nearest),
        Err(TooMany) => ("one unknown role too many to tell whether it is a slip", None),
    };
    let mut problem = Problem::new(pointer(), message);
    problem.nearest = nearest;
    let problem = problem.expected("a role of `roles`; define it there if it is meant");
    Some(problem.hinging_on(JsonPointer::members(&["authorization", "roles"])))
}

fn not_a_role(pointer: JsonPointer) -> Problem {
    Problem::new(pointer, "not a role").expected("1 to 256 bytes without spaces and commas")
}

/// Every role that access lists name; `*` stands for every caller there.
fn in_access_lists<'a>(
    lists: &'a [AccessList],
    place: &JsonPointer,
    named: &mut Vec<(&'a str, JsonPointer)>,
) {
    for (number, list) in lists.iter().enumerate() {
        for (index, entry) in list.entries.iter().enumerate().filter(|(_, entry)| !entry.roles.is_empty()) {
            let place = place.element(number).member("entries").element(index).member("roles");
            named.extend(listed(&entry.roles, &place).filter(|(role, _)| *role != "*"));
        }
    }
}

fn listed<'a>(names: &'a [String], place: &JsonPointer) -> impl Iterator<Item = (&'a str, JsonPointer)> {
    names.iter().enumerate().map(|(index, name)| (name.as_str(), place.element(index)))
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
    fn a_slip_is_told_wherever_a_role_can_stand() {
        let rule = |role: &str| json!({ "effect": "deny", "action": "read", "resource": "/a", "role": role });
        let acl = |role: &str| json!([{ "resource": "/a", "entries": [{ "actions": ["read"], "roles": ["*", role] }] }]);
        let found = problems_after(&[
            ("/authorization/require", json!({ "roles": { "none_of": ["amdin"] } })),
            ("/authorization/superusers", json!({ "roles": ["amdin"] })),
            ("/authorization/grants", json!([{ "subject": "ann", "roles": ["amdin"] }])),
            ("/authorization/acl", acl("amdin")),
            (
                "/authorization/policies",
                json!([{ "name": "p", "require": { "roles": { "any_of": ["amdin"] } }, "rules": [rule("amdin")], "acl": acl("amdin") }]),
            ),
        ]);
        let places: Vec<&str> = found.iter().filter_map(|line| line.split(": unknown role").next()).collect();
        assert_eq!(
            places,
            [
                "/authorization/acl/0/entries/0/roles/1",
                "/authorization/grants/0/roles/0",
                "/authorization/policies/0/acl/0/entries/0/roles/1",
                "/authorization/policies/0/require/roles/any_of/0",
                "/authorization/policies/0/rules/0/role",
                "/authorization/require/roles/none_of/0",
                "/authorization/superusers/roles/0",
            ]
        );
        let of_tenant = ("/tenancy/tenants", json!({ "acme": { "roles": { "amdin": {} } } }));
        assert_eq!(problems_after(&[of_tenant, ("/authorization/acl", acl("amdin"))]), [""; 0]);
    }

    #[test]
    fn a_slip_is_told_in_the_flat_shape() {
        let rule = json!([{ "effect": "deny", "action": "read", "resource": "/a", "role": "editro" }]);
        let found =
            problems_after(&[("/authorization", json!({ "roles": { "editor": {} } })), ("/rules", rule)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("/rules/0/role: unknown role"), "{found:?}");
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

    /// Each of the misspelt ones could be each of the defined ones: a hundred million pairs.
    #[test]
    fn ten_thousand_roles_and_as_many_slips_are_read_at_once() {
        let roles = (0..10_000).map(|number| (format!("team-{number:05}"), json!({})));
        let rules = (0..10_000).map(|number| {
            json!({ "effect": "deny", "action": "read", "resource": "/a", "role": format!("taem-{number:05}") })
        });
        let authorization = json!({
            "roles": roles.collect::<serde_json::Map<_, _>>(),
            "rules": rules.collect::<Vec<_>>(),
        });
        let whole = [("/authorization", authorization), ("/tenancy", json!({}))];
        let found = problems_after(&whole);
        assert!(found[0].starts_with("/authorization/rules/0/role: unknown role, and close"), "{}", found[0]);
        assert!(found[0].ends_with("did you mean `team-00000`?"), "{}", found[0]);
    }

    #[test]
    fn who_cannot_be_told_from_a_slip_is_refused() {
        let roles = (0..10_000).map(|number| (format!("team-{number:05}"), json!({})));
        let rules = |count: u32| {
            let rules = (0..count).map(|number| {
                json!({ "effect": "deny", "action": "read", "resource": "/a", "role": format!("xyzv{number:06}") })
            });
            rules.collect::<Vec<_>>()
        };
        let roles: serde_json::Map<_, _> = roles.collect();
        let after = |count| {
            let authorization = json!({ "roles": roles, "rules": rules(count) });
            problems_after(&[("/authorization", authorization), ("/tenancy", json!({}))])
        };
        assert_eq!(after(100), [""; 0]);
        assert_eq!(
            after(101),
            ["/authorization/rules/100/role: one unknown role too many to tell whether it is a slip; \
                 expected a role of `roles`; define it there if it is meant"]
        );
    }
}
