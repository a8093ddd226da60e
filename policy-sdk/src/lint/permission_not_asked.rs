//! Permissions that open nothing.

use std::collections::BTreeSet;

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "permission-not-asked",
    finds: "A role that carries a permission which no route asks for and no condition looks for. `*` is not found. Nothing is found in a document whose routes ask for no permission at all.",
    remedy: "correct its spelling, name it in the `permission` of a route, or remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let asked: BTreeSet<&str> = reading.asked_permissions().collect();
    if asked.is_empty() {
        return;
    }
    let parts = asked.iter().filter_map(|text| text.rsplit_once(':'));
    let (resources, actions): (BTreeSet<&str>, BTreeSet<&str>) = parts.unzip();
    for (name, role) in reading.document.authorization.roles.iter() {
        for (index, held) in role.permissions.iter().enumerate() {
            let opens_something = match held.rsplit_once(':') {
                None | Some(("*", "*")) => true,
                Some((resource, "*")) => resources.contains(resource),
                Some(("*", action)) => actions.contains(action),
                Some((_, _)) => asked.contains(held.as_str()),
            };
            if !opens_something {
                found.add(
                    || {
                        let role = JsonPointer::members(&["authorization", "roles", name, "permissions"]);
                        role.element(index)
                    },
                    || "no route asks for this permission".to_owned(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(permissions: Value) -> Vec<String> {
        found_after(
            "permission-not-asked",
            &[("/authorization/roles/admin", json!({ "permissions": permissions }))],
        )
    }

    #[test]
    fn fires() {
        for held in ["object:read", "objects:destroy", "orders:*", "*:destroy"] {
            assert_eq!(
                after(json!([held])),
                ["/authorization/roles/admin/permissions/0: no route asks for this permission"],
                "{held}"
            );
        }
    }

    #[test]
    fn is_quiet() {
        assert_eq!(after(json!(["*", "objects:*", "*:read", "objects:create"])), [""; 0]);
        assert_eq!(found_after("permission-not-asked", &[("/authorization/routes", json!([]))]), [""; 0]);
    }

    #[test]
    fn a_condition_asks_too() {
        let test = json!([{ "attribute": "subject.permissions", "operator": "contains", "value": "objects:destroy" }]);
        let role = json!({ "permissions": ["objects:destroy"] });
        assert_eq!(
            found_after(
                "permission-not-asked",
                &[("/authorization/roles/admin", role), ("/authorization/conditions", test)]
            ),
            [""; 0]
        );
    }
}
