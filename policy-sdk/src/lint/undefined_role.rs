//! Roles that are asked for and described nowhere.

use std::collections::BTreeSet;

use super::reading::Reading;
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "undefined-role",
    finds: "A role that is asked for and not defined, in a document that defines roles. It may live in tokens alone; more often it is misspelt.",
    remedy: "define it under `roles`, as `name: {}` if it carries no permission, or correct its name",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let defined = &reading.document.authorization.roles;
    if defined.is_empty() {
        return;
    }
    let of_tenants = reading.document.tenancy.tenants.values().flat_map(|tenant| tenant.roles.keys());
    let known: BTreeSet<&str> = defined.keys().chain(of_tenants).map(String::as_str).collect();
    for (role, place) in reading.named_roles() {
        if !known.contains(role) {
            found.add(|| place.pointer(), || format!("the role `{role}` is defined nowhere"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_on_a_stranger_and_not_on_a_known_role() {
        let rule = ("/authorization/rules/0/role", json!("ghost"));
        let require = ("/authorization/routes/0/require", json!({ "roles": { "none_of": ["banned"] } }));
        assert_eq!(
            found_after("undefined-role", &[rule.clone(), require]),
            [
                "/authorization/routes/0/require/roles/none_of/0: the role `banned` is defined nowhere",
                "/authorization/rules/0/role: the role `ghost` is defined nowhere",
            ]
        );
        assert_eq!(
            found_after("undefined-role", &[rule, ("/authorization/roles/ghost", json!({}))]),
            [""; 0]
        );
    }

    #[test]
    fn a_document_without_roles_leaves_them_to_tokens() {
        assert_eq!(found_after("undefined-role", &[("/authorization/roles", json!({}))]), [""; 0]);
    }

    #[test]
    fn a_role_that_only_a_condition_names_is_one() {
        let asks = |role: &str| {
            let test = json!([{ "attribute": "subject.roles", "operator": "contains", "value": role }]);
            found_after("undefined-role", &[("/authorization/routes/0/conditions", test)])
        };
        assert_eq!(
            asks("ghost"),
            ["/authorization/routes/0/conditions/0/value: the role `ghost` is defined nowhere"]
        );
        assert_eq!(asks("editor"), [""; 0]);
    }
}
