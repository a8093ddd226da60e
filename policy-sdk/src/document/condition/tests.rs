use serde_json::json;

use super::*;

fn read(value: serde_json::Value) -> Result<Condition, Vec<String>> {
    deserr::deserialize::<Condition, _, Problems>(value)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_test_and_a_group_read_as_they_are_written() {
    let test = Condition::Test(Test {
        attribute: "subject.level".into(),
        operator: Operator::Gte,
        value: Some(Operand::One(Scalar::Number(3.into()))),
        value_from: None,
    });
    let written = json!({"attribute": "subject.level", "operator": "gte", "value": 3});
    assert_eq!(read(written.clone()), Ok(test.clone()));
    assert_eq!(
        read(json!({"none_of": [{"all_of": [written.clone()]}, {"any_of": [written]}]})),
        Ok(Condition::NoneOf(NoneOf {
            none_of: vec![
                Condition::AllOf(AllOf { all_of: vec![test.clone()] }),
                Condition::AnyOf(AnyOf { any_of: vec![test] }),
            ],
        }))
    );
}

#[test]
fn a_list_keeps_the_type_of_each_element() {
    let read = read(json!({"attribute": "a", "operator": "in", "value": ["1", 1, 1.0, true]})).unwrap();
    let Condition::Test(Test { value: Some(Operand::List(list)), .. }) = read else { panic!("{read:?}") };
    assert_eq!(
        list,
        [
            Scalar::Text("1".into()),
            Scalar::Number(1.into()),
            Scalar::Number(Number::from_f64(1.0).unwrap()),
            Scalar::Boolean(true)
        ]
    );
}

#[test]
fn what_is_no_condition_says_why() {
    let test = json!({"attribute": "a", "operator": "present"});
    for (written, found) in [
        (
            json!({}),
            "document: not one condition; expected a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
        ),
        (
            json!({"any_of": [test], "all_of": [test]}),
            "document: not one condition; expected a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
        ),
        (
            json!({"any_of": [test], "attribute": "a"}),
            "document: not one condition; expected a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
        ),
        (json!({"attribute": "a"}), "document: half a test; expected `attribute` and `operator`, both"),
        (
            json!({"operator": "eq", "value": 1}),
            "document: half a test; expected `attribute` and `operator`, both",
        ),
        (
            json!({"attribute": "a", "operator": "eq", "value": 1, "value_from": "b"}),
            "/value_from: a second operand; expected `value` or `value_from`, not both",
        ),
        (
            json!({"attribute": "a", "operator": "equals", "value": 1}),
            "/operator: unknown value; expected one of",
        ),
        (json!({"attribute": "a", "operator": "start_with", "value": "a"}), "did you mean `starts_with`?"),
        (
            json!({"attribute": "a", "operator": "in", "value": [[1]]}),
            "/value/0: found a list; expected a text or a whole number or a decimal number or true or false",
        ),
        (json!({"attribute": "a", "operator": "in", "value": [null]}), "/value/0: found null"),
        (json!({"attribute": "a", "operator": "eq", "value": {}}), "/value: found an object"),
        (
            json!({"attribute": "a", "operator": "eq", "values": []}),
            "/values: unknown field; did you mean `value`?",
        ),
        (json!({"any_of": [{"attribute": 1}]}), "/any_of/0/attribute: found a whole number; expected a text"),
        (json!({"any_of": []}), "/any_of: a group of nothing; expected at least one condition"),
        (
            json!({"all_of": [{"none_of": []}]}),
            "/all_of/0/none_of: a group of nothing; expected at least one condition",
        ),
        (json!([]), "document: found a list; expected an object"),
    ] {
        let problems = read(written.clone()).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(found)), "{written}: {problems:?}");
    }
}

/// The names of reading and those of printing are one set.
#[test]
fn operators_print_as_they_are_read() {
    let schema = schemars::schema_for!(Operator).to_value();
    let names: Vec<&str> =
        schema["oneOf"].as_array().unwrap().iter().map(|one| one["const"].as_str().unwrap()).collect();
    assert_eq!(names, Operator::ALL.map(Operator::as_str));
    for (number, operator) in Operator::ALL.into_iter().enumerate() {
        assert_eq!(operator as usize, number, "each is listed once");
        let test = json!({"attribute": "a", "operator": operator.as_str()});
        let expected = Test { attribute: "a".into(), operator, value: None, value_from: None };
        assert_eq!(read(test), Ok(Condition::Test(expected)));
    }
}
