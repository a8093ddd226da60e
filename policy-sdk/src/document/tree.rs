//! What `deserr` needs to know of a JSON tree.

use std::borrow::Cow;

use deserr::{IntoValue, Map, Sequence, Value, ValueKind};

use crate::json::Tree;

/// The members of an object.
pub struct Members<'a> {
    all: &'a [Member<'a>],
    /// The places of those that were taken out.
    removed: Vec<usize>,
}

/// The elements of a list.
pub struct Elements<'a>(&'a [Tree<'a>]);

/// A tree is looked at, and stays: what is wrong with it is told with what it holds, and its digest is taken afterwards.
impl<'a> IntoValue for &'a Tree<'a> {
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

    #[inline(never)]
    fn into_value(self) -> Value<Self> {
        match self {
            Tree::Null => Value::Null,
            Tree::Boolean(value) => Value::Boolean(*value),
            Tree::Unsigned(whole) => Value::Integer(*whole),
            Tree::Negative(whole) => Value::NegativeInteger(*whole),
            Tree::Float(number) => Value::Float(*number),
            Tree::Text(text) => Value::String((**text).to_owned()),
            Tree::List(list) => Value::Sequence(Elements(list)),
            Tree::Object(all) => Value::Map(Members { all, removed: Vec::new() }),
        }
    }
}

impl<'a> Sequence for Elements<'a> {
    type Value = &'a Tree<'a>;
    type Iter = std::slice::Iter<'a, Tree<'a>>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn into_iter(self) -> Self::Iter {
        self.0.iter()
    }
}

impl<'a> Map for Members<'a> {
    type Value = &'a Tree<'a>;
    type Iter = Left<'a>;

    fn len(&self) -> usize {
        self.all.len().saturating_sub(self.removed.len())
    }

    fn remove(&mut self, name: &str) -> Option<&'a Tree<'a>> {
        let (place, (_, value)) = self.all.iter().enumerate().find(|(_, (member, _))| member == name)?;
        if self.removed.contains(&place) {
            return None;
        }
        self.removed.push(place);
        Some(value)
    }

    fn into_iter(self) -> Self::Iter {
        Left { all: self.all.iter().enumerate(), removed: self.removed }
    }
}

/// The members that were not taken out.
pub struct Left<'a> {
    all: std::iter::Enumerate<std::slice::Iter<'a, Member<'a>>>,
    removed: Vec<usize>,
}

impl<'a> Iterator for Left<'a> {
    type Item = (String, &'a Tree<'a>);

    /// One for all kinds of objects.
    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        let removed = &self.removed;
        let (_, (name, value)) = self.all.find(|(place, _)| !removed.contains(place))?;
        Some(((**name).to_owned(), value))
    }
}

type Member<'a> = (Cow<'a, str>, Tree<'a>);
