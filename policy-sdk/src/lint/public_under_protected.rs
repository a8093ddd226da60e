//! Public entries inside what is protected otherwise.

use super::access::{Methods, hosts_meet};
use super::reading::{Reading, public_place, route_place};
use super::template_cover::CoverTree;
use super::{Found, Lint};
use crate::document::{Effect, JsonPointer, RequiredAuthentication};

pub(super) const LINT: Lint = Lint {
    code: "public-under-protected",
    finds: "A public entry below a path that a route, a rule that denies or an attached policy protects: for public requests none of them is asked. What protects every path, such as a route for `/**`, is not counted.",
    remedy: "ensure that this is intentional; otherwise remove the public entry, or move it out of the protected path",
    look,
};

/// What protects a tree of paths.
struct Protection<'r> {
    methods: Methods,
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
            let (methods, host) = (route.methods, route.entry.host.as_deref());
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
            let methods = Methods::of(&entry.rule.action, Effect::Deny);
            all.push(Protection { methods, host: None, place: list.place(entry.index) });
        }
    }
    for public in &reading.public {
        let protection = tree.covering(&public.shape, |covering| {
            let host = public.entry.host.as_deref();
            let meets = |protection: &&Protection<'_>| {
                protection.methods.meet(public.methods) && hosts_meet(protection.host, host)
            };
            covering.value.iter().find(meets).map(|protection| protection.place.clone())
        });
        if let Some(protection) = protection {
            found.add(
                || public_place(public.index),
                || format!("public, and below the path that {protection} protects, which is not asked"),
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
