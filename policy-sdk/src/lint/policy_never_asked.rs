//! Attached policies that no request can depend on.

use super::access::{Methods, hosts_meet};
use super::reading::{Reading, policy_place};
use super::template_shape::Shape;
use super::{Found, Lint};
use crate::document::{AccessList, Attach, AttachedPolicy, Effect, Intent, Rule};

pub(super) const LINT: Lint = Lint {
    code: "policy-never-asked",
    finds: "A policy attached to where nothing is allowed anyway: no route, rule or access list can let through a request of its host, path and methods. Or to tenants, where no method reads a tenant, `tenancy.default` is none of them and nobody may address another's.",
    remedy: "correct what it is attached to, or remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authorization = &reading.document.authorization;
    let everywhere = authorization.intent == Some(Intent::Abac) || reading.has_superusers();
    let (_, rules) = reading.document.rules();
    for (index, policy) in authorization.policies.iter().enumerate() {
        let attach = &policy.attach;
        if !attach.tenants.is_empty() && !has_tenant(reading, &attach.tenants) {
            found.add(
                || policy_place(index).member("attach").member("tenants"),
                || "attached to no request: nobody is of these tenants".to_owned(),
            );
            continue;
        }
        let reach = Reach::of(attach);
        let is_of_gateway = reach.is_everything();
        let by_policy = |other: &AttachedPolicy| {
            let meets = Reach::of(&other.attach).meets(&reach);
            let is_abac = other.intent == Some(Intent::Abac);
            meets && (is_abac || reach.meets_rules(&other.rules) || reach.meets_lists(&other.acl))
        };
        let is_asked = everywhere
            || is_of_gateway
            || !attach.routes.is_empty() && reach.path.is_none()
            || reading.routes.iter().any(|route| {
                let of_route = Reach {
                    host: route.entry.host.as_deref(),
                    path: Some(route.shape.clone()),
                    methods: Some(route.methods),
                };
                of_route.meets(&reach)
            })
            || reach.meets_rules(rules)
            || reach.meets_lists(&authorization.acl)
            || authorization.policies.iter().any(by_policy);
        if !is_asked {
            found.add(
                || policy_place(index).member("attach"),
                || "attached where nothing is allowed anyway: no request depends on it".to_owned(),
            );
        }
    }
}

/// Whether a caller can be of one of `tenants`.
fn has_tenant(reading: &Reading<'_>, tenants: &[String]) -> bool {
    let document = reading.document;
    let default = document.tenancy.default.as_ref();
    document.authentication.methods.iter().any(|method| method.jwt.claims.tenant.is_some())
        || !document.tenancy.cross_tenant.roles.is_empty()
        || default.is_some_and(|default| tenants.contains(default))
}

/// The requests that something is about; what is absent stands for all.
struct Reach<'d> {
    host: Option<&'d str>,
    path: Option<Shape>,
    methods: Option<Methods>,
}

impl<'d> Reach<'d> {
    fn of(attach: &'d Attach) -> Reach<'d> {
        let any = attach.methods.is_empty() || attach.methods.iter().any(|method| method == "*");
        Reach {
            host: attach.host.as_deref(),
            path: attach.path.as_deref().and_then(Shape::of),
            methods: (!any).then(|| Methods::listed(&attach.methods)),
        }
    }

    fn is_everything(&self) -> bool {
        self.host.is_none() && self.path.is_none() && self.methods.is_none()
    }

    fn meets(&self, other: &Reach<'_>) -> bool {
        let methods = self.methods.zip(other.methods).is_none_or(|(one, other)| one.meet(other));
        hosts_meet(self.host, other.host) && methods && self.meets_path(other.path.as_ref())
    }

    fn meets_path(&self, path: Option<&Shape>) -> bool {
        self.path.as_ref().zip(path).is_none_or(|(one, other)| {
            // A policy is attached to both spellings of a path.
            let twins = [one.slash_twin(), other.slash_twin()];
            let [of_one, of_other] = &twins;
            one.meets(other)
                || of_one.as_ref().is_some_and(|one| one.meets(other))
                || of_other.as_ref().is_some_and(|other| one.meets(other))
        })
    }

    fn meets_rules(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| {
            rule.effect == Effect::Allow
                && self.methods.is_none_or(|methods| methods.meet(Methods::of(&rule.action, Effect::Allow)))
                && self.meets_path(Shape::of_resource(&rule.resource).as_ref())
        })
    }

    fn meets_lists(&self, lists: &[AccessList]) -> bool {
        lists.iter().any(|list| {
            let allows = list.entries.iter().filter(|entry| entry.effect == Effect::Allow);
            let mut actions = allows.flat_map(|entry| &entry.actions);
            actions.any(|action| {
                self.methods.is_none_or(|methods| methods.meet(Methods::of(action, Effect::Allow)))
            }) && self.meets_path(Shape::of_resource(&list.resource).as_ref())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(attach: Value, more: &[(&str, Value)]) -> Vec<String> {
        let policy = json!([{ "name": "p", "attach": attach, "restrictions": { "methods": ["people"] } }]);
        let mut changes = vec![("/authorization/policies", policy)];
        changes.extend_from_slice(more);
        found_after("policy-never-asked", &changes)
    }

    #[test]
    fn fires() {
        let one_host = ("/authorization/routes/0/host", json!("a.example.com"));
        let no_rules = ("/authorization/rules", json!([]));
        for (attach, more) in [
            (json!({ "path": "/api/dosc/**" }), vec![]),
            (json!({ "path": "/v1/objects/{id}", "methods": ["DELETE"] }), vec![]),
            (json!({ "path": "/v1/objects/{id}", "host": "b.example.com" }), vec![one_host.clone()]),
            (json!({ "methods": ["DELETE"] }), vec![]),
            (json!({ "path": "/api/docs/**" }), vec![no_rules]),
        ] {
            assert_eq!(
                after(attach.clone(), &more),
                [
                    "/authorization/policies/0/attach: attached where nothing is allowed anyway: no request depends on it"
                ],
                "{attach}"
            );
        }
        let no_tenant = json!({ "tenant": null });
        let unread = [
            ("/tenancy", json!({})),
            ("/authentication/methods/0/jwt/claims", no_tenant.clone()),
            ("/authentication/methods/1/jwt/claims", no_tenant),
        ];
        assert_eq!(
            after(json!({ "tenants": ["acme"] }), &unread),
            ["/authorization/policies/0/attach/tenants: attached to no request: nobody is of these tenants"]
        );
    }

    #[test]
    fn is_quiet() {
        let superusers = ("/authorization/superusers", json!({ "roles": ["support"] }));
        let own_rules = json!([{ "name": "p", "attach": { "path": "/x/**" }, "rules": [
            { "effect": "allow", "action": "read", "resource": "/x/y", "role": "editor" }] }]);
        assert_eq!(found_after("policy-never-asked", &[("/authorization/policies", own_rules)]), [""; 0]);
        for (attach, more) in [
            (json!({}), vec![]),
            (json!({ "tenants": ["acme"] }), vec![]),
            (json!({ "path": "/api/**" }), vec![]),
            (json!({ "path": "/v1/objects/" }), vec![]),
            (json!({ "path": "/v1/objects/{id}", "host": "b.example.com" }), vec![]),
            (json!({ "methods": ["POST", "DELETE"] }), vec![]),
            (json!({ "path": "/nowhere" }), vec![superusers]),
        ] {
            assert_eq!(after(attach.clone(), &more), [""; 0], "{attach}");
        }
    }
}
