//! Grants that counted once.

use super::reading::{Reading, grant_place};
use super::{Found, Lint};
use crate::document::Timestamp;

pub(super) const LINT: Lint = Lint {
    code: "grant-expired",
    finds: "A grant that has expired: it counts for nobody. What has, is found by the clock of whoever runs `portcullis check`, or by `--now`.",
    remedy: "remove it, or move its `expires` into the future",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let Some(now) = reading.now else { return };
    for (index, grant) in reading.document.authorization.grants.iter().enumerate() {
        if grant.expires.map(Timestamp::unix_seconds).is_some_and(|expires| expires <= now) {
            found.add(|| grant_place(index).member("expires"), || "a grant that has expired".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{findings, findings_at, testing::changed_document};

    #[test]
    fn fires_from_the_second_on_in_which_it_expires() {
        let grants = json!([
            { "subject": "ann", "roles": ["editor"], "expires": "2027-01-01T00:00:00Z" },
            { "subject": "bob", "roles": ["editor"], "expires": "2028-01-01T00:00:00Z" },
        ]);
        let document = changed_document(&[("/authorization/grants", grants)]);
        let at = |now: i64| -> Vec<String> {
            let all = findings_at(&document, now);
            all.iter().filter(|finding| finding.code == super::LINT.code).map(ToString::to_string).collect()
        };
        assert_eq!(at(1_798_761_600), ["/authorization/grants/0/expires: a grant that has expired"]);
        assert_eq!(at(1_798_761_599), [""; 0]);
        assert!(
            findings(&document).iter().all(|finding| finding.code != super::LINT.code),
            "no time is known"
        );
    }
}
