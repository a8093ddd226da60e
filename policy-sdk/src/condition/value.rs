//! The values that tests compare, and how much is known of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Number;

use super::Fault;
use super::steps::STEP_BYTES;
use crate::document::{Operand, Scalar};
use crate::limits::MAX_ATTRIBUTE_VALUES;

/// One value of an attribute or an operand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    Boolean(bool),
    Number(Exact),
    /// Compared by code point: `é` in one code point and in two are different texts, and so are letters that look alike.
    Text(Cow<'a, str>),
    Address(IpAddr),
    /// A number that was rounded before we saw it.
    Inexact,
    /// A list or an object where one value was looked for. Nothing is compared with it.
    Structure,
}

/// The types that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Number,
    Text,
    Address,
}

impl Kind {
    /// In the words of a document's author.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Boolean => "true or false",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Address => "an address",
        }
    }
}

impl<'a> Value<'a> {
    /// The value's type.
    ///
    /// # Errors
    ///
    /// A value that cannot be compared at all.
    pub(super) const fn kind(&self) -> Result<Kind, Fault> {
        match self {
            Value::Boolean(_) => Ok(Kind::Boolean),
            Value::Number(_) => Ok(Kind::Number),
            Value::Text(_) => Ok(Kind::Text),
            Value::Address(_) => Ok(Kind::Address),
            Value::Inexact => Err(Fault::Inexact),
            Value::Structure => Err(Fault::WrongType),
        }
    }

    pub(super) const fn text(text: &'a str) -> Value<'a> {
        Value::Text(Cow::Borrowed(text))
    }

    fn number(number: &Number) -> Value<'static> {
        Exact::of(number).map_or(Value::Inexact, Value::Number)
    }

    pub(super) fn as_text(&self) -> Result<&str, Fault> {
        match self {
            Value::Text(text) => Ok(text),
            Value::Inexact => Err(Fault::Inexact),
            Value::Boolean(_) | Value::Number(_) | Value::Address(_) | Value::Structure => {
                Err(Fault::WrongType)
            }
        }
    }

    pub(super) fn as_number(&self) -> Result<Exact, Fault> {
        match self {
            Value::Number(number) => Ok(*number),
            Value::Inexact => Err(Fault::Inexact),
            Value::Boolean(_) | Value::Text(_) | Value::Address(_) | Value::Structure => {
                Err(Fault::WrongType)
            }
        }
    }

    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Value::Boolean(value) => Value::Boolean(value),
            Value::Number(number) => Value::Number(number),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Address(address) => Value::Address(address),
            Value::Inexact => Value::Inexact,
            Value::Structure => Value::Structure,
        }
    }
}

impl<'a> From<&'a Scalar> for Value<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Boolean(value) => Value::Boolean(*value),
            Scalar::Number(number) => Value::number(number),
            Scalar::Text(text) => Value::text(text),
        }
    }
}

/// What stands in the place of an attribute or an operand.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    Nothing,
    One(Value<'a>),
    List(Vec<Value<'a>>),
}

impl<'a> Found<'a> {
    /// The steps that it takes to go through a list. One value is part of the test that asks for it.
    pub(super) fn steps_through(&self) -> usize {
        let of_value = |value: &Value<'_>| match value {
            Value::Text(text) => (text.len() / STEP_BYTES).saturating_add(1),
            Value::Boolean(_) | Value::Number(_) | Value::Address(_) | Value::Inexact | Value::Structure => 1,
        };
        match self {
            Found::Nothing | Found::One(_) => 0,
            Found::List(values) => values.iter().map(of_value).fold(0, usize::saturating_add),
        }
    }

    pub(super) fn text(text: Option<impl Into<Cow<'a, str>>>) -> Found<'a> {
        text.map_or(Found::Nothing, |text| Found::One(Value::Text(text.into())))
    }

    pub(super) fn texts(texts: &'a [String]) -> Result<Found<'a>, Fault> {
        Found::list(texts.iter().map(|text| Value::text(text)))
    }

    pub(super) fn list(values: impl ExactSizeIterator<Item = Value<'a>>) -> Result<Found<'a>, Fault> {
        if values.len() > MAX_ATTRIBUTE_VALUES {
            Err(Fault::TooLarge)
        } else {
            Ok(Found::List(values.collect()))
        }
    }

    /// What a claim or a property is. `null` says nothing.
    pub(super) fn json(value: &'a serde_json::Value) -> Result<Found<'a>, Fault> {
        let one = |value: &'a serde_json::Value| match value {
            serde_json::Value::Bool(value) => Value::Boolean(*value),
            serde_json::Value::Number(number) => Value::number(number),
            serde_json::Value::String(text) => Value::text(text),
            serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                Value::Structure
            }
        };
        match value {
            serde_json::Value::Null => Ok(Found::Nothing),
            serde_json::Value::Array(elements) => Found::list(elements.iter().map(one)),
            serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_)
            | serde_json::Value::Object(_) => Ok(Found::One(one(value))),
        }
    }
}

impl<'a> From<&'a Operand> for Found<'a> {
    fn from(operand: &'a Operand) -> Self {
        match operand {
            Operand::One(scalar) => Found::One(scalar.into()),
            Operand::List(scalars) => Found::List(scalars.iter().map(Value::from).collect()),
        }
    }
}

/// A number that is known exactly, or as exactly as any reader of JSON knows it.
///
/// Whole numbers are exact within 64 bits. A number with a point or an exponent is a double (RFC 8259 section 6), of which
/// a reader may have rounded all digits to 53 bits, the zero after the point included: `9007199254740991.0` is read as one
/// less. Such a number is an `Exact` below 2^49 only, where one digit after the point does no harm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exact {
    Whole(i128),
    /// Not a whole number, and less than 2^49 from zero.
    Fraction(f64),
}

impl Exact {
    fn of(number: &Number) -> Option<Exact> {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map(Exact::Whole).or_else(|| Exact::of_double(number.as_f64()?))
    }

    #[expect(clippy::cast_possible_truncation, reason = "a whole double of less than 2^49 fits")]
    fn of_double(double: f64) -> Option<Exact> {
        if !double.is_finite() || double.abs() >= FIRST_INEXACT {
            return None;
        }
        Some(if double.fract() == 0.0 { Exact::Whole(double as i128) } else { Exact::Fraction(double) })
    }
}

impl Ord for Exact {
    #[expect(clippy::cast_possible_truncation, reason = "the whole part of a fraction is less than 2^49")]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Exact::Whole(one), Exact::Whole(other)) => one.cmp(other),
            (Exact::Fraction(one), Exact::Fraction(other)) => one.total_cmp(other),
            // A fraction lies strictly between its whole part and the next number.
            (Exact::Whole(whole), Exact::Fraction(fraction)) => {
                if *whole <= fraction.floor() as i128 {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Exact::Fraction(_), Exact::Whole(_)) => other.cmp(self).reverse(),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

/// 2^49.
const FIRST_INEXACT: f64 = 562_949_953_421_312.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn exact(text: &str) -> Option<Exact> {
        let serde_json::Value::Number(number) = json::parse(text.as_bytes()).unwrap() else {
            panic!("{text}")
        };
        Exact::of(&number)
    }

    #[test]
    fn numbers_are_exact_or_none() {
        for text in [
            "562949953421312.0",
            "9007199254740991.0",
            "9007199254740992.0",
            "9007199254740993.0",
            "-1e16",
            "1e300",
            "18446744073709551616",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
        for (one, order, other) in [
            ("9007199254740992", Ordering::Less, "9007199254740993"),
            ("18446744073709551614", Ordering::Less, "18446744073709551615"),
            ("-9223372036854775808", Ordering::Less, "18446744073709551615"),
            ("562949953421311.0", Ordering::Less, "9007199254740993"),
            ("562949953421311.0", Ordering::Equal, "562949953421311"),
            ("-562949953421311.5", Ordering::Less, "-562949953421311"),
            ("3", Ordering::Equal, "3.0"),
            ("0", Ordering::Equal, "-0.0"),
            ("2", Ordering::Less, "2.5"),
            ("3", Ordering::Greater, "2.5"),
            ("-2", Ordering::Greater, "-2.5"),
            ("-3", Ordering::Less, "-2.5"),
            ("0.1", Ordering::Equal, "0.10"),
            ("18446744073709551615", Ordering::Greater, "0.5"),
        ] {
            let (one, other) = (exact(one).unwrap(), exact(other).unwrap());
            assert_eq!((one.cmp(&other), other.cmp(&one)), (order, order.reverse()), "{one:?} {other:?}");
        }
    }
}
