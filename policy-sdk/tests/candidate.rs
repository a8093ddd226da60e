//! A candidate is compiled beside the live policy, as a whole, and held to the same.
#![allow(clippy::unwrap_used, reason = "tests")]

use portcullis_policy::decision::Response;
use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

fn document(candidate: &Value) -> Value {
    json!({
        "version": 1,
        "authentication": {},
        "rules": [{"effect": "allow", "action": "read", "resource": "/a", "role": "*"}],
        "tenancy": {"tenants": {"acme": {"roles": {"auditor": {"permissions": ["audit:read"]}}}}},
        "candidate": {"name": "next", "authorization": candidate},
    })
}

fn compile(document: Value) -> Result<Policy, Vec<String>> {
    let texts = |problems: portcullis_policy::document::Problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let document = Document::from_value(document).map_err(texts)?;
    Policy::compile(&document).map_err(texts)
}

fn ask(policy: &Policy, path: &str) -> Response {
    let target = canonicalize(path.as_bytes(), PathMode::Refuse).unwrap();
    let (action, resource) = (Action::of_method("GET"), Resource::at("api.example.com", &target.path));
    let subject = Subject { id: Some("alice".to_owned()), ..Subject::default() };
    let request = AccessRequest { subject: Some(&subject), action, resource, context: Context::default() };
    policy.decide(&policy.locate(action, resource, &request.context), &request)
}

#[test]
fn both_decide_and_neither_hears_of_the_other() {
    let rules = json!({"rules": [{"effect": "allow", "action": "read", "resource": "/b", "role": "*"}]});
    let policy = compile(document(&rules)).unwrap();
    let candidate = policy.candidate().unwrap();
    for (path, live, next) in [("/a", true, false), ("/b", false, true), ("/c", false, false)] {
        assert_eq!(ask(&policy, path).outcome.is_ok(), live, "{path}");
        assert_eq!(ask(candidate, path).outcome.is_ok(), next, "{path}");
    }
    assert!(candidate.candidate().is_none());
}

#[test]
fn it_needs_what_its_own_conditions_look_at() {
    let conditions = json!({"conditions": [{"attribute": "department", "operator": "eq", "value": "sales"}]});
    let policy = compile(document(&conditions)).unwrap();
    assert!(policy.subject_attributes().is_empty() && !policy.needs_more_of_subjects());
    let candidate = policy.candidate().unwrap();
    assert!(candidate.subject_attributes().contains("department") && candidate.needs_more_of_subjects());
}

#[test]
fn what_is_wrong_with_it_refuses_the_document_at_its_place() {
    for (candidate, expected) in [
        (
            json!({"rules": [{"effect": "allow", "action": "raed", "resource": "/a", "role": "*"}]}),
            "/candidate/authorization/rules/0/action: ",
        ),
        (
            json!({"conditions": [{"attribute": "level", "operator": "matches", "value": "("}]}),
            "/candidate/authorization/conditions/0/value: ",
        ),
        (json!({"routes": [{"methods": ["GET"], "path": "a"}]}), "/candidate/authorization/routes/0/path: "),
        (json!({"type": "acl"}), "/candidate/authorization/acl: "),
        (json!({"roles": {"auditor": {}}}), "/tenancy/tenants/acme/roles/auditor: "),
        (json!({"rules": [{}]}), "/candidate/authorization/rules/0: "),
    ] {
        let problems = compile(document(&candidate)).unwrap_err();
        assert!(problems.iter().all(|problem| problem.starts_with(expected)), "{problems:?}");
    }
}

#[test]
fn a_share_that_is_none_refuses_the_document() {
    let shares =
        [json!(-1), json!(101), json!(256), json!(50.5), json!("50"), json!(null), json!([50]), json!(1e300)];
    for share in shares {
        let mut document = document(&json!({}));
        document["candidate"]["enforce"] = json!({"percentage": share});
        let problems = compile(document).unwrap_err();
        assert!(problems[0].starts_with("/candidate/enforce/percentage: "), "{share}: {problems:?}");
    }
    for (member, value) in
        [("enforce", json!({"percent": 50})), ("enforced", json!(true)), ("name", json!(null))]
    {
        let mut document = document(&json!({}));
        document["candidate"][member] = value;
        assert!(compile(document).is_err(), "{member}");
    }
}

#[test]
fn promoted_it_is_the_live_one() {
    let rules = json!({"rules": [{"effect": "allow", "action": "read", "resource": "/b", "role": "*"}]});
    let document = Document::from_value(document(&rules)).unwrap();
    let promoted = Policy::compile(&document.promoted().unwrap()).unwrap();
    assert!(ask(&promoted, "/b").outcome.is_ok() && ask(&promoted, "/a").outcome.is_err());
    assert!(promoted.candidate().is_none());
}
