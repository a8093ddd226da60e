//! Smaller, greater, between: of numbers, exactly. Texts have no order here, for there are as many as languages.

use std::ops::{Bound, RangeBounds};

use super::{Count, Fault, Kind, Misfit, ONE_NUMBER, Predicate, Row, Steps, Takes, Value, only};
use crate::condition::value::Exact;
use crate::document::Operator;

pub(super) const LT: Row = Row {
    operator: Operator::Lt,
    attribute: Some(ONE_NUMBER),
    operand: Some(ONE_NUMBER),
    from_attribute: true,
    alike: true,
    negated: false,
    prepare: |values| within(Bound::Unbounded, Bound::Excluded(only(values)?.as_number()?)),
};

pub(super) const LTE: Row = Row {
    operator: Operator::Lte,
    prepare: |values| within(Bound::Unbounded, Bound::Included(only(values)?.as_number()?)),
    ..LT
};

pub(super) const GT: Row = Row {
    operator: Operator::Gt,
    prepare: |values| within(Bound::Excluded(only(values)?.as_number()?), Bound::Unbounded),
    ..LT
};

pub(super) const GTE: Row = Row {
    operator: Operator::Gte,
    prepare: |values| within(Bound::Included(only(values)?.as_number()?), Bound::Unbounded),
    ..LT
};

pub(super) const BETWEEN: Row = Row {
    operator: Operator::Between,
    operand: Some(Takes { count: Count::List, kinds: &[Kind::Number] }),
    prepare: |values| match values {
        [first, last] if first <= last => {
            within(Bound::Included(first.as_number()?), Bound::Included(last.as_number()?))
        }
        _other => Err(Misfit::new("two numbers, the smaller first, such as `[1, 5]`")),
    },
    ..LT
};

struct Within(Bound<Exact>, Bound<Exact>);

fn within(from: Bound<Exact>, to: Bound<Exact>) -> Result<Box<dyn Predicate>, Misfit> {
    Ok(Box::new(Within(from, to)))
}

impl Predicate for Within {
    fn holds(&self, values: &[Value<'_>], _: &mut Steps) -> Result<bool, Fault> {
        Ok((self.0, self.1).contains(&only(values)?.as_number()?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, Is::*, refused, table};
    use crate::condition::Fault::*;
    use serde_json::{Value, json};

    /// What every operator of this family says of what is no number.
    fn with_faults(mut cases: Vec<(Value, Value, Is)>, operand: &Value) -> Vec<(Value, Value, Is)> {
        for (attribute, fault) in [
            (json!(null), Missing),
            (json!([]), Missing),
            (json!([1, 2]), Several),
            (json!("3"), WrongType),
            (json!(true), WrongType),
            (json!({}), WrongType),
            (json!(9_007_199_254_740_993.0), Inexact),
            (json!(-1e20), Inexact),
        ] {
            cases.push((attribute, operand.clone(), Unknown(fault)));
        }
        cases
    }

    #[test]
    fn lt() {
        let cases = vec![
            (json!(2), json!(3), True),
            (json!(3), json!(3), False),
            (json!(4), json!(3), False),
            (json!(2.5), json!(3), True),
            (json!([2]), json!(3), True),
            (json!(9_007_199_254_740_992_i64), json!(9_007_199_254_740_993_i64), True),
            (json!(-1), json!(u64::MAX), True),
        ];
        table("lt", with_faults(cases, &json!(3)));
    }

    #[test]
    fn lte() {
        let cases = vec![
            (json!(3), json!(3), True),
            (json!(3.0), json!(3), True),
            (json!(3.000_001), json!(3), False),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), False),
        ];
        table("lte", with_faults(cases, &json!(3)));
    }

    #[test]
    fn gt() {
        let cases = vec![
            (json!(4), json!(3), True),
            (json!(3), json!(3), False),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), True),
            (json!(u64::MAX), json!(i64::MAX), True),
            (json!(0), json!(-0.0), False),
        ];
        table("gt", with_faults(cases, &json!(3)));
    }

    #[test]
    fn gte() {
        let cases = vec![
            (json!(3), json!(3), True),
            (json!(2.999), json!(3), False),
            (json!(i64::MIN), json!(i64::MIN), True),
        ];
        table("gte", with_faults(cases, &json!(3)));
    }

    #[test]
    fn between() {
        let cases = vec![
            (json!(1), json!([1, 5]), True),
            (json!(5), json!([1, 5]), True),
            (json!(5.01), json!([1, 5]), False),
            (json!(0), json!([1, 5]), False),
            (json!(3), json!([3, 3]), True),
        ];
        table("between", with_faults(cases, &json!([1, 5])));
    }

    #[test]
    fn operands_that_are_no_numbers_do_not_load() {
        for operator in ["lt", "lte", "gt", "gte"] {
            for operand in [json!("3"), json!(true), json!([3]), json!(9_007_199_254_740_992.0)] {
                refused(operator, &operand);
            }
        }
        for operand in
            [json!([5, 1]), json!([1]), json!([1, 2, 3]), json!(1), json!(["1", "2"]), json!([1, "2"])]
        {
            refused("between", &operand);
        }
    }
}
