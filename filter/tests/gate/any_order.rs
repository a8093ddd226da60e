//! Whatever happens in whatever order: who has no right never gets through, and everyone is answered once.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_filter::gate::{CalloutReply, Event, ExchangeId};
use proptest::prelude::*;
use serde_json::json;

use crate::scene::{Outcome, Scene, dispatched, document, jwks, outcomes};

#[derive(Debug, Clone)]
enum Step {
    Request { path: &'static str, credential: Credential },
    Reply { which: usize, reply: Reply },
    Finish { which: usize },
    Tick,
    Wait { seconds: u64 },
    Retire,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Credential {
    None,
    Garbage,
    Good,
    UnknownKey,
}

#[derive(Debug, Clone, Copy)]
enum Reply {
    Keys,
    OtherKeys,
    Acknowledged,
    Failed,
    TooLarge,
}

fn step() -> impl Strategy<Value = Step> {
    let path = prop_oneof![
        Just("/public"),
        Just("/x"),
        Just("/admin"),
        Just("/acknowledged"),
        Just("//"),
        Just("/none")
    ];
    let credential = prop_oneof![
        Just(Credential::None),
        Just(Credential::Garbage),
        Just(Credential::Good),
        Just(Credential::UnknownKey)
    ];
    let reply = prop_oneof![
        Just(Reply::Keys),
        Just(Reply::OtherKeys),
        Just(Reply::Acknowledged),
        Just(Reply::Failed),
        Just(Reply::TooLarge)
    ];
    prop_oneof![
        4 => (path, credential).prop_map(|(path, credential)| Step::Request { path, credential }),
        3 => (any::<usize>(), reply).prop_map(|(which, reply)| Step::Reply { which, reply }),
        1 => any::<usize>().prop_map(|which| Step::Finish { which }),
        1 => Just(Step::Tick),
        1 => (0..20_u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Retire),
    ]
}

fn scene() -> Scene {
    let mut document = document();
    document["audit"] =
        json!({"sink": {"cluster": "audit", "path": "/b"}, "max_pending": 16, "max_batch": 16});
    let route = json!({"methods": ["GET"], "path": "/acknowledged", "audit": "acknowledged"});
    document["authorization"]["routes"].as_array_mut().unwrap().push(route);
    Scene::of(&document)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_opens_the_gate(steps in proptest::collection::vec(step(), 1..40)) {
        let mut scene = scene();
        let mut may_pass: BTreeMap<u32, bool> = BTreeMap::new();
        let mut finished = Vec::new();
        let mut answered = Vec::new();
        let mut callouts = Vec::new();
        let mut next = 0;
        for step in steps {
            let commands = match step {
                Step::Request { path, credential } => {
                    next += 1;
                    let token = match credential {
                        Credential::None => None,
                        Credential::Garbage => Some("a.b.c".to_owned()),
                        Credential::Good => Some(scene.token("k1")),
                        Credential::UnknownKey => Some(scene.token("never-published")),
                    };
                    let authenticated = credential == Credential::Good && matches!(path, "/x" | "/acknowledged");
                    may_pass.insert(next, path == "/public" || authenticated);
                    scene.request(next, path, token.as_deref())
                }
                Step::Reply { which, reply } => {
                    if callouts.is_empty() { continue; }
                    // Taken out or not: a reply may come twice.
                    let callout = callouts[which % callouts.len()];
                    let reply = match reply {
                        Reply::Keys => jwks(&["k1"]),
                        Reply::OtherKeys => jwks(&["k7"]),
                        Reply::Acknowledged => CalloutReply::Answered { status: 204, body: Vec::new() },
                        Reply::Failed => CalloutReply::Failed,
                        Reply::TooLarge => CalloutReply::TooLarge,
                    };
                    scene.reply(callout, reply)
                }
                Step::Finish { which } => {
                    if next == 0 { continue; }
                    let exchange = u32::try_from(which % usize::try_from(next).unwrap()).unwrap() + 1;
                    finished.push(exchange);
                    scene.handle(Event::Finished { exchange: ExchangeId(exchange) })
                }
                Step::Tick => scene.handle(Event::Tick),
                Step::Wait { seconds } => { scene.wait(Duration::from_secs(seconds)); continue; }
                Step::Retire => scene.handle(Event::Retired),
            };
            callouts.extend(dispatched(&commands).iter().map(|callout| callout.id));
            for (exchange, outcome) in outcomes(&commands) {
                prop_assert!(!answered.contains(&exchange), "exchange {} is answered twice", exchange);
                prop_assert!(!finished.contains(&exchange), "exchange {} is answered after its end", exchange);
                prop_assert!(outcome != Outcome::Resumed || may_pass[&exchange], "exchange {} passed", exchange);
                answered.push(exchange);
            }
        }
        // With time, everyone who is still there gets an answer.
        for _ in 0..3 {
            scene.wait(Duration::from_secs(60));
            answered.extend(outcomes(&scene.handle(Event::Tick)).into_iter().map(|(exchange, _)| exchange));
        }
        for exchange in 1..=next {
            prop_assert!(answered.contains(&exchange) || finished.contains(&exchange), "exchange {} hangs", exchange);
        }
    }
}
