//! The text of a document as it may be shown: without what is a secret or could be one.
//!
//! Comments are shown as they are: a secret in a comment is beyond us.

use portcullis_filter::authn::jwk::PRIVATE_MEMBERS;
use portcullis_policy::document::{JsonPointer, Problems, SecretReference, Step};

use crate::report::UNKNOWN_FIELD;
use crate::source::Source;

/// The text of `source`, byte for byte as long as it is, with stars for the values of secrets, of private members of
/// keys, of fields that are unknown (a misspelt `secret` is one) and of members that are no part of the document.
pub(crate) fn redacted(source: &Source, problems: Option<&Problems>) -> String {
    let unknown: Vec<&JsonPointer> = problems
        .into_iter()
        .flatten()
        .filter(|problem| problem.message == UNKNOWN_FIELD)
        .map(|problem| &problem.pointer)
        .collect();
    let mut bytes = source.text.clone().into_bytes();
    for (pointer, place) in source.positions.scalars() {
        let is_open = pointer.is_some_and(|pointer| {
            !names_a_secret(pointer) && !unknown.iter().any(|unknown| pointer.is_within(unknown))
        });
        let is_reference = || {
            let text = source.text.get(place.bytes.clone()).unwrap_or_default();
            SecretReference::parse(text.trim_matches(['"', '\''])).is_some()
        };
        if is_open || is_reference() {
            continue;
        }
        for byte in bytes.get_mut(place.bytes.clone()).into_iter().flatten() {
            if *byte != b'\n' && *byte != b'\r' {
                *byte = b'*';
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn names_a_secret(pointer: &JsonPointer) -> bool {
    pointer.steps().iter().any(|step| match step {
        Step::Member(name) => name == "secret" || PRIVATE_MEMBERS.contains(&name.as_str()),
        Step::Element(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_policy::document::Document;

    #[test]
    fn what_could_be_a_secret_is_starred() {
        let text = "secret: hünter2\nsecret: hunter3\nsecert: {a: [hunter4]}\nname: shop\njwks: {keys: [{d: hunter5, n: open}]}\n\
                    a: {secret: \"${NAME}\"}\nb: {secret: |\n    hunter6\n    hunter7\n  }\n";
        let text = text.replace("|\n    hunter6\n    hunter7\n  ", "'hunter6\n   hunter7'");
        let source = Source::from_text("x.yaml".to_owned(), text.clone());
        let problems = Document::from_value(serde_json::json!({ "secert": 1 })).unwrap_err();
        let shown = redacted(&source, Some(&problems));
        assert!(!shown.contains("nter"), "{shown}");
        assert_eq!(shown.len(), text.len());
        for open in ["name: shop", "n: open", "${NAME}", "secret: ********\n"] {
            assert!(shown.contains(open), "{open}: {shown}");
        }
    }
}
