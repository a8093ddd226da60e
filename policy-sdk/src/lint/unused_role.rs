//! Roles that change nothing for whoever has them.

use std::collections::BTreeSet;

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "unused-role",
    finds: "A role that opens nothing: neither it nor a role that it inherits is asked for anywhere, in a condition or elsewhere, and neither carries a permission.",
    remedy: "name it where it is to matter, give it a permission, or remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let roles = &reading.document.authorization.roles;
    let mut useful: BTreeSet<&str> = reading.named_roles().map(|(role, _)| role).collect();
    useful
        .extend(roles.iter().filter(|(_, role)| !role.permissions.is_empty()).map(|(name, _)| name.as_str()));
    let useful = reading.roles.heirs(useful);
    for name in roles.keys().filter(|name| !useful.contains(name.as_str())) {
        found.add(
            || JsonPointer::members(&["authorization", "roles", name]),
            || "nothing asks for this role, and it carries no permission".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(role: Value) -> Vec<String> {
        found_after("unused-role", &[("/authorization/roles/ghost", role)])
    }

    #[test]
    fn fires() {
        let unused = "/authorization/roles/ghost: nothing asks for this role, and it carries no permission";
        assert_eq!(after(json!({})), [unused]);
        let shade = ("/authorization/roles/shade", json!({}));
        let ghost = ("/authorization/roles/ghost", json!({ "inherits": ["shade"] }));
        assert_eq!(found_after("unused-role", &[shade, ghost]).len(), 2);
    }

    #[test]
    fn is_quiet() {
        assert_eq!(after(json!({ "inherits": ["viewer"] })), [""; 0]);
        assert_eq!(after(json!({ "inherits": ["editor"] })), [""; 0]);
        assert_eq!(after(json!({ "permissions": ["objects:read"] })), [""; 0]);
    }

    #[test]
    fn a_role_that_only_a_condition_names_is_used() {
        let test =
            |attribute: &str| json!([{ "attribute": attribute, "operator": "contains", "value": "ghost" }]);
        let after = |attribute: &str| {
            found_after(
                "unused-role",
                &[("/authorization/roles/ghost", json!({})), ("/authorization/conditions", test(attribute))],
            )
        };
        assert_eq!(after("subject.roles"), [""; 0]);
        assert_eq!(after("roles"), [""; 0]);
        assert_eq!(after("subject.groups").len(), 1);
    }
}
