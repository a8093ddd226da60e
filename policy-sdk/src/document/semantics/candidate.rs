//! The candidate: named, within bounds, and its authorization held to everything that the live one is held to.

use std::mem::{swap, take};

use super::names::well_formed;
use crate::document::{Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let Some(candidate) = &document.candidate else { return };
    let place = JsonPointer::members(&["candidate"]);
    well_formed(&candidate.name, place.member("name"), found);
    let enforce = place.member("enforce");
    if candidate.enforce.percentage > 100 {
        found.push(
            Problem::new(enforce.member("percentage"), "more than everyone").expected("a number up to 100"),
        );
    }
    // A line of its own in what is hashed, so that no two pairs of salt and tenant read the same.
    let is_salt = |salt: &String| salt.len() <= MAX_SALT_BYTES && !salt.chars().any(char::is_control);
    if candidate.enforce.salt.as_ref().is_some_and(|salt| !is_salt(salt)) {
        let problem = Problem::new(enforce.member("salt"), "not a salt");
        found.push(problem.expected(format!("up to {MAX_SALT_BYTES} bytes without control characters")));
    }
}

/// Adds what `look` finds in the document as it would be with its candidate in force, at the places where that stands now.
pub(super) fn look_behind(
    document: &mut Document,
    found: &mut Vec<Problem>,
    look: impl FnOnce(&Document, &mut Vec<Problem>),
) {
    let Some(mut candidate) = document.candidate.take() else { return };
    let (rules, groups) = (take(&mut document.rules), take(&mut document.groups));
    swap(&mut document.authorization, &mut candidate.authorization);
    let mut behind = Vec::new();
    look(document, &mut behind);
    swap(&mut document.authorization, &mut candidate.authorization);
    (document.rules, document.groups) = (rules, groups);
    document.candidate = Some(candidate);
    // What is wrong elsewhere is wrong for both, and was said.
    for problem in behind.into_iter().map(Problem::of_candidate) {
        if !found.contains(&problem) {
            found.push(problem);
        }
    }
}

/// Most bytes of a salt: nobody has to guess it, so a word suffices.
const MAX_SALT_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::problems_after;
    use super::*;

    fn problems(candidate: Value) -> Vec<String> {
        problems_after(&[("/candidate", candidate)])
    }

    #[test]
    fn one_that_can_be_tried() {
        let enforce = json!({"percentage": 100, "salt": ""});
        assert_eq!(problems(json!({"name": "next", "authorization": {}, "enforce": enforce})), [""; 0]);
        assert_eq!(problems(json!({"name": "next", "authorization": {}})), [""; 0]);
    }

    #[test]
    fn bounds_of_its_own() {
        let salt = "x".repeat(MAX_SALT_BYTES + 1);
        assert_eq!(
            problems(
                json!({"name": "The next", "authorization": {}, "enforce": {"percentage": 101, "salt": salt}})
            ),
            [
                "/candidate/enforce/percentage: more than everyone; expected a number up to 100",
                "/candidate/enforce/salt: not a salt; expected up to 256 bytes without control characters",
                "/candidate/name: not a name; expected 1 to 63 of `a-z`, `0-9`, `_`, `-`",
            ]
        );
        assert_eq!(
            problems(json!({"name": "next", "authorization": {}, "enforce": {"salt": "a\nb"}})),
            ["/candidate/enforce/salt: not a salt; expected up to 256 bytes without control characters"]
        );
    }

    #[test]
    fn held_to_what_the_live_one_is_held_to() {
        let authorization = json!({"routes": [
            {"methods": ["GET"], "path": "/a", "name": "a"},
            {"methods": ["GET"], "path": "/b", "name": "a"},
        ]});
        assert_eq!(
            problems(json!({"name": "next", "authorization": authorization})),
            [
                "/candidate/authorization/routes/1/name: the same name as /candidate/authorization/routes/0; expected a name of its own"
            ]
        );
    }

    #[test]
    fn what_is_wrong_for_both_is_said_once() {
        let found = problems_after(&[
            ("/version", json!(2)),
            ("/candidate", json!({"name": "next", "authorization": {}})),
        ]);
        assert_eq!(found, ["/version: unknown version 2; expected 1"]);
    }
}
