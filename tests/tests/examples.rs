//! The cases of every example, natively: the policy is asked the questions that a real Envoy is asked elsewhere
//! (`testbed/tests/e2e/examples.rs`), and both must give the answer that the case says.
//!
//! Cases that bring a credential of their own in a header are about reading tokens, and have no native question. Those that
//! say what time it is are asked here and nowhere else in Rust: an Envoy has its own clock.

mod explained;

use std::path::Path;

use portcullis_policy::document::Document;
use portcullis_policy::host::canonical_host;
use portcullis_policy::moment::Moment;
use portcullis_policy::path::{PathError, PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use portcullis_testbed::example::{self, Ask, Case, Example, Expectation};

fn native(subject: &example::Subject) -> Subject {
    Subject {
        id: subject.id.clone(),
        tenant: subject.tenant.clone(),
        roles: subject.roles.clone(),
        groups: subject.groups.clone(),
        scopes: subject.scopes.clone(),
        permissions: subject.permissions.clone(),
        method: subject.method.clone(),
        key_type: subject.key_type.clone(),
        attributes: subject.attributes.clone(),
        ..Subject::default()
    }
}

/// `permit`, `permit in TENANT`, or the code of a refusal.
fn answer(policy: &Policy, ask: &Ask<'_>, time: Option<Moment>, subject: Option<&Subject>) -> String {
    let target = match canonicalize(ask.target.as_bytes(), PathMode::Refuse) {
        Ok(target) => target,
        Err(PathError::Ambiguous(_)) => return "ambiguous_path".to_owned(),
        Err(_unusable) => return "malformed_request".to_owned(),
    };
    let host = canonical_host(ask.host.as_bytes()).expect("a case names a host");
    let headers = ask.headers.iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let (action, resource) = (Action::of_method(ask.method), Resource::at(&host, &target.path));
    let source = ask.source.map(|address| address.parse().expect("an address"));
    let query = target.query.as_deref();
    let time = time.map(Moment::unix_seconds);
    let context = Context { headers: &headers, query, source, time, body: ask.body, ..Context::default() };
    let located = policy.locate(action, resource, &context);
    let request = AccessRequest { subject, action, resource, context };
    let response = policy.decide(&located, &request);
    explained::alike(policy, &request, &response);
    match response.outcome {
        Ok(_permit) => match response.tenant {
            Some(tenant) => format!("permit in {tenant}"),
            None => "permit".to_owned(),
        },
        Err(refusal) => refusal.code().to_owned(),
    }
}

fn brings_its_own_credential(case: &Case) -> bool {
    let ask = case.ask().expect("the case is well-formed");
    ask.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}

#[test]
fn examples_are_decided_natively_as_in_envoy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut asked, mut timed) = (0, 0);
    let mut wrong = Vec::new();
    for name in Example::names(&root).expect("the examples") {
        let example = Example::open(&root, &name).expect("the example reads");
        let document = Document::from_value(example.document.clone()).expect("the policy loads");
        let policy = Policy::compile(&document).expect("the policy compiles");
        for case in example.cases.cases.iter().filter(|case| !brings_its_own_credential(case)) {
            let subject = case.subject(&example.cases).expect("the subject is known");
            let subject = subject.map(|(_, subject)| native(subject));
            let time = case.time(&example.cases).map(|time| time.parse().expect("a moment of RFC 3339"));
            timed += usize::from(time.is_some());
            let got = answer(&policy, &case.ask().expect("a request"), time, subject.as_ref());
            let as_expected = match case.expectation().expect("an expectation") {
                Expectation::Permit { tenant: Some(tenant) } => got == format!("permit in {tenant}"),
                Expectation::Permit { tenant: None } => got.starts_with("permit"),
                Expectation::Deny { code } => got == code,
            };
            asked += 1;
            if !as_expected {
                wrong.push(format!("{name}: {}: {got}", case.name));
            }
        }
    }
    assert!(asked > timed && timed > 0, "{asked} cases, {timed} of them with a time");
    assert!(wrong.is_empty(), "{} of {asked}: {wrong:#?}", wrong.len());
    println!("{asked} cases, {timed} of them with a time");
}
