//! Routes that ask for what nobody can have.

use std::collections::BTreeSet;

use super::reading::{Reading, route_place};
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "permission-nobody-grants",
    finds: "A route that asks for a permission which no role carries and no grant gives, where tokens bring none by themselves and there are no superusers.",
    remedy: "give the permission to a role or by a grant, or map a claim to `claims.permissions`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    if reading.tokens_bring_permissions() || reading.has_superusers() {
        return;
    }
    let carried: BTreeSet<&str> = reading.carried_permissions().collect();
    for route in &reading.routes {
        let Some(wanted) = &route.entry.permission else { continue };
        if !is_covered(&carried, wanted) {
            found.add(
                || route_place(route.index).member("permission"),
                || "no role carries this permission, and no token can: nobody will pass".to_owned(),
            );
        }
    }
}

/// Whether one of the permissions `held` takes in `wanted`.
fn is_covered(held: &BTreeSet<&str>, wanted: &str) -> bool {
    let holds = |text: &str| held.contains(text);
    if holds("*") || holds("*:*") || holds(wanted) {
        return true;
    }
    wanted
        .rsplit_once(':')
        .is_some_and(|(resource, action)| holds(&format!("{resource}:*")) || holds(&format!("*:{action}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(wanted: &str, more: &[(&str, Value)]) -> Vec<String> {
        let mut changes = vec![
            ("/authorization/roles/admin", json!({ "permissions": ["orders:*", "*:list"] })),
            ("/authorization/routes/0/permission", json!(wanted)),
        ];
        changes.extend_from_slice(more);
        found_after("permission-nobody-grants", &changes)
    }

    #[test]
    fn fires() {
        let nobody = "/authorization/routes/0/permission: no role carries this permission, and no token can: nobody will pass";
        for wanted in ["objects:destroy", "*", "objects:*", "order:read"] {
            assert_eq!(after(wanted, &[]), [nobody], "{wanted}");
        }
    }

    #[test]
    fn is_quiet() {
        for wanted in ["orders:read", "orders:*", "things:list", "objects:read"] {
            assert_eq!(after(wanted, &[]), [""; 0], "{wanted}");
        }
        let mapped = ("/authentication/methods/0/jwt/claims", json!({ "permissions": "permissions" }));
        assert_eq!(after("objects:destroy", &[mapped]), [""; 0]);
        assert_eq!(after("x:y", &[("/authorization/roles/root", json!({ "permissions": ["*"] }))]), [""; 0]);
    }
}
