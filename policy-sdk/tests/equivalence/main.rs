//! The engine answers as its reference does: the same decision, code, tenant and reasons, for documents and requests made
//! by chance.
//!
//! Every run asks a share of the pairs. All of them, with the distribution of the answers:
//! `cargo test -p portcullis-policy --test equivalence -- --ignored --nocapture`.

#![cfg(test)]

#[cfg(feature = "replay")]
mod foresight;
mod generate;
mod reference;

use std::collections::BTreeMap;

use generate::Chance;
use portcullis_policy::decision::Response;
use portcullis_policy::document::Document;
use portcullis_policy::limits::MAX_REASONS;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use reference::Answer;

const REQUESTS_A_DOCUMENT: usize = 20;
const SEED: u64 = 3;

#[test]
fn the_engine_answers_as_its_reference_does() {
    compare(20_000);
}

#[test]
#[ignore = "takes minutes"]
fn the_engine_answers_a_million_times_as_its_reference_does() {
    compare(1_000_000);
}

fn compare(pairs: usize) {
    let seed = SEED;
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    let (mut asked, mut loaded, mut refused, mut step) = (0, 0, 0, 0);
    for index in 0_u64.. {
        if asked >= pairs {
            break;
        }
        let mut chance = Chance::new(seed.wrapping_mul(0x0100_0000_01b3) ^ (index << 20));
        let written = generate::document(&mut chance);
        let read = Document::from_json(written.to_string().as_bytes());
        let compiled = read.and_then(|read| Policy::compile(&read).map(|policy| (read, policy)));
        let Ok((document, policy)) = compiled else {
            refused += 1;
            continue;
        };
        loaded += 1;
        for _ in 0..REQUESTS_A_DOCUMENT {
            let question = Question::new(&mut chance);
            let (engine, reference) = question.ask(&policy, &document);
            *answers.entry(engine.decision.as_str().to_owned()).or_default() += 1;
            if let Some(code) = engine.code {
                *answers.entry(format!("{} {code}", engine.decision.as_str())).or_default() += 1;
            }
            assert!(
                engine == reference,
                "seed {seed}, document {index}, pair {asked}\n{}\n{question:#?}\nengine: {engine:#?}\nreference: {reference:#?}",
                serde_json::to_string_pretty(&written).unwrap(),
            );
            asked += 1;
        }
        if asked / 100_000 > step {
            step = asked / 100_000;
            println!("{asked} pairs agree");
        }
    }
    println!("seed {seed}: {asked} pairs agree, of {loaded} documents; {refused} more did not load");
    for (answer, count) in &answers {
        println!("{count:>8} {answer}");
    }
    assert!(loaded > refused, "{refused} documents did not load, {loaded} did");
    for decision in ["permit", "deny", "not_applicable", "indeterminate"] {
        let count = answers.get(decision).copied().unwrap_or_default();
        assert!(count * 25 >= asked, "{decision}: only {count} of {asked}");
    }
}

/// A request in its parts.
#[derive(Debug, Clone)]
struct Question {
    subject: Option<Subject>,
    method: Option<&'static str>,
    action: &'static str,
    host: &'static str,
    path: &'static str,
    query: Option<String>,
    headers: Vec<(&'static str, &'static str)>,
    time: Option<i64>,
}

impl Question {
    fn new(chance: &mut Chance) -> Question {
        let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let subject = chance.percent(88).then(|| {
            let mut subject = Subject {
                id: chance.percent(95).then(|| chance.one(generate::USERS).to_owned()),
                kind: None,
                tenant: chance.percent(70).then(|| chance.one(generate::TENANTS).to_owned()),
                roles: names(chance.some(generate::ROLES, 3)),
                groups: names(chance.some(generate::GROUPS, 3)),
                scopes: names(chance.some(generate::SCOPES, 3)),
                permissions: names(chance.some(generate::PERMISSIONS, 1)),
                method: chance.percent(90).then(|| chance.one(generate::SIGN_INS).to_owned()),
                key_type: chance.percent(90).then(|| chance.one(generate::KINDS).to_owned()),
                attributes: serde_json::Map::new(),
            };
            if chance.percent(75) {
                subject.attributes.insert("department".into(), chance.one(&["finance", "sales"]).into());
            }
            if chance.percent(75) {
                subject.attributes.insert("level".into(), chance.below(6).into());
            }
            subject
        });
        let mut headers = Vec::new();
        let may_hold = [
            (60, "x-flag", &["on", "off"] as &[&str]),
            (3, "x-flag", &["on", "off"]),
            (15, "x-org", generate::TENANTS),
            (4, "x-org", generate::TENANTS),
            (30, "x-kind", &["a", "b", "c"]),
            (6, "x-kind", &["a", "b", "c"]),
            (3, "upgrade", &["websocket", "WebSocket", "h2c"]),
            (10, "connection", &["upgrade", "close"]),
            (15, "content-type", &["application/grpc", "application/grpc+proto", "text/plain"]),
            (30, "origin", &["https://a.example", "https://b.example"]),
            (2, "origin", &["https://a.example"]),
            (30, "access-control-request-method", &["PUT"]),
            (10, "content-length", &["0", "7"]),
        ];
        for (percent, name, values) in may_hold {
            if chance.percent(percent) {
                headers.push((name, chance.one(values)));
            }
        }
        let mut query: Vec<String> = Vec::new();
        for (percent, name, values) in [
            (20, "kind", &["a", "b", "c"] as &[&str]),
            (5, "kind", &["a", "b"]),
            (15, "org", generate::TENANTS),
            (3, "org", generate::TENANTS),
        ] {
            if chance.percent(percent) {
                query.push(format!("{name}={}", chance.one(values)));
            }
        }
        Question {
            subject,
            method: chance.percent(90).then(|| chance.one(generate::METHODS)),
            action: chance.one(generate::ACTIONS),
            host: chance.one(generate::HOSTS),
            path: chance.one(generate::PATHS),
            query: chance.percent(50).then(|| query.join("&")),
            headers,
            time: chance.percent(80).then_some(generate::NOW),
        }
    }

    fn ask(&self, policy: &Policy, document: &Document) -> (Answer, Answer) {
        let target = canonicalize(self.path.as_bytes(), PathMode::Refuse).expect("a canonical path");
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect();
        let action = self.method.map_or(Action::named(self.action), Action::of_method);
        let resource = Resource::at(self.host, &target.path);
        let context = Context {
            headers: &headers,
            query: self.query.as_deref(),
            time: self.time,
            ..Context::default()
        };
        let request = AccessRequest { subject: self.subject.as_ref(), action, resource, context };
        let engine = policy.decide(&policy.locate(action, resource, &context), &request);
        let mut reference = reference::decide(document, &request);
        reference.reasons.truncate(MAX_REASONS);
        (shown(&engine), reference)
    }
}

fn shown(response: &Response) -> Answer {
    let is_permit = response.outcome.is_ok();
    Answer {
        decision: response.decision,
        code: response.outcome.as_ref().err().map(|refusal| refusal.code()),
        tenant: response.tenant.clone().filter(|_| is_permit),
        cross_tenant: response.cross_tenant && is_permit,
        reasons: response.reasons.iter().map(|reason| tenancy_or(reason.as_str())).collect(),
    }
}

/// Of several bindings that do not agree, any may be named.
fn tenancy_or(reason: &str) -> String {
    if reason.starts_with("tenancy/") { "tenancy".to_owned() } else { reason.to_owned() }
}
