//! The reference of the policy language and the code say the same.

use serde_json::{Value, json};

use super::{compile, problems};
use crate::condition::attribute::known_names;
use crate::document::Operator;

const PAGE: &str = include_str!("../../../../docs/policy.md");

/// The cells of the rows of the table below the heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n### {heading}\n")).unwrap();
    let table =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table
        .skip(2)
        .map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect())
        .collect()
}

#[test]
fn every_operator_is_in_the_reference_with_an_example_that_loads() {
    let rows = rows("Operators");
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, Operator::ALL.map(Operator::as_str));
    for row in rows {
        let mut test = json!({"attribute": row[1], "operator": row[0]});
        if row[2] != "no value" {
            test["value"] = serde_json::from_str::<Value>(row[2]).unwrap();
        }
        compile(&json!([test]));
    }
}

#[test]
fn every_attribute_is_in_the_reference() {
    let listed: Vec<&str> = rows("Attributes").iter().map(|row| row[0]).collect();
    let (open, closed): (Vec<&str>, Vec<&str>) = listed.iter().partition(|name| name.contains('<'));
    // The body is looked into by steps and is no row of the table of names.
    assert_eq!(closed, known_names().chain(["context.body"]).collect::<Vec<_>>());
    for name in listed {
        let test = json!([{"attribute": name.replace("<name>", "any"), "operator": "present"}]);
        assert_eq!(problems(&test), [""; 0], "{name}");
    }
    assert_eq!(open.len(), 6);
}

#[test]
fn the_bounds_of_the_reference_are_those_of_the_code() {
    use crate::limits::*;
    for bound in [
        format!("at most {MAX_CONDITIONS} conditions"),
        format!("an operand has at most {MAX_OPERAND_VALUES} values of {} KiB", MAX_OPERAND_BYTES / 1024),
        format!(
            "{MAX_PATTERN_BYTES} bytes, {MAX_PATTERN_STATES} states, {MAX_PATTERN_RANGES} ranges of characters, held against at most {} KiB",
            MAX_MATCHED_BYTES / 1024
        ),
    ] {
        assert!(PAGE.contains(&bound), "{bound}");
    }
    assert_eq!(MAX_CONDITION_DEPTH, 4, "the reference says four in words");
}
