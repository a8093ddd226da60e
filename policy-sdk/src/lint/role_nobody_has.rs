//! Roles that no credential can bring.

use std::collections::BTreeSet;

use super::reading::Reading;
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "role-nobody-has",
    finds: "A role that the document asks for, where no authentication method reads roles and nothing grants it: nobody can have it.",
    remedy: "map the claim with the roles to `claims.roles`, or grant the role",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let methods = &reading.document.authentication.methods;
    if methods.is_empty() || methods.iter().any(|method| method.jwt.claims.roles.is_some()) {
        return;
    }
    let grants = &reading.document.authorization.grants;
    let granted: BTreeSet<&str> =
        grants.iter().flat_map(|grant| &grant.roles).flat_map(|role| reading.roles.is_also(role)).collect();
    for (role, place) in reading.named_roles().filter(|(role, _)| !granted.contains(role)) {
        found.add(|| place.pointer(), || format!("nobody can have the role `{role}`: no method reads roles"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_where_roles_are_not_read_and_not_else() {
        let none = json!({ "roles": null });
        assert_eq!(
            found_after(
                "role-nobody-has",
                &[
                    ("/authentication/methods/0/jwt/claims", none.clone()),
                    ("/authentication/methods/1/jwt/claims", none.clone()),
                ]
            ),
            [
                "/authorization/rules/0/role: nobody can have the role `editor`: no method reads roles",
                "/tenancy/cross_tenant/roles/0: nobody can have the role `support`: no method reads roles",
            ]
        );
        assert_eq!(
            found_after("role-nobody-has", &[("/authentication/methods/0/jwt/claims", none)]),
            [""; 0]
        );
    }

    #[test]
    fn a_condition_asks_too() {
        let none = json!({ "roles": null });
        let asks = json!([{ "none_of": [{ "attribute": "subject.roles", "operator": "contains_any", "value": ["auditor", "intern"] }] }]);
        let found = found_after(
            "role-nobody-has",
            &[
                ("/authentication/methods/0/jwt/claims", none.clone()),
                ("/authentication/methods/1/jwt/claims", none),
                ("/authorization/routes/0/conditions", asks),
            ],
        );
        assert_eq!(
            found[0],
            "/authorization/routes/0/conditions/0/none_of/0/value/0: nobody can have the role `auditor`: no method reads roles"
        );
        assert_eq!(found.len(), 4);
    }
}
