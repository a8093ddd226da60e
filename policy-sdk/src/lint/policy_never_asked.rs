//! Attached policies that no request can depend on.

use std::collections::BTreeMap;

use super::access::{Methods, hosts_meet};
use super::reading::{Reading, policy_place};
use super::template_cover::CoverTree;
use super::template_shape::Shape;
use super::{Found, Lint};
use crate::document::{Attach, Effect, Intent};

pub(super) const LINT: Lint = Lint {
    code: "policy-never-asked",
    finds: "A policy attached to where nothing is allowed anyway: no route, rule or access list can let through a request of its host, path and methods. Or to tenants, where no method reads a tenant, `tenancy.default` is none of them and nobody may address another's.",
    remedy: "correct what it is attached to, or remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authorization = &reading.document.authorization;
    if authorization.policies.is_empty() {
        return;
    }
    let everywhere = authorization.intent == Some(Intent::Abac) || reading.has_superusers();
    let allowed = allowed(reading);
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
        // Routes that are named are there, or the document does not load.
        let is_of_routes = !attach.routes.is_empty() && attach.path.is_none();
        if !everywhere && !is_of_routes && !reach.meets(&allowed) {
            found.add(
                || policy_place(index).member("attach"),
                || "attached where nothing is allowed anyway: no request depends on it".to_owned(),
            );
        }
    }
}

/// What may be allowed at one template: methods by host, none for every host.
type Allowed<'d> = BTreeMap<Option<&'d str>, Methods>;

/// Everything that a route, a rule, an access list or the conditions of a policy may let through.
fn allowed<'d>(reading: &Reading<'d>) -> CoverTree<Allowed<'d>> {
    let mut tree = CoverTree::<Allowed<'_>>::new();
    let mut add = |shape: &Shape, host: Option<&'d str>, methods: Methods| {
        if let Some(allowed) = tree.value_at(shape) {
            let here = allowed.entry(host).or_default();
            *here = here.and(methods);
        }
    };
    for route in &reading.routes {
        add(&route.shape, route.entry.host.as_deref(), route.methods);
    }
    for (_, entry) in reading.rules().filter(|(_, entry)| entry.rule.effect == Effect::Allow) {
        add(&entry.shape, None, Methods::of(&entry.rule.action, Effect::Allow));
    }
    let policies = &reading.document.authorization.policies;
    let attached = policies.iter().flat_map(|policy| &policy.acl);
    for list in reading.document.authorization.acl.iter().chain(attached) {
        let entries = list.entries.iter().filter(|entry| entry.effect == Effect::Allow);
        let actions = entries.flat_map(|entry| &entry.actions);
        let methods =
            actions.fold(Methods::default(), |all, action| all.and(Methods::of(action, Effect::Allow)));
        if let Some(shape) = Shape::of_resource(&list.resource) {
            add(&shape, None, methods);
        }
    }
    for policy in policies.iter().filter(|policy| policy.intent == Some(Intent::Abac)) {
        let Reach { host, path, methods } = Reach::of(&policy.attach);
        add(&path, host, methods);
    }
    tree
}

/// Whether a caller can be of one of `tenants`.
fn has_tenant(reading: &Reading<'_>, tenants: &[String]) -> bool {
    let document = reading.document;
    let default = document.tenancy.default.as_ref();
    document.authentication.methods.iter().any(|method| method.jwt.claims.tenant.is_some())
        || !document.tenancy.cross_tenant.roles.is_empty()
        || default.is_some_and(|default| tenants.contains(default))
}

/// The requests that a policy is about.
struct Reach<'d> {
    host: Option<&'d str>,
    path: Shape,
    methods: Methods,
}

impl<'d> Reach<'d> {
    fn of(attach: &'d Attach) -> Reach<'d> {
        let any = attach.methods.is_empty() || attach.methods.iter().any(|method| method == "*");
        Reach {
            host: attach.host.as_deref(),
            path: attach.path.as_deref().and_then(Shape::of).unwrap_or(Shape::everything()),
            methods: if any { Methods::ALL } else { Methods::listed(&attach.methods) },
        }
    }

    /// Whether one of these requests may be allowed. A policy is attached to both spellings of a path.
    fn meets(&self, allowed: &CoverTree<Allowed<'_>>) -> bool {
        let meets = |at: &Allowed<'_>| {
            at.iter().any(|(host, methods)| hosts_meet(*host, self.host) && methods.meet(self.methods))
        };
        let twin = self.path.slash_twin();
        allowed.any_in_common(&self.path, meets)
            || twin.is_some_and(|twin| allowed.any_in_common(&twin, meets))
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
