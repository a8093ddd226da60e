//! A candidate beside the live policy: one answers, the other is counted and recorded, and nothing else of it is felt.

use std::time::Duration;

use portcullis_filter::gate::{CalloutReply, Command, Event};
use serde_json::{Value, json};

use crate::scene::{Outcome, Scene, dispatched, document, jwks, outcomes, refused, signed};

/// A gate with a candidate, and everything it has counted and recorded.
struct Trial {
    scene: Scene,
    exchange: u32,
    counted: Vec<String>,
    records: Vec<Value>,
}

impl Trial {
    fn of(live: Value, candidate: Value, percentage: u8) -> Trial {
        let mut document = document();
        let CalloutReply::Answered { body, .. } = jwks(&["k1"]) else { panic!("a key set") };
        let jwt = &mut document["authentication"]["methods"][0]["jwt"];
        for remote in ["jwks_uri", "cluster", "jwks_cache_ttl"] {
            jwt.as_object_mut().unwrap().remove(remote);
        }
        jwt["jwks"] = serde_json::from_slice(&body).unwrap();
        jwt["claims"] = json!({"groups": "groups"});
        Trial::on(document, live, candidate, percentage)
    }

    fn on(mut document: Value, live: Value, candidate: Value, percentage: u8) -> Trial {
        document["authorization"] = live;
        document["candidate"] =
            json!({"name": "next", "authorization": candidate, "enforce": {"percentage": percentage}});
        document["audit"] =
            json!({"sink": {"cluster": "audit", "path": "/v1/batches"}, "max_pending": 64, "max_batch": 64});
        Trial { scene: Scene::of(&document), exchange: 0, counted: Vec::new(), records: Vec::new() }
    }

    fn ask(&mut self, path: &str, claims: Option<Value>) -> Outcome {
        let token = claims.map(|claims| signed("k1", &merged(claims)));
        self.send(path, token.as_deref())
    }

    fn send(&mut self, path: &str, token: Option<&str>) -> Outcome {
        self.exchange += 1;
        let commands = self.scene.request(self.exchange, path, token);
        self.note(&commands);
        let [(_, outcome)] = &outcomes(&commands)[..] else { panic!("{commands:?}") };
        outcome.clone()
    }

    /// The `candidate` of the last record.
    fn last_record(&mut self) -> Value {
        self.scene.wait(Duration::from_secs(1));
        let commands = self.scene.handle(Event::Tick);
        self.note(&commands);
        for id in dispatched(&commands).iter().map(|callout| callout.id) {
            self.scene.reply(id, CalloutReply::Answered { status: 204, body: Vec::new() });
        }
        self.records.last().expect("a record")["event"]["candidate"].clone()
    }

    /// What was counted of the candidate since the last time, without the names of policy and candidate.
    fn counted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.counted)
    }

    fn note(&mut self, commands: &[Command]) {
        let definitions = self.scene.gate.metrics().definitions();
        for command in commands {
            if let Command::Increment(index) = command
                && let Some(labels) = definitions[index.0].name.split_once(".candidate=next.")
            {
                self.counted.push(labels.1.to_owned());
            }
        }
        for callout in dispatched(commands) {
            let lines = callout.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            self.records.extend(lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()));
        }
    }
}

fn merged(mut claims: Value) -> Value {
    for (name, value) in [
        ("iss", json!("https://issuer.example")),
        ("aud", json!("api")),
        ("exp", json!(1_800_003_600)),
        ("sub", json!("alice")),
        ("tenant", json!("acme")),
    ] {
        claims.as_object_mut().unwrap().entry(name).or_insert(value);
    }
    claims
}

fn allow(name: &str, resource: &str, role: &str) -> Value {
    json!({"name": name, "effect": "allow", "action": "read", "resource": resource, "role": role})
}

/// Alice of acme is at place 16, and erin at 62: `printf 'portcullis candidate v1\nnext\nacme\nerin' | sha256sum`.
const BETWEEN_ALICE_AND_ERIN: u8 = 17;

fn viewers_and_writers(percentage: u8) -> Trial {
    Trial::of(
        json!({"rules": [allow("all-view", "/docs", "viewer"), allow("both", "/both", "viewer")]}),
        json!({"rules": [allow("writers", "/docs", "writer"), allow("drafts", "/drafts", "viewer"), allow("both-still", "/both", "viewer")]}),
        percentage,
    )
}

#[test]
fn a_shadow_is_counted_and_recorded_and_changes_nothing() {
    let mut trial = viewers_and_writers(0);
    let viewer = || Some(json!({"roles": ["viewer"]}));
    assert_eq!(trial.ask("/docs", viewer()), Outcome::Resumed);
    assert_eq!(trial.counted(), ["enforced=false", "rule=writers.change=newly_denied"]);
    assert_eq!(
        trial.last_record(),
        json!({"name": "next", "enforced": false, "change": "newly_denied", "decision": "deny",
               "code": "insufficient_role", "rules": ["writers"]})
    );
    assert_eq!(trial.ask("/drafts", viewer()), refused(403, "access_denied"));
    assert_eq!(trial.counted(), ["enforced=false", "rule=drafts.change=newly_allowed"]);
    assert_eq!(
        trial.last_record(),
        json!({"name": "next", "enforced": false, "change": "newly_allowed", "decision": "permit", "rules": ["drafts"]})
    );
    for (path, expected) in [("/both", Outcome::Resumed), ("/neither", refused(403, "access_denied"))] {
        assert_eq!(trial.ask(path, viewer()), expected);
        assert_eq!(trial.counted(), ["enforced=false"], "{path}");
        assert_eq!(trial.last_record(), Value::Null, "{path}");
    }
    assert_eq!(trial.ask("/docs", None), refused(401, "missing_token"), "nobody, for both");
    assert_eq!(trial.counted(), ["enforced=false"]);
}

#[test]
fn at_a_hundred_percent_the_candidate_answers_everyone_and_the_live_policy_is_the_shadow() {
    let mut trial = viewers_and_writers(100);
    let viewer = || Some(json!({"roles": ["viewer"]}));
    assert_eq!(trial.ask("/docs", viewer()), refused(403, "insufficient_role"));
    assert_eq!(trial.counted(), ["enforced=true", "rule=writers.change=newly_denied"]);
    assert_eq!(
        trial.last_record(),
        json!({"name": "next", "enforced": true, "change": "newly_denied", "decision": "deny",
               "code": "insufficient_role", "rules": ["writers"],
               "live": {"decision": "permit", "rules": ["all-view"]}})
    );
    assert_eq!(trial.ask("/drafts", viewer()), Outcome::Resumed);
    assert_eq!(trial.ask("/both", viewer()), Outcome::Resumed);
    assert_eq!(
        trial.last_record(),
        json!({"name": "next", "enforced": true, "decision": "permit", "rules": ["both-still"],
               "live": {"decision": "permit", "rules": ["both"]}})
    );
}

#[test]
fn a_subject_is_on_one_side_in_every_gate_and_at_any_time() {
    for _gate in 0..3 {
        let mut trial = viewers_and_writers(BETWEEN_ALICE_AND_ERIN);
        for _request in 0..5 {
            let as_viewer = |id: &str| Some(json!({"roles": ["viewer"], "sub": id}));
            assert_eq!(trial.ask("/docs", as_viewer("alice")), refused(403, "insufficient_role"));
            assert_eq!(trial.ask("/docs", as_viewer("erin")), Outcome::Resumed);
            assert_eq!(trial.ask("/drafts", as_viewer("alice")), Outcome::Resumed);
            assert_eq!(trial.ask("/drafts", as_viewer("erin")), refused(403, "access_denied"));
            trial.scene.wait(Duration::from_secs(60));
        }
    }
}

#[test]
fn a_candidate_that_cannot_decide_is_felt_only_where_it_is_enforced() {
    let live = || json!({"rules": [allow("all", "/docs", "*")]});
    let mut deny =
        json!({"name": "low", "effect": "deny", "action": "read", "resource": "/docs", "role": "*"});
    deny["conditions"] = json!([{"attribute": "level", "operator": "lt", "value": 3}]);
    let candidate = json!({"rules": [allow("all", "/docs", "*"), deny]});
    let mut shadow = Trial::of(live(), candidate.clone(), 0);
    for claims in [json!({}), json!({"level": "3"}), json!({"level": {"is": 3}}), json!({"level": null})] {
        assert_eq!(shadow.ask("/docs", Some(claims)), Outcome::Resumed);
        let counted = ["enforced=false", "rule=low.change=newly_denied", "rule=low.change=error"];
        assert_eq!(shadow.counted(), counted);
    }
    let mut enforced = Trial::of(live(), candidate, 100);
    assert_eq!(enforced.ask("/docs", Some(json!({}))), refused(403, "access_denied"));
    assert_eq!(enforced.ask("/docs", Some(json!({"level": 5}))), Outcome::Resumed);
}

#[test]
fn groups_that_cannot_be_read_refuse_only_who_is_answered_by_the_policy_that_needs_them() {
    let anyone = || json!({"rules": [allow("all", "/docs", "*")]});
    let staff = || json!({"groups": ["staff"], "rules": [allow("all", "/docs", "*")]});
    let unreadable = || Some(json!({"groups": {"staff": true}}));
    let in_staff = || Some(json!({"groups": ["staff"]}));

    let mut shadow = Trial::of(anyone(), staff(), 0);
    assert_eq!(shadow.ask("/docs", unreadable()), Outcome::Resumed);
    assert_eq!(shadow.counted(), ["enforced=false", "rule=invalid_token.change=newly_denied"]);
    assert_eq!(
        shadow.last_record(),
        json!({"name": "next", "enforced": false, "change": "newly_denied", "decision": "deny", "code": "invalid_token", "rules": []})
    );
    assert_eq!(shadow.ask("/docs", in_staff()), Outcome::Resumed);
    assert_eq!(shadow.counted(), ["enforced=false"], "and groups that can be read are seen by the candidate");

    let mut enforced = Trial::of(anyone(), staff(), 100);
    for _again in 0..3 {
        assert_eq!(enforced.ask("/docs", unreadable()), refused(401, "invalid_token"), "remembered or not");
    }
    assert_eq!(enforced.ask("/docs", in_staff()), Outcome::Resumed);

    let mut relaxed = Trial::of(staff(), anyone(), 100);
    assert_eq!(relaxed.ask("/docs", unreadable()), Outcome::Resumed);
    assert_eq!(relaxed.counted(), ["enforced=true", "rule=all.change=newly_allowed"]);
    let mut relaxed = Trial::of(staff(), anyone(), 0);
    assert_eq!(relaxed.ask("/docs", unreadable()), refused(401, "invalid_token"));

    let mut both = Trial::of(staff(), staff(), BETWEEN_ALICE_AND_ERIN);
    assert_eq!(both.ask("/docs", unreadable()), refused(401, "invalid_token"));
}

#[test]
fn a_public_route_stays_public_whatever_the_candidate_would_ask_for() {
    let live = || json!({"public": [{"methods": ["GET"], "path": "/docs"}]});
    let closed = || json!({"rules": [allow("writers", "/docs", "writer")]});
    let mut shadow = Trial::of(live(), closed(), 0);
    for token in [None, Some("garbage.token.here")] {
        assert_eq!(shadow.send("/docs", token), Outcome::Resumed);
        assert_eq!(shadow.counted(), ["enforced=false", "rule=missing_token.change=newly_denied"]);
    }
    assert_eq!(shadow.ask("/docs", Some(json!({"roles": ["writer"]}))), Outcome::Resumed);
    assert_eq!(shadow.counted(), ["enforced=false"], "the candidate knows who it is");
    assert_eq!(shadow.ask("/docs", Some(json!({"roles": ["viewer"]}))), Outcome::Resumed);
    assert_eq!(shadow.counted(), ["enforced=false", "rule=writers.change=newly_denied"]);

    let mut some = Trial::of(live(), closed(), BETWEEN_ALICE_AND_ERIN);
    assert_eq!(some.ask("/docs", Some(json!({}))), refused(403, "insufficient_role"), "alice");
    assert_eq!(some.ask("/docs", Some(json!({"sub": "erin"}))), Outcome::Resumed);
    assert_eq!(some.send("/docs", None), Outcome::Resumed, "nobody is on the live side");

    let mut all = Trial::of(live(), closed(), 100);
    assert_eq!(all.send("/docs", None), refused(401, "missing_token"));
    assert_eq!(all.send("/docs", Some("garbage.token.here")), refused(401, "invalid_token"));
}

#[test]
fn a_route_that_the_candidate_opens_is_open_to_those_it_answers() {
    let live = || json!({"rules": [allow("writers", "/docs", "writer")]});
    let open = || json!({"public": [{"methods": ["GET"], "path": "/docs"}]});
    let mut some = Trial::of(live(), open(), BETWEEN_ALICE_AND_ERIN);
    assert_eq!(some.ask("/docs", Some(json!({}))), Outcome::Resumed, "alice");
    assert_eq!(some.ask("/docs", Some(json!({"sub": "erin"}))), refused(403, "insufficient_role"));
    assert_eq!(some.send("/docs", None), refused(401, "missing_token"), "nobody is on the live side");
    let mut all = Trial::of(live(), open(), 100);
    assert_eq!(all.send("/docs", None), Outcome::Resumed);
    assert_eq!(all.send("/docs", Some("garbage.token.here")), Outcome::Resumed);
}

#[test]
fn no_request_waits_for_the_keys_or_the_record_of_a_candidate() {
    let live = json!({"public": [{"methods": ["GET"], "path": "/docs"}]});
    let candidate = json!({"routes": [{"methods": ["GET"], "path": "/docs", "audit": "acknowledged"}]});
    for percentage in [0, BETWEEN_ALICE_AND_ERIN] {
        let mut trial = Trial::on(document(), live.clone(), candidate.clone(), percentage);
        assert_eq!(trial.ask("/docs", Some(json!({}))), Outcome::Resumed, "no keys yet: nobody");
    }
    let mut trial = Trial::of(live, candidate, 0);
    assert_eq!(trial.ask("/docs", Some(json!({}))), Outcome::Resumed, "known, and not held back");
}

#[test]
fn a_candidate_that_denies_everything_and_one_that_says_nothing() {
    let live = || json!({"rules": [allow("all", "/**", "*")]});
    let all =
        json!({"rules": [{"effect": "deny", "action": "*", "resource": "/**", "role": "*", "name": "shut"}]});
    for (candidate, cause) in [(all, "shut"), (json!({}), "access_denied")] {
        let mut shadow = Trial::of(live(), candidate.clone(), 0);
        assert_eq!(shadow.ask("/docs", Some(json!({}))), Outcome::Resumed);
        assert_eq!(
            shadow.counted(),
            ["enforced=false".to_owned(), format!("rule={cause}.change=newly_denied")]
        );
        let mut enforced = Trial::of(live(), candidate, 100);
        assert_eq!(enforced.ask("/docs", Some(json!({}))), refused(403, "access_denied"));
    }
}

#[test]
fn another_share_is_another_document_on_record() {
    let digest = |percentage| {
        let mut trial = viewers_and_writers(percentage);
        trial.ask("/both", Some(json!({})));
        trial.last_record();
        trial.records[1]["event"]["policy_digest"].clone()
    };
    assert_ne!(digest(0), digest(1));
    assert_eq!(digest(1), digest(1));
}

#[test]
fn neither_token_nor_claim_is_on_record() {
    let mut trial = viewers_and_writers(100);
    let token = signed("k1", &merged(json!({"roles": ["viewer"], "secret": "hunter2"})));
    trial.send("/docs", Some(&token));
    trial.last_record();
    let text = format!("{:?}{:?}", trial.records, trial.scene.gate.metrics().definitions());
    for secret in [token.as_str(), "hunter2"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
