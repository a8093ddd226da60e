//! How many of a thing a document may hold: every list that is walked for a request or a load is bounded.

use crate::document::{Document, JsonPointer, Problem};
use crate::limits::MAX_BODY_BYTES;

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let mut at_most = |path: &[&str], count: usize, most: usize| {
        if count > most {
            let problem = Problem::new(JsonPointer::members(path), format!("{count} entries"));
            found.push(problem.expected(format!("at most {most}")));
        }
    };
    at_most(&["authentication", "methods"], document.authentication.methods.len(), MAX_METHODS);
    at_most(&["tenancy", "bind"], document.tenancy.bind.len(), MAX_BINDINGS);
    at_most(&["authorization", "public"], document.authorization.public.len(), MAX_ROUTES);
    at_most(&["authorization", "roles"], document.authorization.roles.len(), MAX_ROLES);
    at_most(&["authorization", "routes"], document.authorization.routes.len(), MAX_ROUTES);
    at_most(&["authorization", "rules"], document.authorization.rules.len(), MAX_RULES);
    if document.request.body.as_ref().is_some_and(|body| !(1..=MAX_BODY_BYTES).contains(&body.max_bytes)) {
        let place = JsonPointer::members(&["request", "body", "max_bytes"]);
        found.push(Problem::new(place, "not a bound").expected(format!("1 to {MAX_BODY_BYTES}")));
    }
}

/// Most authentication methods: each one is a value of the label `method` and is tried on every request.
const MAX_METHODS: usize = 64;

/// Most places where a request names its tenant: each one is looked at on every request.
const MAX_BINDINGS: usize = 64;

/// Most roles: what every role inherits is worked out at load, as one bit for each role where that takes less room than a
/// list. All of them inheriting as many as they may take 13 megabytes per worker.
const MAX_ROLES: usize = 10_000;

/// Most routes, and most public ones: a tree of this many fits into some tens of megabytes per worker.
const MAX_ROUTES: usize = 100_000;

/// Most rules of role-based access control, as for routes.
const MAX_RULES: usize = 100_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;
    use super::*;

    #[test]
    fn the_bound_of_a_body_is_bounded() {
        for (bytes, good) in [(0, false), (1, true), (MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
            let problems = problems_after(&[("/request", json!({"body": {"max_bytes": bytes}}))]);
            let wanted = ["/request/body/max_bytes: not a bound; expected 1 to 1048576"];
            assert_eq!(problems, if good { &wanted[..0] } else { &wanted[..] }, "{bytes}");
        }
    }

    #[test]
    fn one_binding_too_many() {
        let bindings: Vec<_> =
            (0..=MAX_BINDINGS).map(|number| json!({ "header": format!("x-org-{number}") })).collect();
        assert_eq!(
            problems_after(&[("/tenancy/bind", json!(bindings))]),
            ["/tenancy/bind: 65 entries; expected at most 64"]
        );
        let bindings = &bindings[1..];
        assert_eq!(problems_after(&[("/tenancy/bind", json!(bindings))]), [""; 0]);
    }

    #[test]
    fn one_role_too_many() {
        let roles = |count: usize| -> serde_json::Value {
            // The first two are what the rest of the document names.
            let named = ["viewer", "admin"].into_iter().map(str::to_owned);
            let roles = named.chain((0..).map(|number| format!("team-{number}"))).take(count);
            roles.map(|name| (name, json!({}))).collect::<serde_json::Map<_, _>>().into()
        };
        assert_eq!(
            problems_after(&[("/authorization/roles", roles(MAX_ROLES + 1))]),
            ["/authorization/roles: 10001 entries; expected at most 10000"]
        );
        assert_eq!(problems_after(&[("/authorization/roles", roles(MAX_ROLES))]), [""; 0]);
    }
}
