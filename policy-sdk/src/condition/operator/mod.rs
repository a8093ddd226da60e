//! The operators: a closed set, one row each, one file a family.
//!
//! A new operator is a variant of [`Operator`], a row in the table of its family with its cases below, and a line in the
//! reference of the policy language. Nothing here looks at a request: values come in, yes, no or a fault comes out.

mod cidr;
mod equality;
mod order;
mod presence;
mod sets;
mod text;
mod time;

use super::attribute::Count;
use super::value::{Found, Kind, Value};
use super::{Fault, Steps};
use crate::document::Operator;

/// What an operator takes and how it is evaluated.
pub(super) struct Row {
    operator: Operator,
    /// What the attribute must be; `None` for an operator that asks only whether it is there.
    pub(super) attribute: Option<Takes>,
    /// What the operand must be; `None` for an operator without one.
    pub(super) operand: Option<Takes>,
    /// Whether the operand can be another attribute.
    pub(super) from_attribute: bool,
    /// Whether attribute and operand must be of one type.
    pub(super) alike: bool,
    /// Whether the answer of the predicate is turned around.
    pub(super) negated: bool,
    /// Makes a predicate of an operand. Whatever holds for all operands has been checked: number and types of values.
    pub(super) prepare: Prepare,
}

type Prepare = fn(&[Value<'_>]) -> Result<Box<dyn Predicate>, Misfit>;

/// How many values of which types.
#[derive(Clone, Copy)]
pub(super) struct Takes {
    pub(super) count: Count,
    pub(super) kinds: &'static [Kind],
}

/// An operator with its operand: what is asked of the values of an attribute.
pub(super) trait Predicate: Send + Sync {
    /// Whether it holds of `values`, whose number and types fit the operator.
    fn holds(&self, values: &[Value<'_>], steps: &mut Steps) -> Result<bool, Fault>;
}

/// Why an operand does not fit its operator.
pub(super) struct Misfit {
    /// The value of a list that does not fit, if it is one of several.
    pub(super) element: Option<usize>,
    pub(super) expected: String,
}

impl Misfit {
    fn new(expected: impl Into<String>) -> Misfit {
        Misfit { element: None, expected: expected.into() }
    }

    fn at(element: usize, expected: impl Into<String>) -> Misfit {
        Misfit { element: Some(element), expected: expected.into() }
    }
}

/// The row of an operator.
pub(super) fn row(operator: Operator) -> &'static Row {
    match operator {
        Operator::Eq => &equality::EQ,
        Operator::Ne => &equality::NE,
        Operator::Lt => &order::LT,
        Operator::Lte => &order::LTE,
        Operator::Gt => &order::GT,
        Operator::Gte => &order::GTE,
        Operator::Between => &order::BETWEEN,
        Operator::In => &sets::IN,
        Operator::NotIn => &sets::NOT_IN,
        Operator::Contains => &sets::CONTAINS,
        Operator::ContainsAny => &sets::CONTAINS_ANY,
        Operator::ContainsAll => &sets::CONTAINS_ALL,
        Operator::ContainsNone => &sets::CONTAINS_NONE,
        Operator::SubsetOf => &sets::SUBSET_OF,
        Operator::StartsWith => &text::STARTS_WITH,
        Operator::EndsWith => &text::ENDS_WITH,
        Operator::Includes => &text::INCLUDES,
        Operator::Matches => &text::MATCHES,
        Operator::EqIgnoreCase => &text::EQ_IGNORE_CASE,
        Operator::InCidr => &cidr::IN_CIDR,
        Operator::NotInCidr => &cidr::NOT_IN_CIDR,
        Operator::Before => &time::BEFORE,
        Operator::After => &time::AFTER,
        Operator::TimeBetween => &time::TIME_BETWEEN,
        Operator::WeekdayIn => &time::WEEKDAY_IN,
        Operator::Present => &presence::PRESENT,
        Operator::Absent => &presence::ABSENT,
    }
}

impl Row {
    /// The name as a document has it.
    pub(super) const fn name(&self) -> &'static str {
        self.operator.as_str()
    }
}

impl Takes {
    /// The values of `found`, if they fit.
    ///
    /// A list is one value where it has one element: a header that was sent once. Sent twice it is two values, and an
    /// operator that takes one cannot be decided: no copy can hide another.
    ///
    /// # Errors
    ///
    /// Why they do not fit.
    pub(super) fn values<'a>(&self, found: Found<'a>) -> Result<Vec<Value<'a>>, Fault> {
        let values = match (self.count, found) {
            (_, Found::Nothing) => return Err(Fault::Missing),
            (Count::One | Count::Either, Found::One(value)) => vec![value],
            (Count::List, Found::One(_)) => return Err(Fault::NotAList),
            (Count::One, Found::List(values)) => match values.len() {
                0 => return Err(Fault::Missing),
                1 => values,
                _several => return Err(Fault::Several),
            },
            (Count::List | Count::Either, Found::List(values)) => values,
        };
        for value in &values {
            if !self.kinds.contains(&value.kind()?) {
                return Err(Fault::WrongType);
            }
        }
        Ok(values)
    }

    /// In the words of a document's author.
    pub(super) fn described(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        let kinds = kinds.join(", or ");
        match self.count {
            Count::One => kinds,
            Count::List => format!("a list, each element {kinds}"),
            Count::Either => format!("{kinds}, or a list of these"),
        }
    }
}

/// The value of an operand, or of an attribute, that is known to have one.
fn only<'v, 'a>(values: &'v [Value<'a>]) -> Result<&'v Value<'a>, Fault> {
    values.first().ok_or(Fault::Missing)
}

/// # Errors
///
/// [`Fault::WrongType`] when one of `values` has another type than `operand`.
fn alike(values: &[Value<'_>], operand: Option<&Value<'_>>) -> Result<(), Fault> {
    let Some(operand) = operand else { return Ok(()) };
    let kind = operand.kind()?;
    if values.iter().all(|value| value.kind() == Ok(kind)) { Ok(()) } else { Err(Fault::WrongType) }
}

impl From<Fault> for Misfit {
    fn from(fault: Fault) -> Misfit {
        Misfit::new(fault.to_string())
    }
}

const ONE_TEXT: Takes = Takes { count: Count::One, kinds: &[Kind::Text] };
const ONE_NUMBER: Takes = Takes { count: Count::One, kinds: &[Kind::Number] };
/// What equality is defined for. Addresses have several spellings and operators of their own.
const ONE: Takes = Takes { count: Count::One, kinds: COMPARABLE };
const LIST: Takes = Takes { count: Count::List, kinds: COMPARABLE };
const COMPARABLE: &[Kind] = &[Kind::Text, Kind::Number, Kind::Boolean];

#[cfg(test)]
mod testing;
