use serde_json::{Value, json};

use super::*;
use crate::document::{Condition, Problems};
use crate::limits::{MAX_OPERAND_BYTES, MAX_OPERAND_VALUES};
use crate::path::{PathMode, canonicalize};
use crate::path_tree::PathTemplate;
use crate::request::{Action, Context, Resource, Subject};

fn read(conditions: &Value) -> Vec<Condition> {
    deserr::deserialize::<_, _, Problems>(conditions.clone()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(conditions: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    Conditions::compile(&read(conditions), &JsonPointer::root().member("conditions"), &mut problems);
    problems.iter().map(ToString::to_string).collect()
}

fn compile(conditions: &Value) -> Conditions {
    let mut problems = Vec::new();
    let compiled = Conditions::compile(&read(conditions), &JsonPointer::root(), &mut problems);
    assert_eq!(problems, [], "{conditions}");
    compiled
}

/// Evaluates against a caller, a path with a placeholder, headers, a query and a body.
fn evaluate(conditions: &Conditions, steps: &mut Steps) -> Truth {
    let body = json!({"amount": 1200, "items": [{"sku": "a"}, {"sku": "b"}], "nothing": null, "a/b~c": 1});
    evaluate_with(Some(&body), conditions, steps)
}

fn evaluate_with(body: Option<&Value>, conditions: &Conditions, steps: &mut Steps) -> Truth {
    let attributes = json!({
        "department": "finance",
        "profile": {"region": "eu", "teams": ["a", "b"], "a/b~c": 1},
        "team": "a",
        "tenant": "not this one",
        "nothing": null,
    });
    let subject = Subject {
        id: Some("alice".into()),
        kind: Some("user".into()),
        tenant: Some("acme".into()),
        roles: vec!["editor".into()],
        scopes: vec!["read".into(), "write".into()],
        method: Some("people".into()),
        attributes: attributes.as_object().unwrap().clone(),
        ..Subject::default()
    };
    let (said_of_action, said_of_resource, said_of_context) = (
        json!({"soft": true}),
        json!({"id": "8", "owner": "alice", "user": "eve"}),
        json!({"stage": "prod"}),
    );
    let headers = [
        (&b"x-region"[..], &b" eu\t"[..]),
        (b"x-twice", b"a"),
        (b"x-twice", b"b"),
        (b"x_under", b"a"),
        (b"x-bytes", b"caf\xe9"),
        (b"x-list", b"a, b"),
    ]
    .into_iter()
    .collect();
    let path = canonicalize(b"/users/caf%C3%A9/files/7", PathMode::Refuse).unwrap().path;
    let template: PathTemplate = "/users/{user}/files/{id}".parse().unwrap();
    let request = AccessRequest {
        subject: Some(&subject),
        action: Action::of_method("PUT").with_attributes(said_of_action.as_object().unwrap()),
        resource: Resource {
            kind: Some("file"),
            attributes: said_of_resource.as_object(),
            ..Resource::at("api.example.com", &path)
        },
        context: Context {
            headers: &headers,
            query: Some("region=eu&twice=1&twice=2&bad=%zz2&plus=a+b&enc=%C3%A9&empty"),
            source: Some("10.0.0.1".parse().unwrap()),
            time: Some(1_772_355_600),
            attributes: said_of_context.as_object(),
            body,
            ..Context::default()
        },
    };
    let facts =
        Facts { request: &request, tenant: subject.tenant.as_deref(), captures: template.captures(&path) };
    conditions.evaluate(&facts, steps)
}

fn answer(conditions: &Value) -> Truth {
    // One parameter of the query is broken, and with it the names of all that are looked for.
    evaluate(&compile(conditions), &mut Steps::default())
}

#[test]
fn attributes_are_found_where_they_are() {
    for (attribute, expected) in [
        ("subject.id", json!("alice")),
        ("id", json!("alice")),
        ("subject.type", json!("user")),
        ("subject.tenant", json!("acme")),
        ("tenant", json!("acme")),
        ("subject.method", json!("people")),
        ("subject.department", json!("finance")),
        ("department", json!("finance")),
        ("profile/region", json!("eu")),
        ("subject.profile/region", json!("eu")),
        ("subject.profile/teams/1", json!("b")),
        ("subject.profile/a~1b~0c", json!(1)),
        ("action.name", json!("update")),
        ("action.method", json!("PUT")),
        ("action.soft", json!(true)),
        ("resource.host", json!("api.example.com")),
        ("context.host", json!("api.example.com")),
        ("resource.path", json!("/users/caf%C3%A9/files/7")),
        ("resource.type", json!("file")),
        ("resource.id", json!("7")),
        ("resource.user", json!("café")),
        ("resource.owner", json!("alice")),
        ("context.time", json!(1_772_355_600)),
        ("context.stage", json!("prod")),
        ("context.header.x-region", json!("eu")),
        ("context.header.X-Region", json!("eu")),
        ("context.header.x-under", json!("a")),
        ("context.header.x-list", json!("a, b")),
        ("context.body/amount", json!(1200)),
        ("context.body/items/1/sku", json!("b")),
        ("context.body/a~1b~0c", json!(1)),
    ] {
        // Typed from both sides: a literal for what it is, and a fault for everything else.
        let operator = if expected.is_number() { "gte" } else { "eq" };
        let condition = json!([{"attribute": attribute, "operator": operator, "value": expected}]);
        assert_eq!(answer(&condition), Truth::True, "{attribute}");
    }
}

#[test]
fn attributes_that_are_not_there_are_no_answer() {
    for (attribute, fault) in [
        ("subject.key_type", Fault::Missing),
        ("subject.unknown", Fault::Missing),
        ("subject.nothing", Fault::Missing),
        ("subject.Department", Fault::Missing),
        ("profile/unknown", Fault::Missing),
        ("profile/region/deeper", Fault::Missing),
        ("profile/teams/2", Fault::Missing),
        ("profile/teams/01", Fault::Missing),
        ("profile/teams/-", Fault::Missing),
        ("profile/teams", Fault::Several),
        ("profile", Fault::WrongType),
        ("action.other", Fault::Missing),
        ("resource.user/part", Fault::Missing),
        ("resource.other", Fault::Missing),
        ("context.other", Fault::Missing),
        ("context.header.x-absent", Fault::Missing),
        ("context.header.x-twice", Fault::Several),
        ("context.header.x-bytes", Fault::Malformed),
        ("context.body", Fault::WrongType),
        ("context.body/Amount", Fault::Missing),
        ("context.body/nothing", Fault::Missing),
        ("context.body/amount/0", Fault::Missing),
        ("context.body/items/2", Fault::Missing),
        ("context.body/items/00/sku", Fault::Missing),
        ("context.body/items/-", Fault::Missing),
        ("context.body/", Fault::Missing),
        ("context.body/items", Fault::Several),
        ("context.body/items/0", Fault::WrongType),
    ] {
        for (operator, value) in
            [("eq", json!("a")), ("ne", json!("a")), ("in", json!(["a"])), ("not_in", json!(["a"]))]
        {
            let condition = json!([{"attribute": attribute, "operator": operator, "value": value}]);
            assert_eq!(answer(&condition), Truth::Unknown(fault), "{attribute} {operator}");
        }
        let present = answer(&json!([{"attribute": attribute, "operator": "present"}]));
        let expected = match fault {
            Fault::Missing => Truth::False,
            Fault::Malformed => Truth::Unknown(Fault::Malformed),
            Fault::Several | Fault::WrongType => Truth::True,
            Fault::NotAList
            | Fault::Inexact
            | Fault::Unreadable
            | Fault::TooLarge
            | Fault::NotKnown
            | Fault::Exhausted => {
                panic!("{fault}")
            }
        };
        assert_eq!(present, expected, "{attribute}");
        assert_eq!(
            answer(&json!([{"attribute": attribute, "operator": "absent"}])),
            expected.negated(),
            "{attribute}"
        );
    }
}

#[test]
fn a_body_that_is_absent_or_cannot_be_read_is_no_answer_to_any_operator() {
    for (operator, value) in [
        ("eq", json!("a")),
        ("ne", json!("a")),
        ("lt", json!(1)),
        ("in", json!(["a"])),
        ("not_in", json!(["a"])),
        ("contains", json!("a")),
        ("contains_none", json!(["a"])),
        ("starts_with", json!("a")),
        ("present", Value::Null),
        ("absent", Value::Null),
    ] {
        for attribute in ["context.body", "context.body/amount"] {
            let conditions =
                compile(&json!([{"attribute": attribute, "operator": operator, "value": value}]));
            let truth = evaluate_with(None, &conditions, &mut Steps::default());
            assert_eq!(truth, Truth::Unknown(Fault::Unreadable), "{attribute} {operator}");
        }
    }
    let beside = json!([{"attribute": "id", "operator": "eq", "value_from": "context.body/owner"}]);
    let truth = evaluate_with(None, &compile(&beside), &mut Steps::default());
    assert_eq!(truth, Truth::Unknown(Fault::Unreadable));
}

#[test]
fn every_copy_of_a_header_is_seen() {
    let test = |operator: &str, value: Value| {
        answer(&json!([{"attribute": "context.header.x-twice", "operator": operator, "value": value}]))
    };
    assert_eq!(test("contains", json!("b")), Truth::True);
    assert_eq!(test("contains_none", json!(["b"])), Truth::False);
    assert_eq!(test("subset_of", json!(["a"])), Truth::False);
    assert_eq!(test("ne", json!("a")), Truth::Unknown(Fault::Several));
}

#[test]
fn a_broken_query_is_no_answer() {
    // `bad=%zz2` is the value of another parameter: only its own is in doubt.
    for (name, operator, value, expected) in [
        ("region", "eq", json!("eu"), Truth::True),
        ("enc", "eq", json!("é"), Truth::True),
        ("empty", "eq", json!(""), Truth::True),
        ("twice", "eq", json!("1"), Truth::Unknown(Fault::Several)),
        ("twice", "contains_all", json!(["1", "2"]), Truth::True),
        ("twice", "contains", json!("3"), Truth::False),
        ("absent", "eq", json!("1"), Truth::Unknown(Fault::Missing)),
        ("bad", "ne", json!("1"), Truth::Unknown(Fault::Malformed)),
        ("plus", "ne", json!("a b"), Truth::Unknown(Fault::Malformed)),
    ] {
        let condition =
            json!([{"attribute": format!("context.query.{name}"), "operator": operator, "value": value}]);
        assert_eq!(answer(&condition), expected, "{name} {operator}");
    }
}

#[test]
fn attributes_are_held_against_attributes() {
    for (condition, expected) in [
        (json!({"attribute": "resource.owner", "operator": "eq", "value_from": "subject.id"}), Truth::True),
        (json!({"attribute": "resource.user", "operator": "eq", "value_from": "subject.id"}), Truth::False),
        (json!({"attribute": "team", "operator": "in", "value_from": "profile/teams"}), Truth::True),
        (
            json!({"attribute": "team", "operator": "in", "value_from": "team"}),
            Truth::Unknown(Fault::NotAList),
        ),
        (
            json!({"attribute": "team", "operator": "eq", "value_from": "unknown"}),
            Truth::Unknown(Fault::Missing),
        ),
        (
            json!({"attribute": "unknown", "operator": "eq", "value_from": "unknown"}),
            Truth::Unknown(Fault::Missing),
        ),
        (
            json!({"attribute": "team", "operator": "eq", "value_from": "profile/teams"}),
            Truth::Unknown(Fault::Several),
        ),
        (
            json!({"attribute": "context.source", "operator": "in_cidr", "value_from": "team"}),
            Truth::Unknown(Fault::Malformed),
        ),
    ] {
        assert_eq!(answer(&json!([condition])), expected, "{condition}");
    }
}

#[test]
fn an_anonymous_caller_has_no_attributes() {
    let path = canonicalize(b"/", PathMode::Refuse).unwrap().path;
    let request = AccessRequest {
        subject: None,
        action: Action::named("read"),
        resource: Resource::at("localhost", &path),
        context: Context::default(),
    };
    let facts = Facts { request: &request, tenant: None, captures: None };
    for (attribute, operator, value) in [
        ("subject.id", "ne", json!("mallory")),
        ("subject.roles", "contains_none", json!(["banned"])),
        ("department", "ne", json!("sales")),
        ("context.time", "after", json!("1970-01-01T00:00:00Z")),
        ("context.source", "not_in_cidr", json!("10.0.0.0/8")),
        ("action.method", "ne", json!("DELETE")),
    ] {
        let conditions = compile(&json!([{"attribute": attribute, "operator": operator, "value": value}]));
        assert_eq!(
            conditions.evaluate(&facts, &mut Steps::default()),
            Truth::Unknown(Fault::Missing),
            "{attribute}"
        );
    }
}

#[test]
fn groups_are_those_of_kleene() {
    let yes = json!({"attribute": "team", "operator": "present"});
    let no = json!({"attribute": "team", "operator": "absent"});
    let unknown = json!({"attribute": "unknown", "operator": "eq", "value": 1});
    let fault = Truth::Unknown(Fault::Missing);
    for (conditions, expected) in [
        (json!([]), Truth::True),
        (json!([yes, yes]), Truth::True),
        (json!([yes, no, unknown]), Truth::False),
        (json!([yes, unknown]), fault),
        (json!([{"any_of": [no, unknown, yes]}]), Truth::True),
        (json!([{"any_of": [no, unknown]}]), fault),
        (json!([{"any_of": [no, no]}]), Truth::False),
        (json!([{"all_of": [yes, unknown, no]}]), Truth::False),
        (json!([{"none_of": [no, no]}]), Truth::True),
        (json!([{"none_of": [no, yes, unknown]}]), Truth::False),
        (json!([{"none_of": [no, unknown]}]), fault),
        (json!([{"none_of": [{"none_of": [yes]}]}]), Truth::True),
        (json!([{"any_of": [{"all_of": [yes, no]}, {"all_of": [yes, yes]}]}]), Truth::True),
    ] {
        assert_eq!(answer(&conditions), expected, "{conditions}");
    }
}

#[test]
fn each_test_and_group_is_reported() {
    let yes = json!({"attribute": "team", "operator": "present"});
    let no = json!({"attribute": "team", "operator": "absent"});
    let conditions = compile(&json!([yes, {"any_of": [no, {"none_of": [no]}]}]));
    let path = canonicalize(b"/", PathMode::Refuse).unwrap().path;
    let subject =
        Subject { attributes: json!({"team": "a"}).as_object().unwrap().clone(), ..Subject::default() };
    let request = AccessRequest {
        subject: Some(&subject),
        action: Action::named("read"),
        resource: Resource::at("localhost", &path),
        context: Context::default(),
    };
    let mut reports = Vec::new();
    let facts = Facts { request: &request, tenant: None, captures: None };
    conditions.evaluate_with(&facts, &mut Steps::default(), &mut |Evaluated { place, truth }| {
        reports.push((place.to_vec(), truth));
    });
    assert_eq!(
        reports,
        [
            (vec![0], Truth::True),
            (vec![1, 0], Truth::False),
            (vec![1, 1, 0], Truth::False),
            (vec![1, 1], Truth::True),
            (vec![1], Truth::True),
        ]
    );
}

#[test]
fn a_budget_that_does_not_suffice_decides_nothing() {
    let no = json!({"attribute": "team", "operator": "absent"});
    let conditions = compile(&json!([no, no, no]));
    assert_eq!(evaluate(&conditions, &mut Steps::new(3)), Truth::False);
    let mut steps = Steps::new(2);
    assert_eq!(evaluate(&conditions, &mut steps), Truth::Unknown(Fault::Exhausted));
    assert!(steps.are_exhausted());
    // What was spent before counts, for conditions without a test too.
    assert_eq!(evaluate(&compile(&json!([])), &mut steps), Truth::Unknown(Fault::Exhausted));
}

#[test]
fn what_cannot_be_asked_does_not_load() {
    let test = |attribute: &str, operator: &str, value: Value| json!([{"attribute": attribute, "operator": operator, "value": value}]);
    for (conditions, problem) in [
        (test("", "eq", json!(1)), "/conditions/0/attribute: not the name of an attribute"),
        (test("user.id", "eq", json!("a")), "/conditions/0/attribute: no such kind of attribute"),
        (test("subjekt.id", "eq", json!("a")), "did you mean `subject`?"),
        (test("Subject.id", "eq", json!("a")), "/conditions/0/attribute: no such kind of attribute"),
        (test("subject.", "eq", json!("a")), "/conditions/0/attribute: not the name of an attribute"),
        (
            test("subject.roles/0", "eq", json!("a")),
            "an attribute without parts; expected `subject.roles` as a whole",
        ),
        (test("profile/a~2", "eq", json!("a")), "/conditions/0/attribute: not the name of an attribute"),
        (test("context.header.", "eq", json!("a")), "not the name of a header"),
        (test("context.header.:path", "eq", json!("a")), "not the name of a header"),
        (test("a\nb", "eq", json!("a")), "without control characters"),
        (
            test("subject.roles", "eq", json!("a")),
            "`subject.roles` is a list; `contains` and `subset_of` look at lists",
        ),
        (test("subject.id", "contains", json!("a")), "`subject.id` is one value and no list"),
        (
            test("subject.id", "lt", json!(1)),
            "`subject.id` is a text; `eq`, `in` and `matches` look at texts",
        ),
        (test("context.time", "starts_with", json!("a")), "`context.time` is a number"),
        (
            test("context.source", "eq", json!("10.0.0.1")),
            "`context.source` is an address; `in_cidr` looks at addresses",
        ),
        (
            test("subject.id", "eq", json!(7)),
            "/conditions/0/value: not what `eq` takes; expected a text, as the attribute is",
        ),
        (
            test("subject.roles", "contains_any", json!(["a", 1])),
            "/conditions/0/value/1: not what `contains_any` takes",
        ),
        (
            test("context.time", "gt", json!("2026-03-01T00:00:00Z")),
            "/conditions/0/value: not what `gt` takes",
        ),
        (
            test("department", "eq", json!(["a"])),
            "not what `eq` takes; expected a text, or a number, or true or false",
        ),
        (test("department", "in", json!([])), "at least one"),
        (test("department", "in", json!(vec!["a"; MAX_OPERAND_VALUES + 1])), "too many values"),
        (test("department", "eq", json!("a".repeat(MAX_OPERAND_BYTES + 1))), "too long a text"),
        (
            json!([{"attribute": "a", "operator": "eq"}]),
            "/conditions/0: `eq` is held against nothing; expected a `value`",
        ),
        (json!([{"attribute": "a", "operator": "absent", "value_from": "b"}]), "/conditions/0/value_from"),
        (
            json!([{"attribute": "a", "operator": "matches", "value_from": "b"}]),
            "`matches` is not held against attributes",
        ),
        (
            json!([{"attribute": "a", "operator": "weekday_in", "value_from": "b"}]),
            "not held against attributes",
        ),
        (
            json!([{"attribute": "subject.id", "operator": "eq", "value_from": "subject.roles"}]),
            "/conditions/0/value_from: `subject.roles` is a list",
        ),
        (
            json!([{"attribute": "subject.id", "operator": "eq", "value_from": "context.time"}]),
            "`context.time` has another type than the attribute it is held against; expected a text",
        ),
    ] {
        let found = problems(&conditions);
        assert!(found.iter().any(|found| found.contains(problem)), "{conditions}: {found:?}");
    }
}

#[test]
fn all_problems_of_a_list_are_found_at_once() {
    let found = problems(&json!([
        {"attribute": "user.id", "operator": "matches", "value": "("},
        {"any_of": [{"attribute": "a", "operator": "in", "value": 1}, {"attribute": "b", "operator": "eq"}]},
    ]));
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn lists_and_groups_are_bounded() {
    let test = json!({"attribute": "a", "operator": "present"});
    assert_eq!(problems(&json!(vec![&test; MAX_CONDITIONS])), [""; 0]);
    assert_eq!(problems(&json!(vec![&test; MAX_CONDITIONS + 1])).len(), 1);
    let nested = |depth: usize| (0..depth).fold(test.clone(), |inner, _| json!({"all_of": [inner]}));
    assert_eq!(problems(&json!([nested(MAX_CONDITION_DEPTH)])), [""; 0]);
    assert!(problems(&json!([nested(MAX_CONDITION_DEPTH + 1)]))[0].contains("nested too deeply"));
}

#[test]
fn the_attributes_of_the_subject_are_named() {
    let conditions = compile(&json!([
        {"attribute": "department", "operator": "eq", "value": "a"},
        {"any_of": [
            {"attribute": "resource.owner", "operator": "eq", "value_from": "subject.profile/region"},
            {"attribute": "subject.roles", "operator": "contains", "value": "a"},
            {"attribute": "context.department2", "operator": "present"},
        ]},
    ]));
    assert_eq!(conditions.subject_attributes(), BTreeSet::from(["department", "profile"]));
}

mod cost;
mod reference;
mod totality;
