//! Roles that may do everything, given to many at once or for good.

use super::reading::{Reading, grant_place};
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "admin-granted",
    finds: "A role called `admin` or the like, or the permission `*`, that is given broadly: another role inherits it, a role of another name or of one tenant carries it, or a grant gives it to a group or for good.",
    remedy: "ensure that this is intentional and that the holders are checked; otherwise give the permissions that are needed, one by one, to a subject and with an `expires`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authorization = &reading.document.authorization;
    for (name, role) in authorization.roles.iter().filter(|(name, _)| !is_called_admin(name)) {
        let place = || JsonPointer::members(&["authorization", "roles", name]);
        for (index, inherited) in
            role.inherits.iter().enumerate().filter(|(_, inherited)| may_everything(reading, inherited))
        {
            found.add(
                || place().member("inherits").element(index),
                || format!("whoever has the role `{name}` has `{inherited}` too, which may do everything"),
            );
        }
        everything(&role.permissions, || place().member("permissions"), name, found);
    }
    for (tenant, own) in reading.document.tenancy.tenants.iter() {
        for (name, role) in own.roles.iter() {
            let place =
                || JsonPointer::members(&["tenancy", "tenants", tenant, "roles", name, "permissions"]);
            everything(&role.permissions, place, name, found);
        }
    }
    for (index, grant) in authorization.grants.iter().enumerate() {
        let to = match (&grant.group, grant.expires) {
            (Some(_), _) => "to every member of a group",
            (None, None) => "for good",
            (None, Some(_)) => continue,
        };
        let roles = grant.roles.iter().enumerate().filter(|(_, role)| may_everything(reading, role));
        for (role, name) in roles {
            found.add(
                || grant_place(index).member("roles").element(role),
                || format!("`{name}`, which may do everything, is granted {to}"),
            );
        }
        for (permission, _) in grant.permissions.iter().enumerate().filter(|(_, text)| is_everything(text)) {
            found.add(
                || grant_place(index).member("permissions").element(permission),
                || format!("every permission is granted {to}"),
            );
        }
    }
}

/// A role whose name does not say so carries every permission.
fn everything(permissions: &[String], place: impl Fn() -> JsonPointer, name: &str, found: &mut Found) {
    for (index, _) in permissions.iter().enumerate().filter(|(_, text)| is_everything(text)) {
        found
            .add(|| place().element(index), || format!("whoever has the role `{name}` has every permission"));
    }
}

fn may_everything(reading: &Reading<'_>, role: &str) -> bool {
    let roles = &reading.document.authorization.roles;
    reading.roles.is_also(role).iter().any(|name| {
        is_called_admin(name)
            || roles.get(*name).is_some_and(|role| role.permissions.iter().any(|text| is_everything(text)))
    })
}

fn is_everything(permission: &str) -> bool {
    matches!(permission, "*" | "*:*")
}

/// Whether a name says that its holder may do everything, however it is spelt.
fn is_called_admin(name: &str) -> bool {
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.contains(&letters.as_str())
}

const NAMES: &[&str] = &["admin", "administrator", "owner", "root", "superadmin", "superuser", "sysadmin"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(place: &str, value: Value) -> Vec<String> {
        found_after("admin-granted", &[(place, value)])
    }

    #[test]
    fn fires() {
        for (place, value, said) in [
            (
                "/authorization/roles/editor",
                json!({ "inherits": ["admin"] }),
                "/authorization/roles/editor/inherits/0: whoever has the role `editor` has `admin` too, which may do everything",
            ),
            (
                "/authorization/roles/support",
                json!({ "permissions": ["objects:read", "*"] }),
                "/authorization/roles/support/permissions/1: whoever has the role `support` has every permission",
            ),
            (
                "/tenancy/tenants",
                json!({ "acme": { "roles": { "boss": { "permissions": ["*:*"] } } } }),
                "/tenancy/tenants/acme/roles/boss/permissions/0: whoever has the role `boss` has every permission",
            ),
            (
                "/authorization/grants",
                json!([{ "group": "oncall", "roles": ["viewer", "admin"], "expires": "2027-01-01T00:00:00Z" }]),
                "/authorization/grants/0/roles/1: `admin`, which may do everything, is granted to every member of a group",
            ),
            (
                "/authorization/grants",
                json!([{ "subject": "ann", "roles": ["Super_Admin"] }]),
                "/authorization/grants/0/roles/0: `Super_Admin`, which may do everything, is granted for good",
            ),
            (
                "/authorization/grants",
                json!([{ "subject": "ann", "permissions": ["*"] }]),
                "/authorization/grants/0/permissions/0: every permission is granted for good",
            ),
        ] {
            assert_eq!(after(place, value), [said]);
        }
    }

    #[test]
    fn is_quiet() {
        for (place, value) in [
            ("/authorization/roles/super-admin", json!({ "inherits": ["admin"] })),
            ("/authorization/roles/owner", json!({ "permissions": ["*"] })),
            (
                "/authorization/roles/editor",
                json!({ "inherits": ["operator"], "permissions": ["objects:*"] }),
            ),
            (
                "/authorization/grants",
                json!([
                    { "subject": "ann", "roles": ["admin"], "expires": "2027-01-01T00:00:00Z" },
                    { "group": "oncall", "roles": ["operator"], "permissions": ["objects:*"] },
                ]),
            ),
        ] {
            assert_eq!(after(place, value), [""; 0]);
        }
    }
}
