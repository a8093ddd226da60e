//! Reading one JSON object member by member, with every problem at its place.
//!
//! Members that nobody asks for are left alone: AuthZEN 1.0 demands that what is unknown is ignored. What is asked for
//! is read strictly: a member of another kind, `null` among them, is a problem and never an absent member.

use serde_json::{Map, Value};

use crate::document::{JsonPointer, Problem};

/// An object of a request, and its place.
#[derive(Clone, Debug)]
pub(super) struct Part<'v> {
    members: &'v Map<String, Value>,
    at: JsonPointer,
}

impl<'v> Part<'v> {
    /// `value` as an object at `at`.
    pub(super) fn of(value: &'v Value, at: JsonPointer, problems: &mut Vec<Problem>) -> Option<Part<'v>> {
        if let Value::Object(members) = value {
            return Some(Part { members, at });
        }
        problems.push(unexpected(at, value, "an object"));
        None
    }

    /// Where it stands.
    pub(super) fn at(&self) -> &JsonPointer {
        &self.at
    }

    /// Where the member `name` stands, or would.
    pub(super) fn place(&self, name: &str) -> JsonPointer {
        self.at.member(name)
    }

    /// The member `name`, of whatever kind.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.members.get(name)
    }

    /// The member `name` as an object.
    pub(super) fn part(&self, name: &str, problems: &mut Vec<Problem>) -> Option<Part<'v>> {
        Part::of(self.get(name)?, self.place(name), problems)
    }

    /// The member `name` as a text.
    pub(super) fn text(&self, name: &str, problems: &mut Vec<Problem>) -> Option<&'v str> {
        let value = self.get(name)?;
        if value.as_str().is_none() {
            problems.push(unexpected(self.place(name), value, "a text"));
        }
        value.as_str()
    }

    /// The member `name` as a text that must be there.
    pub(super) fn demanded_text(&self, name: &str, problems: &mut Vec<Problem>) -> Option<&'v str> {
        if self.get(name).is_none() {
            problems.push(missing(&self.at, name));
        }
        self.text(name, problems)
    }

    /// The member `name` as a list of texts; empty when it is absent.
    pub(super) fn texts(&self, name: &str, problems: &mut Vec<Problem>) -> Vec<String> {
        match self.get(name) {
            None => Vec::new(),
            Some(value) => texts(value, &self.place(name), problems),
        }
    }

    /// The members that are none of `known`.
    pub(super) fn others(&self, known: &[&str]) -> Map<String, Value> {
        let others = self.members.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        others.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// All members, in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
        self.members.iter()
    }
}

/// A list of texts.
pub(super) fn texts(value: &Value, at: &JsonPointer, problems: &mut Vec<Problem>) -> Vec<String> {
    let Value::Array(elements) = value else {
        problems.push(unexpected(at.clone(), value, "a list of texts"));
        return Vec::new();
    };
    let mut texts = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        match element.as_str() {
            Some(text) => texts.push(text.to_owned()),
            None => problems.push(unexpected(at.element(index), element, "a text")),
        }
    }
    texts
}

/// One text, or a list of them.
pub(super) fn one_or_more(value: &Value, at: &JsonPointer, problems: &mut Vec<Problem>) -> Vec<String> {
    match value.as_str() {
        Some(text) => vec![text.to_owned()],
        None => texts(value, at, problems),
    }
}

/// A member that must be there is not.
pub(super) fn missing(at: &JsonPointer, name: &str) -> Problem {
    Problem::new(at.clone(), format!("`{name}` is missing"))
}

/// A value of the wrong kind, named by its kind alone: it could be a secret.
pub(super) fn unexpected(at: JsonPointer, found: &Value, expected: &str) -> Problem {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Problem::new(at, format!("found {found}")).expected(expected)
}
