//! Records that the sink takes late, or not at all.

use std::time::Duration;

use portcullis_filter::gate::{CalloutReply, Command, Event, ExchangeId, RequestHead};
use serde_json::{Value, json};

use crate::scene::{Outcome, Scene, dispatched, document, jwks, only_dispatch, outcomes, refused, signed};

const SECOND: Duration = Duration::from_secs(1);

fn audit(when_full: &str) -> Value {
    json!({"sink": {"cluster": "audit", "path": "/v1/batches"}, "when_full": when_full, "max_pending": 16, "max_batch": 16})
}

fn acknowledged() -> CalloutReply {
    CalloutReply::Answered { status: 204, body: Vec::new() }
}

fn lines(commands: &[Command]) -> Vec<Value> {
    let bodies = dispatched(commands).into_iter().filter(|callout| callout.cluster == "audit");
    let text: Vec<u8> = bodies.flat_map(|callout| callout.body.clone()).collect();
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The first gap on record.
fn gap(records: &[Value]) -> &Value {
    let mut events = records.iter().map(|record| &record["event"]);
    events.find(|event| event["kind"] == "gap").unwrap_or_else(|| panic!("{records:#?}"))
}

#[test]
fn every_decision_is_on_record_without_the_token() {
    let mut scene = Scene::new(audit("refuse"));
    let token = scene.token("k1");
    scene.request(1, "/public?access=secret", None);
    scene.request(2, "/x", None);
    scene.request(3, "/x", Some("garbage.token.here"));
    scene.wait(SECOND);
    let commands = scene.handle(Event::Tick);
    let records = lines(&commands);
    let codes: Vec<Option<&str>> =
        records.iter().skip(1).map(|record| record["event"]["code"].as_str()).collect();
    assert_eq!(codes, [None, Some("missing_token"), Some("invalid_token")], "{records:#?}");
    let text = format!("{records:?}");
    for secret in [token.as_str(), "garbage", "secret"] {
        assert!(!text.contains(secret), "{secret} is on record");
    }
}

#[test]
fn a_sink_that_is_down_stops_requests_when_the_document_says_so() {
    let mut scene = Scene::new(audit("refuse"));
    let (mut refusals, mut sent) = (0, Vec::new());
    for number in 0..40 {
        let commands = scene.request(number, "/public", None);
        sent.extend(dispatched(&commands).iter().map(|callout| callout.id));
        let answers = outcomes(&commands);
        match &answers[..] {
            [(_, Outcome::Resumed)] => assert_eq!(refusals, 0, "once full, always full"),
            [(_, outcome)] => {
                assert_eq!(*outcome, refused(503, "audit_unavailable"));
                refusals += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refusals > 20, "{refusals}");
    let stranger = outcomes(&scene.request(90, "/x", None));
    assert_eq!(stranger, [(90, refused(401, "missing_token"))], "counted towards the gap");
    let [batch] = sent[..] else { panic!("a full buffer is sent without waiting: {sent:?}") };
    scene.reply(batch, acknowledged());
    assert_eq!(outcomes(&scene.request(91, "/public", None)), [(91, Outcome::Resumed)]);
}

#[test]
fn a_flood_from_strangers_leaves_room_for_those_who_are_known() {
    let mut scene = Scene::new(audit("refuse"));
    for number in 0..10_000 {
        assert_eq!(outcomes(&scene.request(number, "/x", None)), [(number, refused(401, "missing_token"))]);
    }
    let mut records = Vec::new();
    for number in 20_000..20_005 {
        let commands = scene.request(number, "/public", None);
        assert_eq!(outcomes(&commands), [(number, Outcome::Resumed)]);
        records.extend(lines(&commands));
    }
    scene.wait(SECOND);
    records.extend(lines(&scene.handle(Event::Tick)));
    assert_eq!(gap(&records)["cause"], "strangers");
    assert!(gap(&records)["lost"].as_u64().unwrap() > 9_900, "{records:#?}");
}

#[test]
fn a_sink_that_is_down_loses_records_visibly_when_the_document_says_so() {
    let mut scene = Scene::new(audit("drop"));
    let mut sent = Vec::new();
    for number in 0..40 {
        let commands = scene.request(number, "/public", None);
        assert_eq!(outcomes(&commands), [(number, Outcome::Resumed)]);
        sent.extend(dispatched(&commands).iter().map(|callout| callout.id));
    }
    let [batch] = sent[..] else { panic!("a full buffer is sent without waiting: {sent:?}") };
    scene.reply(batch, acknowledged());
    scene.request(90, "/public", None);
    scene.wait(SECOND);
    let records = lines(&scene.handle(Event::Tick));
    assert!(gap(&records)["lost"].as_u64().unwrap() > 20, "{records:#?}");
}

fn with_acknowledged_route() -> Scene {
    let mut document = document();
    document["audit"] = audit("refuse");
    document["authorization"]["routes"][0]["audit"] = json!("acknowledged");
    document["authorization"]["routes"][0]["authentication"] = json!("optional");
    Scene::of(&document)
}

#[test]
fn a_request_that_waits_for_its_record_goes_on_when_it_is_acknowledged() {
    let mut scene = with_acknowledged_route();
    let commands = scene.request(1, "/x", None);
    assert_eq!(outcomes(&commands), []);
    let batch = only_dispatch(&commands, "audit");
    let second = scene.request(2, "/x", None);
    assert!(outcomes(&second).is_empty() && dispatched(&second).is_empty(), "one batch at a time");
    let commands = scene.reply(batch, acknowledged());
    assert_eq!(outcomes(&commands), [(1, Outcome::Resumed)]);
    let batch = only_dispatch(&commands, "audit");
    assert_eq!(outcomes(&scene.reply(batch, acknowledged())), [(2, Outcome::Resumed)]);
}

#[test]
fn a_request_whose_record_is_not_acknowledged_is_refused() {
    for reply in [
        CalloutReply::Failed,
        CalloutReply::NotSent,
        CalloutReply::TooLarge,
        CalloutReply::Answered { status: 500, body: Vec::new() },
        CalloutReply::Answered { status: 302, body: Vec::new() },
    ] {
        let mut scene = with_acknowledged_route();
        let batch = only_dispatch(&scene.request(1, "/x", None), "audit");
        assert_eq!(outcomes(&scene.reply(batch, reply.clone())), [], "{reply:?}: it may still come");
        scene.wait(5 * SECOND);
        assert_eq!(
            outcomes(&scene.handle(Event::Tick)),
            [(1, refused(503, "audit_unavailable"))],
            "{reply:?}"
        );
    }
}

#[test]
fn a_clock_set_back_does_not_keep_records_back() {
    let mut scene = Scene::new(audit("refuse"));
    scene.request(1, "/public", None);
    scene.wait(SECOND);
    let batch = only_dispatch(&scene.handle(Event::Tick), "audit");
    scene.reply(batch, CalloutReply::Failed);
    scene.set_clock_back(60 * 60 * SECOND);
    let batch = only_dispatch(&scene.handle(Event::Tick), "audit");
    scene.reply(batch, acknowledged());
    scene.request(2, "/public", None);
    scene.set_clock_back(60 * 60 * SECOND);
    only_dispatch(&scene.handle(Event::Tick), "audit");
}

#[test]
fn a_permit_that_was_not_carried_out_is_taken_back_on_record() {
    let mut scene = Scene::new(audit("refuse"));
    let commands = scene.request(1, "/public", None);
    let record = commands.iter().find_map(|command| match command {
        Command::Resume { record, .. } => *record,
        _other => None,
    });
    scene.handle(Event::Unperformed { record });
    scene.wait(SECOND);
    let records = lines(&scene.handle(Event::Tick));
    assert_eq!(records[1]["event"]["decision"], "permit");
    assert_eq!(records[2]["event"]["kind"], "unperformed");
    assert_eq!(records[2]["event"]["decision"], records[1]["sequence"]);
}

#[test]
fn a_client_that_leaves_while_its_record_is_on_the_way_is_taken_back_too() {
    let mut scene = with_acknowledged_route();
    let batch = only_dispatch(&scene.request(1, "/x", None), "audit");
    scene.handle(Event::Finished { exchange: ExchangeId(1) });
    assert_eq!(outcomes(&scene.reply(batch, acknowledged())), []);
    scene.wait(SECOND);
    let records = lines(&scene.handle(Event::Tick));
    assert_eq!(records[0]["event"]["kind"], "unperformed");
}

#[test]
fn a_retired_gate_hands_over_its_last_records_and_goes() {
    let mut scene = Scene::new(audit("refuse"));
    scene.request(1, "/public", None);
    let commands = scene.handle(Event::Retired);
    assert!(!commands.iter().any(|command| matches!(command, Command::Release)));
    assert_eq!(lines(&commands).last().unwrap()["event"]["kind"], "close");
    let batch = only_dispatch(&commands, "audit");
    let commands = scene.reply(batch, acknowledged());
    assert!(commands.iter().any(|command| matches!(command, Command::Release)));
}

#[test]
fn a_retired_gate_does_not_wait_for_ever() {
    let mut scene = Scene::new(audit("refuse"));
    scene.handle(Event::Retired);
    scene.wait(31 * SECOND);
    let commands = scene.handle(Event::Tick);
    assert!(commands.iter().any(|command| matches!(command, Command::Release)));
    assert!(
        commands
            .iter()
            .any(|command| matches!(command, Command::Log(_, line) if line.contains("not acknowledged")))
    );
}

#[test]
fn what_a_decision_was_made_by_is_on_record_where_it_is_not_plain() {
    let mut document = document();
    document["audit"] = audit("refuse");
    document["request"] = json!({"ambiguous_path": "normalize"});
    document["tenancy"] = json!({
        "default": "acme", "bind": [{"header": "x-org"}], "cross_tenant": {"roles": ["support"]},
    });
    document["authentication"]["methods"][0]["jwt"]["claims"] = json!({"tenant": "org", "roles": "roles"});
    document["authorization"]["routes"][0]["path"] = json!("/**");
    let mut scene = Scene::of(&document);
    let claims = json!({"iss": "https://issuer.example", "aud": "api", "sub": "alice", "exp": 1_900_000_000});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims["roles"] = json!(["support"]);
        signed("k1", &claims)
    };
    let (no_tenant, umbra) = (signed("k1", &claims), with("org", json!("umbra")));
    type Lines<'a> = &'a [(&'a str, &'a str)];
    let asked: [(&str, &str, Lines<'_>); 6] = [
        ("/x", &no_tenant, &[]),
        ("/x", &umbra, &[("x-org", "acme")]),
        ("/x", &umbra, &[]),
        ("/a//x", &umbra, &[]),
        ("/x", &umbra, &[("connection", "Upgrade"), ("upgrade", "WebSocket"), ("upgrade", "websocket")]),
        ("/x", &umbra, &[("connection", "close"), ("upgrade", "websocket")]),
    ];
    for (number, (path, token, headers)) in (1..).zip(asked) {
        let mut all = vec![(":method", "GET"), (":authority", "api.example"), (":path", path)];
        let bearer = format!("Bearer {token}");
        all.push(("authorization", &bearer));
        all.extend(headers);
        let head = RequestHead { headers: all.into_iter().collect(), ..RequestHead::default() };
        let commands = scene.handle(Event::Head { exchange: ExchangeId(number), head });
        if let [callout] = dispatched(&commands)[..] {
            scene.reply(callout.id, jwks(&["k1"]));
        }
    }
    scene.wait(SECOND);
    let commands = scene.handle(Event::Tick);
    let told: Vec<Value> = lines(&commands)
        .into_iter()
        .filter(|record| record["event"]["kind"] == "decision")
        .map(|record| {
            let told = |name: &str| record["event"].get(name).cloned();
            json!([
                told("tenant"),
                told("subject_tenant"),
                told("default_tenant"),
                told("path_normalized"),
                told("upgrade"),
                told("decision"),
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["acme", null, true, null, null, "permit"]),
            json!(["acme", "umbra", null, null, null, "permit"]),
            json!(["umbra", null, null, null, null, "permit"]),
            json!(["umbra", null, null, true, null, "permit"]),
            json!(["umbra", null, null, null, "WebSocket", "deny"]),
            json!(["umbra", null, null, null, null, "permit"]),
        ]
    );
}

#[test]
fn a_refusal_names_the_tenant_that_it_was_decided_in() {
    let mut document = document();
    document["audit"] = audit("refuse");
    document["tenancy"] = json!({
        "default": "acme", "bind": [{"header": "x-org"}], "cross_tenant": {"roles": ["support"]},
    });
    document["authentication"]["methods"][0]["jwt"]["claims"] = json!({"tenant": "org", "roles": "roles"});
    let mut scene = Scene::of(&document);
    let mut claims =
        json!({"iss": "https://issuer.example", "aud": "api", "sub": "alice", "exp": 1_900_000_000});
    let no_tenant = signed("k1", &claims);
    claims["org"] = json!("umbra");
    let umbra = signed("k1", &claims);
    claims["roles"] = json!(["support"]);
    let support = signed("k1", &claims);
    // No route is about this path; the second is refused for its tenant, before anything else is looked at.
    let asked = [
        (&no_tenant, None),
        (&no_tenant, Some("umbra")),
        (&umbra, None),
        (&umbra, Some("acme")),
        (&support, Some("acme")),
    ];
    for (number, (token, org)) in (1..).zip(asked) {
        let bearer = format!("Bearer {token}");
        let mut all = vec![(":method", "GET"), (":authority", "api.example"), (":path", "/nobodys")];
        all.push(("authorization", &bearer));
        all.extend(org.map(|org| ("x-org", org)));
        let head = RequestHead { headers: all.into_iter().collect(), ..RequestHead::default() };
        let commands = scene.handle(Event::Head { exchange: ExchangeId(number), head });
        if let [callout] = dispatched(&commands)[..] {
            scene.reply(callout.id, jwks(&["k1"]));
        }
    }
    scene.wait(SECOND);
    let told: Vec<Value> = lines(&scene.handle(Event::Tick))
        .into_iter()
        .filter(|record| record["event"]["kind"] == "decision")
        .map(|record| {
            let event = &record["event"];
            let crosses = event["cross_tenant"].clone();
            json!([event["code"], event["tenant"], event["default_tenant"], event["subject_tenant"], crosses])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["access_denied", "acme", true, null, false]),
            json!(["tenant_mismatch", "acme", true, null, false]),
            json!(["access_denied", "umbra", null, null, false]),
            json!(["tenant_mismatch", "umbra", null, null, false]),
            json!(["access_denied", "acme", null, "umbra", true]),
        ]
    );
}
