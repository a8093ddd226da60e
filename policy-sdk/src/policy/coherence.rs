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
            found.push(Problem::new(place.member("name"), "two policies of one name"));
        }
        for (index, name) in policy.attach.routes.iter().enumerate() {
            let known = authorization.routes.iter().filter_map(|route| route.name.as_deref());
            if !known.clone().any(|known| known == name) {
                let place = place.member("attach").member("routes").element(index);
                found.push(Problem::new(place, "no route has this name").nearest(name, known));
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
    for (index, grant) in authorization.grants.iter().enumerate() {
        if grant.subject.is_some() == grant.group.is_some() {
            let place = place.member("grants").element(index);
            found.push(Problem::new(place, "not one holder").expected("exactly one of `subject`, `group`"));
        }
    }
    for (tenant, own) in document.tenancy.tenants.iter() {
        for name in own.roles.keys().filter(|name| authorization.roles.contains_key(*name)) {
            let place = JsonPointer::members(&["tenancy", "tenants", tenant, "roles", name]);
            found.push(Problem::new(place, "a role of the whole document has this name"));
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

const ACTIONS: &[&str] = &["read", "create", "update", "delete", "write", "*"];
