//! Strict JSON: one text, one value, no second reading.
//!
//! RFC 8259 leaves several inputs to the reader's taste, and two readers that differ in taste are two different
//! answers to "who is calling". This module refuses all of them: member names that occur twice at any depth
//! (section 4), a byte order mark (section 8.1), bytes that are not UTF-8, anything after the value, nesting
//! beyond [`MAX_JSON_DEPTH`] and numbers that fit no IEEE 754 double (section 6).
//!
//! What it does not do: it does not compare names under Unicode normalisation (two spellings of `é` are two
//! names), it does not refuse integers beyond 2^53 (they are read as the nearest double once they exceed 64
//! bits), and it never puts a value into an error, because values may be secrets.

mod tree;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

pub use tree::Tree;

use crate::limits::{MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_REPORTED_NAME_CHARS};

/// Reads one JSON text of at most [`MAX_JSON_BYTES`].
///
/// # Errors
///
/// [`JsonError`] for every input that is not exactly one strict JSON text.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    parse_within(bytes, MAX_JSON_BYTES)
}

/// Reads one JSON text of at most `max_bytes`: for inputs with a smaller bound of their own, such as a token's
/// claims or a key set.
///
/// # Errors
///
/// [`JsonError`] for every input that is not exactly one strict JSON text within the bound.
pub fn parse_within(bytes: &[u8], max_bytes: usize) -> Result<Value, JsonError> {
    read(bytes, max_bytes).map(Tree::into_value)
}

/// Reads one JSON text of at most `max_bytes` into a tree that borrows from it.
///
/// # Errors
///
/// [`JsonError`] for every input that is not exactly one strict JSON text within the bound.
pub fn read(bytes: &[u8], max_bytes: usize) -> Result<Tree<'_>, JsonError> {
    if bytes.len() > max_bytes {
        return Err(JsonError::TooLarge { max_bytes });
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err(JsonError::ByteOrderMark);
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| JsonError::InvalidUtf8 { offset: error.valid_up_to() })?;

    let fault = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let strict = Strict { depth: 0, place: &Place::Root, fault: &fault };
    let tree = strict
        .deserialize(&mut deserializer)
        .map_err(|error| fault.take().unwrap_or_else(|| JsonError::from_syntax(&error)))?;
    deserializer
        .end()
        .map_err(|error| JsonError::TrailingBytes { line: error.line(), column: error.column() })?;
    Ok(tree)
}

/// Why a text is not strict JSON. Carries names and positions, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text exceeds the bound it was read with.
    #[error("the text is longer than {max_bytes} bytes")]
    TooLarge {
        /// The bound, in bytes.
        max_bytes: usize,
    },
    /// The text begins with a byte order mark (RFC 8259 section 8.1).
    #[error("the text begins with a byte order mark")]
    ByteOrderMark,
    /// The text is not UTF-8 (RFC 8259 section 8.1).
    #[error("the text is not UTF-8 at byte {offset}")]
    InvalidUtf8 {
        /// Bytes before the first that belongs to no character.
        offset: usize,
    },
    /// Arrays and objects are nested beyond [`MAX_JSON_DEPTH`].
    #[error("nested deeper than {MAX_JSON_DEPTH} levels, at {pointer:?}")]
    TooDeep {
        /// JSON Pointer (RFC 6901) of the first array or object too deep.
        pointer: String,
    },
    /// An object names a member twice (RFC 8259 section 4), whether spelt alike or with escapes.
    #[error("the member {name:?} occurs twice, at {pointer:?}")]
    DuplicateMember {
        /// The name, without escapes, shortened to [`MAX_REPORTED_NAME_CHARS`].
        name: String,
        /// JSON Pointer (RFC 6901) of the member.
        pointer: String,
    },
    /// The text ends before its value does, or holds none.
    #[error("the text ends too early, at line {line}, column {column}")]
    UnexpectedEnd {
        /// Line, from 1, at which reading stopped.
        line: usize,
        /// Column, from 1, at which reading stopped.
        column: usize,
    },
    /// The text departs from the grammar, or holds a number or escape that stands for nothing.
    #[error("not JSON at line {line}, column {column}")]
    Syntax {
        /// Line, from 1, at which reading stopped.
        line: usize,
        /// Column, from 1, at which reading stopped.
        column: usize,
    },
    /// Something other than white space follows the value.
    #[error("more text after the value, at line {line}, column {column}")]
    TrailingBytes {
        /// Line, from 1, of the first byte too many.
        line: usize,
        /// Column, from 1, of the first byte too many.
        column: usize,
    },
}

impl JsonError {
    fn from_syntax(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Eof => Self::UnexpectedEnd { line, column },
            // `Io` and `Data` cannot occur: the input is in memory and every shape of value is welcome.
            Category::Syntax | Category::Io | Category::Data => Self::Syntax { line, column },
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Where in the text a value stands, as a chain of stack frames: no allocation unless an error names it.
enum Place<'a> {
    Root,
    Member { name: &'a str, parent: &'a Place<'a> },
    Element { index: usize, parent: &'a Place<'a> },
}

impl Place<'_> {
    /// Writes this place as a JSON Pointer (RFC 6901 section 3).
    fn write_pointer(&self, pointer: &mut String) {
        match self {
            Self::Root => {}
            Self::Member { name, parent } => {
                parent.write_pointer(pointer);
                pointer.push('/');
                for character in name.chars().take(MAX_REPORTED_NAME_CHARS) {
                    match character {
                        '~' => pointer.push_str("~0"),
                        '/' => pointer.push_str("~1"),
                        other => pointer.push(other),
                    }
                }
            }
            Self::Element { index, parent } => {
                parent.write_pointer(pointer);
                // Writing into a `String` cannot fail.
                let _ = write!(pointer, "/{index}");
            }
        }
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write_pointer(&mut pointer);
        pointer
    }
}

/// Reads one value at `place`. serde's error type is a text, so what we found goes into `fault` and the error
/// only stops the reading.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    place: &'a Place<'a>,
    fault: &'a RefCell<Option<JsonError>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict<'_> {
    /// The depth inside the container that begins here.
    fn enter<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_JSON_DEPTH {
            return Err(self.stop(JsonError::TooDeep { pointer: self.place.pointer() }));
        }
        Ok(self.depth.saturating_add(1))
    }

    fn stop<E: serde::de::Error>(&self, fault: JsonError) -> E {
        self.fault.replace(Some(fault));
        E::custom("refused")
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Tree<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(u64::try_from(value).map_or(Tree::Negative(value), Tree::Unsigned))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Unsigned(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree<'de>, E> {
        if value.is_finite() { Ok(Tree::Float(value)) } else { Err(E::custom("not a finite number")) }
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Tree<'de>, A::Error> {
        let depth = self.enter()?;
        let mut elements = Vec::new();
        loop {
            let place = Place::Element { index: elements.len(), parent: self.place };
            match sequence.next_element_seed(Strict { depth, place: &place, fault: self.fault })? {
                Some(element) => elements.push(element),
                None => return Ok(Tree::List(elements)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let depth = self.enter()?;
        let mut object: Vec<(Cow<'de, str>, Tree<'de>)> = Vec::new();
        // The names, once there are too many of them to look through.
        let mut names: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            let place = Place::Member { name: &name, parent: self.place };
            if object.len() == MAX_LOOKED_THROUGH {
                names.extend(object.iter().map(|(name, _)| name.clone()));
            }
            let is_known = if object.len() < MAX_LOOKED_THROUGH {
                object.iter().any(|(known, _)| *known == name)
            } else {
                !names.insert(name.clone())
            };
            if is_known {
                let shown = name.chars().take(MAX_REPORTED_NAME_CHARS).collect();
                return Err(self.stop(JsonError::DuplicateMember { name: shown, pointer: place.pointer() }));
            }
            let value = members.next_value_seed(Strict { depth, place: &place, fault: self.fault })?;
            object.push((name, value));
        }
        Ok(Tree::Object(object))
    }
}

/// Members of an object that are looked through one by one for a name. Beyond it every sender could make reading take the
/// square of what it sent.
const MAX_LOOKED_THROUGH: usize = 16;

/// Reads the name of a member, borrowed unless it holds escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Vec<u8> {
        let mut text = vec![b'['; levels];
        text.extend(std::iter::repeat_n(b']', levels));
        text
    }

    #[test]
    fn a_value_of_every_type_is_read_as_serde_json_reads_it() {
        let text = br#" {"a": [1, -2, 1.5, 18446744073709551615, "x\u0041", true, null, {}]} "#;
        assert_eq!(parse(text), Ok(serde_json::from_slice(text).unwrap()));
    }

    #[test]
    fn a_member_named_twice_is_named_with_its_place() {
        let fault = parse(br#"{"routes": [{}, {"a/b": {"role": 1, "role": "s3cret"}}]}"#).unwrap_err();
        let expected =
            JsonError::DuplicateMember { name: "role".to_owned(), pointer: "/routes/1/a~1b/role".to_owned() };
        assert_eq!(fault, expected);
        assert!(!fault.to_string().contains("s3cret"));
    }

    #[test]
    fn a_member_named_twice_in_two_spellings_is_still_twice() {
        let fault = parse(br#"{"exp": 1, "\u0065xp": 2}"#).unwrap_err();
        assert!(matches!(fault, JsonError::DuplicateMember { name, .. } if name == "exp"));
    }

    #[test]
    fn the_same_name_in_two_objects_is_no_duplicate() {
        assert!(parse(br#"[{"a": {"a": 1}}, {"a": 2}]"#).is_ok());
    }

    #[test]
    fn the_last_of_many_members_is_compared_with_the_first() {
        for count in [1, MAX_LOOKED_THROUGH - 1, MAX_LOOKED_THROUGH, MAX_LOOKED_THROUGH + 1, 1000] {
            let members: String = (0..count).map(|number| format!(r#""m{number}": 0, "#)).collect();
            assert!(parse(format!(r#"{{{members} "m": 0}}"#).as_bytes()).is_ok());
            for again in [0, count - 1] {
                let fault = parse(format!(r#"{{{members} "m{again}": 0}}"#).as_bytes()).unwrap_err();
                assert!(
                    matches!(fault, JsonError::DuplicateMember { name, .. } if name == format!("m{again}"))
                );
            }
        }
    }

    #[test]
    fn a_long_duplicate_name_is_shortened_in_the_error() {
        let name = "n".repeat(10 * MAX_REPORTED_NAME_CHARS);
        let fault = parse(format!(r#"{{"{name}": 1, "{name}": 2}}"#).as_bytes()).unwrap_err();
        assert!(fault.to_string().len() < 3 * MAX_REPORTED_NAME_CHARS, "{fault}");
    }

    #[test]
    fn nesting_ends_at_the_bound() {
        assert!(parse(&nested(MAX_JSON_DEPTH)).is_ok());
        let fault = parse(&nested(MAX_JSON_DEPTH + 1)).unwrap_err();
        assert_eq!(fault, JsonError::TooDeep { pointer: "/0".repeat(MAX_JSON_DEPTH) });
        assert!(matches!(parse(&vec![b'['; 1_000_000]), Err(JsonError::TooDeep { .. })));
        assert!(matches!(parse(br#"{"a":"#.repeat(100_000).as_slice()), Err(JsonError::TooDeep { .. })));
    }

    #[test]
    fn size_is_bounded_by_the_caller() {
        assert!(parse_within(b"[1]", 3).is_ok());
        assert_eq!(parse_within(b"[1] ", 3), Err(JsonError::TooLarge { max_bytes: 3 }));
        assert_eq!(
            parse(&vec![b' '; MAX_JSON_BYTES + 1]),
            Err(JsonError::TooLarge { max_bytes: MAX_JSON_BYTES })
        );
    }

    #[test]
    fn a_byte_order_mark_is_refused() {
        assert_eq!(parse(b"\xEF\xBB\xBF{}"), Err(JsonError::ByteOrderMark));
        assert!(parse(b"\xFF\xFE{\0}\0").is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_where_they_stand() {
        assert_eq!(parse(b"[\"\xC0\xAF\"]"), Err(JsonError::InvalidUtf8 { offset: 2 }));
    }

    #[test]
    fn nothing_may_follow_the_value() {
        assert!(parse(b"{} \n\t").is_ok());
        for text in [&b"{} {}"[..], b"{}x", b"1 2", b"{}\0", b"[],"] {
            assert!(matches!(parse(text), Err(JsonError::TrailingBytes { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_text_cut_short_says_so() {
        for text in [&b""[..], b" ", b"{", b"[1,", b"\"a", br#"{"a":"#] {
            assert!(matches!(parse(text), Err(JsonError::UnexpectedEnd { .. })), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_without_its_text() {
        for text in [&b"{s3cret: 1}"[..], b"['s3cret']", b"NaN", b"[1e999]", b"[01]", br#"["\ud800"]"#] {
            let fault = parse(text).unwrap_err();
            assert!(matches!(fault, JsonError::Syntax { .. }), "{text:?}: {fault:?}");
            assert!(!fault.to_string().contains("s3cret"));
        }
    }

    proptest::proptest! {
        /// What we accept is read as the plain reader reads it; what only we refuse has a reason of ours.
        #[test]
        fn strictness_only_takes_away(text in r#"[\[\]{}":,0-9eE.+\-atrufls\\n ]{0,24}|(\{"[ab]":[0-9],"[ab]":(\{\}|\[\])\}){1,2}"#) {
            let plain = serde_json::from_str::<Value>(&text).ok();
            match parse(text.as_bytes()) {
                Ok(value) => proptest::prop_assert_eq!(Some(value), plain),
                Err(JsonError::DuplicateMember { .. }) => {}
                Err(_) => proptest::prop_assert_eq!(plain, None),
            }
        }
    }
}
