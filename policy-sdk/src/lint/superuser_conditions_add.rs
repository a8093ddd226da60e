//! Conditions that look as if they narrowed who is a superuser, and widen it.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "superuser-conditions-add",
    finds: "Conditions of superusers beside subjects or roles: they do not narrow these, but make further superusers.",
    remedy: "to narrow a role, write it as a condition on `subject.roles` beside the others; if more superusers are meant, ensure that this is intentional",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let superusers = &reading.document.authorization.superusers;
    let has_names = !superusers.subjects.is_empty() || !superusers.roles.is_empty();
    if has_names && !superusers.conditions.is_empty() {
        found.add(
            || JsonPointer::members(&["authorization", "superusers", "conditions"]),
            || "whoever fulfils these is a superuser too, without being one of the subjects or having one of the roles".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(superusers: Value) -> Vec<String> {
        found_after("superuser-conditions-add", &[("/authorization/superusers", superusers)])
    }

    #[test]
    fn fires_beside_names_only() {
        let by_claim = json!([{ "attribute": "is_root", "operator": "eq", "value": true }]);
        assert_eq!(
            after(json!({ "roles": ["support"], "conditions": by_claim })),
            [
                "/authorization/superusers/conditions: whoever fulfils these is a superuser too, without being one of the subjects or having one of the roles"
            ]
        );
        let narrowed = json!([
            { "attribute": "is_root", "operator": "eq", "value": true },
            { "attribute": "subject.roles", "operator": "contains", "value": "support" },
        ]);
        for superusers in [
            json!({ "conditions": by_claim }),
            json!({ "roles": ["support"] }),
            json!({ "conditions": narrowed }),
        ] {
            assert_eq!(after(superusers), [""; 0]);
        }
    }
}
