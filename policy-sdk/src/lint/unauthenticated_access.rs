//! Doors that open to callers without a credential, and lead further than one page.

use super::reading::{Reading, public_place, route_place};
use super::strangers::{refuse_strangers, requires_nothing};
use super::{Found, Lint};
use crate::document::{RequiredAuthentication, Restrictions, Route};

pub(super) const LINT: Lint = Lint {
    code: "unauthenticated-access",
    finds: "A public entry or a route with `authentication: optional` that lets callers without a credential write, or reach a whole tree of paths. Reading single paths without a credential, such as `/healthz`, is not found.",
    remedy: "ensure that this is intentional; otherwise ask for a credential, or name single paths and reading methods",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for public in &reading.public {
        // Everything at once has a lint of its own.
        let is_everything = public.shape.is_everything() && public.entry.host.is_none();
        if is_everything {
            continue;
        }
        if public.methods.write() {
            found.add(|| public_place(public.index), || says("write here"));
        } else if public.shape.rest {
            found.add(|| public_place(public.index), || says("read everything below this path"));
        }
    }
    if !everyone_admits_strangers(reading) {
        return;
    }
    for route in &reading.routes {
        if route.entry.authentication == RequiredAuthentication::Optional && admits_strangers(route.entry) {
            if route.methods.write() {
                found.add(|| route_place(route.index), || says("write here"));
            } else if route.shape.rest {
                found.add(|| route_place(route.index), || says("read everything below this path"));
            }
        }
    }
}

fn says(what: &str) -> String {
    format!("unauthenticated access: anyone may {what}")
}

/// Whether a caller without any role, scope and permission meets what the route demands.
fn admits_strangers(route: &Route) -> bool {
    route.permission.is_none() && requires_nothing(&route.require) && !refuse_strangers(&route.conditions)
}

/// Whether what is demanded of everyone can be met without a credential.
fn everyone_admits_strangers(reading: &Reading<'_>) -> bool {
    let authorization = &reading.document.authorization;
    let (_, groups) = reading.document.groups();
    groups.is_empty()
        && requires_nothing(&authorization.require)
        && authorization.restrictions == Restrictions::default()
        && !refuse_strangers(&authorization.conditions)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn with_public(entry: Value) -> Vec<String> {
        found_after("unauthenticated-access", &[("/authorization/public/1", entry)])
    }

    fn with_route(entry: Value) -> Vec<String> {
        found_after("unauthenticated-access", &[("/authorization/routes/2", entry)])
    }

    #[test]
    fn fires() {
        assert_eq!(
            with_public(json!({ "methods": ["POST"], "path": "/feedback" })),
            ["/authorization/public/1: unauthenticated access: anyone may write here"]
        );
        assert_eq!(
            with_public(json!({ "methods": ["GET"], "path": "/files/**" })),
            ["/authorization/public/1: unauthenticated access: anyone may read everything below this path"]
        );
        assert_eq!(
            with_route(json!({ "methods": ["*"], "path": "/feedback", "authentication": "optional" })),
            ["/authorization/routes/2: unauthenticated access: anyone may write here"]
        );
    }

    #[test]
    fn is_quiet() {
        assert_eq!(with_public(json!({ "methods": ["GET", "HEAD"], "path": "/version" })), [""; 0]);
        for route in [
            json!({ "methods": ["GET"], "path": "/products", "authentication": "optional" }),
            json!({ "methods": ["*"], "path": "/feedback" }),
            json!({ "methods": ["*"], "path": "/feedback", "authentication": "optional", "permission": "objects:create" }),
            json!({ "methods": ["*"], "path": "/feedback", "authentication": "optional", "require": { "scopes": { "any_of": ["a"] } } }),
        ] {
            assert_eq!(with_route(route), [""; 0]);
        }
    }

    #[test]
    fn what_is_demanded_counts_where_strangers_cannot_meet_it() {
        let route = |conditions: Value| json!({ "methods": ["POST"], "path": "/feedback", "authentication": "optional", "conditions": conditions });
        let from_inside =
            json!([{ "attribute": "context.source", "operator": "in_cidr", "value": ["10.0.0.0/8"] }]);
        let of_finance = json!([{ "attribute": "department", "operator": "eq", "value": "finance" }]);
        assert_eq!(with_route(route(from_inside)).len(), 1);
        assert_eq!(with_route(route(of_finance)), [""; 0]);
        let everyone = ("/authorization/groups", json!(["staff"]));
        assert_eq!(
            found_after("unauthenticated-access", &[("/authorization/routes/2", route(json!([]))), everyone]),
            [""; 0]
        );
    }
}
