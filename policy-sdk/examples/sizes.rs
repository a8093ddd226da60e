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
const LOADS: usize = 5;

/// Loads of a small document before anything is measured: WebAssembly is compiled twice, at first quickly and then, where it
/// runs often, well.
const WARM_UP: usize = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let warm = Sample::of("rules", 1_000);
    for _ in 0..WARM_UP {
        drop(black_box(warm.load()));
        drop(black_box(serde_json::from_slice::<Value>(warm.text.as_bytes())));
    }
    let mut lines = Vec::new();
    for (what, counts) in
        [("rules", &[10, 1_000, 100_000][..]), ("roles", &[10, 1_000, 10_000]), ("tenants", &[10, 100_000])]
    {
        lines.extend(measure(what, counts)?);
    }
    println!("{}", Value::Array(lines));
    Ok(())
}

/// A document of a size.
struct Sample {
    what: &'static str,
    count: usize,
    text: String,
}

impl Sample {
    fn of(what: &'static str, count: usize) -> Sample {
        let parts = match what {
            "rules" => rules(count),
            "roles" => roles(count),
            _ => tenants(count),
        };
        let (authorization, tenancy) = (parts.get("authorization"), parts.get("tenancy"));
        let document =
            json!({ "version": 1, "authentication": {}, "authorization": authorization, "tenancy": tenancy });
        Sample { what, count, text: document.to_string() }
    }

    fn load(&self) -> Result<Policy, String> {
        let document = Document::from_json(self.text.as_bytes());
        document.and_then(|document| Policy::compile(&document)).map_err(|problems| problems.to_string())
    }

    /// Questions that meet each rule, role or tenant before any comes again, as far as there are as many.
    fn questions(&self) -> Vec<Question> {
        let ask = |number: usize| match self.what {
            "rules" => ask_rule(number),
            "roles" => ask_role(number),
            _ => ask_tenant(number),
        };
        (0..REQUESTS).map(|number| ask(number.wrapping_mul(7919) % self.count)).collect()
    }
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

/// Measures documents of one kind. Decisions of all sizes are made in turns, so that whatever else the machine does befalls
/// all of them alike; so are loading and the plain reading that it is compared with.
fn measure(what: &'static str, counts: &[usize]) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut loaded = Vec::new();
    let mut lines = Vec::new();
    for count in counts {
        let sample = Sample::of(what, *count);
        let text = sample.text.as_bytes();
        let [plain, read, load] = medians(
            LOADS,
            [
                &mut || drop(black_box(serde_json::from_slice::<Value>(text))),
                &mut || drop(black_box(Document::from_json(text))),
                &mut || drop(black_box(sample.load())),
            ],
        );
        let before = ALLOCATED.allocated();
        let policy = sample.load()?;
        let kept = ALLOCATED.allocated().saturating_sub(before);
        let questions = sample.questions();
        for question in &questions {
            if decide(&policy, question) != Decision::Permit {
                return Err(format!("{what} {count}: {} is not permitted", question.path.as_str()).into());
            }
        }
        loaded.push((policy, questions));
        lines.push(json!({
            "what": what,
            "count": count,
            "bytes": text.len(),
            "serde_json_ns": plain,
            "read_ns": read,
            "load_ns": load,
            "kept_bytes": kept,
        }));
    }
    let round = |(policy, questions): &(Policy, Vec<Question>)| {
        let begin = Instant::now();
        for question in questions {
            black_box(decide(policy, question));
        }
        begin.elapsed()
    };
    let rounds: Vec<Vec<Duration>> = (0..ROUNDS).map(|_| loaded.iter().map(round).collect()).collect();
    for (place, line) in lines.iter_mut().enumerate() {
        let times = rounds.iter().filter_map(|round| round.get(place).copied()).collect();
        line["decision_ns"] = json!(median(times) / REQUESTS as u64);
    }
    Ok(lines)
}

/// Asks as the gate does: what the route asks for, then the decision.
fn decide(policy: &Policy, question: &Question) -> Decision {
    let (action, context) = (Action::of_method(question.method), Context::default());
    let resource = Resource::at("api.example.com", &question.path);
    let located = policy.locate(action, resource, &context);
    let request = AccessRequest { subject: Some(&question.subject), action, resource, context };
    policy.decide(&located, &request).decision
}

/// The median time of each piece of work, done in turns.
fn medians<const N: usize>(rounds: usize, mut work: [&mut dyn FnMut(); N]) -> [u64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (times, work) in times.iter_mut().zip(&mut work) {
            let begin = Instant::now();
            work();
            times.push(begin.elapsed());
        }
    }
    times.map(median)
}

/// In nanoseconds.
fn median(mut times: Vec<Duration>) -> u64 {
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    u64::try_from(median.as_nanos()).unwrap_or(u64::MAX)
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
