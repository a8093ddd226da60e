//! Candidates that answer for everyone already.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "candidate-decides",
    finds: "A candidate with `percentage: 100`: it answers for every subject, and what is read as the live policy answers for callers without a subject alone.",
    remedy: "put its `authorization` in the place of the live one, and remove `candidate`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let candidate = reading.document.candidate.as_ref();
    if candidate.is_some_and(|candidate| candidate.enforce.percentage >= 100) {
        found.add(
            || JsonPointer::members(&["candidate", "enforce", "percentage"]),
            || "no candidate any more: it answers for every subject".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_at_all_of_them_and_not_before() {
        let after = |percentage: u8| {
            let candidate =
                json!({ "name": "next", "authorization": {}, "enforce": { "percentage": percentage } });
            found_after("candidate-decides", &[("/candidate", candidate)])
        };
        assert_eq!(
            after(100),
            ["/candidate/enforce/percentage: no candidate any more: it answers for every subject"]
        );
        assert_eq!(after(99), [""; 0]);
        assert_eq!(after(0), [""; 0]);
    }
}
