//! The same value, or another one. Values of different types are neither: comparing them is a fault.

use super::{Fault, ONE, Predicate, Row, Steps, Value, alike, only};
use crate::document::Operator;

pub(super) const EQ: Row = Row {
    operator: Operator::Eq,
    attribute: Some(ONE),
    operand: Some(ONE),
    from_attribute: true,
    alike: true,
    negated: false,
    prepare: |values| Ok(Box::new(Equal(only(values)?.clone().into_owned()))),
};

pub(super) const NE: Row = Row { operator: Operator::Ne, negated: true, ..EQ };

struct Equal(Value<'static>);

impl Predicate for Equal {
    fn holds(&self, values: &[Value<'_>], _: &mut Steps) -> Result<bool, Fault> {
        alike(values, Some(&self.0))?;
        Ok(*only(values)? == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is::*, table};
    use crate::condition::Fault::*;
    use serde_json::json;

    #[test]
    fn eq() {
        table(
            "eq",
            vec![
                (json!("finance"), json!("finance"), True),
                (json!("finance"), json!("Finance"), False),
                (json!(""), json!(""), True),
                (json!(true), json!(true), True),
                (json!(true), json!(false), False),
                (json!(3), json!(3.0), True),
                (json!(0), json!(-0.0), True),
                (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64), False),
                (json!(u64::MAX), json!(u64::MAX), True),
                (json!(u64::MAX), json!(i64::MIN), False),
                (json!(9_007_199_254_740_992.0), json!(1), Unknown(Inexact)),
                (json!(1e300), json!(1), Unknown(Inexact)),
                (json!("3"), json!(3), Unknown(WrongType)),
                (json!(1), json!(true), Unknown(WrongType)),
                (json!("true"), json!(true), Unknown(WrongType)),
                (json!({"a": 1}), json!(1), Unknown(WrongType)),
                (json!(null), json!(1), Unknown(Missing)),
                // A list is its only element, and no more than that.
                (json!(["finance"]), json!("finance"), True),
                (json!(["finance", "finance"]), json!("finance"), Unknown(Several)),
                (json!(["sales", "finance"]), json!("finance"), Unknown(Several)),
                (json!([]), json!("finance"), Unknown(Missing)),
                (json!([["finance"]]), json!("finance"), Unknown(WrongType)),
                // Composed and decomposed é, Latin and Cyrillic a, a text with a zero-width space.
                (json!("caf\u{e9}"), json!("caf\u{e9}"), True),
                (json!("caf\u{e9}"), json!("cafe\u{301}"), False),
                (json!("admin"), json!("\u{430}dmin"), False),
                (json!("admin"), json!("admin\u{200b}"), False),
                (json!("\u{212a}"), json!("K"), False),
                (json!("a\u{0}"), json!("a"), False),
            ],
        );
    }

    #[test]
    fn ne() {
        table(
            "ne",
            vec![
                (json!("sales"), json!("finance"), True),
                (json!("finance"), json!("finance"), False),
                (json!("finance"), json!("FINANCE"), True),
                (json!(1), json!(1.5), True),
                (json!(["a", "b"]), json!("c"), Unknown(Several)),
                (json!(null), json!("finance"), Unknown(Missing)),
                (json!(1), json!("1"), Unknown(WrongType)),
            ],
        );
    }
}
