//! A record that may have gaps.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{JsonPointer, WhenFull};

pub(super) const LINT: Lint = Lint {
    code: "audit-loses-records",
    finds: "A record of decisions that loses entries while its sink is down.",
    remedy: "say `when_full: refuse`, or accept that the record says where its gaps are",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    if reading.document.audit.as_ref().is_some_and(|audit| audit.when_full == WhenFull::Drop) {
        found.add(
            || JsonPointer::members(&["audit", "when_full"]),
            || "a sink that is down loses records".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_on_drop_and_not_on_refuse() {
        let after = |when| found_after("audit-loses-records", &[("/audit/when_full", when)]);
        assert_eq!(after(json!("drop")), ["/audit/when_full: a sink that is down loses records"]);
        assert_eq!(after(json!("refuse")), [""; 0]);
    }
}
