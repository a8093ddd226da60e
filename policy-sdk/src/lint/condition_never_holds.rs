//! Conditions that no request fulfils.

use std::collections::{BTreeMap, BTreeSet};

use super::condition_lists::{ConditionList, full_name, texts};
use super::place::PlaceStep;
use super::reading::Reading;
use super::trial::{Trial, only_attribute};
use super::{Found, Lint};
use crate::document::{Condition, Operator, Test};

pub(super) const LINT: Lint = Lint {
    code: "condition-never-holds",
    finds: "Conditions that must all hold and of which no value of their attribute fulfils all, such as `eq` with two values, `gt: 5` beside `lt: 3` or `absent` beside `eq`; or one that asks an attribute for what it never is, such as a request method in small letters.",
    remedy: "correct the values; if any one of the conditions is enough, put them into `any_of`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let trial = Trial::new();
    let actions: BTreeSet<&str> = reading.document.authorization.actions.iter().map(String::as_str).collect();
    for list in &reading.conditions {
        conjunction(list, list.conditions, &[], &trial, found);
        for (test, steps) in list.tests() {
            if ASKS_FOR_VALUE.contains(&test.operator)
                && let Some(why) = never(test, &actions)
            {
                found.add(|| list.pointer(&steps).member("value"), || format!("never holds: {why}"));
            }
        }
    }
}

/// Looks at conditions that must all hold, and at the groups among them.
fn conjunction<'d>(
    list: &ConditionList<'d>,
    conditions: &'d [Condition],
    steps: &[PlaceStep],
    trial: &Trial,
    found: &mut Found,
) {
    let mut parts = Vec::new();
    flatten(conditions, steps, &mut parts);
    let mut by_attribute: BTreeMap<String, Vec<(&Condition, &[PlaceStep])>> = BTreeMap::new();
    for (condition, steps) in &parts {
        if let Some(attribute) = only_attribute(condition) {
            by_attribute.entry(attribute).or_default().push((condition, steps));
        }
        let (name, members) = match condition {
            Condition::AnyOf(group) => ("any_of", &group.any_of),
            Condition::NoneOf(group) => ("none_of", &group.none_of),
            Condition::Test(_) | Condition::AllOf(_) => continue,
        };
        for (index, member) in members.iter().enumerate() {
            // Each is looked at by itself: the others need not hold.
            if let Condition::AllOf(group) = member {
                let mut here = steps.clone();
                here.extend([
                    PlaceStep::Member(name),
                    PlaceStep::Element(index),
                    PlaceStep::Member("all_of"),
                ]);
                conjunction(list, &group.all_of, &here, trial, found);
            }
        }
    }
    for (attribute, about) in by_attribute {
        let conditions: Vec<&Condition> = about.iter().map(|(condition, _)| *condition).collect();
        let is_one_test = matches!(conditions.as_slice(), [Condition::Test(_)]);
        if is_one_test || !trial.exclude_each_other(&conditions) {
            continue;
        }
        if let Some((_, steps)) = about.last() {
            found.add(
                || list.pointer(steps),
                || match about.len() {
                    1 => format!("never holds: no value of `{attribute}` fulfils it"),
                    _ => format!("never holds: no value of `{attribute}` fulfils all conditions on it that must hold together"),
                },
            );
        }
    }
}

/// The conditions that must hold, with those of groups of which all must.
fn flatten<'d>(
    conditions: &'d [Condition],
    steps: &[PlaceStep],
    parts: &mut Vec<(&'d Condition, Vec<PlaceStep>)>,
) {
    for (index, condition) in conditions.iter().enumerate() {
        let mut here = steps.to_vec();
        here.push(PlaceStep::Element(index));
        if let Condition::AllOf(group) = condition {
            here.push(PlaceStep::Member("all_of"));
            flatten(&group.all_of, &here, parts);
        } else {
            parts.push((condition, here));
        }
    }
}

/// Why an attribute of ours never is what the test asks for.
fn never(test: &Test, actions: &BTreeSet<&str>) -> Option<&'static str> {
    let texts = texts(test);
    let none = |is_possible: &dyn Fn(&str) -> bool| {
        !texts.is_empty() && texts.iter().all(|(text, _)| !is_possible(text))
    };
    let is_whole = test.operator != Operator::StartsWith;
    match full_name(&test.attribute).as_ref() {
        "action.method" if none(&|text| !text.bytes().any(|byte| byte.is_ascii_lowercase())) => {
            Some("request methods are in capitals")
        }
        "action.name" if is_whole && none(&|text| NAMES.contains(&text) || actions.contains(text)) => {
            Some("an action is called `read`, `create`, `update`, `delete` or as `actions` has it")
        }
        "resource.path" if none(&|text| text.starts_with('/') || text.is_empty() && !is_whole) => {
            Some("a path begins with `/`")
        }
        "resource.host" if none(&|text| !text.bytes().any(|byte| byte.is_ascii_uppercase())) => {
            Some("a host is in small letters here")
        }
        _other => None,
    }
}

const ASKS_FOR_VALUE: &[Operator] = &[Operator::Eq, Operator::In, Operator::StartsWith];

const NAMES: &[&str] = &["read", "create", "update", "delete"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(conditions: Value) -> Vec<String> {
        found_after("condition-never-holds", &[("/authorization/conditions", conditions)])
    }

    fn test(attribute: &str, operator: &str, value: Value) -> Value {
        match value {
            Value::Null => json!({ "attribute": attribute, "operator": operator }),
            value => json!({ "attribute": attribute, "operator": operator, "value": value }),
        }
    }

    fn of_one(tests: &[(&str, Value)]) -> Value {
        tests.iter().map(|(operator, value)| test("a", operator, value.clone())).collect()
    }

    #[test]
    fn fires_where_two_exclude_each_other() {
        for tests in [
            vec![("eq", json!("x")), ("eq", json!("y"))],
            vec![("eq", json!(1)), ("eq", json!("1"))],
            vec![("eq", json!("x")), ("ne", json!("x"))],
            vec![("in", json!(["x", "y"])), ("not_in", json!(["y", "x", "z"]))],
            vec![("in", json!(["x", "y"])), ("starts_with", json!("z"))],
            vec![("eq", json!(5)), ("gt", json!(5))],
            vec![("gt", json!(5)), ("lt", json!(3))],
            vec![("gte", json!(5)), ("lt", json!(5))],
            vec![("between", json!([1, 2])), ("between", json!([3, 4]))],
            vec![("absent", Value::Null), ("eq", json!("x"))],
            vec![("absent", Value::Null), ("present", Value::Null)],
            vec![("contains", json!("x")), ("contains_none", json!(["x"]))],
            vec![("contains_any", json!(["x", "y"])), ("subset_of", json!(["z"]))],
            vec![("contains_all", json!(["x", "y"])), ("subset_of", json!(["x", "z"]))],
            vec![("starts_with", json!("ab")), ("starts_with", json!("ac"))],
            vec![("ends_with", json!("ab")), ("ends_with", json!("b c"))],
            vec![("eq_ignore_case", json!("Ab")), ("eq_ignore_case", json!("ac"))],
            vec![("before", json!("2026-01-01T00:00:00Z")), ("after", json!("2026-06-01T00:00:00Z"))],
            vec![("before", json!("2026-01-01T00:00:00Z")), ("after", json!("2026-01-01T01:00:00+01:00"))],
            vec![("weekday_in", json!(["mon"])), ("weekday_in", json!(["tue"]))],
            vec![("time_between", json!("09:00-12:00")), ("time_between", json!("12:00-17:00"))],
            vec![("in_cidr", json!(["10.0.0.0/8"])), ("in_cidr", json!(["192.168.0.0/16"]))],
        ] {
            assert_eq!(
                after(of_one(&tests)),
                [
                    "/authorization/conditions/1: never holds: no value of `subject.a` fulfils all conditions on it that must hold together"
                ],
                "{tests:?}"
            );
        }
    }

    #[test]
    fn is_quiet_where_one_value_fulfils_all() {
        for tests in [
            vec![("eq", json!("x")), ("in", json!(["x", "y"]))],
            vec![("eq", json!("x")), ("contains", json!("x"))],
            vec![("gt", json!(3)), ("lt", json!(5))],
            vec![("gt", json!(4)), ("lt", json!(5))],
            vec![("gte", json!(5)), ("lte", json!(5))],
            vec![("between", json!([1, 3])), ("between", json!([3, 4]))],
            vec![("gt", json!(1)), ("lt", json!(9)), ("ne", json!(5))],
            vec![("gt", json!(9_007_199_254_740_992_i64)), ("lt", json!(9_007_199_254_740_994_i64))],
            vec![("contains_any", json!(["x", "y"])), ("contains_none", json!(["x"]))],
            vec![
                ("contains_any", json!(["x", "y"])),
                ("contains_any", json!(["y", "z"])),
                ("subset_of", json!(["y"])),
            ],
            vec![("subset_of", json!(["x"])), ("contains_none", json!(["x"]))],
            vec![("starts_with", json!("ab")), ("starts_with", json!("abc")), ("ends_with", json!("z"))],
            vec![("eq_ignore_case", json!("Ab")), ("eq_ignore_case", json!("aB"))],
            vec![("after", json!("2026-01-01T00:00:00Z")), ("before", json!("2026-06-01T00:00:00Z"))],
            vec![("weekday_in", json!(["mon", "tue"])), ("weekday_in", json!(["tue +01:00"]))],
            vec![("weekday_in", json!(["mon"])), ("time_between", json!("22:00-06:00"))],
            vec![("in_cidr", json!(["10.0.0.0/8", "192.168.0.0/16"])), ("in_cidr", json!(["10.1.0.0/16"]))],
            vec![("in_cidr", json!(["10.0.0.0/8"])), ("not_in_cidr", json!(["10.1.0.0/16"]))],
            vec![("matches", json!("a+")), ("includes", json!("b"))],
        ] {
            assert_eq!(after(of_one(&tests)), [""; 0], "{tests:?}");
        }
    }

    #[test]
    fn groups_are_looked_into() {
        let is = |value: &str| test("a", "eq", json!(value));
        let in_all = json!([is("x"), { "all_of": [{ "all_of": [is("y")] }] }]);
        assert!(after(in_all)[0].starts_with("/authorization/conditions/1/all_of/0/all_of/0: never holds"));
        let each_other = json!([is("x"), { "any_of": [is("y"), is("z")] }]);
        assert!(after(each_other)[0].starts_with("/authorization/conditions/1: never holds"));
        let none = json!([is("x"), { "none_of": [is("x")] }]);
        assert!(after(none)[0].starts_with("/authorization/conditions/1: never holds"));
        let inside = json!([{ "any_of": [is("x"), { "all_of": [is("y"), is("z")] }] }]);
        assert!(after(inside)[0].starts_with("/authorization/conditions/0/any_of/1/all_of/1: never holds"));
        for conditions in [
            json!([{ "any_of": [is("x"), is("y")] }]),
            json!([is("x"), { "any_of": [is("x"), is("z")] }]),
            json!([{ "none_of": [is("x"), is("y")] }]),
            json!([is("x"), test("b", "eq", json!("y"))]),
            json!([is("x"), { "attribute": "a", "operator": "eq", "value_from": "b" }]),
        ] {
            assert_eq!(after(conditions.clone()), [""; 0], "{conditions}");
        }
    }

    #[test]
    fn fires_on_what_an_attribute_never_is() {
        for (attribute, operator, value, why) in [
            ("action.method", "eq", json!("get"), "request methods are in capitals"),
            (
                "action.name",
                "in",
                json!(["GET", "write"]),
                "an action is called `read`, `create`, `update`, `delete` or as `actions` has it",
            ),
            ("resource.path", "starts_with", json!("api/"), "a path begins with `/`"),
            ("context.host", "eq", json!("API.example.com"), "a host is in small letters here"),
        ] {
            assert_eq!(
                after(json!([test(attribute, operator, value)])),
                [format!("/authorization/conditions/0/value: never holds: {why}")]
            );
        }
        for (attribute, operator, value) in [
            ("action.method", "in", json!(["GET", "get"])),
            ("action.name", "eq", json!("read")),
            ("action.name", "ne", json!("write")),
            ("resource.path", "starts_with", json!("/api/")),
            ("resource.host", "eq", json!("api.example.com")),
        ] {
            assert_eq!(after(json!([test(attribute, operator, value)])), [""; 0]);
        }
    }
}
