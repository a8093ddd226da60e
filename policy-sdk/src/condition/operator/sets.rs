//! Membership: of one value in a list, of lists in each other. A list has no order, and an element counts once.
//!
//! An element of another type makes the whole undecided, wherever it stands: the answer must not depend on which
//! element is looked at first.

use super::{Fault, LIST, Misfit, ONE, Predicate, Row, Steps, Value, alike};
use crate::document::Operator;

pub(super) const IN: Row = Row {
    operator: Operator::In,
    attribute: Some(ONE),
    operand: Some(LIST),
    from_attribute: true,
    alike: true,
    negated: false,
    prepare: |values| members(values, |values, members| values.iter().any(|value| members.contains(value))),
};

pub(super) const NOT_IN: Row = Row { operator: Operator::NotIn, negated: true, ..IN };

pub(super) const CONTAINS: Row =
    Row { operator: Operator::Contains, attribute: Some(LIST), operand: Some(ONE), ..IN };

pub(super) const CONTAINS_ANY: Row = Row { operator: Operator::ContainsAny, attribute: Some(LIST), ..IN };

pub(super) const CONTAINS_NONE: Row = Row { operator: Operator::ContainsNone, negated: true, ..CONTAINS_ANY };

pub(super) const CONTAINS_ALL: Row = Row {
    operator: Operator::ContainsAll,
    prepare: |values| members(values, |values, members| members.iter().all(|member| values.contains(member))),
    ..CONTAINS_ANY
};

pub(super) const SUBSET_OF: Row = Row {
    operator: Operator::SubsetOf,
    prepare: |values| members(values, |values, members| values.iter().all(|value| members.contains(value))),
    ..CONTAINS_ANY
};

/// The values of an attribute first, then the members.
type Asks = for<'a> fn(&[Value<'a>], &[Value<'a>]) -> bool;

struct Members {
    members: Box<[Value<'static>]>,
    asks: Asks,
}

fn members(values: &[Value<'_>], asks: Asks) -> Result<Box<dyn Predicate>, Misfit> {
    let other_type = |value: &Value<'_>| alike(std::slice::from_ref(value), values.first()).is_err();
    if let Some(stranger) = values.iter().position(other_type) {
        return Err(Misfit::at(stranger, "the type of the first element: a list has one type"));
    }
    let members = values.iter().cloned().map(Value::into_owned).collect();
    Ok(Box::new(Members { members, asks }))
}

impl Predicate for Members {
    fn holds(&self, values: &[Value<'_>], steps: &mut Steps) -> Result<bool, Fault> {
        alike(values, self.members.first())?;
        steps.spend(values.len().saturating_mul(self.members.len()))?;
        Ok((self.asks)(values, &self.members))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, Is::*, refused, table};
    use crate::condition::Fault::*;
    use serde_json::{Value, json};

    #[test]
    fn is_in() {
        table(
            "in",
            vec![
                (json!("eu"), json!(["eu", "us"]), True),
                (json!("asia"), json!(["eu", "us"]), False),
                (json!("EU"), json!(["eu"]), False),
                (json!(2), json!([1, 2.0]), True),
                (json!(9_007_199_254_740_993_i64), json!([9_007_199_254_740_992_i64]), False),
                (json!(true), json!([true]), True),
                (json!(["eu"]), json!(["eu"]), True),
                (json!(["eu", "us"]), json!(["eu", "us"]), Unknown(Several)),
                (json!(1), json!(["1"]), Unknown(WrongType)),
                (json!({}), json!(["1"]), Unknown(WrongType)),
                (json!(1e20), json!([1]), Unknown(Inexact)),
                (json!(null), json!(["eu"]), Unknown(Missing)),
                (json!([]), json!(["eu"]), Unknown(Missing)),
                (json!("e\u{301}"), json!(["\u{e9}"]), False),
            ],
        );
    }

    #[test]
    fn not_in() {
        table(
            "not_in",
            vec![
                (json!("asia"), json!(["eu", "us"]), True),
                (json!("eu"), json!(["eu", "us"]), False),
                (json!(["asia", "eu"]), json!(["eu"]), Unknown(Several)),
                (json!(1), json!(["eu"]), Unknown(WrongType)),
                (json!(null), json!(["eu"]), Unknown(Missing)),
            ],
        );
    }

    /// What every operator on lists says of what is no list of that type.
    fn with_faults(mut cases: Vec<(Value, Value, Is)>, operand: &Value) -> Vec<(Value, Value, Is)> {
        for (attribute, fault) in [
            (json!(null), Missing),
            (json!("a"), NotAList),
            (json!({"a": true}), NotAList),
            (json!([1]), WrongType),
            (json!(["a", 1]), WrongType),
            (json!([1, "a"]), WrongType),
            (json!(["a", null]), WrongType),
            (json!([["a"]]), WrongType),
        ] {
            cases.push((attribute, operand.clone(), Unknown(fault)));
        }
        cases
    }

    #[test]
    fn contains() {
        let cases = vec![
            (json!(["a", "b"]), json!("a"), True),
            (json!(["ab"]), json!("a"), False),
            (json!([]), json!("a"), False),
            (json!([1, 2.0]), json!(2), True),
            (json!([1e20]), json!(2), Unknown(Inexact)),
        ];
        table("contains", with_faults(cases, &json!("a")));
    }

    #[test]
    fn contains_any() {
        let cases = vec![
            (json!(["a", "x"]), json!(["a", "b"]), True),
            (json!(["x"]), json!(["a", "b"]), False),
            (json!([]), json!(["a"]), False),
        ];
        table("contains_any", with_faults(cases, &json!(["a", "b"])));
    }

    #[test]
    fn contains_all() {
        let cases = vec![
            (json!(["b", "a", "x"]), json!(["a", "b"]), True),
            (json!(["a", "a"]), json!(["a", "b"]), False),
            (json!(["a"]), json!(["a", "a"]), True),
            (json!([]), json!(["a"]), False),
        ];
        table("contains_all", with_faults(cases, &json!(["a", "b"])));
    }

    #[test]
    fn contains_none() {
        let cases = vec![
            (json!(["x"]), json!(["a", "b"]), True),
            (json!(["x", "b"]), json!(["a", "b"]), False),
            (json!([]), json!(["a"]), True),
        ];
        table("contains_none", with_faults(cases, &json!(["a", "b"])));
    }

    #[test]
    fn subset_of() {
        let cases = vec![
            (json!(["a", "a"]), json!(["a", "b"]), True),
            (json!(["a", "x"]), json!(["a", "b"]), False),
            // Nothing is among anything: whoever needs at least one adds `present`.
            (json!([]), json!(["a"]), True),
        ];
        table("subset_of", with_faults(cases, &json!(["a", "b"])));
    }

    #[test]
    fn operands_that_do_not_fit_do_not_load() {
        for operator in ["in", "not_in", "contains_any", "contains_all", "contains_none", "subset_of"] {
            for operand in [json!("a"), json!([]), json!(["a", 1]), json!([1, true]), json!([1e20])] {
                refused(operator, &operand);
            }
        }
        refused("contains", &json!(["a"]));
    }
}
