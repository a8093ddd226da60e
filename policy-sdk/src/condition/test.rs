//! One test: an attribute, an operator and what they are held against.

use std::fmt;

use super::attribute::{Attribute, Count};
use super::operator::{Misfit, Predicate, Row, Takes, row};
use super::value::{Found, Kind};
use super::{Facts, Fault, Steps, Truth};
use crate::document::{self, JsonPointer, Operand, Problem, Scalar};
use crate::limits::{MAX_OPERAND_BYTES, MAX_OPERAND_VALUES};

/// One test, ready to be evaluated.
pub(super) struct Test {
    attribute: Attribute,
    row: &'static Row,
    against: Against,
}

enum Against {
    /// What the document says, or nothing.
    Ready(Box<dyn Predicate>),
    /// What another attribute says.
    Attribute(Attribute, Takes),
}

impl Test {
    /// Compiles the test that stands at `place`, or adds what is wrong with it.
    pub(super) fn compile(
        test: &document::Test,
        place: &JsonPointer,
        problems: &mut Vec<Problem>,
    ) -> Option<Test> {
        let row = row(test.operator);
        let attribute = attribute(&test.attribute, &place.member("attribute"), row.attribute, row, problems);
        let against = match (row.operand, &test.value, &test.value_from) {
            (None, None, None) => ready(row, Found::Nothing, &place.member("value"), problems),
            (None, Some(_), _) => Err(superfluous(row, "value", place)).or_report(problems),
            (None, None, Some(_)) => Err(superfluous(row, "value_from", place)).or_report(problems),
            (Some(takes), None, None) => {
                let problem =
                    Problem::new(place.clone(), format!("`{}` is held against nothing", row.name()));
                Err(problem.expected(format!("a `value`: {}", takes.described()))).or_report(problems)
            }
            (Some(takes), Some(value), _) => {
                literal(row, takes, value, attribute.as_ref(), &place.member("value"), problems)
            }
            (Some(takes), None, Some(name)) => {
                other(row, takes, name, attribute.as_ref(), &place.member("value_from"), problems)
            }
        };
        attribute.zip(against).map(|(attribute, against)| Test { attribute, row, against })
    }

    pub(super) fn evaluate(&self, facts: &Facts<'_>, steps: &mut Steps) -> Truth {
        self.decide(facts, steps).into()
    }

    pub(super) fn subject_attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes().filter_map(Attribute::of_subject)
    }

    /// Whether it looks at the body.
    pub(super) fn reads_body(&self) -> bool {
        self.attributes().any(Attribute::is_of_body)
    }

    /// Whether it looks at the peer's address.
    pub(super) fn reads_source(&self) -> bool {
        self.attributes().any(Attribute::is_of_source)
    }

    fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        let other = match &self.against {
            Against::Ready(_) => None,
            Against::Attribute(attribute, _) => Some(attribute),
        };
        std::iter::once(&self.attribute).chain(other)
    }

    fn decide(&self, facts: &Facts<'_>, steps: &mut Steps) -> Result<bool, Fault> {
        steps.spend(1)?;
        let found = read(&self.attribute, facts, steps)?;
        let values = match (self.row.attribute, found) {
            (Some(takes), found) => takes.values(found)?,
            (None, Found::Nothing) => Vec::new(),
            (None, Found::One(value)) => vec![value],
            (None, Found::List(values)) => values,
        };
        let holds = match &self.against {
            Against::Ready(predicate) => predicate.holds(&values, steps)?,
            Against::Attribute(attribute, takes) => {
                let operand = takes.values(read(attribute, facts, steps)?)?;
                let predicate = (self.row.prepare)(&operand).map_err(|_| Fault::Malformed)?;
                predicate.holds(&values, steps)?
            }
        };
        Ok(holds != self.row.negated)
    }
}

/// What is asked of what. Not what it is held against: that can be long.
impl fmt::Debug for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.attribute, self.row.name())
    }
}

/// What the attribute is, paid for by how much is read to find it.
fn read<'a>(attribute: &'a Attribute, facts: &Facts<'a>, steps: &mut Steps) -> Result<Found<'a>, Fault> {
    steps.spend(attribute.steps_to(facts))?;
    let found = attribute.find(facts)?;
    steps.spend(found.steps_through())?;
    Ok(found)
}

/// Reads the attribute at `place`, which must be what `takes` says.
fn attribute(
    name: &str,
    place: &JsonPointer,
    takes: Option<Takes>,
    row: &Row,
    problems: &mut Vec<Problem>,
) -> Option<Attribute> {
    let attribute = Attribute::parse(name, place).or_report(problems)?;
    let Some(takes) = takes else { return Some(attribute) };
    let mismatch = match (takes.count, attribute.count()) {
        (Count::One, Count::List) => Some("a list; `contains` and `subset_of` look at lists"),
        (Count::List, Count::One) => Some("one value and no list; `eq` and `in` look at one value"),
        (Count::One | Count::List | Count::Either, _) => match attribute.kind() {
            Some(kind) if !takes.kinds.contains(&kind) => Some(match kind {
                Kind::Address => "an address; `in_cidr` looks at addresses",
                Kind::Number => "a number; `before`, `after` and `lt` look at numbers",
                Kind::Text => "a text; `eq`, `in` and `matches` look at texts",
                Kind::Boolean => "true or false; `eq` looks at these",
            }),
            Some(_) | None => None,
        },
    };
    match mismatch {
        None => Some(attribute),
        Some(what) => {
            let message = format!("`{attribute}` is {what}");
            let expected = format!("what `{}` takes: {}", row.name(), takes.described());
            Err(Problem::new(place.clone(), message).expected(expected)).or_report(problems)
        }
    }
}

/// The operand that stands in the document at `place`.
fn literal(
    row: &Row,
    takes: Takes,
    operand: &Operand,
    attribute: Option<&Attribute>,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Option<Against> {
    let values = match operand {
        Operand::One(value) => std::slice::from_ref(value),
        Operand::List(values) => values,
    };
    let is_list = matches!(operand, Operand::List(_));
    let at = |index: usize| if is_list { place.element(index) } else { place.clone() };
    let too_long = |value: &Scalar| match value {
        Scalar::Text(text) => text.len() > MAX_OPERAND_BYTES,
        Scalar::Boolean(_) | Scalar::Number(_) => false,
    };
    if values.len() > MAX_OPERAND_VALUES {
        let expected = format!("at most {MAX_OPERAND_VALUES}; longer lists belong into a claim or a group");
        return Err(Problem::new(place.clone(), "too many values").expected(expected)).or_report(problems);
    }
    if let Some(index) = values.iter().position(too_long) {
        let expected = format!("at most {MAX_OPERAND_BYTES} bytes");
        return Err(Problem::new(at(index), "too long a text").expected(expected)).or_report(problems);
    }
    // A list of one is no single value here: an author who wrote a list meant a list.
    let counts = match takes.count {
        Count::One => !is_list,
        Count::List => is_list && !values.is_empty(),
        Count::Either => !values.is_empty(),
    };
    if !counts {
        let expected =
            format!("{}{}", takes.described(), if values.is_empty() { ", at least one" } else { "" });
        return Err(misfit(row, place.clone()).expected(expected)).or_report(problems);
    }
    let known = attribute.and_then(Attribute::kind).filter(|_| row.alike);
    for (index, value) in values.iter().enumerate() {
        let fault = match super::value::Value::from(value).kind() {
            Ok(kind) if !takes.kinds.contains(&kind) => Some(takes.described()),
            Ok(kind) => known
                .filter(|known| *known != kind)
                .map(|known| format!("{}, as the attribute is", known.name())),
            Err(fault) => {
                Some(format!("a number without point and exponent, or one of less than 2^49 ({fault})"))
            }
        };
        if let Some(expected) = fault {
            return Err(misfit(row, at(index)).expected(expected)).or_report(problems);
        }
    }
    ready(row, operand.into(), place, problems)
}

/// The operand that another attribute holds.
fn other(
    row: &Row,
    takes: Takes,
    name: &str,
    beside: Option<&Attribute>,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Option<Against> {
    if !row.from_attribute {
        let message = format!("`{}` is not held against attributes", row.name());
        return Err(Problem::new(place.clone(), message).expected("a `value` in the document"))
            .or_report(problems);
    }
    let attribute = attribute(name, place, Some(takes), row, problems)?;
    let kinds = beside.and_then(Attribute::kind).zip(attribute.kind()).filter(|_| row.alike);
    match kinds {
        Some((one, other)) if one != other => {
            let message = format!("`{attribute}` has another type than the attribute it is held against");
            Err(Problem::new(place.clone(), message).expected(one.name())).or_report(problems)
        }
        Some(_) | None => Some(Against::Attribute(attribute, takes)),
    }
}

/// A predicate of an operand that is known.
fn ready(row: &Row, operand: Found<'_>, place: &JsonPointer, problems: &mut Vec<Problem>) -> Option<Against> {
    let (values, is_list) = match operand {
        Found::Nothing => (Vec::new(), false),
        Found::One(value) => (vec![value], false),
        Found::List(values) => (values, true),
    };
    let problem = |Misfit { element, expected }| {
        let place = element.filter(|_| is_list).map_or_else(|| place.clone(), |index| place.element(index));
        misfit(row, place).expected(expected)
    };
    (row.prepare)(&values).map(Against::Ready).map_err(problem).or_report(problems)
}

fn misfit(row: &Row, place: JsonPointer) -> Problem {
    Problem::new(place, format!("not what `{}` takes", row.name()))
}

fn superfluous(row: &Row, field: &str, place: &JsonPointer) -> Problem {
    Problem::new(place.member(field), format!("`{}` is held against nothing", row.name()))
        .expected(format!("no `{field}`"))
}

/// For results whose error is one problem among others.
trait OrReport<T> {
    fn or_report(self, problems: &mut Vec<Problem>) -> Option<T>;
}

impl<T> OrReport<T> for Result<T, Problem> {
    fn or_report(self, problems: &mut Vec<Problem>) -> Option<T> {
        self.map_err(|problem| problems.push(problem)).ok()
    }
}
