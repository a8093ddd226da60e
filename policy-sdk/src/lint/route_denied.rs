//! Routes that every caller is denied.

use super::reading::{Reading, route_place};
use super::rule_index::RuleIndex;
use super::{Found, Lint};
use crate::document::{Effect, RequiredAuthentication};

pub(super) const LINT: Lint = Lint {
    code: "route-denied",
    finds: "A route whose every request is denied to every caller by rules for the role `*`.",
    remedy: "remove the route, or narrow the rule",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let Some(list) = reading.rule_lists.first() else { return };
    let denies = RuleIndex::of(list, Effect::Deny);
    for route in &reading.routes {
        // An anonymous caller has no role, not even `*`.
        if route.entry.authentication == RequiredAuthentication::Optional {
            continue;
        }
        let twin = route.shape.slash_twin();
        let denier = |method: &str| {
            let either = [Some(&route.shape), twin.as_ref()];
            either.into_iter().flatten().find_map(|shape| denies.about_everyone(shape, method))
        };
        let deniers: Option<Vec<usize>> =
            route.entry.request_methods().iter().map(|method| denier(method)).collect();
        if let Some(rule) = deniers.and_then(|rules| rules.first().copied()) {
            found.add(
                || route_place(route.index),
                || format!("nobody will pass: {} denies it to every caller", list.place(rule)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    fn after(action: &str, resource: &str, role: &str) -> Vec<String> {
        let deny = json!({ "effect": "deny", "action": action, "resource": resource, "role": role });
        found_after("route-denied", &[("/authorization/rules/1", deny)])
    }

    #[test]
    fn fires() {
        let nobody = "nobody will pass: /authorization/rules/1 denies it to every caller";
        assert_eq!(after("read", "/v1/**", "*"), [format!("/authorization/routes/0: {nobody}")]);
        assert_eq!(after("write", "/v1/objects/", "*"), [format!("/authorization/routes/1: {nobody}")]);
        assert_eq!(after("*", "*", "*").len(), 2);
    }

    #[test]
    fn is_quiet() {
        assert_eq!(after("read", "/v1/**", "guest"), [""; 0]);
        assert_eq!(after("delete", "/v1/**", "*"), [""; 0]);
        assert_eq!(after("read", "/v1/objects/7", "*"), [""; 0]);
        let deny = json!({ "effect": "deny", "action": "*", "resource": "*", "role": "*" });
        let optional = ("/authorization/routes/0/authentication", json!("optional"));
        assert_eq!(found_after("route-denied", &[("/authorization/rules/1", deny), optional]).len(), 1);
    }
}
