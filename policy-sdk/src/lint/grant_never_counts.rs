//! Grants that are over before they begin, or give nothing.

use super::reading::{Reading, grant_place};
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "grant-never-counts",
    finds: "A grant that ends before it begins, or gives neither a role nor a permission.",
    remedy: "correct `not_before` and `expires`, give it a role or a permission, or remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for (index, grant) in reading.document.authorization.grants.iter().enumerate() {
        if grant.not_before.zip(grant.expires).is_some_and(|(begins, ends)| ends <= begins) {
            found.add(|| grant_place(index), || "a grant that ends before it begins".to_owned());
        } else if grant.roles.is_empty() && grant.permissions.is_empty() {
            found.add(|| grant_place(index), || "a grant of nothing".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(grant: Value) -> Vec<String> {
        found_after("grant-never-counts", &[("/authorization/grants", json!([grant]))])
    }

    #[test]
    fn fires() {
        for ends in ["2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z"] {
            assert_eq!(
                after(
                    json!({ "subject": "ann", "roles": ["editor"], "not_before": "2027-01-01T00:00:00Z", "expires": ends })
                ),
                ["/authorization/grants/0: a grant that ends before it begins"]
            );
        }
        assert_eq!(after(json!({ "subject": "ann" })), ["/authorization/grants/0: a grant of nothing"]);
    }

    #[test]
    fn is_quiet() {
        for grant in [
            json!({ "subject": "ann", "roles": ["editor"], "not_before": "2027-01-01T00:00:00Z", "expires": "2027-01-01T00:00:01Z" }),
            json!({ "subject": "ann", "permissions": ["objects:read"] }),
        ] {
            assert_eq!(after(grant), [""; 0]);
        }
    }
}
