//! Denials that are never asked, because the request is public.

use super::access::Methods;
use super::reading::{Reading, public_place};
use super::template_cover::CoverTree;
use super::{Found, Lint};
use crate::document::Effect;

pub(super) const LINT: Lint = Lint {
    code: "deny-under-public",
    finds: "A rule that denies below a public path: a public request is let through before any rule is asked.",
    remedy: "give the path a route of its own, or narrow the public entry",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    if reading.public.is_empty() {
        return;
    }
    let mut public = CoverTree::<Vec<(usize, Methods)>>::new();
    for entry in reading.public.iter().filter(|public| public.entry.host.is_none()) {
        if let Some(all) = public.value_at(&entry.shape) {
            all.push((entry.index, entry.methods));
        }
    }
    let mut routes = CoverTree::<Methods>::new();
    for route in &reading.routes {
        if let Some(all) = routes.value_at(&route.shape) {
            *all = all.and(route.methods);
        }
    }
    for (list, entry) in reading.rules().filter(|(_, entry)| entry.rule.effect == Effect::Deny) {
        let methods = Methods::of(&entry.rule.action, Effect::Deny);
        let opened = public.covering(&entry.shape, |covering| {
            let meets = covering.value.iter().find(|(_, public)| public.meet(methods));
            meets.map(|(index, _)| (*index, covering.depth))
        });
        let Some((index, depth)) = opened else { continue };
        // A route that is more specific than the public entry is asked in its place, and then the rule is too.
        let is_shut_again = routes.covering(&entry.shape, |covering| {
            (covering.depth >= depth && covering.value.meet(methods)).then_some(())
        });
        if is_shut_again.is_none() {
            found.add(
                || list.place(entry.index),
                || format!("not asked: {} lets these requests through", public_place(index)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(action: &str, more: &[(&str, Value)]) -> Vec<String> {
        let deny = json!({ "effect": "deny", "action": action, "resource": "/files/secret/**", "role": "*" });
        let mut changes = vec![
            ("/authorization/public/1", json!({ "methods": ["GET"], "path": "/files/**" })),
            ("/authorization/rules/1", deny),
        ];
        changes.extend_from_slice(more);
        found_after("deny-under-public", &changes)
    }

    #[test]
    fn fires() {
        assert_eq!(
            after("read", &[]),
            ["/authorization/rules/1: not asked: /authorization/public/1 lets these requests through"]
        );
    }

    #[test]
    fn is_quiet() {
        assert_eq!(after("delete", &[]), [""; 0]);
        let route = json!({ "methods": ["GET"], "path": "/files/secret/**" });
        assert_eq!(after("read", &[("/authorization/routes/2", route)]), [""; 0]);
    }
}
