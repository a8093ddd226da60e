//! Tokens that are sent again: whatever is remembered of them, the answer is that of a gate that sees them for the first
//! time.

use std::time::Duration;

use portcullis_filter::gate::{CalloutReply, Event};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Outcome, Scene, document, jwks, only_dispatch, outcomes, refused, signed};

const SECOND: Duration = Duration::from_secs(1);

/// The scene's start, in seconds since 1970.
const START: u64 = 1_800_000_000;

/// The same gate with its keys in the document.
fn with_keys(kids: &[&str]) -> Value {
    let CalloutReply::Answered { body, .. } = jwks(kids) else { panic!("keys are an answer") };
    let keys: Value = serde_json::from_slice(&body).unwrap();
    let mut document = document();
    document["authentication"]["methods"][0]["jwt"] = json!({
        "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["EdDSA"], "jwks": keys,
    });
    document
}

fn claims(changes: &Value) -> Value {
    let mut claims =
        json!({"iss": "https://issuer.example", "aud": "api", "sub": "alice", "exp": START + 3600});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn answer(scene: &mut Scene, token: &str) -> Outcome {
    let answers = outcomes(&scene.request(1, "/x", Some(token)));
    let [(1, outcome)] = &answers[..] else { panic!("one answer expected: {answers:?}") };
    scene.handle(Event::Finished { exchange: portcullis_filter::gate::ExchangeId(1) });
    outcome.clone()
}

#[test]
fn a_token_that_is_one_letter_off_is_refused() {
    let mut scene = Scene::of(&with_keys(&["k1"]));
    let good = scene.token("k1");
    assert_eq!(answer(&mut scene, &good), Outcome::Resumed);
    for place in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(bytes).unwrap();
        assert!(matches!(answer(&mut scene, &other), Outcome::Refused(401, _)), "letter {place}");
    }
    assert_eq!(answer(&mut scene, &good), Outcome::Resumed);
}

#[test]
fn a_token_that_is_one_letter_off_an_expired_one_is_looked_at_itself() {
    let mut scene = Scene::of(&with_keys(&["k1"]));
    let expired = signed("k1", &claims(&json!({"exp": START - 100})));
    let refusal = answer(&mut scene, &expired);
    assert_eq!(refusal, refused(401, "invalid_token"));
    for place in (0..expired.len()).step_by(3) {
        let mut bytes = expired.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(bytes).unwrap();
        let expected = answer(&mut Scene::of(&with_keys(&["k1"])), &other);
        assert_eq!(answer(&mut scene, &other), expected, "letter {place}");
        assert_ne!(expected, Outcome::Resumed);
    }
    assert_eq!(answer(&mut scene, &expired), refusal);
}

#[test]
fn a_token_is_refused_at_the_moment_it_expires() {
    let mut scene = Scene::of(&with_keys(&["k1"]));
    let token = signed("k1", &claims(&json!({"exp": START + 100})));
    for second in 0..400 {
        let expected = answer(Scene::of(&with_keys(&["k1"])).at(second), &token);
        assert_eq!(answer(&mut scene, &token), expected, "after {second} seconds");
        scene.wait(SECOND);
    }
    assert!(matches!(answer(&mut scene, &token), Outcome::Refused(401, _)));
}

#[test]
fn keys_that_went_take_their_tokens_with_them() {
    let mut scene = Scene::new(Value::Null);
    let token = scene.token("k1");
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    assert_eq!(answer(&mut scene, &token), Outcome::Resumed);
    scene.wait(10 * 60 * SECOND);
    let fetch = only_dispatch(&scene.handle(Event::Tick), "idp");
    assert_eq!(answer(&mut scene, &token), Outcome::Resumed, "the keys in force are the old ones");
    scene.reply(fetch, jwks(&["k2"]));
    let refusal = outcomes(&scene.request(3, "/x", Some(&token)));
    assert_ne!(refusal, [(3, Outcome::Resumed)]);
}

#[test]
fn an_outage_of_the_issuer_ends_what_is_remembered_too() {
    let mut scene = Scene::new(Value::Null);
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&scene.token("k1"))), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    let token = signed("k1", &claims(&json!({"exp": START + 100_000})));
    assert_eq!(answer(&mut scene, &token), Outcome::Resumed);
    scene.wait(10 * 60 * SECOND);
    let fetch = only_dispatch(&scene.handle(Event::Tick), "idp");
    scene.reply(fetch, CalloutReply::Failed);
    scene.wait(61 * 60 * SECOND);
    let late = scene.request(2, "/x", Some(&token));
    assert_eq!(outcomes(&late), []);
    let fetch = only_dispatch(&late, "idp");
    assert_eq!(outcomes(&scene.reply(fetch, CalloutReply::Failed)), [(2, refused(503, "keys_unavailable"))]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The slow twin is a gate that has seen nothing, at the same moment.
    #[test]
    fn a_gate_that_remembers_answers_like_one_that_does_not(
        steps in prop::collection::vec((0..6_usize, -400..400_i64), 1..40),
    ) {
        let tokens = [
            signed("k1", &claims(&json!({"exp": START + 300}))),
            signed("k1", &claims(&json!({"exp": START + 900, "nbf": START + 200}))),
            signed("k1", &claims(&json!({"exp": START + 900, "iat": START + 100}))),
            signed("k1", &claims(&json!({"aud": "another"}))),
            signed("k2", &claims(&json!({}))),
            signed("k1", &claims(&json!({"sub": "bob", "exp": START + 500}))),
        ];
        let document = with_keys(&["k1"]);
        let mut scene = Scene::of(&document);
        let mut second = 0_i64;
        for (which, step) in steps {
            second = (second + step).clamp(0, 2_000);
            let at = u64::try_from(second).unwrap();
            let remembered = answer(scene.at(at), &tokens[which]);
            let mut twin = Scene::of(&document);
            prop_assert_eq!(remembered, answer(twin.at(at), &tokens[which]), "token {} at {}", which, at);
        }
    }
}
