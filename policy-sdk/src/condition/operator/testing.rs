//! How the case table of an operator is run.

use serde_json::{Value as Json, json};

use crate::condition::{Conditions, Facts, Fault, Steps, Truth};
use crate::document::{Condition, JsonPointer, Problem, Problems};
use crate::path::{PathMode, canonicalize};
use crate::request::{AccessRequest, Action, Context, Resource, Subject};

/// What a case expects. Written short, for tables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Is {
    True,
    False,
    Unknown(Fault),
}

/// Runs rows of attribute, operand and answer. `null` is an attribute that is not there, or no operand.
///
/// Each row is tried with the operand in the document, and where the operator allows it, in another attribute. The two
/// must agree.
pub(super) fn table(operator: &str, cases: Vec<(Json, Json, Is)>) {
    for (attribute, operand, expected) in cases {
        let expected = match expected {
            Is::True => Truth::True,
            Is::False => Truth::False,
            Is::Unknown(fault) => Truth::Unknown(fault),
        };
        let mut test = json!({"attribute": "mine", "operator": operator});
        if !operand.is_null() {
            test["value"] = operand.clone();
        }
        let conditions = compile(&test).unwrap_or_else(|problems| panic!("{test}: {problems:?}"));
        assert_eq!(evaluate(&conditions, &attribute, &operand), expected, "{attribute} {test}");
        let test = json!({"attribute": "mine", "operator": operator, "value_from": "theirs"});
        if let Ok(conditions) = compile(&test) {
            assert_eq!(evaluate(&conditions, &attribute, &operand), expected, "{attribute} {test} {operand}");
        }
    }
}

/// Asserts that the operator does not load with the operand.
pub(super) fn refused(operator: &str, operand: &Json) {
    let test = json!({"attribute": "mine", "operator": operator, "value": operand});
    let problems = compile(&test).unwrap_err();
    let at_operand =
        problems.iter().all(|problem| problem.pointer.to_string().starts_with("/conditions/0/value"));
    assert!(at_operand && problems.iter().all(|problem| problem.expected.is_some()), "{test}: {problems:?}");
}

/// Whether `context.source` passes the test.
pub(super) fn holds_of_source(operator: &str, source: &str, operand: &str) -> bool {
    let test = json!({"attribute": "context.source", "operator": operator, "value": operand});
    let path = canonicalize(b"/", PathMode::Refuse).unwrap().path;
    let request = AccessRequest {
        subject: None,
        action: Action::of_method("GET"),
        resource: Resource::at("localhost", &path),
        context: Context { source: Some(source.parse().unwrap()), ..Context::default() },
    };
    let facts = Facts { request: &request, tenant: None, captures: None };
    compile(&test).unwrap().evaluate(&facts, &mut Steps::default()) == Truth::True
}

fn compile(test: &Json) -> Result<Conditions, Vec<Problem>> {
    let condition: Condition = deserr::deserialize::<_, _, Problems>(test.clone()).unwrap();
    let mut problems = Vec::new();
    let place = JsonPointer::root().member("conditions");
    let conditions = Conditions::compile(&[condition], &place, &mut problems);
    if problems.is_empty() { Ok(conditions) } else { Err(problems) }
}

fn evaluate(conditions: &Conditions, mine: &Json, theirs: &Json) -> Truth {
    let mut subject = Subject::default();
    subject.attributes.insert("mine".to_owned(), mine.clone());
    subject.attributes.insert("theirs".to_owned(), theirs.clone());
    let path = canonicalize(b"/", PathMode::Refuse).unwrap().path;
    let request = AccessRequest {
        subject: Some(&subject),
        action: Action::of_method("GET"),
        resource: Resource::at("localhost", &path),
        context: Context::default(),
    };
    conditions.evaluate(&Facts { request: &request, tenant: None, captures: None }, &mut Steps::default())
}
