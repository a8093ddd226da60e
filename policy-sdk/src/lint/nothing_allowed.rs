//! A gate that never opens.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{AccessList, Authorization, Effect, Intent, JsonPointer, Requirement, Restrictions};

pub(super) const LINT: Lint = Lint {
    code: "nothing-allowed",
    finds: "A document in which nothing allows anything: what is not allowed is refused.",
    remedy: "add a route, a rule with `effect: allow` or a public entry for each request that is to pass",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authorization = &reading.document.authorization;
    let policies = &authorization.policies;
    let allows = reading.rules().any(|(_, entry)| entry.rule.effect == Effect::Allow)
        || grants(&authorization.acl, authorization.intent)
        || policies.iter().any(|policy| grants(&policy.acl, policy.intent))
        || reading.has_superusers()
        || !authorization.preflight.is_empty();
    if reading.public.is_empty() && reading.routes.is_empty() && !allows {
        let restricts = reading.rules().next().is_some() || !policies.is_empty() || demands(authorization);
        let message = if restricts {
            "nothing is allowed: it only says what is refused, and so every request is"
        } else {
            "nothing is allowed: every request is refused"
        };
        found.add(|| JsonPointer::members(&["authorization"]), || message.to_owned());
    }
}

/// Whether access lists or, in `type: abac`, conditions allow something.
fn grants(lists: &[AccessList], intent: Option<Intent>) -> bool {
    let mut entries = lists.iter().flat_map(|list| &list.entries);
    intent == Some(Intent::Abac) || entries.any(|entry| entry.effect == Effect::Allow)
}

/// Whether something is demanded of everyone.
fn demands(authorization: &Authorization) -> bool {
    !authorization.conditions.is_empty()
        || !authorization.groups.is_empty()
        || !authorization.acl.is_empty()
        || authorization.require != Requirement::default()
        || authorization.restrictions != Restrictions::default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(authorization: Value) -> Vec<String> {
        found_after("nothing-allowed", &[("/authorization", authorization)])
    }

    #[test]
    fn fires() {
        assert_eq!(after(json!({})), ["/authorization: nothing is allowed: every request is refused"]);
        let deny = json!({ "effect": "deny", "action": "*", "resource": "/admin/**", "role": "guest" });
        assert_eq!(
            after(json!({ "rules": [deny] })),
            ["/authorization: nothing is allowed: it only says what is refused, and so every request is"]
        );
    }

    #[test]
    fn demands_alone_grant_nothing() {
        for authorization in [
            json!({ "groups": ["staff"] }),
            json!({ "policies": [{ "name": "p", "restrictions": { "methods": ["people"] } }] }),
        ] {
            assert_eq!(
                after(authorization),
                ["/authorization: nothing is allowed: it only says what is refused, and so every request is"]
            );
        }
    }

    #[test]
    fn is_quiet() {
        let allow = json!({ "effect": "allow", "action": "*", "resource": "/docs/**", "role": "guest" });
        let listed = json!([{ "resource": "/a", "entries": [{ "actions": ["read"], "users": ["ann"] }] }]);
        for authorization in [
            json!({ "rules": [allow] }),
            json!({ "acl": listed }),
            json!({ "policies": [{ "name": "p", "acl": listed }] }),
            json!({ "superusers": { "roles": ["root"] } }),
            json!({ "routes": [{ "methods": ["GET"], "path": "/" }] }),
            json!({ "public": [{ "methods": ["GET"], "path": "/" }] }),
        ] {
            assert_eq!(after(authorization), [""; 0]);
        }
    }
}
