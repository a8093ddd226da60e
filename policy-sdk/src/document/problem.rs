//! What is wrong with a document: all of it at once, each with its place.
//!
//! A problem never shows a value that could be a secret: values of a wrong kind are named by their kind, and only
//! short names from a closed set (fields, enumerations, roles, methods) are repeated.

use std::{fmt, ops::ControlFlow};

use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};

use super::{JsonPointer, Step, misplaced, nearest::nearest};

/// Most problems that are kept; more are only counted. Enough to fix a document by, and no more than a log line
/// budget bears.
pub const MAX_PROBLEMS: usize = 100;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is wrong.
    pub pointer: JsonPointer,
    /// What is wrong, in a few words, without a value that could be a secret.
    pub message: String,
    /// What should stand there instead.
    pub expected: Option<String>,
    /// The known name that was probably meant.
    pub nearest: Option<String>,
    /// Another part of the document that this problem may vanish with, if that part is the one to mend.
    hinges_on: Option<JsonPointer>,
}

impl Problem {
    /// A problem at `pointer`.
    pub fn new(pointer: impl Into<JsonPointer>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
            expected: None,
            nearest: None,
            hinges_on: None,
        }
    }

    /// The same problem, with what should stand there instead.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// The same problem about the name `found`, with the likeliest of the `known` names.
    #[must_use]
    pub fn nearest<'a>(mut self, found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(found, known);
        self
    }

    /// The same problem, which may vanish when `part` is mended.
    #[must_use]
    pub(crate) fn hinging_on(mut self, part: JsonPointer) -> Self {
        self.hinges_on = Some(part);
        self
    }

    /// The same problem, found with the candidate in force, at the place where the candidate stands.
    pub(super) fn of_candidate(self) -> Self {
        Self {
            pointer: self.pointer.of_candidate(),
            hinges_on: self.hinges_on.map(JsonPointer::of_candidate),
            message: self.message.replace(" /authorization/", " /candidate/authorization/"),
            ..self
        }
    }

    /// Whether the `slip`, a part that could not be read, may be the reason for this problem.
    pub(super) fn is_explained_by(&self, slip: &JsonPointer) -> bool {
        slip.is_within(&self.pointer) || self.hinges_on.as_ref().is_some_and(|part| slip.is_within(part))
    }

    /// A value of the wrong kind, named by its kind alone.
    pub(super) fn wrong_kind(
        found: ValueKind,
        accepted: &[ValueKind],
        location: ValuePointerRef<'_>,
    ) -> Self {
        let place = JsonPointer::from(location);
        let expected = match misplaced::instead_of(found, &place) {
            Some(expected) => expected.to_owned(),
            None => accepted.iter().copied().map(kind_name).collect::<Vec<_>>().join(" or "),
        };
        Self::new(place, format!("found {}", kind_name(found))).expected(expected)
    }

    /// A text that is none of an enumeration's. It is repeated only through its likely meaning: it could be a secret that
    /// slipped into the wrong line.
    pub(super) fn unknown_value(value: &str, accepted: &[&str], location: ValuePointerRef<'_>) -> Self {
        let problem = Self::new(location, "unknown value").expected(one_of(accepted));
        match misplaced::synonym(value, accepted) {
            Some(word) => Self { nearest: Some(word.to_owned()), ..problem },
            None => problem.nearest(value, accepted.iter().copied()),
        }
    }

    /// A field that the object does not have.
    pub(super) fn unknown_field(field: &str, accepted: &[&str], location: ValuePointerRef<'_>) -> Self {
        let problem = Self::new(location.push_key(field), UNKNOWN_FIELD);
        let nearest = nearest(field, accepted.iter().copied());
        // What is known of this very name says more than what is spelt alike, and that more than what is said of any name.
        let advice = misplaced::advice(&location.into(), field);
        match advice.filter(|advice| nearest.is_none() || !advice.is_for_any_name) {
            Some(advice) => problem.expected(advice.expected),
            None if nearest.is_some() => Self { nearest, ..problem },
            None => problem.expected(one_of(accepted)),
        }
    }

    /// A field that is not there.
    fn missing_field(field: &str, location: ValuePointerRef<'_>) -> Self {
        let problem = Self::new(location, format!("`{field}`{IS_MISSING}"));
        Self { expected: misplaced::missing(field).map(str::to_owned), ..problem }
    }
}

/// One line: the pointer, what is wrong, what was expected, the likely name.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.steps().is_empty() {
            formatter.write_str("document")?;
        }
        write!(formatter, "{}: {}", self.pointer, self.message)?;
        if let Some(expected) = &self.expected {
            write!(formatter, "; expected {expected}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(formatter, "; did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a document: at least one problem, in the order of the document's pointers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    listed: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// The problems, ordered by pointer; at most [`MAX_PROBLEMS`].
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.listed.iter()
    }

    /// How many problems there are beyond the listed ones.
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// All of `problems`, or `None` if there are none.
    pub fn from_list(problems: impl IntoIterator<Item = Problem>) -> Option<Self> {
        let mut problems = problems.into_iter();
        let mut all = Self::from(problems.next()?);
        for problem in problems {
            all.add(problem);
        }
        Some(all)
    }

    /// Adds one more problem. The same problem at the same place is kept once.
    pub fn add(&mut self, problem: Problem) {
        let place = self.listed.partition_point(|listed| *listed < problem);
        if self.listed.get(place) == Some(&problem) {
            return;
        }
        self.listed.insert(place, problem);
        if self.listed.len() > MAX_PROBLEMS {
            self.listed.truncate(MAX_PROBLEMS);
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    /// These problems, and those of the `others` that are not explained by them: what stands in the same place is the same
    /// mistake, and what was said of a part that could not be read may vanish with the slip.
    #[must_use]
    pub(super) fn and_unexplained(self, others: Option<Self>) -> Self {
        let Some(others) = others else { return self };
        let earlier: Vec<JsonPointer> = self.listed.iter().map(|problem| problem.pointer.clone()).collect();
        let is_new = |problem: &Problem| !earlier.iter().any(|slip| problem.is_explained_by(slip));
        let unlisted = others.unlisted;
        let mut all = others.listed.into_iter().filter(is_new).fold(self, |mut all, problem| {
            all.add(problem);
            all
        });
        all.unlisted = all.unlisted.saturating_add(unlisted);
        all
    }

    /// These problems without those that one mistake has beside the first: of fields that stand for the same, and for what is
    /// then missing.
    #[must_use]
    pub(super) fn folded(mut self) -> Self {
        let mut folded: Vec<(JsonPointer, &'static str, bool)> = Vec::new();
        self.listed.retain(|problem| {
            let Some((object, Step::Member(name))) = problem.pointer.split_last() else { return true };
            let advice = misplaced::advice(&object, name).filter(|_| problem.message == UNKNOWN_FIELD);
            let Some(advice) = advice.filter(|advice| problem.expected.as_deref() == Some(advice.expected))
            else {
                return true;
            };
            let is_first = !advice.folds
                || !folded.iter().any(|(of, said, _)| *of == object && *said == advice.expected);
            folded.push((object, advice.expected, advice.stands_for_the_rest));
            is_first
        });
        let stands_for = |object: &JsonPointer| folded.iter().any(|(of, _, all)| of == object && *all);
        self.listed.retain(|problem| !problem.message.ends_with(IS_MISSING) || !stands_for(&problem.pointer));
        self
    }

    /// These problems and the `other` ones.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.unlisted = self.unlisted.saturating_add(other.unlisted);
        for problem in other.listed {
            self.add(problem);
        }
        self
    }

    /// The `earlier` problems, if there are any, and these.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) => earlier.and(self),
            None => self,
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { listed: vec![problem], unlisted: 0 }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One line for each problem.
impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.listed.iter().enumerate() {
            let line_break = if number == 0 { "" } else { "\n" };
            write!(formatter, "{line_break}{problem}")?;
        }
        match self.unlisted {
            0 => Ok(()),
            unlisted => write!(formatter, "\nand {unlisted} more"),
        }
    }
}

impl std::error::Error for Problems {}

/// Reading goes on after every problem, so that all are found in one pass.
impl DeserializeError for Problems {
    fn error<V: IntoValue>(
        earlier: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let problem = match error {
            ErrorKind::IncorrectValueKind { actual, accepted } => {
                Problem::wrong_kind(actual.kind(), accepted, location)
            }
            ErrorKind::MissingField { field } => Problem::missing_field(field, location),
            ErrorKind::UnknownKey { key, accepted } => Problem::unknown_field(key, accepted, location),
            ErrorKind::UnknownValue { value, accepted } => Problem::unknown_value(value, accepted, location),
            ErrorKind::BadSequenceLen { expected, .. } => {
                Problem::new(location, "wrong number of elements").expected(format!("{expected} elements"))
            }
            // Such a message repeats numbers at most: texts are read by types of our own.
            ErrorKind::Unexpected { msg } => Problem::new(location, msg),
        };
        ControlFlow::Continue(Self::from(problem).after(earlier))
    }
}

impl MergeWithError<Problems> for Problems {
    fn merge(earlier: Option<Self>, other: Problems, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        ControlFlow::Continue(other.after(earlier))
    }
}

const UNKNOWN_FIELD: &str = "unknown field";

const IS_MISSING: &str = " is missing";

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        many => format!("one of {}", many.join(", ")),
    }
}

fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer => "a whole number",
        ValueKind::NegativeInteger => "a negative number",
        ValueKind::Float => "a decimal number",
        ValueKind::String => "a text",
        ValueKind::Sequence => "a list",
        ValueKind::Map => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_each() {
        let pointer =
            JsonPointer::root().member("authentication").member("methods").element(0).member("isuer");
        let problem = Problem::new(pointer, "unknown field").nearest("isuer", ["issuer"]);
        assert_eq!(
            problem.to_string(),
            "/authentication/methods/0/isuer: unknown field; did you mean `issuer`?"
        );
        assert_eq!(Problem::new(JsonPointer::root(), "found a list").to_string(), "document: found a list");
    }

    #[test]
    fn listed_in_order_once_and_bounded() {
        let at = |index| Problem::new(JsonPointer::root().element(index), "wrong");
        let problems = Problems::from_list((0..120).rev().map(at)).unwrap().and(at(0).into());
        assert_eq!(problems.iter().count(), MAX_PROBLEMS);
        assert_eq!(problems.iter().next(), Some(&at(0)));
        assert_eq!(problems.unlisted(), 20);
        assert!(problems.to_string().ends_with("/99: wrong\nand 20 more"));
        assert_eq!(Problems::from_list([]), None);
    }
}
