//! A JSON text as a tree that borrows its texts: what a large document is read into before it is read.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// One JSON value. Members stand in the order of the text, each name once.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number from 0 on.
    Unsigned(u64),
    /// A whole number below 0.
    Negative(i64),
    /// Any other number, finite.
    Float(f64),
    /// A string, borrowed unless it holds escapes.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Tree<'a>>),
    /// An object.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    /// The same value, its texts borrowed.
    pub(crate) fn of(value: &'a Value) -> Tree<'a> {
        match value {
            Value::Null => Tree::Null,
            Value::Bool(value) => Tree::Boolean(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(whole), _) => Tree::Unsigned(whole),
                (None, Some(whole)) => Tree::Negative(whole),
                // A number that is no whole one is a double: serde_json knows no other here.
                (None, None) => Tree::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Tree::Text(Cow::Borrowed(text)),
            Value::Array(list) => Tree::List(list.iter().map(Tree::of).collect()),
            Value::Object(members) => {
                let member =
                    |(name, value): (&'a String, &'a Value)| (Cow::Borrowed(&**name), Tree::of(value));
                Tree::Object(members.iter().map(member).collect())
            }
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            Tree::Null
            | Tree::Boolean(_)
            | Tree::Unsigned(_)
            | Tree::Negative(_)
            | Tree::Float(_)
            | Tree::List(_)
            | Tree::Object(_) => None,
        }
    }

    /// The value of a member, to be changed, if this is an object that has it.
    pub(crate) fn member_mut(&mut self, name: &str) -> Option<&mut Tree<'a>> {
        match self {
            Tree::Object(members) => {
                members.iter_mut().find_map(|(member, value)| (member == name).then_some(value))
            }
            Tree::Null
            | Tree::Boolean(_)
            | Tree::Unsigned(_)
            | Tree::Negative(_)
            | Tree::Float(_)
            | Tree::Text(_)
            | Tree::List(_) => None,
        }
    }

    /// The same value, on its own.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Tree::Null => Value::Null,
            Tree::Boolean(value) => Value::Bool(value),
            Tree::Unsigned(whole) => Value::Number(whole.into()),
            Tree::Negative(whole) => Value::Number(whole.into()),
            // Finite: no other is read.
            Tree::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Tree::Text(text) => Value::String(text.into_owned()),
            Tree::List(list) => Value::Array(list.into_iter().map(Tree::into_value).collect()),
            Tree::Object(members) => {
                let member =
                    |(name, value): (Cow<'_, str>, Tree<'_>)| (name.into_owned(), value.into_value());
                Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
            }
        }
    }
}
