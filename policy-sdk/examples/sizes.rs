//! What large documents cost: loading beside the plain reading of the same text, a decision, and the memory that stays.
//!
//! Prints one JSON list, a line a document. `cargo xtask sizes` runs it, natively and as WebAssembly, and makes a table.
//! Nothing here judges: what the numbers should be is in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]
#![expect(
    clippy::disallowed_types,
    reason = "the decision point knows no clock, and who measures it needs one"
)]

use std::alloc::System;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cap::Cap;
use portcullis_policy::decision::Decision;
use portcullis_policy::document::Document;
use portcullis_policy::path::{CanonicalPath, PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

/// Counts what is allocated, so that what a policy keeps can be told.
#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// Requests that are asked in turn, each of another rule, role or tenant where there are as many: what one decision left in
/// the processor's caches must not serve the next.
const REQUESTS: usize = 4096;

/// Rounds of all requests; the median counts.
const ROUNDS: usize = 21;

/// Loads of a document; the median counts.
const LOADS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = Vec::new();
    for count in [10, 1_000, 100_000] {
        lines.push(measure("rules", count, &rules(count), &|number| ask_rule(number % count))?);
    }
    // More than 1 024 roles are refused.
    for count in [10, 1_000] {
        lines.push(measure("roles", count, &roles(count), &|number| ask_role(number % count))?);
    }
    for count in [10, 100_000] {
        lines.push(measure("tenants", count, &tenants(count), &|number| ask_tenant(number % count))?);
    }
    println!("{}", Value::Array(lines));
    Ok(())
}

/// One question, to be answered with a permit.
struct Question {
    method: &'static str,
    path: CanonicalPath,
    subject: Subject,
}

#[expect(clippy::expect_used, reason = "every path is written below")]
fn question(method: &'static str, path: &str, role: String) -> Question {
    let target = canonicalize(path.as_bytes(), PathMode::Refuse).expect("a path of our own");
    let subject = Subject { id: Some("alice".to_owned()), roles: vec![role], ..Subject::default() };
    Question { method, path: target.path, subject }
}

fn measure(
    what: &str,
    count: usize,
    authorization: &Value,
    ask: &dyn Fn(usize) -> Question,
) -> Result<Value, Box<dyn Error>> {
    let (authorization, tenancy) = (&authorization["authorization"], &authorization["tenancy"]);
    let document =
        json!({ "version": 1, "authentication": {}, "authorization": authorization, "tenancy": tenancy });
    let text = document.to_string();
    drop(document);
    let load = || {
        let document = Document::from_json(text.as_bytes());
        document.and_then(|document| Policy::compile(&document)).map_err(|problems| problems.to_string())
    };
    let plain = median(LOADS, || drop(black_box(serde_json::from_slice::<Value>(text.as_bytes()))));
    let read = median(LOADS, || drop(black_box(Document::from_json(text.as_bytes()))));
    let loaded = median(LOADS, || drop(black_box(load())));
    let before = ALLOCATED.allocated();
    let policy = load()?;
    let kept = ALLOCATED.allocated().saturating_sub(before);

    // A stride that meets every one of them before any comes again.
    let questions: Vec<Question> = (0..REQUESTS).map(|number| ask(number.wrapping_mul(7919))).collect();
    for question in &questions {
        if decide(&policy, question) != Decision::Permit {
            return Err(format!("{what} {count}: {} is not permitted", question.path.as_str()).into());
        }
    }
    let round = median(ROUNDS, || {
        for question in &questions {
            black_box(decide(&policy, question));
        }
    });
    Ok(json!({
        "what": what,
        "count": count,
        "bytes": text.len(),
        "serde_json_ns": nanoseconds(plain),
        "read_ns": nanoseconds(read),
        "load_ns": nanoseconds(loaded),
        "decision_ns": nanoseconds(round) / REQUESTS as u64,
        "kept_bytes": kept,
    }))
}

/// Asks as the gate does: what the route asks for, then the decision.
fn decide(policy: &Policy, question: &Question) -> Decision {
    let (action, context) = (Action::of_method(question.method), Context::default());
    let resource = Resource::at("api.example.com", &question.path);
    let located = policy.locate(action, resource, &context);
    let request = AccessRequest { subject: Some(&question.subject), action, resource, context };
    policy.decide(&located, &request).decision
}

fn median(rounds: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let begin = Instant::now();
            work();
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(rounds / 2).copied().unwrap_or_default()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Rules about as many resources, for 64 roles and three actions.
fn rules(count: usize) -> Value {
    let rule = |number: usize| {
        let action = match number % 3 {
            0 => "read",
            1 => "create",
            _ => "delete",
        };
        let resource = format!("/v1/teams/{}/objects{number}", number % 1000);
        json!({ "effect": "allow", "action": action, "resource": resource, "role": format!("role{}", number % 64) })
    };
    json!({ "tenancy": {}, "authorization": { "rules": (0..count).map(rule).collect::<Value>() } })
}

fn ask_rule(number: usize) -> Question {
    let method = match number % 3 {
        0 => "GET",
        1 => "POST",
        _ => "DELETE",
    };
    question(method, &format!("/v1/teams/{}/objects{number}", number % 1000), format!("role{}", number % 64))
}

/// Roles that inherit in chains of ten, each with a permission that a route demands and a rule about a resource that all
/// of them share.
fn roles(count: usize) -> Value {
    let role = |number: usize| {
        let inherits = match number % 10 {
            0 => Vec::new(),
            _ => vec![format!("role{}", number - 1)],
        };
        let role = json!({ "inherits": inherits, "permissions": [format!("area{number}:read")] });
        (format!("role{number}"), role)
    };
    let route = |number: usize| {
        let path = format!("/v1/areas/{number}");
        json!({ "methods": ["GET"], "path": path, "permission": format!("area{number}:read") })
    };
    let rule = |number: usize| {
        let role = format!("role{number}");
        json!({ "effect": "allow", "action": "create", "resource": "/v1/shared/**", "role": role })
    };
    json!({ "tenancy": {}, "authorization": {
        "roles": (0..count).map(role).collect::<serde_json::Map<String, Value>>(),
        "routes": (0..count).map(route).collect::<Value>(),
        "rules": (0..count).map(rule).collect::<Value>(),
    }})
}

fn ask_role(number: usize) -> Question {
    let role = format!("role{number}");
    if number.is_multiple_of(2) {
        question("GET", &format!("/v1/areas/{number}"), role)
    } else {
        question("POST", "/v1/shared/object", role)
    }
}

/// Tenants that each have a role of their own of the same name, bound to the path.
fn tenants(count: usize) -> Value {
    let tenant = |number: usize| {
        let auditor = json!({ "auditor": { "permissions": ["audit:read"] } });
        (format!("tenant{number}"), json!({ "roles": auditor }))
    };
    let path = "/tenants/{tenant}/audit";
    json!({
        "tenancy": {
            "bind": [{ "path": "/tenants/{tenant}/**" }],
            "tenants": (0..count).map(tenant).collect::<serde_json::Map<String, Value>>(),
        },
        "authorization": { "routes": [{ "methods": ["GET"], "path": path, "permission": "audit:read" }] },
    })
}

fn ask_tenant(number: usize) -> Question {
    let tenant = format!("tenant{number}");
    let mut question = question("GET", &format!("/tenants/{tenant}/audit"), "auditor".to_owned());
    question.subject.tenant = Some(tenant);
    question
}
