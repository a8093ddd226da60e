//! Tests that no request at the gate can decide.

use std::collections::BTreeSet;

use super::condition_lists::{ConditionList, full_name};
use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{Operand, Operator, Scalar, Test};
use crate::path_tree::PathTemplate;

pub(super) const LINT: Lint = Lint {
    code: "condition-only-errors",
    finds: "A condition that cannot be decided for any request at the gate: on a property of the resource that is no placeholder of the template it stands with, or one that holds a placeholder, which is a text, against numbers. Whoever asks in JSON can say more; in a document with `actions` of its own, nothing is found.",
    remedy: "name a placeholder of the path, and compare it with texts",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    // Such a document is also asked about things that are no paths, by services that know their properties.
    if !reading.document.authorization.actions.is_empty() {
        return;
    }
    for list in &reading.conditions {
        let placeholders = placeholders(list);
        for (test, steps) in list.tests() {
            if let Some((field, why)) = fault(test, &placeholders) {
                found.add(|| list.pointer(&steps).member(field), || why);
            }
        }
    }
}

/// The names that the template of the list has for segments of the path.
fn placeholders(list: &ConditionList<'_>) -> BTreeSet<String> {
    let template = list.template.as_deref().and_then(|text| text.parse::<PathTemplate>().ok());
    let written = list.template.as_deref().filter(|_| template.is_some()).unwrap_or_default();
    let names = written.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names.map(str::to_owned).collect()
}

fn fault(test: &Test, placeholders: &BTreeSet<String>) -> Option<(&'static str, String)> {
    if matches!(test.operator, Operator::Present | Operator::Absent) {
        return None;
    }
    for (field, name) in [("attribute", Some(&test.attribute)), ("value_from", test.value_from.as_ref())] {
        let Some(name) = name else { continue };
        let full = full_name(name);
        let Some(property) = full.strip_prefix("resource.").filter(|name| !BUILT_IN.contains(name)) else {
            continue;
        };
        let whole = property.split('/').next().unwrap_or_default();
        if !placeholders.contains(whole) {
            return Some((
                field,
                format!("no request has `resource.{whole}`: the path has no placeholder of this name"),
            ));
        }
    }
    let property = full_name(&test.attribute).strip_prefix("resource.").map(str::to_owned)?;
    (placeholders.contains(&property) && is_about_numbers(test)).then(|| {
        (
            "value",
            format!(
                "`resource.{property}` is a segment of the path: a text, and never a number or true or false"
            ),
        )
    })
}

fn is_about_numbers(test: &Test) -> bool {
    let is_text = |scalar: &Scalar| matches!(scalar, Scalar::Text(_));
    match &test.value {
        None => false,
        Some(Operand::One(scalar)) => !is_text(scalar),
        Some(Operand::List(scalars)) => !scalars.iter().any(is_text),
    }
}

/// What every request has. `type` and `id` are properties unless the path has placeholders of these names.
const BUILT_IN: &[&str] = &["host", "path"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(place: &str, test: Value) -> Vec<String> {
        found_after("condition-only-errors", &[(place, json!([test]))])
    }

    #[test]
    fn fires() {
        let route = "/authorization/routes/0/conditions";
        assert_eq!(
            after(
                route,
                json!({ "attribute": "resource.owner", "operator": "eq", "value_from": "subject.id" })
            ),
            [
                "/authorization/routes/0/conditions/0/attribute: no request has `resource.owner`: the path has no placeholder of this name"
            ]
        );
        assert_eq!(
            after(
                route,
                json!({ "attribute": "subject.id", "operator": "eq", "value_from": "resource.user" })
            ),
            [
                "/authorization/routes/0/conditions/0/value_from: no request has `resource.user`: the path has no placeholder of this name"
            ]
        );
        assert_eq!(
            after(
                "/authorization/conditions",
                json!({ "attribute": "resource.id", "operator": "eq", "value": "7" })
            ),
            [
                "/authorization/conditions/0/attribute: no request has `resource.id`: the path has no placeholder of this name"
            ]
        );
        let page = json!({ "methods": ["GET"], "path": "/pages/{page}",
            "conditions": [{ "attribute": "resource.page", "operator": "lt", "value": 5 }] });
        assert_eq!(
            found_after("condition-only-errors", &[("/authorization/routes/0", page)]),
            [
                "/authorization/routes/0/conditions/0/value: `resource.page` is a segment of the path: a text, and never a number or true or false"
            ]
        );
    }

    #[test]
    fn is_quiet() {
        let route = "/authorization/routes/0/conditions";
        for test in [
            json!({ "attribute": "resource.id", "operator": "eq", "value_from": "subject.id" }),
            json!({ "attribute": "resource.owner", "operator": "absent" }),
            json!({ "attribute": "resource.path", "operator": "starts_with", "value": "/v1" }),
            json!({ "attribute": "resource.host", "operator": "eq", "value": "api.example.com" }),
            json!({ "attribute": "subject.level", "operator": "lt", "value": 5 }),
        ] {
            assert_eq!(after(route, test.clone()), [""; 0], "{test}");
        }
        let own = ("/authorization/actions", json!(["approve"]));
        let test = json!([{ "attribute": "resource.owner", "operator": "eq", "value": "ann" }]);
        assert_eq!(found_after("condition-only-errors", &[own, (route, test)]), [""; 0]);
    }
}
