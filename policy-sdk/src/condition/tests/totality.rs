//! Laws that hold of every condition, whatever stands in it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::evaluate;
use crate::condition::{Conditions, Fault, Steps, Truth};
use crate::document::{Condition, JsonPointer, Operator, Problems};
use crate::limits::MAX_DECISION_STEPS;

fn json_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        ".{0,6}".prop_map(Value::from),
        prop::sample::select(vec!["10.0.0.0/8", "09:00-17:00", "mon", "2026-03-01T00:00:00Z", "a|b"])
            .prop_map(Value::from),
    ];
    prop_oneof![scalar.clone(), prop::collection::vec(scalar, 0..4).prop_map(Value::from)]
}

/// Any operand that can be written, to any operator; most do not load.
fn condition() -> impl Strategy<Value = Value> {
    let attribute = prop::sample::select(vec![
        "a",
        "department",
        "profile/teams",
        "subject.roles",
        "subject.id",
        "context.time",
        "context.source",
        "context.header.x-twice",
        "context.query.bad",
        "resource.user",
        "user.id",
    ]);
    let operator = prop::sample::select(Operator::ALL.to_vec());
    let test = (attribute.clone(), operator, json_value(), prop::option::of(attribute)).prop_map(
        |(attribute, operator, value, other)| {
            let mut test = json!({"attribute": attribute, "operator": operator.as_str()});
            let takes_none = matches!(operator, Operator::Present | Operator::Absent);
            match other {
                _ if takes_none => {}
                Some(other) => test["value_from"] = other.into(),
                None => test["value"] = value,
            }
            test
        },
    );
    test.prop_recursive(3, 12, 3, |inner| {
        let members = prop::collection::vec(inner, 1..4);
        (prop::sample::select(vec!["any_of", "all_of", "none_of"]), members)
            .prop_map(|(group, members)| json!({ group: members }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever stands in a document loads or has a problem, and whatever loads has an answer, with any budget.
    #[test]
    fn evaluation_is_total(list in prop::collection::vec(condition(), 0..4), budget in 0..200_usize) {
        let Ok(list) = deserr::deserialize::<Vec<Condition>, _, Problems>(json!(list)) else { return Ok(()) };
        let mut problems = Vec::new();
        let conditions = Conditions::compile(&list, &JsonPointer::root(), &mut problems);
        for problem in &problems {
            prop_assert!(problem.expected.is_some(), "{}", problem);
        }
        let mut steps = Steps::new(budget);
        let scarce = evaluate(&conditions, &mut steps);
        prop_assert_eq!(steps.are_exhausted(), scarce == Truth::Unknown(Fault::Exhausted));
        let plenty = evaluate(&conditions, &mut Steps::new(MAX_DECISION_STEPS));
        prop_assert!(scarce == plenty || steps.are_exhausted());
    }

    #[test]
    fn the_order_of_conditions_does_not_matter(list in prop::collection::vec(condition(), 2..5), budget in 0..60_usize) {
        let Ok(mut list) = deserr::deserialize::<Vec<Condition>, _, Problems>(json!(list)) else { return Ok(()) };
        let compile = |list: &[Condition]| Conditions::compile(list, &JsonPointer::root(), &mut Vec::new());
        let forwards = compile(&list);
        list.reverse();
        let backwards = compile(&list);
        prop_assert_eq!(evaluate(&forwards, &mut Steps::default()), evaluate(&backwards, &mut Steps::default()));
        prop_assert_eq!(evaluate(&forwards, &mut Steps::new(budget)), evaluate(&backwards, &mut Steps::new(budget)));
    }
}
