//! What must fit together before an authorization means anything. What is wrong here would otherwise be silently without
//! effect, and in something that denies or demands that is an open gate.

use std::collections::BTreeSet;

use crate::document::{AccessList, Authorization, Condition, Intent, JsonPointer, Problem, Rule};

use super::source::Source;

/// Adds everything that does not fit.
pub(super) fn problems(source: &Source<'_>, found: &mut Vec<Problem>) {
    let Source { document, authorization, place, rules: (rules_place, rules), .. } = source;
    if document.authorization != Authorization::default() {
        for (name, absent) in [("rules", document.rules.is_empty()), ("groups", document.groups.is_empty())] {
            if !absent {
                let message = format!(
                    "two shapes of one document: `{name}` here and `authorization`; keep `authorization` and move this into it"
                );
                found.push(Problem::new(JsonPointer::root().member(name), message));
            }
        }
    }
    let base =
        Parts { rules: (rules_place, rules), acl: &authorization.acl, conditions: &authorization.conditions };
    base.look(authorization.intent, place, authorization, found);
    let mut names = BTreeSet::new();
    for (index, policy) in authorization.policies.iter().enumerate() {
        let place = place.member("policies").element(index);
        if !names.insert(&policy.name) {
            let problem = Problem::new(place.member("name"), "two policies of one name");
            found.push(problem.expected("a name of its own"));
        }
        for (index, name) in policy.attach.routes.iter().enumerate() {
            let known = authorization.routes.iter().filter_map(|route| route.name.as_deref());
            if !known.clone().any(|known| known == name) {
                let place = place.member("attach").member("routes").element(index);
                let problem = Problem::new(place, "no route has this name").nearest(name, known);
                let problem = problem.expected("the `name` of a route in `routes`");
                found.push(problem.hinging_on(JsonPointer::members(&["authorization", "routes"])));
            }
        }
        let rules = place.member("rules");
        Parts { rules: (&rules, &policy.rules), acl: &policy.acl, conditions: &policy.conditions }.look(
            policy.intent,
            &place,
            authorization,
            found,
        );
    }
    for (index, route) in authorization.routes.iter().enumerate() {
        if route.grpc.is_some() && (route.path.is_some() || !route.methods.is_empty()) {
            let place = place.member("routes").element(index).member("grpc");
            found.push(Problem::new(place, "a route twice").expected("`grpc`, or `methods` and `path`"));
        }
    }
    for (index, preflight) in authorization.preflight.iter().enumerate() {
        let place = place.member("preflight").element(index).member("origins");
        if preflight.origins.is_empty() {
            found.push(Problem::new(place.clone(), "empty").expected("at least one origin, or `*` alone"));
        }
        for (index, origin) in preflight.origins.iter().enumerate() {
            if !(origin == "*" && preflight.origins.len() == 1 || is_origin(origin)) {
                let problem = Problem::new(place.element(index), "not an origin");
                found.push(problem.expected(
                    "scheme and host as browsers send them, such as `https://app.example.com`, or `*` alone",
                ));
            }
        }
    }
    for (index, grant) in authorization.grants.iter().enumerate() {
        if grant.subject.is_some() == grant.group.is_some() {
            let place = place.member("grants").element(index);
            found.push(Problem::new(place, "not one holder").expected("exactly one of `subject`, `group`"));
        }
    }
    for (tenant, own) in document.tenancy.tenants.iter() {
        for name in own.roles.keys().filter(|name| authorization.roles.contains_key(*name)) {
            let place = JsonPointer::members(&["tenancy", "tenants", tenant, "roles", name]);
            let problem = Problem::new(place, "a role of the whole document has this name");
            found.push(problem.expected("another name"));
        }
    }
}

/// What can permit and deny in one place of a document.
struct Parts<'a> {
    rules: (&'a JsonPointer, &'a [Rule]),
    acl: &'a [AccessList],
    conditions: &'a [Condition],
}

impl Parts<'_> {
    fn look(
        &self,
        intent: Option<Intent>,
        place: &JsonPointer,
        authorization: &Authorization,
        found: &mut Vec<Problem>,
    ) {
        let Parts { rules: (rules_place, rules), acl, conditions } = self;
        let fields = [
            ("rules", (*rules_place).clone(), rules.is_empty()),
            ("acl", place.member("acl"), acl.is_empty()),
            ("conditions", place.member("conditions"), conditions.is_empty()),
        ];
        let (kind, own) = match intent {
            None => ("", ""),
            Some(Intent::Rbac) => ("rbac", "rules"),
            Some(Intent::Acl) => ("acl", "acl"),
            Some(Intent::Abac) => ("abac", "conditions"),
        };
        for (field, place, is_empty) in fields.iter().filter(|_| intent.is_some()) {
            if *field != own && !is_empty {
                let problem = Problem::new(place.clone(), format!("`{field}` beside `type: {kind}`"));
                found.push(problem.expected(format!("`{own}`, or no `type`")));
            } else if *field == own && *is_empty && kind != "rbac" {
                let problem = Problem::new(place.clone(), format!("absent beside `type: {kind}`"));
                found.push(problem.expected("at least one"));
            }
        }
        for (index, rule) in rules.iter().enumerate() {
            known_action(&rule.action, || rules_place.element(index).member("action"), authorization, found);
        }
        for (index, list) in acl.iter().enumerate() {
            let place = place.member("acl").element(index).member("entries");
            if list.entries.is_empty() {
                found.push(Problem::new(place.clone(), "empty").expected("at least one entry"));
            }
            for (index, entry) in list.entries.iter().enumerate() {
                let place = place.element(index);
                if entry.actions.is_empty() {
                    found
                        .push(Problem::new(place.member("actions"), "empty").expected("at least one action"));
                }
                if entry.users.is_empty() && entry.groups.is_empty() && entry.roles.is_empty() {
                    let problem = Problem::new(place.clone(), "about nobody");
                    found.push(problem.expected("at least one of `users`, `groups`, `roles`"));
                }
                for (index, action) in entry.actions.iter().enumerate() {
                    known_action(action, || place.member("actions").element(index), authorization, found);
                }
            }
        }
    }
}

/// Any other word would fit no request.
fn known_action(
    action: &str,
    place: impl FnOnce() -> JsonPointer,
    authorization: &Authorization,
    found: &mut Vec<Problem>,
) {
    let is_method = !action.is_empty()
        && action.bytes().all(|byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'+-.^_`|~".contains(&byte)
        });
    let own = authorization.actions.iter().map(String::as_str);
    if !is_method && !ACTIONS.contains(&action) && !own.clone().any(|own| own == action) {
        let problem =
            Problem::new(place(), "not an action").nearest(action, ACTIONS.iter().copied().chain(own));
        found.push(problem.expected(
            "`read`, `create`, `update`, `delete`, `write`, a request method, one of `actions` or `*`",
        ));
    }
}

/// Whether a browser can send this as `Origin` (RFC 6454 section 6.2): scheme, host and port, in small letters, and nothing
/// behind. Anything else would match no request.
fn is_origin(text: &str) -> bool {
    let is_small = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
    };
    text.split_once("://").is_some_and(|(scheme, host)| {
        is_small(scheme) && is_small(host) && !host.contains(['/', '?', '#', '@'])
    })
}

const ACTIONS: &[&str] = &["read", "create", "update", "delete", "write", "*"];

#[cfg(test)]
mod tests {
    use super::is_origin;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for origin in ["https://app.example.com", "http://localhost:3000", "https://[::1]:8443", "app://x"] {
            assert!(is_origin(origin), "{origin}");
        }
        for text in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://",
            "://a",
            "https://app.example.com/",
            "https://App.example.com",
            "https://a b",
            "https://a?b",
            "https://user@a",
        ] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
