//! What it takes to find the rules of a request, and to decide by them.
#![expect(clippy::expect_used, reason = "everything that is read is written below")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

/// Rules of the documents: more rules must hardly matter.
const RULES: [usize; 3] = [10, 1_000, 100_000];

fn decision(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for rules in RULES {
        let policy = policy(rules);
        let target = format!("/area-{}/objects/42", rules / 2);
        let target = canonicalize(target.as_bytes(), PathMode::Refuse).expect("a path of our own");
        let (action, resource) = (Action::of_method("GET"), Resource::at("api.example.com", &target.path));
        let subject =
            Subject { id: Some("alice".to_owned()), roles: vec!["viewer".to_owned()], ..Subject::default() };
        let context = Context::default();
        let located = policy.locate(action, resource, &context);
        let request = AccessRequest { subject: Some(&subject), action, resource, context };
        assert!(
            policy.decide(&located, &request).outcome.is_ok(),
            "the way that is measured is that of a permit"
        );
        group.bench_function(BenchmarkId::new("locate", rules), |bencher| {
            bencher.iter(|| policy.locate(action, black_box(resource), &request.context));
        });
        group.bench_function(BenchmarkId::new("decide", rules), |bencher| {
            bencher.iter(|| policy.decide(black_box(&located), &request));
        });
    }
    group.finish();
}

fn policy(rules: usize) -> Policy {
    let rules: Vec<Value> = (0..rules)
        .map(|area| {
            json!({"effect": "allow", "action": "read", "role": "viewer", "resource": format!("/area-{area}/**")})
        })
        .collect();
    let document = json!({"version": 1, "authentication": {}, "authorization": {"rules": rules}}).to_string();
    let document = Document::from_json(document.as_bytes()).expect("a document");
    Policy::compile(&document).expect("a policy")
}

criterion_group!(benches, decision);
criterion_main!(benches);
