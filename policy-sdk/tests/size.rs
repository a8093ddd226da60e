//! Documents of a size that people do not write by hand, and what they must not be able to do.

#![cfg(test)]

use portcullis_policy::document::Document;
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
