//! Doors that open to every caller with a credential, whatever it is for.

use super::access::Methods;
use super::reading::{Reading, policy_place, route_place};
use super::strangers::{are_about_caller, requires_nothing};
use super::template_shape::Shape;
use super::{Found, Lint};
use crate::document::{
    AccessList, Attach, Condition, Effect, Intent, JsonPointer, Requirement, Restrictions, Rule,
};

pub(super) const LINT: Lint = Lint {
    code: "everyone-allowed",
    finds: "A rule, an entry of an access list, a route or a `type: abac` that lets every authenticated caller write on every path, where nothing is demanded of everyone.",
    remedy: "ensure that this is intentional; otherwise name a role, a permission or the paths",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authorization = &reading.document.authorization;
    let place = JsonPointer::members(&["authorization"]);
    let (rules_place, rules) = reading.document.rules();
    let (_, groups) = reading.document.groups();
    let base = Part {
        groups,
        require: &authorization.require,
        restrictions: &authorization.restrictions,
        conditions: &authorization.conditions,
    };
    if base.demands_nothing(authorization.intent) {
        in_rules(rules, &rules_place, found);
        in_access_lists(&authorization.acl, &place.member("acl"), found);
        if authorization.intent == Some(Intent::Abac) {
            found.add(|| place.member("conditions"), by_conditions);
        }
        for route in
            reading.routes.iter().filter(|route| route.shape.is_everything() && route.methods.write())
        {
            let entry = route.entry;
            let asks = entry.permission.is_some()
                || !requires_nothing(&entry.require)
                || !entry.conditions.is_empty();
            if !asks && entry.host.is_none() && entry.is_plain() {
                found.add(
                    || route_place(route.index),
                    || says("this route asks for nothing but a credential"),
                );
            }
        }
    }
    for (index, policy) in authorization.policies.iter().enumerate() {
        let part = Part {
            groups: &policy.groups,
            require: &policy.require,
            restrictions: &policy.restrictions,
            conditions: &policy.conditions,
        };
        let place = policy_place(index);
        if policy.attach == Attach::default()
            && base.demands_nothing(authorization.intent)
            && part.demands_nothing(policy.intent)
        {
            in_rules(&policy.rules, &place.member("rules"), found);
            in_access_lists(&policy.acl, &place.member("acl"), found);
            if policy.intent == Some(Intent::Abac) {
                found.add(|| place.member("conditions"), by_conditions);
            }
        }
    }
}

/// What is demanded of callers beside rules and access lists.
struct Part<'d> {
    groups: &'d [String],
    require: &'d Requirement,
    restrictions: &'d Restrictions,
    conditions: &'d [Condition],
}

impl Part<'_> {
    fn demands_nothing(&self, intent: Option<Intent>) -> bool {
        let conditions = match intent {
            // In this form conditions grant. Those that are not about the caller grant to everyone.
            Some(Intent::Abac) => !are_about_caller(self.conditions),
            Some(Intent::Rbac | Intent::Acl) | None => self.conditions.is_empty(),
        };
        self.groups.is_empty()
            && requires_nothing(self.require)
            && *self.restrictions == Restrictions::default()
            && conditions
    }
}

fn in_rules(rules: &[Rule], place: &JsonPointer, found: &mut Found) {
    for (index, rule) in rules.iter().enumerate() {
        let is_for_all = rule.role == "*" && rule.effect == Effect::Allow && rule.conditions.is_empty();
        if is_for_all && Methods::of(&rule.action, Effect::Allow).write() && is_everything(&rule.resource) {
            found.add(|| place.element(index), || says("the rule is for the role `*`"));
        }
    }
}

fn in_access_lists(lists: &[AccessList], place: &JsonPointer, found: &mut Found) {
    for (number, list) in lists.iter().enumerate().filter(|(_, list)| is_everything(&list.resource)) {
        for (index, entry) in list.entries.iter().enumerate() {
            let is_for_all = entry.roles.iter().any(|role| role == "*")
                && entry.effect == Effect::Allow
                && entry.conditions.is_empty();
            let writes = entry.actions.iter().any(|action| Methods::of(action, Effect::Allow).write());
            if is_for_all && writes {
                found.add(
                    || place.element(number).member("entries").element(index),
                    || says("the entry is for the role `*`"),
                );
            }
        }
    }
}

fn is_everything(resource: &str) -> bool {
    Shape::of_resource(resource).is_some_and(|shape| shape.is_everything())
}

fn says(why: &str) -> String {
    format!("every authenticated caller may write everywhere: {why}")
}

fn by_conditions() -> String {
    says("no condition is about the caller")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(changes: &[(&str, Value)]) -> Vec<String> {
        found_after("everyone-allowed", changes)
    }

    fn open_rule() -> Value {
        json!({ "effect": "allow", "action": "*", "resource": "*", "role": "*" })
    }

    fn open_list() -> Value {
        json!({ "resource": "/**", "entries": [{ "actions": ["read", "delete"], "roles": ["editor", "*"] }] })
    }

    #[test]
    fn fires() {
        let inside =
            json!([{ "attribute": "context.source", "operator": "in_cidr", "value": ["10.0.0.0/8"] }]);
        let at = |place: &str, why: &str| {
            format!("/authorization{place}: every authenticated caller may write everywhere: {why}")
        };
        for (place, value, said) in [
            ("/authorization/rules/1", open_rule(), at("/rules/1", "the rule is for the role `*`")),
            (
                "/authorization/acl",
                json!([open_list()]),
                at("/acl/0/entries/0", "the entry is for the role `*`"),
            ),
            (
                "/authorization/routes/2",
                json!({ "methods": ["*"], "path": "/**" }),
                at("/routes/2", "this route asks for nothing but a credential"),
            ),
            (
                "/authorization/policies",
                json!([{ "name": "p", "rules": [open_rule()] }]),
                at("/policies/0/rules/0", "the rule is for the role `*`"),
            ),
            (
                "/authorization/policies",
                json!([{ "name": "p", "acl": [open_list()] }]),
                at("/policies/0/acl/0/entries/0", "the entry is for the role `*`"),
            ),
            (
                "/authorization/policies",
                json!([{ "name": "p", "type": "abac", "conditions": inside }]),
                at("/policies/0/conditions", "no condition is about the caller"),
            ),
            (
                "/authorization",
                json!({ "type": "abac", "conditions": inside }),
                at("/conditions", "no condition is about the caller"),
            ),
        ] {
            assert_eq!(after(&[(place, value)]), [said]);
        }
    }

    #[test]
    fn is_quiet() {
        let everywhere = ("/authorization/rules/1", open_rule());
        for demand in [
            ("/authorization/groups", json!(["staff"])),
            ("/authorization/require", json!({ "scopes": { "any_of": ["api"] } })),
            ("/authorization/restrictions", json!({ "methods": ["people"] })),
        ] {
            assert_eq!(after(&[everywhere.clone(), demand]), [""; 0]);
        }
        let about_caller = json!([{ "attribute": "department", "operator": "eq", "value": "finance" }]);
        for (place, value) in [
            ("/authorization", json!({ "type": "abac", "conditions": about_caller })),
            ("/authorization/routes/2", json!({ "methods": ["GET"], "path": "/**" })),
            (
                "/authorization/routes/2",
                json!({ "methods": ["*"], "path": "/**", "permission": "objects:create" }),
            ),
            (
                "/authorization/rules/1",
                json!({ "effect": "allow", "action": "*", "resource": "/docs/**", "role": "*" }),
            ),
            (
                "/authorization/rules/1",
                json!({ "effect": "deny", "action": "*", "resource": "*", "role": "*" }),
            ),
            (
                "/authorization/policies",
                json!([{ "name": "p", "attach": { "path": "/docs/**" }, "rules": [open_rule()] }]),
            ),
        ] {
            assert_eq!(after(&[(place, value)]), [""; 0]);
        }
    }
}
