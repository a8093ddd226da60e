//! How many of a thing a document may hold: every list that is walked for a request or a load is bounded.

use crate::document::{AclEntry, Document, JsonPointer, Problem};
use crate::limits::MAX_BODY_BYTES;

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let mut at_most = |path: &[&str], count: usize, most: usize| {
        if count > most {
            let problem = Problem::new(JsonPointer::members(path), format!("{count} entries"));
            found.push(problem.expected(format!("at most {most}")));
        }
    };
    at_most(&["authentication", "methods"], document.authentication.methods.len(), MAX_METHODS);
    at_most(&["tenancy", "bind"], document.tenancy.bind.len(), MAX_BINDINGS);
    at_most(&["authorization", "public"], document.authorization.public.len(), MAX_ROUTES);
    at_most(&["authorization", "roles"], document.authorization.roles.len(), MAX_ROLES);
    at_most(&["authorization", "routes"], document.authorization.routes.len(), MAX_ROUTES);
    at_most(&["authorization", "actions"], document.authorization.actions.len(), MAX_ACTIONS);
    at_most(&["authorization", "grants"], document.authorization.grants.len(), MAX_GRANTS);
    at_most(&["authorization", "policies"], document.authorization.policies.len(), MAX_POLICIES);
    at_most(&["authorization", "preflight"], document.authorization.preflight.len(), MAX_PREFLIGHTS);
    for (index, preflight) in document.authorization.preflight.iter().enumerate() {
        if preflight.origins.len() > MAX_ORIGINS {
            let place =
                JsonPointer::members(&["authorization", "preflight"]).element(index).member("origins");
            let problem = Problem::new(place, format!("{} entries", preflight.origins.len()));
            found.push(problem.expected(format!("at most {MAX_ORIGINS}")));
        }
    }
    rules_and_lists(document, found);
    if document.request.body.as_ref().is_some_and(|body| !(1..=MAX_BODY_BYTES).contains(&body.max_bytes)) {
        let place = JsonPointer::members(&["request", "body", "max_bytes"]);
        found.push(Problem::new(place, "not a bound").expected(format!("1 to {MAX_BODY_BYTES}")));
    }
}

/// Rules and access lists are counted over everyone's and all policies' together: the memory is one.
fn rules_and_lists(document: &Document, found: &mut Vec<Problem>) {
    let authorization = JsonPointer::members(&["authorization"]);
    let policies = authorization.member("policies");
    let everyones = (document.rules(), (authorization.member("acl"), document.authorization.acl.as_slice()));
    let of_policies = document.authorization.policies.iter().enumerate().map(|(index, policy)| {
        let place = policies.element(index);
        ((place.member("rules"), policy.rules.as_slice()), (place.member("acl"), policy.acl.as_slice()))
    });
    let mut rules = Total { what: "rules", most: MAX_RULES, count: 0 };
    let mut lists = Total { what: "access lists", most: MAX_ACCESS_LISTS, count: 0 };
    let mut entries = Total { what: "entries of access lists", most: MAX_ACL_ENTRIES, count: 0 };
    let mut lines = Total { what: "pairs of an action and a principal", most: MAX_ACL_LINES, count: 0 };
    for ((rules_place, in_rules), (acl_place, acl)) in std::iter::once(everyones).chain(of_policies) {
        rules.add(in_rules.len(), &rules_place, found);
        lists.add(acl.len(), &acl_place, found);
        entries.add(acl.iter().map(|list| list.entries.len()).sum(), &acl_place, found);
        let of_acl = acl.iter().flat_map(|list| &list.entries).map(lines_of);
        lines.add(of_acl.fold(0, usize::saturating_add), &acl_place, found);
    }
}

/// What the engine makes of an entry: a line for each of its actions and each of whom it is about.
fn lines_of(entry: &AclEntry) -> usize {
    let principals = entry.users.len().saturating_add(entry.groups.len()).saturating_add(entry.roles.len());
    entry.actions.len().saturating_mul(principals)
}

/// A number that is counted over the whole document. That it is too high is said once, where it becomes so.
struct Total {
    what: &'static str,
    most: usize,
    count: usize,
}

impl Total {
    fn add(&mut self, count: usize, place: &JsonPointer, found: &mut Vec<Problem>) {
        let before = self.count;
        self.count = before.saturating_add(count);
        if before <= self.most && self.count > self.most {
            let problem = Problem::new(place.clone(), format!("{} {} up to here", self.count, self.what));
            found.push(problem.expected(format!("at most {} in a document", self.most)));
        }
    }
}

/// Most authentication methods: each one is a value of the label `method` and is tried on every request.
const MAX_METHODS: usize = 64;

/// Most places where a request names its tenant: each one is looked at on every request.
const MAX_BINDINGS: usize = 64;

/// Most roles: what every role inherits is worked out at load, as one bit for each role where that takes less room than a
/// list. All of them inheriting as many as they may take 13 megabytes per worker.
const MAX_ROLES: usize = 10_000;

/// Most routes, and most public ones: a tree of this many fits into some tens of megabytes per worker.
const MAX_ROUTES: usize = 100_000;

/// Most rules of role-based access control, those of policies with them, as for routes.
const MAX_RULES: usize = 100_000;

/// Most access lists, those of policies with them: each has a place in a tree, as a route has.
const MAX_ACCESS_LISTS: usize = 100_000;

/// Most entries of all access lists: each is kept with its name and its conditions, as a rule is.
const MAX_ACL_ENTRIES: usize = 100_000;

/// Most pairs of an action and a principal in all entries of access lists. Each is a line of 20 bytes and one or two places in
/// an index, so this many take about 30 megabytes per worker; an entry of 32 actions and many users is many of them.
const MAX_ACL_LINES: usize = 500_000;

/// Most attached policies: those that are attached to no path, route or tenant are all looked at on every request.
const MAX_POLICIES: usize = 10_000;

/// Most grants. One group may hold them all, and then a decision about its members looks at each; every one keeps the roles
/// it gives as one bit for each role, 12 megabytes per worker at the most roles.
const MAX_GRANTS: usize = 10_000;

/// Most names of actions: an action that is no other is looked for among them, at load.
const MAX_ACTIONS: usize = 1024;

/// Most entries of CORS preflights: those of one path are all looked at, for requests of callers who are not known.
const MAX_PREFLIGHTS: usize = 1024;

/// Most origins of one entry: each is compared. With as many entries as may be on one path that is 65 536 comparisons.
const MAX_ORIGINS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{problems_after, shop};
    use super::*;
    use crate::document::{AccessList, AttachedPolicy};

    /// What this module says of the shop's document with these changes.
    fn after(change: impl FnOnce(&mut Document)) -> Vec<String> {
        let mut document = Document::from_value(shop()).unwrap();
        change(&mut document);
        let mut found = Vec::new();
        problems(&document, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    /// One policy, one access list with one entry, one grant and one preflight, to be multiplied.
    fn samples() -> Document {
        let mut document = shop();
        let acl = json!([{ "resource": "/a", "entries": [{ "actions": ["read"], "users": ["ann"] }] }]);
        let rule = document["authorization"]["rules"][0].clone();
        document["authorization"]["acl"] = acl.clone();
        document["authorization"]["policies"] = json!([{ "name": "p", "rules": [rule], "acl": acl }]);
        document["authorization"]["grants"] = json!([{ "subject": "ann", "roles": ["viewer"] }]);
        document["authorization"]["preflight"] = json!([{ "path": "/a", "origins": ["https://a.example"] }]);
        Document::from_value(document).unwrap()
    }

    #[test]
    fn one_too_many_of_each_list() {
        let samples = samples().authorization;
        let bare = AttachedPolicy { rules: Vec::new(), acl: Vec::new(), ..samples.policies[0].clone() };
        type Fill<'a> = &'a dyn Fn(&mut Document, usize);
        let lists: [(&str, usize, Fill<'_>); 6] = [
            ("actions", MAX_ACTIONS, &|document, count| {
                document.authorization.actions = vec!["can_read".to_owned(); count];
            }),
            ("grants", MAX_GRANTS, &|document, count| {
                document.authorization.grants = vec![samples.grants[0].clone(); count];
            }),
            ("policies", MAX_POLICIES, &|document, count| {
                document.authorization.policies = vec![bare.clone(); count];
            }),
            ("preflight", MAX_PREFLIGHTS, &|document, count| {
                document.authorization.preflight = vec![samples.preflight[0].clone(); count];
            }),
            ("preflight/0/origins", MAX_ORIGINS, &|document, count| {
                document.authorization.preflight = vec![samples.preflight[0].clone()];
                document.authorization.preflight[0].origins = vec!["https://a.example".to_owned(); count];
            }),
            ("public", MAX_ROUTES, &|document, count| {
                document.authorization.public = vec![document.authorization.public[0].clone(); count];
            }),
        ];
        for (place, most, fill) in lists {
            assert_eq!(after(|document| fill(document, most)), [""; 0], "{place}");
            let said = format!("/authorization/{place}: {} entries; expected at most {most}", most + 1);
            assert_eq!(after(|document| fill(document, most + 1)), [said]);
        }
    }

    #[test]
    fn rules_are_counted_wherever_they_stand() {
        let samples = samples().authorization;
        let rules = |count| vec![samples.rules[0].clone(); count];
        let said =
            |place: &str| format!("{place}: 100001 rules up to here; expected at most 100000 in a document");
        let nested = |count| after(|document| document.authorization.rules = rules(count));
        assert_eq!((nested(MAX_RULES), nested(MAX_RULES + 1)), (vec![], vec![said("/authorization/rules")]));
        let flat = |count| {
            after(|document| {
                document.authorization.rules.clear();
                document.rules = rules(count);
            })
        };
        assert_eq!((flat(MAX_RULES), flat(MAX_RULES + 1)), (vec![], vec![said("/rules")]));
        // Two policies, of which neither has too many, beside the one rule of everyone.
        let attached = |count| {
            after(|document| {
                let policy = |count| AttachedPolicy {
                    rules: rules(count),
                    acl: vec![],
                    ..samples.policies[0].clone()
                };
                document.authorization.policies = vec![policy(count), policy(MAX_RULES / 2)];
            })
        };
        assert_eq!(attached(MAX_RULES / 2 - 1), [""; 0]);
        assert_eq!(attached(MAX_RULES / 2), [said("/authorization/policies/1/rules")]);
    }

    #[test]
    fn access_lists_are_counted_wherever_they_stand() {
        let samples = samples().authorization;
        let lists = |count, entries| {
            let entries = vec![samples.acl[0].entries[0].clone(); entries];
            vec![AccessList { entries, ..samples.acl[0].clone() }; count]
        };
        let said = |place: &str, count: usize, what: &str, most: usize| {
            format!("{place}: {count} {what} up to here; expected at most {most} in a document")
        };
        let everyones = |acl: Vec<AccessList>| after(|document| document.authorization.acl = acl);
        assert_eq!(everyones(lists(MAX_ACCESS_LISTS, 1)), [""; 0]);
        assert_eq!(
            everyones(lists(MAX_ACCESS_LISTS + 1, 0)),
            [said("/authorization/acl", 100_001, "access lists", 100_000)]
        );
        assert_eq!(everyones(lists(1, MAX_ACL_ENTRIES)), [""; 0]);
        assert_eq!(
            everyones(lists(1, MAX_ACL_ENTRIES + 1)),
            [said("/authorization/acl", 100_001, "entries of access lists", 100_000)]
        );
        let of_policy = |users: usize| {
            let mut acl = lists(1, 1);
            acl[0].entries[0].users = vec!["ann".to_owned(); users];
            acl[0].entries[0].actions = vec!["read".to_owned(); 4];
            after(|document| {
                let policy = AttachedPolicy { acl, ..samples.policies[0].clone() };
                document.authorization.policies = vec![policy];
            })
        };
        assert_eq!(of_policy(MAX_ACL_LINES / 4), [""; 0]);
        assert_eq!(
            of_policy(MAX_ACL_LINES / 4 + 1),
            [said("/authorization/policies/0/acl", 500_004, "pairs of an action and a principal", 500_000)]
        );
    }

    #[test]
    fn the_bound_of_a_body_is_bounded() {
        for (bytes, good) in [(0, false), (1, true), (MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
            let problems = problems_after(&[("/request", json!({"body": {"max_bytes": bytes}}))]);
            let wanted = ["/request/body/max_bytes: not a bound; expected 1 to 1048576"];
            assert_eq!(problems, if good { &wanted[..0] } else { &wanted[..] }, "{bytes}");
        }
    }

    #[test]
    fn one_binding_too_many() {
        let bindings: Vec<_> =
            (0..=MAX_BINDINGS).map(|number| json!({ "header": format!("x-org-{number}") })).collect();
        assert_eq!(
            problems_after(&[("/tenancy/bind", json!(bindings))]),
            ["/tenancy/bind: 65 entries; expected at most 64"]
        );
        let bindings = &bindings[1..];
        assert_eq!(problems_after(&[("/tenancy/bind", json!(bindings))]), [""; 0]);
    }

    #[test]
    fn one_role_too_many() {
        let roles = |count: usize| -> serde_json::Value {
            // The first two are what the rest of the document names.
            let named = ["viewer", "admin"].into_iter().map(str::to_owned);
            let roles = named.chain((0..).map(|number| format!("team-{number}"))).take(count);
            roles.map(|name| (name, json!({}))).collect::<serde_json::Map<_, _>>().into()
        };
        assert_eq!(
            problems_after(&[("/authorization/roles", roles(MAX_ROLES + 1))]),
            ["/authorization/roles: 10001 entries; expected at most 10000"]
        );
        assert_eq!(problems_after(&[("/authorization/roles", roles(MAX_ROLES))]), [""; 0]);
    }
}
