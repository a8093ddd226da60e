//! Conditions that every request fulfils.

use super::condition_lists::{full_name, texts};
use super::reading::Reading;
use super::trial::Trial;
use super::{Found, Lint};
use crate::document::{Condition, Operator, Test};

pub(super) const LINT: Lint = Lint {
    code: "condition-always-holds",
    finds: "A condition that holds for every request in which its attribute can be compared at all: it demands less than it seems to. Such as every day of the week, both `0.0.0.0/0` and `::/0`, an empty text that others begin with, or the path being present.",
    remedy: "narrow it; to ask only whether an attribute is there, write `present`; otherwise remove it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let trial = Trial::new();
    for list in &reading.conditions {
        for (test, steps) in list.tests() {
            if let Some(why) = always(test, &trial) {
                found.add(|| list.pointer(&steps), || format!("always holds: {why}"));
            }
        }
    }
}

fn always(test: &Test, trial: &Trial) -> Option<&'static str> {
    if test.value_from.is_some() {
        return None;
    }
    let texts: Vec<&str> = texts(test).into_iter().map(|(text, _)| text).collect();
    let attribute = full_name(&test.attribute);
    let is = |operators: &[Operator]| operators.contains(&test.operator);
    if is(&[Operator::Present]) && matches!(&*attribute, "resource.path" | "resource.host") {
        Some("every request has a path and a host")
    } else if is(&[Operator::StartsWith]) && attribute == "resource.path" && texts == ["/"] {
        Some("every path begins with `/`")
    } else if is(&[Operator::StartsWith, Operator::EndsWith, Operator::Includes]) && texts == [""] {
        Some("every text has an empty one in it")
    } else if is(&[Operator::Matches]) && texts == [".*"] {
        Some("every text matches `.*`")
    } else if is(&[Operator::InCidr]) && texts.contains(&"0.0.0.0/0") && texts.contains(&"::/0") {
        Some("every address is in one of the two")
    } else {
        trial.holds_at_every_moment(&Condition::Test(test.clone())).then_some("every moment is among these")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(attribute: &str, operator: &str, value: &Value) -> Vec<String> {
        let mut test = json!({ "attribute": attribute, "operator": operator });
        if !value.is_null() {
            test["value"] = value.clone();
        }
        found_after("condition-always-holds", &[("/authorization/conditions", json!([{ "any_of": [test] }]))])
    }

    #[test]
    fn fires() {
        for (attribute, operator, value, why) in [
            ("resource.path", "present", Value::Null, "every request has a path and a host"),
            ("resource.path", "starts_with", json!("/"), "every path begins with `/`"),
            ("department", "includes", json!(""), "every text has an empty one in it"),
            ("department", "matches", json!(".*"), "every text matches `.*`"),
            ("context.source", "in_cidr", json!(["::/0", "0.0.0.0/0"]), "every address is in one of the two"),
            (
                "context.time",
                "weekday_in",
                json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
                "every moment is among these",
            ),
            (
                "context.time",
                "time_between",
                json!(["06:00-18:00", "18:00-06:00"]),
                "every moment is among these",
            ),
        ] {
            assert_eq!(
                after(attribute, operator, &value),
                [format!("/authorization/conditions/0/any_of/0: always holds: {why}")]
            );
        }
    }

    #[test]
    fn is_quiet() {
        for (attribute, operator, value) in [
            ("department", "present", Value::Null),
            ("resource.path", "starts_with", json!("/a")),
            ("department", "includes", json!("f")),
            ("department", "matches", json!(".+x")),
            ("context.source", "in_cidr", json!(["0.0.0.0/0"])),
            ("context.time", "weekday_in", json!(["mon", "tue", "wed", "thu", "fri"])),
            ("context.time", "time_between", json!(["06:00-18:00", "18:00-05:59"])),
        ] {
            assert_eq!(after(attribute, operator, &value), [""; 0], "{attribute} {operator} {value}");
        }
    }
}
