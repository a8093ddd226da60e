//! Whether an attribute is there: the only operators that a missing attribute is no fault to.
//!
//! `null` and an empty list are nothing, an empty text is something. What the value is does not matter, whole objects
//! included; an attribute that cannot be read is still a fault.

use super::{Fault, Predicate, Row, Steps, Value};
use crate::document::Operator;

pub(super) const PRESENT: Row = Row {
    operator: Operator::Present,
    attribute: None,
    operand: None,
    from_attribute: false,
    alike: false,
    negated: false,
    prepare: |_| Ok(Box::new(Present)),
};

pub(super) const ABSENT: Row = Row { operator: Operator::Absent, negated: true, ..PRESENT };

struct Present;

impl Predicate for Present {
    fn holds(&self, values: &[Value<'_>], _: &mut Steps) -> Result<bool, Fault> {
        Ok(!values.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is::*, refused, table};
    use serde_json::{Value, json};

    #[test]
    fn present_and_absent() {
        let present = [
            json!("a"),
            json!(""),
            json!(0),
            json!(1e300),
            json!(false),
            json!(["a"]),
            json!([null]),
            json!({}),
        ];
        let absent = [json!(null), json!([])];
        let cases =
            |values: &[Value], is| values.iter().map(|value| (value.clone(), Value::Null, is)).collect();
        table("present", cases(&present, True));
        table("present", cases(&absent, False));
        table("absent", cases(&present, False));
        table("absent", cases(&absent, True));
    }

    #[test]
    fn operands_do_not_load() {
        refused("present", &json!(true));
        refused("absent", &json!([]));
    }
}
