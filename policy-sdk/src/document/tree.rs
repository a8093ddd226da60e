//! What `deserr` needs to know of a JSON tree.

use std::borrow::Cow;

use deserr::{IntoValue, Map, Sequence, Value, ValueKind};

use crate::json::Tree;

/// The members of an object.
pub struct Members<'a>(Vec<(Cow<'a, str>, Tree<'a>)>);

/// The elements of a list.
pub struct Elements<'a>(Vec<Tree<'a>>);

impl<'a> IntoValue for Tree<'a> {
    type Sequence = Elements<'a>;
    type Map = Members<'a>;

    fn kind(&self) -> ValueKind {
        match self {
            Tree::Null => ValueKind::Null,
            Tree::Boolean(_) => ValueKind::Boolean,
            Tree::Unsigned(_) => ValueKind::Integer,
            Tree::Negative(_) => ValueKind::NegativeInteger,
            Tree::Float(_) => ValueKind::Float,
            Tree::Text(_) => ValueKind::String,
            Tree::List(_) => ValueKind::Sequence,
            Tree::Object(_) => ValueKind::Map,
        }
    }

    fn into_value(self) -> Value<Self> {
        match self {
            Tree::Null => Value::Null,
            Tree::Boolean(value) => Value::Boolean(value),
            Tree::Unsigned(whole) => Value::Integer(whole),
            Tree::Negative(whole) => Value::NegativeInteger(whole),
            Tree::Float(number) => Value::Float(number),
            Tree::Text(text) => Value::String(text.into_owned()),
            Tree::List(list) => Value::Sequence(Elements(list)),
            Tree::Object(members) => Value::Map(Members(members)),
        }
    }
}

impl<'a> Sequence for Elements<'a> {
    type Value = Tree<'a>;
    type Iter = std::vec::IntoIter<Tree<'a>>;

    fn len(&self) -> usize {
        Vec::len(&self.0)
    }

    fn into_iter(self) -> Self::Iter {
        IntoIterator::into_iter(self.0)
    }
}

impl<'a> Map for Members<'a> {
    type Value = Tree<'a>;
    type Iter = std::iter::Map<std::vec::IntoIter<Member<'a>>, fn(Member<'a>) -> (String, Tree<'a>)>;

    fn len(&self) -> usize {
        Vec::len(&self.0)
    }

    fn remove(&mut self, name: &str) -> Option<Tree<'a>> {
        let place = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.remove(place).1)
    }

    fn into_iter(self) -> Self::Iter {
        IntoIterator::into_iter(self.0).map(|(name, value)| (name.into_owned(), value))
    }
}

type Member<'a> = (Cow<'a, str>, Tree<'a>);
