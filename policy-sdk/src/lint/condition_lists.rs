//! Every list of conditions of a document, with its place, and the tests in it.

use std::borrow::Cow;

use super::place::{Place, PlaceStep, below};
use super::reading::policy_place;
use crate::document::{AccessList, Condition, Document, JsonPointer, Operand, Rule, Scalar, Test};

/// Conditions that must all hold.
pub(super) struct ConditionList<'d> {
    pub(super) conditions: &'d [Condition],
    pub(super) place: Place,
    /// The template whose placeholders they can name.
    pub(super) template: Option<Cow<'d, str>>,
}

/// Every list that is not empty, in no order that means anything.
pub(super) fn of(document: &Document) -> Vec<ConditionList<'_>> {
    let authorization = &document.authorization;
    let outer = JsonPointer::members(&["authorization"]);
    let mut all = Vec::new();
    let mut add =
        |conditions, place: Place, template| all.push(ConditionList { conditions, place, template });
    add(&authorization.conditions, Place::new(&outer).member("conditions"), None);
    add(
        &authorization.superusers.conditions,
        Place::new(&outer).member("superusers").member("conditions"),
        None,
    );
    let routes = Place::new(&outer.member("routes"));
    for (index, route) in
        authorization.routes.iter().enumerate().filter(|(_, route)| !route.conditions.is_empty())
    {
        add(
            &route.conditions,
            routes.clone().element(index).member("conditions"),
            Some(route.path_template()),
        );
    }
    for (index, policy) in authorization.policies.iter().enumerate() {
        let template = policy.attach.path.as_deref().map(Cow::Borrowed);
        add(&policy.conditions, Place::new(&policy_place(index)).member("conditions"), template);
    }
    let (rules_place, rules) = document.rules();
    of_rules(rules, &rules_place, &mut all);
    of_access_lists(&authorization.acl, &outer.member("acl"), &mut all);
    for (index, policy) in authorization.policies.iter().enumerate() {
        let place = policy_place(index);
        of_rules(&policy.rules, &place.member("rules"), &mut all);
        of_access_lists(&policy.acl, &place.member("acl"), &mut all);
    }
    all.retain(|list| !list.conditions.is_empty());
    all
}

fn of_rules<'d>(rules: &'d [Rule], place: &JsonPointer, all: &mut Vec<ConditionList<'d>>) {
    let place = Place::new(place);
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.conditions.is_empty()) {
        let place = place.clone().element(index).member("conditions");
        all.push(ConditionList {
            conditions: &rule.conditions,
            place,
            template: Some(Cow::Borrowed(&rule.resource)),
        });
    }
}

fn of_access_lists<'d>(lists: &'d [AccessList], place: &JsonPointer, all: &mut Vec<ConditionList<'d>>) {
    for (index, list) in lists.iter().enumerate() {
        let place = Place::new(&place.element(index)).member("entries");
        for (index, entry) in list.entries.iter().enumerate() {
            let place = place.clone().element(index).member("conditions");
            let template = Some(Cow::Borrowed(list.resource.as_str()));
            all.push(ConditionList { conditions: &entry.conditions, place, template });
        }
    }
}

impl<'d> ConditionList<'d> {
    /// Every test, those in groups too, with the steps that lead to it from the list.
    pub(super) fn tests(&self) -> Vec<(&'d Test, Vec<PlaceStep>)> {
        let mut all = Vec::new();
        collect(self.conditions, &[], &mut all);
        all
    }

    /// What the steps lead to.
    pub(super) fn pointer(&self, steps: &[PlaceStep]) -> JsonPointer {
        below(self.place.pointer(), steps)
    }
}

fn collect<'d>(list: &'d [Condition], steps: &[PlaceStep], all: &mut Vec<(&'d Test, Vec<PlaceStep>)>) {
    for (index, condition) in list.iter().enumerate() {
        let mut here = steps.to_vec();
        here.push(PlaceStep::Element(index));
        let (name, members) = match condition {
            Condition::Test(test) => {
                all.push((test, here));
                continue;
            }
            Condition::AnyOf(group) => ("any_of", &group.any_of),
            Condition::AllOf(group) => ("all_of", &group.all_of),
            Condition::NoneOf(group) => ("none_of", &group.none_of),
        };
        here.push(PlaceStep::Member(name));
        collect(members, &here, all);
    }
}

/// The attribute that `written` names, in its one full spelling.
pub(super) fn full_name(written: &str) -> Cow<'_, str> {
    let whole = written.split('/').next().unwrap_or_default();
    if !whole.contains('.') {
        return Cow::Owned(format!("subject.{written}"));
    }
    if whole == "context.host" {
        return Cow::Borrowed("resource.host");
    }
    match whole.strip_prefix("context.header.") {
        Some(_) => Cow::Owned(written.to_ascii_lowercase()),
        None => Cow::Borrowed(written),
    }
}

/// The texts that a test holds its attribute against, each with the steps that lead to it from the test.
pub(super) fn texts(test: &Test) -> Vec<(&str, Vec<PlaceStep>)> {
    let value = PlaceStep::Member("value");
    match &test.value {
        None => Vec::new(),
        Some(Operand::One(scalar)) => text(scalar).map(|text| (text, vec![value])).into_iter().collect(),
        Some(Operand::List(scalars)) => {
            let texts = scalars.iter().enumerate();
            texts
                .filter_map(|(index, scalar)| Some((text(scalar)?, vec![value, PlaceStep::Element(index)])))
                .collect()
        }
    }
}

fn text(scalar: &Scalar) -> Option<&str> {
    match scalar {
        Scalar::Text(text) => Some(text),
        Scalar::Boolean(_) | Scalar::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::testing::changed;

    #[test]
    fn every_list_is_found_with_its_place() {
        let test = |name: &str| json!([{ "any_of": [{ "attribute": name, "operator": "present" }] }]);
        let rule = |name: &str| json!([{ "effect": "allow", "action": "read", "resource": "/a/{x}", "role": "editor", "conditions": test(name) }]);
        let acl = |name: &str| json!([{ "resource": "/a", "entries": [{ "actions": ["read"], "users": ["ann"], "conditions": test(name) }] }]);
        let document = changed(&[
            ("/authorization/conditions", test("a")),
            ("/authorization/superusers", json!({ "conditions": test("b") })),
            ("/authorization/routes/0/conditions", test("c")),
            ("/authorization/rules", rule("d")),
            ("/authorization/acl", acl("e")),
            (
                "/authorization/policies",
                json!([{ "name": "p", "conditions": test("f"), "rules": rule("g"), "acl": acl("h") }]),
            ),
        ]);
        let document = Document::from_value(document).unwrap();
        let found: Vec<(String, String)> = of(&document)
            .iter()
            .flat_map(|list| {
                let tests = list.tests();
                tests
                    .into_iter()
                    .map(|(test, steps)| (test.attribute.clone(), list.pointer(&steps).to_string()))
                    .collect::<Vec<_>>()
            })
            .collect();
        let at = |name: &str, place: &str| {
            (name.to_owned(), format!("/authorization{place}/conditions/0/any_of/0"))
        };
        assert_eq!(
            found,
            [
                at("a", ""),
                at("b", "/superusers"),
                at("c", "/routes/0"),
                at("f", "/policies/0"),
                at("d", "/rules/0"),
                at("e", "/acl/0/entries/0"),
                at("g", "/policies/0/rules/0"),
                at("h", "/policies/0/acl/0/entries/0"),
            ]
        );
    }

    #[test]
    fn an_attribute_has_one_name() {
        for (written, full) in [
            ("department", "subject.department"),
            ("subject.roles", "subject.roles"),
            ("profile/a.b", "subject.profile/a.b"),
            ("context.host", "resource.host"),
            ("context.header.X-Region", "context.header.x-region"),
        ] {
            assert_eq!(full_name(written), full);
        }
    }
}
