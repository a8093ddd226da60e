//! Rules of role-based access control: well formed, and each given once.

use std::collections::BTreeMap;

use super::route_table::well_formed_path;
use super::syntax::is_word;
use crate::document::{Document, Effect, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let rules = JsonPointer::members(&["authorization", "rules"]);
    let mut first = BTreeMap::new();
    for (index, rule) in document.authorization.rules.iter().enumerate() {
        let pointer = rules.element(index);
        if !is_word(&rule.action) {
            let problem = Problem::new(pointer.member("action"), "not an action");
            found.push(problem.expected("`read`, `create`, `update`, `delete`, a request method or `*`"));
        }
        well_formed_path(&rule.resource, &pointer.member("resource"), found);
        let allows = rule.effect == Effect::Allow;
        let content = (allows, &rule.action, &rule.resource, &rule.role);
        match first.get(&content) {
            Some(earlier) => found.push(Problem::new(pointer, format!("the same rule as {earlier}"))),
            None => {
                first.insert(content, pointer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn well_formed_and_once() {
        let rule =
            json!({ "effect": "allow", "action": "read", "resource": "/api/docs/*", "role": "editor" });
        let denied =
            json!({ "effect": "deny", "action": "read", "resource": "/api/docs/*", "role": "editor" });
        let broken = json!({ "effect": "deny", "action": "", "resource": "docs", "role": "editor" });
        assert_eq!(
            problems_after(&[
                ("/authorization/rules/1", denied),
                ("/authorization/rules/2", rule),
                ("/authorization/rules/3", broken),
            ]),
            [
                "/authorization/rules/2: the same rule as /authorization/rules/0",
                "/authorization/rules/3/action: not an action; expected `read`, `create`, `update`, `delete`, a request method or `*`",
                "/authorization/rules/3/resource: not a path template: a path template begins with `/` (at byte 0)",
            ]
        );
    }
}
