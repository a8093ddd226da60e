//! Documents of a size that people do not write by hand, and what they must not be able to do.

#![cfg(test)]

use portcullis_policy::document::{Binding, Document};
use portcullis_policy::limits::MAX_INHERITED_ROLES;
use portcullis_policy::policy::Policy;
use serde_json::{Value, json};

/// Everything that is wrong with a document of this part, at reading or at compiling.
fn problems(authorization: Value) -> Vec<String> {
    let document = json!({ "version": 1, "authentication": {}, "authorization": authorization });
    let document = Document::from_json(document.to_string().as_bytes());
    match document.and_then(|document| Policy::compile(&document)) {
        Ok(_policy) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// A template for every choice of literal and wildcard at each of `levels` segments.
fn explosion(levels: u32) -> impl Iterator<Item = String> {
    (0..1 << levels)
        .map(move |bits| (0..levels).map(|level| if bits >> level & 1 == 1 { "/a" } else { "/*" }).collect())
}

#[test]
fn a_wildcard_explosion_is_refused_at_load_wherever_it_stands() {
    let rules = |levels| -> Value {
        explosion(levels)
            .map(|path| json!({ "effect": "deny", "action": "read", "resource": path, "role": "*" }))
            .collect()
    };
    let routes = |levels| -> Value {
        explosion(levels).map(|path| json!({ "methods": ["GET"], "path": path })).collect()
    };
    let what = "templates that differ in which segments are wildcards: one path could match too many of them";
    for (part, authorization) in [
        ("/authorization/rules", json!({ "rules": rules(11) })),
        ("/authorization/routes", json!({ "routes": routes(11) })),
    ] {
        assert_eq!(problems(authorization), [format!("{part}: {what}")]);
    }
    assert_eq!(problems(json!({ "rules": rules(10), "routes": routes(10) })), [""; 0]);
}

/// As many segments as there may be, the first of which say by literal and wildcard which of the templates it is.
fn binding(number: usize) -> Binding {
    let head: String = (0..7).map(|level| if number >> level & 1 == 1 { "/a" } else { "/*" }).collect();
    Binding::Path(format!("{head}{}/{{tenant}}", "/b".repeat(56)))
}

/// As many bindings as a document may have cannot use up a search. What could is refused by the same words as routes are.
#[test]
fn no_search_for_a_tenant_ends_at_its_bound() {
    let document = json!({ "version": 1, "authentication": {}, "authorization": {} });
    let mut document = Document::from_json(document.to_string().as_bytes()).unwrap();
    let mut problems = |count: usize| {
        document.tenancy.bind = (0..count).map(binding).collect();
        Policy::compile(&document).err().map(|problems| problems.to_string())
    };
    assert_eq!(problems(64), None);
    let what = "templates that differ in which segments are wildcards: one path could match too many of them";
    assert_eq!(problems(128), Some(format!("/tenancy/bind: {what}")));
}

#[test]
fn a_role_inherits_a_thousand_and_no_more() {
    let chain = |length: usize| {
        let role = |number: usize| {
            let inherits: Vec<String> =
                (number + 1 < length).then(|| format!("r{:05}", number + 1)).into_iter().collect();
            (format!("r{number:05}"), json!({ "inherits": inherits }))
        };
        let roles: serde_json::Map<String, Value> = (0..length).map(role).collect();
        problems(json!({ "roles": roles }))
    };
    assert_eq!(chain(MAX_INHERITED_ROLES + 1), [""; 0]);
    assert_eq!(
        chain(MAX_INHERITED_ROLES + 2),
        ["/authorization/roles/r00000/inherits: 1025 roles, with what those inherit; expected at most 1024"]
    );
    // As many roles as there may be, all in one line: refused in bounded memory.
    assert!(chain(10_000).len() > 50);
}

#[test]
fn one_error_among_a_hundred_thousand_rules_is_named() {
    let rule = |index: usize| {
        let action = if index == 77_777 { "raed" } else { "read" };
        json!({ "effect": "allow", "action": action, "resource": format!("/v1/objects{index}"), "role": "viewer" })
    };
    let found = problems(json!({ "rules": (0..100_000).map(rule).collect::<Value>() }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("/authorization/rules/77777/action: not an action"), "{found:?}");
}

#[test]
fn ten_thousand_levels_of_nesting_are_refused() {
    let text = format!("{{\"version\": 1, \"authorization\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let found = Document::from_json(text.as_bytes()).unwrap_err().to_string();
    assert!(found.starts_with("document: nested deeper than 64 levels"), "{found}");
}
