//! Roles inherit roles that exist, each once, and never themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::slips::Known;
use crate::document::{Document, JsonPointer, Named, Problem, Role};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let roles = &document.authorization.roles;
    let mut known = Known::new(roles.keys().map(String::as_str));
    for (name, role) in roles.iter() {
        let mut seen = BTreeSet::new();
        for (index, inherited) in role.inherits.iter().enumerate() {
            let pointer = inherits(name).element(index);
            if !seen.insert(inherited) {
                found.push(Problem::new(pointer, "the same role twice").expected("each role once"));
            } else if !roles.contains_key(inherited) {
                let mut problem = Problem::new(pointer, "unknown role");
                problem.nearest = known.nearest(inherited).unwrap_or_default();
                let problem = problem.expected("a role of `roles`");
                found.push(problem.hinging_on(JsonPointer::members(&["authorization", "roles"])));
            }
        }
    }
    for cycle in cycles(roles) {
        let Some((first, second)) = cycle.first().zip(cycle.get(1).or(cycle.first())) else { continue };
        let inherited = roles.get(*first).map(|role| role.inherits.as_slice()).unwrap_or_default();
        let index = inherited.iter().position(|name| name == second).unwrap_or_default();
        let names: Vec<&str> = cycle.iter().chain([first]).copied().collect();
        let pointer = inherits(first).element(index);
        let problem = Problem::new(pointer, format!("a role that inherits itself: {}", names.join(" -> ")));
        found.push(problem.expected("no role that inherits this one in turn"));
    }
}

fn inherits(role: &str) -> JsonPointer {
    JsonPointer::members(&["authorization", "roles", role, "inherits"])
}

/// Cycles of inheritance, each once and from its first name on. Roles that only lead into a cycle are not part of
/// it. Walks with a list of its own: a chain of a thousand roles must not use up a proxy's stack.
fn cycles(roles: &Named<Role>) -> BTreeSet<Vec<&str>> {
    let mut cycles = BTreeSet::new();
    let mut state: BTreeMap<&str, Visit> = BTreeMap::new();
    for start in roles.keys() {
        let mut trail: Vec<(&str, std::slice::Iter<'_, String>)> = Vec::new();
        enter(start, roles, &mut state, &mut trail);
        while let Some((name, rest)) = trail.last_mut() {
            let Some(next) = rest.next() else {
                state.insert(name, Visit::Over);
                trail.pop();
                continue;
            };
            match state.get(next.as_str()) {
                None => enter(next, roles, &mut state, &mut trail),
                Some(Visit::Over) => {}
                Some(Visit::Open) => {
                    let cycle = trail.iter().map(|(name, _)| *name).skip_while(|name| name != next).collect();
                    cycles.insert(from_first_name(cycle));
                }
            }
        }
    }
    cycles
}

#[derive(Clone, Copy)]
enum Visit {
    Open,
    Over,
}

fn enter<'a>(
    name: &'a str,
    roles: &'a Named<Role>,
    state: &mut BTreeMap<&'a str, Visit>,
    trail: &mut Vec<(&'a str, std::slice::Iter<'a, String>)>,
) {
    if state.contains_key(name) {
        return;
    }
    if let Some(role) = roles.get(name) {
        state.insert(name, Visit::Open);
        trail.push((name, role.inherits.iter()));
    }
}

fn from_first_name(mut cycle: Vec<&str>) -> Vec<&str> {
    let first = cycle.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(index, _)| index);
    cycle.rotate_left(first);
    cycle
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::problems_after;

    fn after(roles: Value) -> Vec<String> {
        let all = problems_after(&[("/authorization/roles", roles)]);
        all.into_iter().map(|problem| problem.replace("/authorization/roles", "")).collect()
    }

    #[test]
    fn inherited_roles_exist() {
        assert_eq!(
            after(json!({ "viewer": {}, "boss": { "inherits": ["viewr", "king", "viewer", "viewer"] } })),
            [
                "/boss/inherits/0: unknown role; expected a role of `roles`; did you mean `viewer`?",
                "/boss/inherits/1: unknown role; expected a role of `roles`",
                "/boss/inherits/3: the same role twice; expected each role once",
            ]
        );
    }

    #[test]
    fn a_cycle_is_shown_once() {
        assert_eq!(
            after(json!({
                "a": { "inherits": ["b"] }, "b": { "inherits": ["z", "c"] }, "c": { "inherits": ["b"] }, "z": {},
                "self": { "inherits": ["self"] } })),
            [
                "/b/inherits/1: a role that inherits itself: b -> c -> b; expected no role that inherits this one in turn",
                "/self/inherits/0: a role that inherits itself: self -> self; expected no role that inherits this one in turn",
            ]
        );
        assert_eq!(
            after(json!({ "a": { "inherits": ["b", "c"] }, "b": { "inherits": ["c"] }, "c": {} })),
            [""; 0]
        );
    }

    #[test]
    fn a_long_chain_is_no_cycle_and_no_burden() {
        let link =
            |number: usize| (format!("r{number:04}"), json!({ "inherits": [format!("r{:04}", number + 1)] }));
        let mut roles: serde_json::Map<String, Value> = (0..1_000).map(link).collect();
        roles.insert("r1000".to_owned(), json!({}));
        assert_eq!(after(Value::Object(roles)), [""; 0]);
    }
}
