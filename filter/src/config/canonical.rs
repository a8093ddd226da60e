//! The digest of a document: SHA-256 of its canonical JSON, which `portcullis render` writes.
//!
//! The canonical form has the members of each object in the order of their names, and no white space. It is never held as
//! a whole: a large document would be written a second time, only to be read once.

use std::borrow::Cow;
use std::collections::BinaryHeap;

use portcullis_policy::json::Tree;
use sha2::{Digest as _, Sha256};

use crate::audit::Digest;

/// The digest of what is written in any order and with any white space.
pub(super) fn digest(tree: &Tree<'_>) -> Digest {
    let mut writer = Writer { hasher: Sha256::new(), waiting: Vec::with_capacity(PIECE_BYTES) };
    writer.value(tree);
    writer.hasher.update(&writer.waiting);
    Digest::from_bytes(writer.hasher.finalize().into())
}

/// What is hashed at once, in bytes: many blocks of 64, and little memory.
const PIECE_BYTES: usize = 4096;

struct Writer {
    hasher: Sha256,
    waiting: Vec<u8>,
}

impl Writer {
    fn value(&mut self, tree: &Tree<'_>) {
        match tree {
            Tree::Null => self.put(b"null"),
            Tree::Boolean(true) => self.put(b"true"),
            Tree::Boolean(false) => self.put(b"false"),
            // Numbers are rare in documents, and their shortest form is somebody else's art.
            Tree::Unsigned(_) | Tree::Negative(_) | Tree::Float(_) => {
                self.put(tree.clone().into_value().to_string().as_bytes());
            }
            Tree::Text(text) => self.text(text),
            Tree::List(list) => {
                self.put(b"[");
                for (place, element) in list.iter().enumerate() {
                    if place > 0 {
                        self.put(b",");
                    }
                    self.value(element);
                }
                self.put(b"]");
            }
            Tree::Object(members) => self.object(members),
        }
    }

    fn object(&mut self, members: &[(Cow<'_, str>, Tree<'_>)]) {
        // An object may have as many members as the document has tenants, in whatever order they were written. Of what sorts
        // any number of them in good time, a heap is the least code.
        let named: Vec<(&str, usize)> = members.iter().map(|(name, _)| name.as_ref()).zip(0..).collect();
        let sorted = if named.is_sorted() { named } else { BinaryHeap::from(named).into_sorted_vec() };
        self.put(b"{");
        for (place, (name, written)) in sorted.into_iter().enumerate() {
            let Some((_, value)) = members.get(written) else { continue };
            if place > 0 {
                self.put(b",");
            }
            self.text(name);
            self.put(b":");
            self.value(value);
        }
        self.put(b"}");
    }

    fn text(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            self.put(serde_json::Value::from(text).to_string().as_bytes());
        } else {
            self.put(b"\"");
            self.put(text.as_bytes());
            self.put(b"\"");
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.waiting.len().saturating_add(bytes.len()) > PIECE_BYTES {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
        self.waiting.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::json;
    use portcullis_policy::limits::MAX_JSON_BYTES;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The slow twin: the whole text, written by somebody else.
    fn slowly(text: &str) -> Digest {
        Digest::of(json::parse(text.as_bytes()).unwrap().to_string().as_bytes())
    }

    fn fast(text: &str) -> Digest {
        digest(&json::read(text.as_bytes(), MAX_JSON_BYTES).unwrap())
    }

    #[test]
    fn no_order_and_no_white_space_changes_a_digest() {
        let canonical = r#"{"a":[1,-2,0.1,1e+300,true,false,null,{}],"b":{"x":"é","y":"\u0001\"\\\n"}}"#;
        let other = r#" { "b" : {"y": "\u0001\u0022\\\u000a", "x": "\u00e9"},
            "a": [1, -2, 1E-1, 1e300, true, false, null, { }] } "#;
        assert_eq!(fast(canonical), Digest::of(canonical.as_bytes()));
        assert_eq!(fast(other), fast(canonical));
        assert_eq!(slowly(other), fast(canonical));
    }

    #[test]
    fn numbers_are_written_in_their_shortest_form() {
        for (text, written) in [
            ("-0", "-0.0"),
            ("-0.0", "-0.0"),
            ("0.0", "0.0"),
            ("1E2", "100.0"),
            ("1e16", "1e+16"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("-9223372036854775809", "-9.223372036854776e+18"),
            ("5e-324", "5e-324"),
        ] {
            assert_eq!(fast(text), Digest::of(written.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_text_longer_than_a_piece_is_hashed_as_a_whole() {
        for length in [PIECE_BYTES - 3, PIECE_BYTES - 2, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES] {
            let text = format!(r#"{{"a":"{}","b":[{}0]}}"#, "x".repeat(length), "1,".repeat(length));
            assert_eq!(fast(&text), Digest::of(text.as_bytes()), "{length}");
        }
    }

    #[test]
    fn very_many_members_are_sorted_too() {
        let name = |place: u64| format!(r#""{:016x}":{place}"#, place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let members: Vec<_> = (0..100_000).map(name).collect();
        let text = format!("{{{}}}", members.join(","));
        assert_eq!(fast(&text), slowly(&text));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_digest_is_that_of_the_text_that_is_never_written(value in any_json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(fast(&text), slowly(&text));
            }
        }

        #[test]
        fn the_order_of_members_does_not_matter(
            members in prop::collection::btree_map("\\PC{0,6}", any_json(), 0..6)
                .prop_map(|members| members.into_iter().collect::<Vec<_>>())
                .prop_shuffle()
        ) {
            let text: Vec<_> =
                members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
            let text = format!("{{{}}}", text.join(","));
            prop_assert_eq!(fast(&text), slowly(&text));
        }
    }
}
