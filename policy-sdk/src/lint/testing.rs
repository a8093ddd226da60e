//! Documents to look at: the one that nothing is found in, and what is found after a change to it.

use serde_json::Value;

use super::{Finding, findings};
use crate::document::Document;
use crate::document::testing::changed;

/// Every finding after each of `changes`: a JSON Pointer and what is put there.
pub(super) fn all_after(changes: &[(&str, Value)]) -> Vec<Finding> {
    findings(&changed_document(changes))
}

/// The document after each of `changes`.
pub(super) fn changed_document(changes: &[(&str, Value)]) -> Document {
    Document::from_value(changed(changes)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What the lint `code` finds after each of `changes`.
pub(super) fn found_after(code: &str, changes: &[(&str, Value)]) -> Vec<String> {
    let all = all_after(changes);
    all.iter().filter(|finding| finding.code == code).map(ToString::to_string).collect()
}

#[test]
fn nothing_is_found_in_the_document_to_break() {
    assert_eq!(all_after(&[]), []);
}
