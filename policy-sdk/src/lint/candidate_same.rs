//! Candidates that change nothing.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{Authorization, JsonPointer};

pub(super) const LINT: Lint = Lint {
    code: "candidate-same",
    finds: "A candidate whose `authorization` is the live one, word for word: no answer can differ.",
    remedy: "write into it what is to be tried, or remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let document = reading.document;
    let has_one_shape = document.rules.is_empty() && document.groups.is_empty();
    let is_same = |authorization: &Authorization| *authorization == document.authorization && has_one_shape;
    if document.candidate.as_ref().is_some_and(|candidate| is_same(&candidate.authorization)) {
        found.add(
            || JsonPointer::members(&["candidate", "authorization"]),
            || "the same as the live one: no answer can differ".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;
    use crate::document::testing::changed;

    #[test]
    fn fires_on_a_copy_and_not_on_a_change() {
        let after = |authorization: Value| {
            found_after(
                "candidate-same",
                &[("/candidate", json!({ "name": "next", "authorization": authorization }))],
            )
        };
        let live = changed(&[])["authorization"].clone();
        assert_eq!(
            after(live.clone()),
            ["/candidate/authorization: the same as the live one: no answer can differ"]
        );
        let mut other = live;
        other["groups"] = json!(["staff"]);
        assert_eq!(after(other), [""; 0]);
    }
}
