//! Permissions as roles carry them and routes demand them.

use std::collections::BTreeSet;

use crate::document::{Document, JsonPointer, Problem};
use crate::permission::PermissionPattern;

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let authorization = JsonPointer::members(&["authorization"]);
    for (name, role) in document.authorization.roles.iter() {
        let list = authorization.member("roles").member(name).member("permissions");
        let mut seen = BTreeSet::new();
        for (index, permission) in role.permissions.iter().enumerate() {
            well_formed(permission, list.element(index), found);
            if !seen.insert(permission) {
                found.push(
                    Problem::new(list.element(index), "the same permission twice")
                        .expected("each permission once"),
                );
            }
        }
    }
    for (index, route) in document.authorization.routes.iter().enumerate() {
        if let Some(permission) = &route.permission {
            well_formed(
                permission,
                authorization.member("routes").element(index).member("permission"),
                found,
            );
        }
    }
}

fn well_formed(permission: &str, pointer: JsonPointer, found: &mut Vec<Problem>) {
    if permission.parse::<PermissionPattern>().is_err() {
        found.push(Problem::new(pointer, "not a permission").expected(A_PERMISSION));
    }
}

const A_PERMISSION: &str = "`objects:read`, `objects:*`, `*:read` or `*`";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn what_is_not_a_permission() {
        assert_eq!(
            problems_after(&[
                (
                    "/authorization/roles/viewer/permissions",
                    json!(["a:b:read", "objects", "*:read", "*:read", "obj*:read", ":"])
                ),
                ("/authorization/routes/0/permission", json!("read objects")),
            ]),
            [
                "/authorization/roles/viewer/permissions/1: not a permission; expected `objects:read`, `objects:*`, `*:read` or `*`",
                "/authorization/roles/viewer/permissions/3: the same permission twice; expected each permission once",
                "/authorization/roles/viewer/permissions/4: not a permission; expected `objects:read`, `objects:*`, `*:read` or `*`",
                "/authorization/roles/viewer/permissions/5: not a permission; expected `objects:read`, `objects:*`, `*:read` or `*`",
                "/authorization/routes/0/permission: not a permission; expected `objects:read`, `objects:*`, `*:read` or `*`",
            ]
        );
    }
}
