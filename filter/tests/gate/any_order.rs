//! Whatever happens in whatever order: who has no right never gets through, and everyone is answered once. Bodies come in
//! pieces, too long, unreadable, to nobody or never; a second policy is on trial beside the live one, which allows other
//! things: it must open nothing to those it does not answer.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_filter::gate::{Body, CalloutReply, Event, ExchangeId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Outcome, Scene, dispatched, document, jwks, outcomes};

#[derive(Debug, Clone)]
enum Step {
    Request { path: &'static str, credential: Credential, is_json: bool },
    Piece { which: usize, piece: Piece },
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

/// What comes of a body, or to somebody whose body nobody waits for.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Bytes(&'static str),
    End,
    EndUnread,
    Stray,
}

/// What a policy makes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Right {
    Never,
    WithSmallAmount,
    Always,
}

fn step() -> impl Strategy<Value = Step> {
    let path = prop_oneof![
        Just("/public"),
        Just("/x"),
        Just("/admin"),
        Just("/acknowledged"),
        Just("/pay"),
        Just("/pay"),
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
    let piece = prop_oneof![
        2 => Just(Piece::Bytes(r#"{"amount": 7}"#)),
        1 => Just(Piece::Bytes(r#"{"amount": 7"#)),
        1 => Just(Piece::Bytes("}")),
        1 => Just(Piece::Bytes("000}")),
        1 => Just(Piece::Bytes(PADDING)),
        3 => Just(Piece::End),
        1 => Just(Piece::EndUnread),
        1 => Just(Piece::Stray),
    ];
    prop_oneof![
        4 => (path, credential, any::<bool>())
            .prop_map(|(path, credential, is_json)| Step::Request { path, credential, is_json }),
        4 => (any::<usize>(), piece).prop_map(|(which, piece)| Step::Piece { which, piece }),
        3 => (any::<usize>(), reply).prop_map(|(which, reply)| Step::Reply { which, reply }),
        1 => any::<usize>().prop_map(|which| Step::Finish { which }),
        1 => Just(Step::Tick),
        1 => (0..20_u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Retire),
    ]
}

/// As much as the document lets a body have, and with anything else more.
const PADDING: &str = "                                                                ";
const BOUND: usize = 64;

/// Alice's place among a hundred: `printf 'portcullis candidate v1\nnext\n\nalice' | sha256sum`.
const PLACE: u8 = 9;

/// The live policy, and beside it one on trial for this share of callers, which allows other things.
fn scene(share: Option<u8>) -> Scene {
    let small = json!([{"attribute": "context.body/amount", "operator": "lte", "value": 10}]);
    let mut document = document();
    document["request"] = json!({"body": {"max_bytes": BOUND}});
    document["audit"] =
        json!({"sink": {"cluster": "audit", "path": "/b"}, "max_pending": 16, "max_batch": 16});
    let routes = document["authorization"]["routes"].as_array_mut().unwrap();
    routes.push(json!({"methods": ["GET"], "path": "/acknowledged", "audit": "acknowledged"}));
    routes.push(json!({"methods": ["GET"], "path": "/pay", "conditions": small.clone()}));
    if let Some(percentage) = share {
        let authorization = json!({
            "public": [{"methods": ["GET"], "path": "/none"}],
            "routes": [
                {"methods": ["GET"], "path": "/admin", "audit": "acknowledged"},
                {"methods": ["GET"], "path": "/x", "conditions": small},
                {"methods": ["GET"], "path": "/pay"},
            ],
        });
        document["candidate"] =
            json!({"name": "next", "authorization": authorization, "enforce": {"percentage": percentage}});
    }
    Scene::of(&document)
}

/// What the live policy gives to a caller who is known or not.
fn live(path: &str, known: bool) -> Right {
    match path {
        "/public" => Right::Always,
        "/x" | "/acknowledged" if known => Right::Always,
        "/pay" if known => Right::WithSmallAmount,
        _other => Right::Never,
    }
}

/// What the policy on trial gives.
fn tried(path: &str, known: bool) -> Right {
    match path {
        "/none" => Right::Always,
        "/admin" | "/pay" if known => Right::Always,
        "/x" if known => Right::WithSmallAmount,
        _other => Right::Never,
    }
}

/// What may come of a request at best. Where nobody has to say who they are, a credential may go unread for want of keys.
fn right(share: Option<u8>, path: &str, known: bool) -> Right {
    match share {
        Some(100) => tried(path, known),
        Some(share) if known && PLACE < share => match live(path, false) {
            Right::Always => Right::Always,
            Right::Never | Right::WithSmallAmount => tried(path, true),
        },
        Some(_) | None => live(path, known),
    }
}

/// What arrived says a small amount and nothing else.
fn is_small(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    body.is_some_and(|body| body["amount"].as_u64().is_some_and(|amount| amount <= 10))
}

/// One of the last few, which are those of which most is to come.
fn exchange_of(which: usize, last: u32) -> Option<ExchangeId> {
    let back = which.checked_rem(usize::try_from(last.min(3)).unwrap())?;
    Some(ExchangeId(last - u32::try_from(back).unwrap()))
}

/// A gate that has its keys.
const WARM: [Step; 2] = [
    Step::Request { path: "/acknowledged", credential: Credential::Good, is_json: false },
    Step::Reply { which: 0, reply: Reply::Keys },
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_opens_the_gate(
        share in prop_oneof![Just(None), Just(Some(0)), Just(Some(PLACE)), Just(Some(PLACE + 1)), Just(Some(100))],
        is_warm: bool,
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut scene = scene(share);
        let mut rights: BTreeMap<u32, Right> = BTreeMap::new();
        let mut sent: BTreeMap<ExchangeId, Vec<u8>> = BTreeMap::new();
        let mut small = Vec::new();
        let mut finished = Vec::new();
        let mut answered = Vec::new();
        let mut callouts = Vec::new();
        let mut next = 0;
        let warm = WARM.into_iter().filter(|_| is_warm);
        for step in warm.chain(steps) {
            let commands = match step {
                Step::Request { path, credential, is_json } => {
                    next += 1;
                    let token = match credential {
                        Credential::None => None,
                        Credential::Garbage => Some("a.b.c".to_owned()),
                        Credential::Good => Some(scene.token("k1")),
                        Credential::UnknownKey => Some(scene.token("never-published")),
                    };
                    rights.insert(next, right(share, path, credential == Credential::Good));
                    let bearer = token.map(|token| format!("Bearer {token}"));
                    let content_type = if is_json { "application/json" } else { "text/plain" };
                    let bearer = bearer.iter().map(|bearer| ("authorization", bearer.as_str()));
                    let lines: Vec<_> = bearer.chain([("content-type", content_type)]).collect();
                    scene.request_with(next, path, &lines)
                }
                // As the host does it: the gate says how much it wants, and hears of an end or of too much.
                Step::Piece { which, piece } => {
                    let Some(exchange) = exchange_of(which, next) else { continue };
                    let held = sent.entry(exchange).or_default();
                    if let Piece::Bytes(text) = piece {
                        held.extend_from_slice(text.as_bytes());
                    }
                    let body = match (scene.gate.body_bound(exchange), piece) {
                        (Some(bound), _) if held.len() > bound => Body::TooLarge,
                        (Some(_), Piece::End) => {
                            if is_small(held) { small.push(exchange.0); }
                            Body::Arrived(held.clone())
                        }
                        (Some(_), Piece::EndUnread) => Body::Unknown,
                        (None, Piece::Stray) => Body::Arrived(br#"{"amount": 1}"#.to_vec()),
                        (Some(_) | None, _) => continue,
                    };
                    scene.handle(Event::Body { exchange, body })
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
                    let Some(exchange) = exchange_of(which, next) else { continue };
                    finished.push(exchange.0);
                    scene.handle(Event::Finished { exchange })
                }
                Step::Tick => scene.handle(Event::Tick),
                Step::Wait { seconds } => { scene.wait(Duration::from_secs(seconds)); continue; }
                Step::Retire => scene.handle(Event::Retired),
            };
            callouts.extend(dispatched(&commands).iter().map(|callout| callout.id));
            for (exchange, outcome) in outcomes(&commands) {
                prop_assert!(!answered.contains(&exchange), "exchange {} is answered twice", exchange);
                prop_assert!(!finished.contains(&exchange), "exchange {} is answered after its end", exchange);
                let may_pass = match rights[&exchange] {
                    Right::Never => false,
                    Right::WithSmallAmount => small.contains(&exchange),
                    Right::Always => true,
                };
                prop_assert!(outcome != Outcome::Resumed || may_pass, "exchange {} passed", exchange);
                answered.push(exchange);
            }
        }
        // With time, everyone who is still there gets an answer.
        for _ in 0..3 {
            scene.wait(Duration::from_secs(60));
            for (exchange, outcome) in outcomes(&scene.handle(Event::Tick)) {
                prop_assert!(outcome != Outcome::Resumed, "exchange {} passed by waiting", exchange);
                prop_assert!(!answered.contains(&exchange), "exchange {} is answered twice", exchange);
                answered.push(exchange);
            }
        }
        for exchange in 1..=next {
            prop_assert!(answered.contains(&exchange) || finished.contains(&exchange), "exchange {} hangs", exchange);
        }
    }
}
