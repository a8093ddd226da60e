//! Bodies that come late, twice, too long, to nobody, or before the keys.

use std::time::Duration;

use portcullis_filter::gate::{Body, CalloutReply, Command, Event, ExchangeId, RequestHead};
use serde_json::json;

use crate::scene::{Outcome, Scene, document, jwks, only_dispatch, outcomes, refused};

const BOUND: usize = 100;

fn scene() -> Scene {
    let mut document = document();
    document["request"] = json!({"body": {"max_bytes": BOUND}});
    let conditions = json!([{"attribute": "context.body/amount", "operator": "lte", "value": 10}]);
    let route = json!({"methods": ["POST"], "path": "/pay", "conditions": conditions});
    document["authorization"]["routes"].as_array_mut().unwrap().push(route);
    Scene::of(&document)
}

/// A payment of Alice that has a body to come.
fn pay(scene: &mut Scene, exchange: u32, kid: &str) -> Vec<Command> {
    let bearer = format!("Bearer {}", scene.token(kid));
    let lines = [
        (":method", "POST"),
        (":authority", "api.example"),
        (":path", "/pay"),
        ("content-type", "application/json"),
        ("authorization", &bearer),
    ];
    let head = RequestHead { headers: lines.into_iter().collect(), ..RequestHead::default() };
    scene.handle(Event::Head { exchange: ExchangeId(exchange), head })
}

fn body(scene: &mut Scene, exchange: u32, body: Body) -> Vec<(u32, Outcome)> {
    outcomes(&scene.handle(Event::Body { exchange: ExchangeId(exchange), body }))
}

fn arrived(text: &str) -> Body {
    Body::Arrived(text.as_bytes().to_vec())
}

/// A gate that has its keys.
fn warm() -> Scene {
    let mut scene = scene();
    let callout = only_dispatch(&pay(&mut scene, 1000, "k1"), "idp");
    assert_eq!(outcomes(&scene.reply(callout, jwks(&["k1"]))), []);
    assert_eq!(body(&mut scene, 1000, arrived(r#"{"amount": 1}"#)), [(1000, Outcome::Resumed)]);
    scene
}

#[test]
fn a_body_counts_once_and_for_who_waits_for_it() {
    let mut scene = warm();
    assert_eq!(outcomes(&pay(&mut scene, 1, "k1")), []);
    assert_eq!(scene.gate.body_bound(ExchangeId(1)), Some(BOUND));
    assert_eq!(body(&mut scene, 2, arrived(r#"{"amount": 1}"#)), [], "nobody waits there");
    assert_eq!(body(&mut scene, 1, arrived(r#"{"amount": 11}"#)), [(1, refused(403, "access_denied"))]);
    assert_eq!(scene.gate.body_bound(ExchangeId(1)), None);
    assert_eq!(body(&mut scene, 1, arrived(r#"{"amount": 1}"#)), [], "the second body");
    assert_eq!(outcomes(&pay(&mut scene, 3, "k1")), []);
    assert_eq!(body(&mut scene, 3, Body::TooLarge), [(3, refused(413, "body_too_large"))]);
    assert_eq!(outcomes(&pay(&mut scene, 4, "k1")), []);
    assert_eq!(body(&mut scene, 4, Body::Unknown), [(4, refused(403, "access_denied"))]);
    assert_eq!(outcomes(&pay(&mut scene, 5, "k1")), []);
    scene.handle(Event::Finished { exchange: ExchangeId(5) });
    assert_eq!(body(&mut scene, 5, arrived(r#"{"amount": 1}"#)), [], "the client has left");
}

#[test]
fn a_body_that_comes_late_comes_to_nobody() {
    let mut scene = warm();
    assert_eq!(outcomes(&pay(&mut scene, 1, "k1")), []);
    scene.wait(Duration::from_secs(14));
    assert_eq!(outcomes(&scene.handle(Event::Tick)), []);
    scene.wait(Duration::from_secs(1));
    assert_eq!(outcomes(&scene.handle(Event::Tick)), [(1, refused(408, "body_timeout"))]);
    assert_eq!(body(&mut scene, 1, arrived(r#"{"amount": 1}"#)), []);
}

#[test]
fn a_body_that_comes_before_the_keys_waits_with_its_request() {
    for (reply, outcome) in
        [(jwks(&["k1"]), Outcome::Resumed), (CalloutReply::Failed, refused(503, "keys_unavailable"))]
    {
        let mut scene = scene();
        let callout = only_dispatch(&pay(&mut scene, 1, "k1"), "idp");
        assert_eq!(body(&mut scene, 1, arrived(r#"{"amount": 1}"#)), []);
        assert_eq!(scene.gate.body_bound(ExchangeId(1)), None, "it is here");
        assert_eq!(body(&mut scene, 1, arrived(r#"{"amount": 11}"#)), [], "the second body");
        assert_eq!(outcomes(&scene.reply(callout, reply)), [(1, outcome)]);
    }
    let mut scene = scene();
    pay(&mut scene, 1, "k1");
    assert_eq!(body(&mut scene, 1, Body::TooLarge), [(1, refused(413, "body_too_large"))]);
}

#[test]
fn the_room_for_bodies_is_bounded() {
    let mut scene = warm();
    for exchange in 1..=1024 {
        if exchange != 1000 {
            assert_eq!(outcomes(&pay(&mut scene, exchange, "k1")), []);
        }
    }
    assert_eq!(outcomes(&pay(&mut scene, 2000, "k1")), []);
    assert_eq!(outcomes(&pay(&mut scene, 2001, "k1")), [(2001, refused(503, "overloaded"))]);
    assert_eq!(body(&mut scene, 7, arrived(r#"{"amount": 1}"#)), [(7, Outcome::Resumed)]);
    assert_eq!(outcomes(&pay(&mut scene, 2001, "k1")), []);
}
