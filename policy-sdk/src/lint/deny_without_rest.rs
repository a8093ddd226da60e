//! Rules that shut a door and leave the rooms behind it open.

use super::access::Methods;
use super::reading::Reading;
use super::template_cover::CoverTree;
use super::{Found, Lint};
use crate::document::Effect;

pub(super) const LINT: Lint = Lint {
    code: "deny-without-rest",
    finds: "A rule that denies a path but not what lies below it, where a route or a rule allows the same action below.",
    remedy: "end the resource in `/**`, which takes in the path itself too",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let mut allowed = CoverTree::<Methods>::new();
    let allowing = reading.rules().filter(|(_, entry)| entry.rule.effect == Effect::Allow);
    let rules = allowing.map(|(_, entry)| (&entry.shape, Methods::of(&entry.rule.action, Effect::Allow)));
    let routes = reading.routes.iter().map(|route| (&route.shape, route.methods));
    for (shape, methods) in rules.chain(routes) {
        if let Some(all) = allowed.value_at(shape) {
            *all = all.and(methods);
        }
    }
    for (list, entry) in reading.rules_of_everyone() {
        let rule = entry.rule;
        if rule.effect != Effect::Deny || entry.shape.rest {
            continue;
        }
        let methods = Methods::of(&rule.action, Effect::Deny);
        if allowed.any_in_common(&entry.shape.below(), |allowed| allowed.meet(methods)) {
            found.add(
                || list.place(entry.index).member("resource"),
                || "denies this path only: what lies below it may still be allowed".to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(action: &str, resource: &str) -> Vec<String> {
        let deny: Value =
            json!({ "effect": "deny", "action": action, "resource": resource, "role": "guest" });
        found_after("deny-without-rest", &[("/authorization/rules/1", deny)])
    }

    #[test]
    fn fires() {
        for (action, resource) in
            [("read", "/v1"), ("*", "/v1/objects"), ("read", "/api/docs/"), ("GET", "/{any}")]
        {
            assert_eq!(
                after(action, resource),
                [
                    "/authorization/rules/1/resource: denies this path only: what lies below it may still be allowed"
                ],
                "{action} {resource}"
            );
        }
    }

    #[test]
    fn is_quiet() {
        for (action, resource) in
            [("read", "/v1/**"), ("*", "*"), ("read", "/v1/objects/{id}"), ("delete", "/v1"), ("read", "/v2")]
        {
            assert_eq!(after(action, resource), [""; 0], "{action} {resource}");
        }
    }
}
