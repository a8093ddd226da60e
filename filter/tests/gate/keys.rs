//! Keys that are late, gone, old or not there.

use std::time::Duration;

use portcullis_filter::gate::{CalloutReply, Event, ExchangeId};
use serde_json::{Value, json};

use crate::scene::{Outcome, Scene, dispatched, document, jwks, only_dispatch, outcomes, refused, signed};

const SECOND: Duration = Duration::from_secs(1);

fn failures() -> Vec<CalloutReply> {
    let answered = |status, body: &str| CalloutReply::Answered { status, body: body.as_bytes().to_vec() };
    vec![
        CalloutReply::Failed,
        CalloutReply::NotSent,
        CalloutReply::TooLarge,
        answered(503, ""),
        answered(204, ""),
        answered(200, ""),
        answered(200, "not json"),
        answered(200, r#"{"keys":[]}"#),
        answered(200, r#"{"keys":{}}"#),
        answered(200, r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"AA","d":"AA"}]}"#),
        answered(302, r#"{"keys":[]}"#),
    ]
}

#[test]
fn everyone_who_waits_is_answered_by_one_fetch() {
    let mut scene = Scene::new(Value::Null);
    let good = scene.token("k1");
    let first = scene.request(1, "/x", Some(&good));
    let fetch = only_dispatch(&first, "idp");
    assert_eq!(outcomes(&first), []);
    let second = scene.request(2, "/x", Some(&good));
    assert!(dispatched(&second).is_empty() && outcomes(&second).is_empty());
    scene.request(3, "/admin", Some(&good));
    scene.request(4, "/x", Some(&scene.token("k2")));
    let answers = outcomes(&scene.reply(fetch, jwks(&["k1"])));
    assert_eq!(
        answers,
        [
            (1, Outcome::Resumed),
            (2, Outcome::Resumed),
            (3, refused(403, "insufficient_role")),
            (4, refused(401, "invalid_token")),
        ]
    );
    assert_eq!(outcomes(&scene.request(5, "/x", Some(&good))), [(5, Outcome::Resumed)]);
}

#[test]
fn a_key_outage_is_503_and_never_a_pass() {
    for failure in failures() {
        let mut scene = Scene::new(Value::Null);
        let token = scene.token("k1");
        let fetch = only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
        assert_eq!(
            outcomes(&scene.reply(fetch, failure.clone())),
            [(1, refused(503, "keys_unavailable"))],
            "{failure:?}"
        );
        let next = scene.request(2, "/x", Some(&token));
        assert_eq!(outcomes(&next), [(2, refused(503, "keys_unavailable"))]);
        assert!(dispatched(&next).is_empty(), "no second attempt within the pause");
        scene.wait(SECOND);
        let fetch = only_dispatch(&scene.request(3, "/x", Some(&token)), "idp");
        assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k1"]))), [(3, Outcome::Resumed)]);
    }
}

#[test]
fn pauses_grow_and_are_bounded() {
    let mut scene = Scene::new(Value::Null);
    let mut attempts = 0_u32;
    for _second in 0..600 {
        for callout in
            dispatched(&scene.handle(Event::Tick)).iter().map(|callout| callout.id).collect::<Vec<_>>()
        {
            attempts += 1;
            scene.reply(callout, CalloutReply::Failed);
        }
        scene.wait(SECOND);
    }
    assert!((20..=30).contains(&attempts), "{attempts} attempts in ten minutes");
}

#[test]
fn the_last_good_keys_serve_during_an_outage_and_not_for_ever() {
    let mut scene = Scene::new(Value::Null);
    let token = scene.token("k1");
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    scene.wait(11 * 60 * SECOND);
    let stale = scene.request(2, "/x", Some(&token));
    assert_eq!(outcomes(&stale), [(2, Outcome::Resumed)], "the request does not wait for the refresh");
    scene.reply(only_dispatch(&stale, "idp"), CalloutReply::Failed);
    assert_eq!(outcomes(&scene.request(3, "/x", Some(&token))), [(3, Outcome::Resumed)]);
    scene.wait(60 * 60 * SECOND);
    let fresh = scene.token("k1");
    let late = scene.request(4, "/x", Some(&fresh));
    assert_eq!(outcomes(&late), []);
    let fetch = only_dispatch(&late, "idp");
    assert_eq!(outcomes(&scene.reply(fetch, CalloutReply::Failed)), [(4, refused(503, "keys_unavailable"))]);
}

#[test]
fn a_new_key_is_found_by_its_unknown_id() {
    let mut scene = Scene::new(Value::Null);
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&scene.token("k1"))), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    scene.wait(10 * SECOND);
    let rotated = scene.token("k2");
    let fetch = only_dispatch(&scene.request(2, "/x", Some(&rotated)), "idp");
    assert_eq!(
        outcomes(&scene.request(3, "/x", Some(&scene.token("k1")))),
        [(3, Outcome::Resumed)],
        "others go on"
    );
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k2"]))), [(2, Outcome::Resumed)]);
    assert_eq!(
        outcomes(&scene.request(4, "/x", Some(&scene.token("k1")))),
        [(4, refused(401, "invalid_token"))]
    );
}

#[test]
fn a_token_that_names_no_key_finds_the_new_one_too() {
    let mut scene = Scene::new(Value::Null);
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&scene.token("k1"))), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    scene.wait(10 * SECOND);
    let nameless = scene.nameless_token("k2");
    let fetch = only_dispatch(&scene.request(2, "/x", Some(&nameless)), "idp");
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k2"]))), [(2, Outcome::Resumed)]);
    let forged = scene.nameless_token("k3");
    let commands = scene.request(3, "/x", Some(&forged));
    assert!(dispatched(&commands).is_empty(), "one fetch in each interval, whoever asks");
    assert_eq!(outcomes(&commands), [(3, refused(401, "invalid_signature"))]);
}

#[test]
fn a_new_key_that_cannot_be_fetched_is_our_fault() {
    let mut scene = Scene::new(Value::Null);
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&scene.token("k1"))), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    scene.wait(10 * SECOND);
    let fetch = only_dispatch(&scene.request(2, "/x", Some(&scene.token("k2"))), "idp");
    assert_eq!(outcomes(&scene.reply(fetch, CalloutReply::Failed)), [(2, refused(503, "keys_unavailable"))]);
    assert_eq!(outcomes(&scene.request(3, "/x", Some(&scene.token("k1")))), [(3, Outcome::Resumed)]);
}

#[test]
fn ten_thousand_made_up_key_ids_cause_one_fetch_in_each_interval() {
    let mut scene = Scene::new(Value::Null);
    let fetch = only_dispatch(&scene.request(0, "/x", Some(&scene.token("k1"))), "idp");
    scene.reply(fetch, jwks(&["k1"]));
    scene.wait(10 * SECOND);
    let mut fetches = 0;
    for number in 0..10_000 {
        let commands = scene.request(number, "/x", Some(&scene.token(&format!("made-up-{number}"))));
        for callout in dispatched(&commands).iter().map(|callout| callout.id).collect::<Vec<_>>() {
            fetches += 1;
            scene.reply(callout, jwks(&["k1"]));
        }
    }
    assert_eq!(fetches, 1);
}

#[test]
fn what_is_no_token_waits_for_no_key() {
    let mut scene = Scene::new(Value::Null);
    for (number, token) in ["", "garbage", "a.b.c", "a.b.c.d"].into_iter().enumerate() {
        let commands = scene.request(u32::try_from(number).unwrap(), "/x", Some(token));
        let [(_, outcome)] = &outcomes(&commands)[..] else { panic!("{commands:?}") };
        assert_eq!(*outcome, refused(401, "invalid_token"), "{token}");
        assert!(dispatched(&commands).is_empty());
    }
}

#[test]
fn the_room_to_wait_in_is_bounded_and_is_given_back() {
    let mut scene = Scene::new(Value::Null);
    let token = scene.token("k1");
    let fetch = only_dispatch(&scene.request(0, "/x", Some(&token)), "idp");
    for number in 1..1024 {
        assert_eq!(outcomes(&scene.request(number, "/x", Some(&token))), []);
    }
    assert_eq!(outcomes(&scene.request(2000, "/x", Some(&token))), [(2000, refused(503, "overloaded"))]);
    assert_eq!(outcomes(&scene.request(2001, "/public", None)), [(2001, Outcome::Resumed)]);
    scene.handle(Event::Finished { exchange: ExchangeId(7) });
    assert_eq!(outcomes(&scene.request(2002, "/x", Some(&token))), []);
    let answers = outcomes(&scene.reply(fetch, jwks(&["k1"])));
    assert_eq!(answers.len(), 1024);
    assert!(answers.iter().all(|(exchange, outcome)| *exchange != 7 && *outcome == Outcome::Resumed));
}

#[test]
fn a_host_that_never_reports_is_not_waited_for() {
    let mut scene = Scene::new(Value::Null);
    let token = scene.token("k1");
    let lost = only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
    scene.wait(4 * SECOND);
    let tick = scene.handle(Event::Tick);
    assert_eq!(outcomes(&tick), [(1, refused(503, "keys_unavailable"))]);
    let again = only_dispatch(&tick, "idp");
    assert_eq!(outcomes(&scene.request(2, "/x", Some(&token))), []);
    assert_eq!(outcomes(&scene.reply(lost, jwks(&["k1"]))), [], "it has been given up");
    assert_eq!(outcomes(&scene.reply(again, jwks(&["k1"]))), [(2, Outcome::Resumed)]);
}

#[test]
fn a_reply_counts_once_and_an_unknown_one_not_at_all() {
    let mut scene = Scene::new(Value::Null);
    let token = scene.token("k1");
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
    let other = portcullis_filter::gate::CalloutId(fetch.0 + 1);
    assert_eq!(outcomes(&scene.reply(other, jwks(&["k1"]))), []);
    assert_eq!(outcomes(&scene.reply(fetch, CalloutReply::Failed)), [(1, refused(503, "keys_unavailable"))]);
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k1"]))), []);
    assert_eq!(outcomes(&scene.request(2, "/x", Some(&token))), [(2, refused(503, "keys_unavailable"))]);
}

#[test]
fn an_expired_token_is_expired_even_if_it_waited() {
    let mut scene = Scene::new(Value::Null);
    let claims =
        json!({"iss": "https://issuer.example", "aud": "api", "sub": "a", "exp": 1_800_000_000 - 59});
    let token = signed("k1", &claims);
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
    scene.wait(SECOND);
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k1"]))), [(1, refused(401, "invalid_token"))]);
}

#[test]
fn keys_are_scoped_by_issuer() {
    let mut document = document();
    let mut other = document["authentication"]["methods"][0].clone();
    other["name"] = json!("others");
    other["jwt"]["issuer"] = json!("https://other.example");
    other["jwt"]["cluster"] = json!("other-idp");
    document["authentication"]["methods"].as_array_mut().unwrap().push(other);
    let mut scene = Scene::of(&document);
    let claims = |issuer: &str| json!({"iss": issuer, "aud": "api", "sub": "a", "exp": 1_800_003_600});
    let theirs = signed("k1", &claims("https://other.example"));
    let fetch = only_dispatch(&scene.request(1, "/x", Some(&theirs)), "other-idp");
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k9"]))), [(1, refused(401, "invalid_token"))]);
    let ours = signed("k1", &claims("https://issuer.example"));
    let fetch = only_dispatch(&scene.request(2, "/x", Some(&ours)), "idp");
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k1"]))), [(2, Outcome::Resumed)]);
    assert_eq!(
        outcomes(&scene.request(3, "/x", Some(&theirs))),
        [(3, refused(401, "invalid_token"))],
        "a key of one issuer with the same id verifies nothing for the other"
    );
    let nobodys = signed("k1", &claims("https://nobody.example"));
    assert_eq!(outcomes(&scene.request(4, "/x", Some(&nobodys))), [(4, refused(401, "invalid_token"))]);
}

#[test]
fn a_clock_set_back_holds_nobody_up() {
    let hour = 60 * 60 * SECOND;
    let mut scene = Scene::new(Value::Null);
    let token = scene.token("k1");
    only_dispatch(&scene.request(1, "/x", Some(&token)), "idp");
    scene.set_clock_back(hour);
    let tick = scene.handle(Event::Tick);
    assert_eq!(
        outcomes(&tick),
        [(1, refused(503, "keys_unavailable"))],
        "who waits does not wait for the length of the step"
    );
    scene.reply(only_dispatch(&tick, "idp"), CalloutReply::Failed);
    scene.set_clock_back(hour);
    let fetch = only_dispatch(&scene.request(2, "/x", Some(&scene.token("k1"))), "idp");
    assert_eq!(outcomes(&scene.reply(fetch, jwks(&["k1"]))), [(2, Outcome::Resumed)], "nor does a retry");
    scene.set_clock_back(hour);
    let commands = scene.request(3, "/x", Some(&scene.token("k1")));
    assert_eq!(outcomes(&commands), [(3, Outcome::Resumed)]);
    scene.reply(only_dispatch(&commands, "idp"), jwks(&["k2"]));
    assert_eq!(
        outcomes(&scene.request(4, "/x", Some(&scene.token("k1")))),
        [(4, refused(401, "invalid_token"))],
        "keys from the future are fetched anew"
    );
}
