//! Grants for good among grants for a time.

use super::reading::{Reading, grant_place};
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "grant-without-end",
    finds: "A grant without `expires`, in a document of which other grants have one.",
    remedy: "give it an `expires`; or, if it is meant for good, give the role where the holder's other roles come from",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let grants = &reading.document.authorization.grants;
    if grants.iter().all(|grant| grant.expires.is_none()) {
        return;
    }
    for (index, _) in grants.iter().enumerate().filter(|(_, grant)| grant.expires.is_none()) {
        found.add(|| grant_place(index), || "a grant without an end, beside others that have one".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_beside_others_only() {
        let forever = json!({ "subject": "ann", "roles": ["editor"] });
        let ending = json!({ "subject": "bob", "roles": ["editor"], "expires": "2027-01-01T00:00:00Z" });
        let after = |grants| found_after("grant-without-end", &[("/authorization/grants", grants)]);
        assert_eq!(
            after(json!([ending, forever])),
            ["/authorization/grants/1: a grant without an end, beside others that have one"]
        );
        assert_eq!(after(json!([forever, forever])), [""; 0]);
        assert_eq!(after(json!([ending])), [""; 0]);
    }
}
