//! What large documents cost: loading beside the plain reading of the same text, a decision, and the memory that stays.
//!
//! Prints one JSON list, a line a document. `cargo xtask sizes` runs it, natively and as WebAssembly, and makes a table. With
//! `--once` everything is done once: where the clock counts instructions, that says all.
//! Nothing here judges: what the numbers should be is in `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the decision point knows no clock and no arguments, and who measures it needs both"
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

/// Requests that are timed together. So few take less time than a process is given at once, so that most of them are timed
/// without an interruption.
const CHUNK: usize = 64;

/// Rounds of all requests; of all chunks in them the median counts.
const ROUNDS: usize = 11;

/// Loads of a document; the fastest counts, for a load takes too long never to be interrupted.
const LOADS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let once = std::env::args().any(|argument| argument == "--once");
    let mut lines = Vec::new();
    for (what, counts) in
        [("rules", &[10, 1_000, 100_000][..]), ("roles", &[10, 1_000, 10_000]), ("tenants", &[10, 100_000])]
    {
        lines.extend(measure(what, counts, once)?);
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
fn measure(what: &'static str, counts: &[usize], once: bool) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut loaded = Vec::new();
    let mut lines = Vec::new();
    for count in counts {
        let sample = Sample::of(what, *count);
        let text = sample.text.as_bytes();
        let [plain, read, load] = fastest(
            if once { 1 } else { LOADS },
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
    let mut times = vec![Vec::new(); loaded.len()];
    for _ in 0..if once { 1 } else { ROUNDS } {
        for ((policy, questions), times) in loaded.iter().zip(&mut times) {
            for chunk in questions.chunks(CHUNK) {
                let begin = Instant::now();
                for question in chunk {
                    black_box(decide(policy, question));
                }
                times.push(begin.elapsed());
            }
        }
    }
    for (line, times) in lines.iter_mut().zip(times) {
        line["decision_ns"] = json!(median(times) / CHUNK as u64);
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

/// The shortest time of each piece of work, done in turns, in nanoseconds.
fn fastest<const N: usize>(rounds: usize, mut work: [&mut dyn FnMut(); N]) -> [u64; N] {
    let mut shortest = [Duration::MAX; N];
    for _ in 0..rounds {
        for (shortest, work) in shortest.iter_mut().zip(&mut work) {
            let begin = Instant::now();
            work();
            *shortest = begin.elapsed().min(*shortest);
        }
    }
    shortest.map(nanoseconds)
}

/// In nanoseconds.
fn median(mut times: Vec<Duration>) -> u64 {
    times.sort_unstable();
    nanoseconds(times.get(times.len() / 2).copied().unwrap_or_default())
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
