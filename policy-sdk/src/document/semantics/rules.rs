//! Rules of role-based access control: well formed, and each given once.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use super::route_table::check_path;
use super::syntax::is_token;
use crate::document::{Document, Effect, JsonPointer, Problem, Rule};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let own: BTreeSet<&str> = document.authorization.actions.iter().map(String::as_str).collect();
    let (place, rules) = document.rules();
    in_list(rules, &place, &own, found);
    let policies = JsonPointer::members(&["authorization", "policies"]);
    for (index, policy) in document.authorization.policies.iter().enumerate() {
        in_list(&policy.rules, &policies.element(index).member("rules"), &own, found);
    }
}

/// Adds what is wrong with `rules`, which stand at `place`, where actions may also be one of `own`.
fn in_list(rules: &[Rule], place: &JsonPointer, own: &BTreeSet<&str>, found: &mut Vec<Problem>) {
    // Places are written down where something is wrong, and nowhere else: a hundred thousand rules are mostly right.
    let mut first: HashTable<usize> = HashTable::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let pointer = || place.element(index);
        let is_method = is_token(&rule.action) && !rule.action.bytes().any(|byte| byte.is_ascii_lowercase());
        let is_own = own.contains(rule.action.as_str());
        if !is_method && !is_own && !ACTIONS.contains(&rule.action.as_str()) {
            let problem = Problem::new(pointer().member("action"), "not an action");
            let problem = problem.nearest(&rule.action, ACTIONS.iter().copied());
            found.push(
                problem.expected("`read`, `create`, `update`, `delete`, `write`, a request method or `*`"),
            );
        }
        if rule.resource != "*" {
            check_path(&rule.resource, || pointer().member("resource"), found);
        }
        // Two rules alike but for their conditions are two rules.
        if !rule.conditions.is_empty() {
            continue;
        }
        let is_same = |other: &usize| rules.get(*other).is_some_and(|other| content(other) == content(rule));
        // With room for all of them beforehand nothing is ever hashed again.
        match first.entry(FxBuildHasher.hash_one(content(rule)), is_same, |_| 0) {
            Entry::Occupied(earlier) => {
                let earlier = place.element(*earlier.get());
                found.push(
                    Problem::new(pointer(), format!("the same rule as {earlier}")).expected("each rule once"),
                );
            }
            Entry::Vacant(free) => {
                free.insert(index);
            }
        }
    }
}

/// What a rule without conditions says.
fn content(rule: &Rule) -> (bool, &str, &str, &str) {
    (rule.effect == Effect::Allow, &rule.action, &rule.resource, &rule.role)
}

/// Actions with a name of their own. Any other word would fit no request: in a rule that denies, the gate would stand
/// open in silence.
const ACTIONS: &[&str] = &["read", "create", "update", "delete", "write", "*"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn well_formed_and_once() {
        let rule =
            json!({ "effect": "allow", "action": "read", "resource": "/api/docs/*", "role": "editor" });
        let denied =
            json!({ "effect": "deny", "action": "read", "resource": "/api/docs/*", "role": "editor" });
        let broken = json!({ "effect": "deny", "action": "raed", "resource": "docs", "role": "editor" });
        assert_eq!(
            problems_after(&[
                ("/authorization/rules/1", denied),
                ("/authorization/rules/2", rule),
                ("/authorization/rules/3", broken),
            ]),
            [
                "/authorization/rules/2: the same rule as /authorization/rules/0; expected each rule once",
                "/authorization/rules/3/action: not an action; expected `read`, `create`, `update`, `delete`, `write`, a request method or `*`; did you mean `read`?",
                "/authorization/rules/3/resource: not a path template: a path template begins with `/` (at byte 0)",
            ]
        );
    }

    #[test]
    fn the_flat_shape_and_policies_are_held_to_the_same() {
        let rule = json!({ "effect": "deny", "action": "raed", "resource": "docs", "role": "editor", "name": "One" });
        let fine =
            json!({ "effect": "deny", "action": "read", "resource": "/a", "role": "editor", "name": "one" });
        let rules = json!([rule, fine, fine]);
        let of = |place: &str| {
            [
                format!(
                    "{place}/0/action: not an action; expected `read`, `create`, `update`, `delete`, `write`, a request method or `*`; did you mean `read`?"
                ),
                format!("{place}/0/name: not a name; expected 1 to 63 of `a-z`, `0-9`, `_`, `-`"),
                format!(
                    "{place}/0/resource: not a path template: a path template begins with `/` (at byte 0)"
                ),
                format!("{place}/2: the same rule as {place}/1; expected each rule once"),
                format!("{place}/2/name: the same name as {place}/1; expected a name of its own"),
            ]
        };
        let flat = ("/authorization", json!({ "roles": { "editor": {} } }));
        assert_eq!(problems_after(&[flat, ("/rules", rules.clone())]), of("/rules"));
        let attached = json!([{ "name": "p", "rules": rules }, { "name": "q", "rules": [fine] }]);
        assert_eq!(
            problems_after(&[("/authorization/policies", attached)]),
            of("/authorization/policies/0/rules")
        );
    }
}
