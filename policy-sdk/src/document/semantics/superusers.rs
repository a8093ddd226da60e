//! Superusers by name or by conditions, never by both: one reader takes conditions beside a role for what narrows it, another
//! for a second way in.

use crate::document::{Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let superusers = &document.authorization.superusers;
    let has_names = !superusers.subjects.is_empty() || !superusers.roles.is_empty();
    if has_names && !superusers.conditions.is_empty() {
        found.push(
            Problem::new(
                JsonPointer::members(&["authorization", "superusers", "conditions"]),
                "conditions beside `subjects` or `roles`",
            )
            .expected(ONE_OF_BOTH),
        );
    }
}

const ONE_OF_BOTH: &str = "names or conditions; to narrow a role, test `subject.roles` by `contains` among the conditions; \
     for either, put both under `any_of`";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::problems_after;

    #[test]
    fn names_or_conditions() {
        let by_claim = json!([{ "attribute": "is_root", "operator": "eq", "value": true }]);
        let after = |superusers: Value| problems_after(&[("/authorization/superusers", superusers)]);
        for both in [
            json!({ "roles": ["viewer"], "conditions": by_claim }),
            json!({ "subjects": ["root"], "conditions": by_claim }),
        ] {
            assert_eq!(
                after(both),
                [
                    "/authorization/superusers/conditions: conditions beside `subjects` or `roles`; expected names or conditions; to narrow a role, test `subject.roles` by `contains` among the conditions; for either, put both under `any_of`"
                ]
            );
        }
        for one in [json!({ "conditions": by_claim }), json!({ "roles": ["viewer"], "subjects": ["root"] })] {
            assert_eq!(after(one), [""; 0]);
        }
    }
}
