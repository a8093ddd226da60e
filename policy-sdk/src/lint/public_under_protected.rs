//! Public entries inside what is protected otherwise.

use super::access::{Methods, host_covers, hosts_meet};
use super::reading::{Reading, policy_place, public_place, route_place};
use super::template_cover::CoverTree;
use super::template_shape::Shape;
use super::{Found, Lint};
use crate::document::{Effect, JsonPointer, RequiredAuthentication};

pub(super) const LINT: Lint = Lint {
    code: "public-under-protected",
    finds: "A public entry below a path that a route, a rule that denies or an attached policy protects, or of a host that a policy is attached to: for public requests none of them is asked. What protects every path, such as a route for `/**` or a policy of the whole gateway, is not counted.",
    remedy: "ensure that this is intentional; otherwise remove the public entry, or move it out of the protected path",
    look,
};

/// What protects a tree of paths.
#[derive(Clone)]
struct Protection<'r> {
    /// `None` for every method.
    methods: Option<Methods>,
    host: Option<&'r str>,
    place: JsonPointer,
}

fn look(reading: &Reading<'_>, found: &mut Found) {
    if reading.public.is_empty() {
        return;
    }
    let mut tree = CoverTree::<Vec<Protection<'_>>>::new();
    for route in reading.routes.iter().filter(|route| route.shape.rest && !route.shape.is_everything()) {
        if route.entry.authentication == RequiredAuthentication::Required
            && let Some(all) = tree.value_at(&route.shape)
        {
            let (methods, host) = (Some(route.methods), route.entry.host.as_deref());
            all.push(Protection { methods, host, place: route_place(route.index) });
        }
    }
    for (list, entry) in reading.rules_of_everyone() {
        let is_protection =
            entry.rule.effect == Effect::Deny && entry.shape.rest && !entry.shape.is_everything();
        if is_protection && let Some(all) = tree.value_at(&entry.shape)
            // One rule a template is enough to say so; a hundred thousand with their places are not wanted.
            && all.len() < MAX_NAMED
        {
            let methods = Some(Methods::of(&entry.rule.action, Effect::Deny));
            all.push(Protection { methods, host: None, place: list.place(entry.index) });
        }
    }
    let mut by_host = Vec::new();
    for (index, policy) in reading.document.authorization.policies.iter().enumerate() {
        // Public requests are of no route that could be named, and of no tenant.
        let attach = &policy.attach;
        if !attach.routes.is_empty() || !attach.tenants.is_empty() {
            continue;
        }
        let host = attach.host.as_deref();
        let any = attach.methods.is_empty() || attach.methods.iter().any(|method| method == "*");
        let methods = (!any).then(|| Methods::listed(&attach.methods));
        let protection = Protection { methods, host, place: policy_place(index) };
        let shape = attach.path.as_deref().and_then(Shape::of).filter(|shape| !shape.is_everything());
        match (shape, host) {
            (Some(shape), _) => {
                let twin = shape.slash_twin();
                for shape in std::iter::once(shape).chain(twin) {
                    if let Some(all) = tree.value_at(&shape) {
                        all.push(protection.clone());
                    }
                }
            }
            (None, Some(_)) => by_host.push(protection),
            (None, None) => {}
        }
    }
    for public in &reading.public {
        let protection = tree.covering(&public.shape, |covering| {
            let host = public.entry.host.as_deref();
            let meets = |protection: &&Protection<'_>| {
                protection.methods.is_none_or(|methods| methods.meet(public.methods))
                    && hosts_meet(protection.host, host)
            };
            covering.value.iter().find(meets).map(|protection| protection.place.clone())
        });
        let host = public.entry.host.as_deref();
        let of_host = by_host.iter().find(|protection| {
            host.is_some()
                && host_covers(protection.host, host)
                && protection.methods.is_none_or(|methods| methods.meet(public.methods))
        });
        if let Some(protection) = protection {
            found.add(
                || public_place(public.index),
                || format!("public, and below the path that {protection} protects, which is not asked"),
            );
        } else if let Some(Protection { place, .. }) = of_host {
            found.add(
                || public_place(public.index),
                || format!("public, and of the host that {place} protects, which is not asked"),
            );
        }
    }
}

/// Most rules that are remembered for one template.
const MAX_NAMED: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(changes: &[(&str, Value)]) -> Vec<String> {
        let mut all =
            vec![("/authorization/public/1", json!({ "methods": ["GET"], "path": "/admin/health" }))];
        all.extend_from_slice(changes);
        found_after("public-under-protected", &all)
    }

    #[test]
    fn fires() {
        assert_eq!(
            after(&[("/authorization/routes/2", json!({ "methods": ["*"], "path": "/admin/**" }))]),
            [
                "/authorization/public/1: public, and below the path that /authorization/routes/2 protects, which is not asked"
            ]
        );
        let deny = json!({ "effect": "deny", "action": "read", "resource": "/admin/**", "role": "guest" });
        assert_eq!(
            after(&[("/authorization/rules/1", deny)]),
            [
                "/authorization/public/1: public, and below the path that /authorization/rules/1 protects, which is not asked"
            ]
        );
    }

    #[test]
    fn a_policy_protects_what_it_is_attached_to() {
        let restricted = |attach: Value| {
            (
                "/authorization/policies",
                json!([{ "name": "p", "attach": attach, "restrictions": { "methods": ["people"] } }]),
            )
        };
        for attach in [
            json!({ "path": "/admin/**" }),
            json!({ "path": "/admin/{page}", "methods": ["GET", "POST"] }),
            json!({ "path": "/admin/health/" }),
            json!({ "path": "/admin/**", "host": "a.example.com" }),
        ] {
            assert_eq!(
                after(&[restricted(attach.clone())]),
                [
                    "/authorization/public/1: public, and below the path that /authorization/policies/0 protects, which is not asked"
                ],
                "{attach}"
            );
        }
        let of_host = ("/authorization/public/1/host", json!("a.example.com"));
        assert_eq!(
            after(&[of_host.clone(), restricted(json!({ "host": "*.example.com" }))]),
            [
                "/authorization/public/1: public, and of the host that /authorization/policies/0 protects, which is not asked"
            ]
        );
        for attach in [
            json!({}),
            json!({ "path": "/**" }),
            json!({ "path": "/admin/**", "methods": ["POST"] }),
            json!({ "path": "/admin/**", "host": "b.example.com" }),
            json!({ "path": "/admin/**", "tenants": ["acme"] }),
            json!({ "path": "/admin/{page}/x" }),
        ] {
            assert_eq!(after(&[of_host.clone(), restricted(attach.clone())]), [""; 0], "{attach}");
        }
    }

    #[test]
    fn is_quiet() {
        for route in [
            json!({ "methods": ["*"], "path": "/**" }),
            json!({ "methods": ["POST"], "path": "/admin/**" }),
            json!({ "methods": ["*"], "path": "/admin/{page}" }),
            json!({ "methods": ["*"], "path": "/admin/**", "authentication": "optional" }),
        ] {
            assert_eq!(after(&[("/authorization/routes/2", route)]), [""; 0]);
        }
        let deny = json!({ "effect": "deny", "action": "write", "resource": "/admin/**", "role": "guest" });
        assert_eq!(after(&[("/authorization/rules/1", deny)]), [""; 0]);
    }
}
