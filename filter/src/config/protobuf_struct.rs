//! A `google.protobuf.Struct` in wire form, read into the JSON value it stands for.
//!
//! Envoy hands a plugin whose configuration is a `Struct` the protobuf bytes, not JSON. The messages are declared here
//! and not taken from `prost-types`, because there the fields of an object are a map: of two fields with one name the
//! last would win unseen, and a document must say everything once.
//!
//! This module does not know what a document means.

use std::borrow::Cow;
use std::collections::BTreeSet;

use portcullis_policy::json::Tree;
use prost::{Message, Oneof};

/// Deepest nesting of objects and lists. A document needs about ten; protobuf decoding itself stops at 33 objects.
pub const MAX_DEPTH: usize = 32;

/// Greatest magnitude up to which every integer has a `double` of its own (RFC 8259 section 6).
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Why the bytes are not a JSON value in the form of a `Struct`.
///
/// A variant names a field of the document at most: never a value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructError {
    /// Not the wire form of the message, or nested beyond what protobuf decoding allows.
    #[error("not the wire form of the message: {0}")]
    Wire(#[from] prost::DecodeError),
    /// Objects and lists nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// One object has two fields with this name.
    #[error("the field {0:?} appears twice in one object")]
    DuplicateField(String),
    /// A value of none of the six kinds.
    #[error("a value is missing")]
    MissingKind,
    /// `NaN` or an infinity: JSON has no such number.
    #[error("a number is not finite")]
    NumberNotFinite,
}

/// Reads a `Struct`. The result is always a JSON object.
///
/// A `Struct` has no integers, only `double`: a whole number whose magnitude is below 2^53 becomes an integer, as
/// Envoy's own conversion to JSON text has it, so that `60` in YAML is `60` here and not `60.0`.
///
/// # Errors
///
/// See [`StructError`]. The caller bounds the size of `wire`; time and memory are linear in it.
pub fn decode(wire: &[u8]) -> Result<Tree<'static>, StructError> {
    object(Struct::decode(wire)?, MAX_DEPTH)
}

/// `google.protobuf.Struct`, its map as the list of entries that it is on the wire.
#[derive(Clone, PartialEq, Message)]
struct Struct {
    #[prost(message, repeated, tag = "1")]
    fields: Vec<Field>,
}

/// One entry of the map of a `google.protobuf.Struct`.
#[derive(Clone, PartialEq, Message)]
struct Field {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    value: Option<StructValue>,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
struct StructValue {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(int32, tag = "1")]
    Null(i32),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    String(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(message, tag = "5")]
    Struct(Struct),
    #[prost(message, tag = "6")]
    List(List),
}

/// `google.protobuf.ListValue`.
#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(message, repeated, tag = "1")]
    values: Vec<StructValue>,
}

fn object(message: Struct, depth: usize) -> Result<Tree<'static>, StructError> {
    let depth = depth.checked_sub(1).ok_or(StructError::TooDeep)?;
    let mut names = BTreeSet::new();
    for Field { name, .. } in &message.fields {
        if !names.insert(name.as_str()) {
            return Err(StructError::DuplicateField(name.clone()));
        }
    }
    let member = |Field { name, value }| {
        let value = tree(value.ok_or(StructError::MissingKind)?, depth)?;
        Ok((Cow::Owned(name), value))
    };
    message.fields.into_iter().map(member).collect::<Result<_, _>>().map(Tree::Object)
}

fn tree(value: StructValue, depth: usize) -> Result<Tree<'static>, StructError> {
    match value.kind.ok_or(StructError::MissingKind)? {
        Kind::Null(_) => Ok(Tree::Null),
        Kind::Number(number) => number_of(number),
        Kind::String(text) => Ok(Tree::Text(Cow::Owned(text))),
        Kind::Bool(bool) => Ok(Tree::Boolean(bool)),
        Kind::Struct(message) => object(message, depth),
        Kind::List(List { values }) => {
            let depth = depth.checked_sub(1).ok_or(StructError::TooDeep)?;
            values.into_iter().map(|value| tree(value, depth)).collect::<Result<_, _>>().map(Tree::List)
        }
    }
}

fn number_of(number: f64) -> Result<Tree<'static>, StructError> {
    if number.fract() == 0.0 && number.abs() <= MAX_EXACT_INTEGER {
        // Exact: the number is whole and below 2^53, so the cast neither rounds nor saturates.
        let whole = number as i64;
        Ok(u64::try_from(whole).map_or(Tree::Negative(whole), Tree::Unsigned))
    } else if number.is_finite() {
        Ok(Tree::Float(number))
    } else {
        Err(StructError::NumberNotFinite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    fn decode(wire: &[u8]) -> Result<Value, StructError> {
        super::decode(wire).map(Tree::into_value)
    }

    fn wire_of(value: &Value) -> StructValue {
        let kind = match value {
            Value::Null => Kind::Null(0),
            Value::Bool(bool) => Kind::Bool(*bool),
            Value::Number(number) => Kind::Number(number.as_f64().unwrap()),
            Value::String(string) => Kind::String(string.clone()),
            Value::Array(values) => Kind::List(List { values: values.iter().map(wire_of).collect() }),
            Value::Object(fields) => Kind::Struct(struct_of(fields)),
        };
        StructValue { kind: Some(kind) }
    }

    fn struct_of(fields: &Map<String, Value>) -> Struct {
        let field =
            |(name, value): (&String, &Value)| Field { name: name.clone(), value: Some(wire_of(value)) };
        Struct { fields: fields.iter().map(field).collect() }
    }

    fn encoded(value: &Value) -> Vec<u8> {
        struct_of(value.as_object().unwrap()).encode_to_vec()
    }

    fn number(number: f64) -> Result<Value, StructError> {
        let value = Some(StructValue { kind: Some(Kind::Number(number)) });
        let wire = Struct { fields: vec![Field { name: "n".to_owned(), value }] }.encode_to_vec();
        decode(&wire).map(|mut value| value["n"].take())
    }

    /// A list in a list, `depth` levels below the object.
    fn nested(depth: usize) -> Value {
        json!({ "a": (0..depth).fold(json!(1), |inner, _| json!([inner])) })
    }

    #[test]
    fn reads_bytes_written_by_hand_from_the_specification() {
        // {"a": {"b": "c", "n": true}}
        let wire = b"\n\x1a\n\x01a\x12\x15*\x13\n\x08\n\x01b\x12\x03\x1a\x01c\n\x07\n\x01n\x12\x02 \x01";
        assert_eq!(decode(wire), Ok(json!({"a": {"b": "c", "n": true}})));
    }

    #[test]
    fn reads_every_kind() {
        let value =
            json!({"null": null, "yes": true, "n": 60, "f": 1.5, "s": "é", "l": [1, [], {}], "o": {"p": {}}});
        assert_eq!(decode(&encoded(&value)), Ok(value));
    }

    #[test]
    fn whole_numbers_are_integers_as_far_as_they_are_exact() {
        assert_eq!(number(60.0), Ok(json!(60)));
        assert_eq!(number(-0.0), Ok(json!(0)));
        assert_eq!(number(-MAX_EXACT_INTEGER), Ok(json!(-9_007_199_254_740_991_i64)));
        // 2^53 may have been 2^53 + 1 when it was written.
        assert_eq!(number(MAX_EXACT_INTEGER + 1.0), Ok(json!(9_007_199_254_740_992.0)));
        assert_eq!(number(0.5), Ok(json!(0.5)));
    }

    #[test]
    fn refuses_numbers_that_json_does_not_have() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(number(bad), Err(StructError::NumberNotFinite));
        }
    }

    #[test]
    fn refuses_one_name_twice() {
        let field = |value: &str| Field { name: "mode".to_owned(), value: Some(wire_of(&json!(value))) };
        let wire = Struct { fields: vec![field("strict"), field("open")] }.encode_to_vec();
        assert_eq!(decode(&wire), Err(StructError::DuplicateField("mode".to_owned())));
    }

    #[test]
    fn refuses_a_value_of_no_kind() {
        for value in [None, Some(StructValue { kind: None })] {
            let wire = Struct { fields: vec![Field { name: "a".to_owned(), value }] }.encode_to_vec();
            assert_eq!(decode(&wire), Err(StructError::MissingKind));
        }
    }

    #[test]
    fn refuses_deep_nesting() {
        assert_eq!(decode(&encoded(&nested(MAX_DEPTH - 1))), Ok(nested(MAX_DEPTH - 1)));
        assert_eq!(decode(&encoded(&nested(MAX_DEPTH))), Err(StructError::TooDeep));
        let hopeless = decode(&encoded(&nested(10 * MAX_DEPTH)));
        assert!(matches!(hopeless, Err(StructError::Wire(_))), "{hopeless:?}");
    }

    #[test]
    fn objects_reach_the_same_depth_as_lists() {
        let deep = (1..MAX_DEPTH).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert_eq!(decode(&encoded(&deep)), Ok(deep));
    }

    #[test]
    fn refuses_bytes_that_are_not_the_message() {
        for wire in [&b"\x0a"[..], b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05\x0a\x01\xff\x12\0", b"{}", b"\x0b"]
        {
            assert!(matches!(decode(wire), Err(StructError::Wire(_))), "{wire:?}");
        }
    }

    #[test]
    fn an_error_never_shows_a_value() {
        let secret = json!({"secret": "hunter2-hunter2"});
        let mut wire = encoded(&secret);
        wire.push(0x0a);
        assert!(!decode(&wire).unwrap_err().to_string().contains("hunter2"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1_i64 << 53)..=(1_i64 << 53)).prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z_]{0,8}", inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(value in any_json()) {
            let document = json!({ "document": value });
            prop_assert_eq!(decode(&encoded(&document)), Ok(document));
        }

        #[test]
        fn bytes_from_anywhere_never_panic(wire in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&wire);
        }

        #[test]
        fn a_changed_or_shortened_message_never_panics(value in any_json(), at in any::<usize>(), byte in any::<u8>()) {
            let mut wire = encoded(&json!({ "document": value }));
            let at = at % wire.len();
            wire[at] = byte;
            let _ = decode(&wire);
            let _ = decode(&wire[..at]);
        }
    }
}
