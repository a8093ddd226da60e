//! Canonical JSON: the JSON Canonicalization Scheme, RFC 8785, for the values a record is made of.
//!
//! Objects, arrays, strings, integers and booleans. It does not know fractions (RFC 8785 section 3.2.2.3 is the
//! hard part and no record needs one) nor `null`: what is absent is not written.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A JSON value of the subset; borrows what it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string of Unicode scalar values.
    Text(Cow<'a, str>),
    /// A whole number every JSON reader agrees on.
    Integer(SafeInteger),
    /// `true` or `false`.
    Boolean(bool),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// An object: members in the order of RFC 8785 section 3.2.3, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a>(BTreeMap<Name<'a>, Value<'a>>);

/// An integer within ±(2^53 - 1), where RFC 8785 appendix D says every reader keeps it exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeInteger(i64);

/// Why a JSON value has no canonical form here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfSubset {
    /// `null`.
    #[error("null is never written: what is absent is left out")]
    Null,
    /// A number with a fraction or an exponent, or negative zero.
    #[error("numbers are whole and written without fraction or exponent")]
    Fraction,
    /// A whole number beyond ±(2^53 - 1).
    #[error("whole numbers stay within plus or minus 2^53 - 1")]
    UnsafeInteger,
}

/// A member name, ordered by its UTF-16 code units as RFC 8785 section 3.2.3 demands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name<'a>(Cow<'a, str>);

impl<'a> Object<'a> {
    /// The member of that name.
    pub fn get(&self, name: &'static str) -> Option<&Value<'a>> {
        self.0.get(&Name(Cow::Borrowed(name)))
    }

    /// Takes the member of that name out.
    pub fn remove(&mut self, name: &'static str) -> Option<Value<'a>> {
        self.0.remove(&Name(Cow::Borrowed(name)))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The canonical form: no white space, members in order.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (position, (name, value)) in self.0.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            write_text(&name.0, out);
            out.push(':');
            value.write(out);
        }
        out.push('}');
    }
}

impl Value<'_> {
    /// The canonical form, RFC 8785.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => write_text(text, out),
            Self::Integer(number) => number.write(out),
            Self::Boolean(true) => out.push_str("true"),
            Self::Boolean(false) => out.push_str("false"),
            Self::List(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(object) => object.write(out),
        }
    }
}

impl SafeInteger {
    /// The greatest: 2^53 - 1.
    pub const MAX: Self = Self(9_007_199_254_740_991);

    /// The number, or [`SafeInteger::MAX`] if it is greater: for measurements, where the bound is as good.
    pub fn saturating(number: u64) -> Self {
        i64::try_from(number).map_or(Self::MAX, |number| Self(number.min(Self::MAX.0)))
    }

    /// The number as it is read back.
    pub const fn get(self) -> i64 {
        self.0
    }

    pub(super) fn write(self, out: &mut String) {
        out.push_str(itoa::Buffer::new().format(self.0));
    }
}

impl TryFrom<i64> for SafeInteger {
    type Error = OutOfSubset;

    fn try_from(number: i64) -> Result<Self, OutOfSubset> {
        if number.unsigned_abs() <= Self::MAX.0.unsigned_abs() {
            Ok(Self(number))
        } else {
            Err(OutOfSubset::UnsafeInteger)
        }
    }
}

/// Depth is bounded by the reader: `serde_json` refuses to nest deeper than 128.
impl TryFrom<serde_json::Value> for Value<'static> {
    type Error = OutOfSubset;

    fn try_from(value: serde_json::Value) -> Result<Self, OutOfSubset> {
        match value {
            serde_json::Value::Null => Err(OutOfSubset::Null),
            serde_json::Value::Bool(boolean) => Ok(Self::Boolean(boolean)),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(number) => Ok(Self::Integer(SafeInteger::try_from(number)?)),
                None if number.is_u64() => Err(OutOfSubset::UnsafeInteger),
                None => Err(OutOfSubset::Fraction),
            },
            serde_json::Value::String(text) => Ok(Self::Text(Cow::Owned(text))),
            serde_json::Value::Array(items) => {
                items.into_iter().map(Self::try_from).collect::<Result<_, _>>().map(Self::List)
            }
            serde_json::Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| Ok((Name(Cow::Owned(name)), Self::try_from(value)?)))
                .collect::<Result<_, _>>()
                .map(|members| Self::Object(Object(members))),
        }
    }
}

impl Ord for Name<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}

impl PartialOrd for Name<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// RFC 8785 section 3.2.2.2: two-character escapes where JSON has one, `\u00xx` in lower case for the other
/// control characters, everything else as it is, which is copied in one piece as far as it goes.
pub(super) fn write_text(text: &str, out: &mut String) {
    out.reserve(text.len().saturating_add(2));
    out.push('"');
    write_escaped(text, out);
    out.push('"');
}

/// The same without the quotes around it.
pub(super) fn write_escaped(text: &str, out: &mut String) {
    let mut plain = text;
    // What is escaped is ASCII: it is never a part of another character, and its place is a place to cut at.
    while let Some((before, (byte, rest))) = first_escaped(plain).and_then(|place| {
        let (before, from) = plain.split_at_checked(place)?;
        Some((before, (from.bytes().next()?, from.get(1..)?)))
    }) {
        out.push_str(before);
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0xc => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => {
                out.push_str("\\u00");
                for nibble in [control >> 4, control & 0xf] {
                    out.extend(char::from_digit(nibble.into(), 16));
                }
            }
        }
        plain = rest;
    }
    out.push_str(plain);
}

/// Where the first byte is that is escaped. Eight are looked at together, as far as none is.
fn first_escaped(text: &str) -> Option<usize> {
    let (words, _) = text.as_bytes().as_chunks();
    let plain = words.iter().take_while(|word| !has_escaped(u64::from_le_bytes(**word))).count();
    let plain = plain.saturating_mul(size_of::<u64>());
    let place = text.as_bytes().get(plain..)?.iter().position(|byte| is_escaped(*byte))?;
    plain.checked_add(place)
}

/// Whether one of eight bytes is escaped. In each byte the highest bit shows a borrow or, by the mask, that it was set before:
/// then the byte is none of ASCII.
const fn has_escaped(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
    let quotes = word ^ u64::from_le_bytes([b'"'; 8]);
    let backslashes = word ^ u64::from_le_bytes([b'\\'; 8]);
    let controls = word.wrapping_sub(u64::from_le_bytes([0x20; 8])) & !word;
    let quotes = quotes.wrapping_sub(ONES) & !quotes;
    let backslashes = backslashes.wrapping_sub(ONES) & !backslashes;
    (controls | quotes | backslashes) & HIGHEST != 0
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(json: &str) -> Result<String, OutOfSubset> {
        let value: serde_json::Value = serde_json::from_str(json).expect("the test's own JSON");
        Value::try_from(value).map(|value| value.encode())
    }

    #[test]
    fn members_are_ordered_by_utf16_not_by_code_point() {
        // U+1F602 begins with the surrogate D83D, which sorts before U+FB33 although the code point is greater.
        assert_eq!(
            canonical(r#"{"\ufb33":1,"\ud83d\ude02":2}"#),
            Ok("{\"\u{1f602}\":2,\"\u{fb33}\":1}".to_owned())
        );
    }

    #[test]
    fn control_characters_are_escaped_and_nothing_else_is() {
        assert_eq!(
            canonical(r#""\u0000\u001f\b\t\n\f\r\"\\\/\u007f\u0080é€""#),
            Ok("\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\u{7f}\u{80}é€\"".to_owned())
        );
    }

    /// As RFC 8785 section 3.2.2.2 puts it, character by character.
    fn escaped(text: &str) -> String {
        let escape = |character| match character {
            '"' | '\\' => format!("\\{character}"),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(character)),
            other => other.to_string(),
        };
        text.chars().map(escape).collect()
    }

    proptest::proptest! {
        #[test]
        fn copying_in_pieces_escapes_as_character_by_character(text in "([\\x00-\\x22\\\\]|[ -~]{1,6}|.){0,24}") {
            let mut out = String::new();
            write_escaped(&text, &mut out);
            proptest::prop_assert_eq!(out, escaped(&text));
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for byte in 0..=0x7f_u8 {
            for place in 0..20 {
                let before: String = "é€ plain text of words".chars().cycle().take(place).collect();
                let text = format!("{before}{}é€ and more words behind", char::from(byte));
                assert_eq!(first_escaped(&text), text.bytes().position(is_escaped), "{text:?}");
            }
        }
    }

    #[test]
    fn what_has_no_form_here_is_named() {
        for (json, why) in [
            ("null", OutOfSubset::Null),
            ("[1.0]", OutOfSubset::Fraction),
            ("1e3", OutOfSubset::Fraction),
            ("-0", OutOfSubset::Fraction),
            ("9007199254740992", OutOfSubset::UnsafeInteger),
            ("-9007199254740992", OutOfSubset::UnsafeInteger),
            ("18446744073709551615", OutOfSubset::UnsafeInteger),
        ] {
            assert_eq!(canonical(json), Err(why), "{json}");
        }
        assert_eq!(canonical("[-9007199254740991,true]"), Ok("[-9007199254740991,true]".to_owned()));
    }
}
