//! What happens to the built module when the world around it fails: issuers, sinks, clients, configurations, time.
//!
//! Every test ends where it matters: nobody got through who should not, and the next request is served.

use portcullis_tests::host::{Answer, Call, Callout, Envoy, Fault, LogLevel, Outcome, Request, Stream};
use portcullis_tests::scene::Scene;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Duration;

/// Keys and module are made once for all tests of this file.
static SCENE: LazyLock<Scene> = LazyLock::new(Scene::new);

/// Longer than any timeout and retry of the scene's document.
const LONG: Duration = Duration::from_secs(60);

/// Requests that may wait in one worker, as the module's own bound has it.
const MAX_WAITING: usize = 1024;

fn code(outcome: &Outcome) -> String {
    outcome.reply().code().unwrap_or_default()
}

/// The world with the issuer answering this, and the sink well.
fn issuer_says(answer: Option<Answer>) -> impl FnMut(&Callout) -> Option<Answer> {
    move |callout| if callout.cluster == "idp" { answer.clone() } else { Some(Answer::new(204, "")) }
}

fn is_served(envoy: &mut Envoy) {
    let stream = envoy.worker(0).request(SCENE.good());
    let outcome = envoy.decide(stream, LONG, SCENE.world());
    assert!(matches!(outcome, Outcome::Continued { .. }), "{outcome:?}");
    envoy.worker(0).finish(stream);
}

// The issuer

#[test]
fn a_key_set_nobody_should_read_is_an_outage() {
    let large = format!(r#"{{"keys": [], "padding": "{}"}}"#, "x".repeat(8 * 1024 * 1024));
    let many = SCENE.keys.jwks(&["ES256"; 2_000].join(",")).unwrap().to_string();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [large, many, deep, "null".to_owned(), r#"{"keys": 7}"#.to_owned(), "\u{feff}{}".to_owned()] {
        let mut envoy = SCENE.start(Value::Null);
        let stream = envoy.worker(0).request(SCENE.good());
        let outcome = envoy.decide(stream, LONG, issuer_says(Some(Answer::json(200, &body))));
        let start: String = body.chars().take(40).collect();
        assert_eq!((outcome.status(), code(&outcome).as_str()), (Some(503), "keys_unavailable"), "{start}");
        envoy.run_for(LONG, SCENE.world());
        is_served(&mut envoy);
    }
}

#[test]
fn keys_that_are_no_utf8_or_cut_off_are_an_outage() {
    let jwks = SCENE.keys.jwks("ES256").unwrap().to_string().into_bytes();
    let mut bytes = jwks.clone();
    bytes[10] = 0xff;
    for body in [bytes, jwks[..jwks.len() - 1].to_vec(), b"\xff\xfe".to_vec()] {
        let mut envoy = SCENE.start(Value::Null);
        let stream = envoy.worker(0).request(SCENE.good());
        let outcome = envoy.decide(stream, LONG, issuer_says(Some(Answer::new(200, body.clone()))));
        assert_eq!(code(&outcome), "keys_unavailable");
    }
}

#[test]
fn an_issuer_that_answers_without_a_status_is_an_outage() {
    for status in ["", "ok", "2000", "\u{ff12}00"] {
        let mut envoy = SCENE.start(Value::Null);
        let stream = envoy.worker(0).request(SCENE.good());
        let jwks = SCENE.keys.jwks("ES256").unwrap();
        let answer = Answer::reset().header(":status", status).header("x", jwks.to_string());
        assert_eq!(code(&envoy.decide(stream, LONG, issuer_says(Some(answer)))), "keys_unavailable");
    }
}

#[test]
fn a_cluster_that_is_not_there_yet_is_an_outage_that_ends() {
    let mut envoy = SCENE.start(Value::Null);
    envoy.remove_cluster("idp");
    let stream = envoy.worker(0).request(SCENE.good());
    assert_eq!(code(&envoy.decide(stream, LONG, SCENE.world())), "keys_unavailable");
    envoy.add_cluster("idp");
    envoy.run_for(LONG, SCENE.world());
    is_served(&mut envoy);
}

#[test]
fn keys_stay_in_use_while_the_issuer_is_down_and_not_for_ever() {
    let mut envoy = SCENE.start_warm(Value::Null);
    let mut down = issuer_says(Some(Answer::unreachable()));
    envoy.run_for(Duration::from_secs(30 * 60), &mut down);
    is_served(&mut envoy);
    let mut envoy = SCENE.start_warm(Value::Null);
    envoy.run_for(Duration::from_secs(24 * 60 * 60 - 60), &mut down);
    let stream = envoy.worker(0).request(SCENE.good());
    assert_eq!(
        code(&envoy.decide(stream, LONG, &mut down)),
        "keys_unavailable",
        "a withdrawn key must die one day"
    );
}

#[test]
fn an_issuer_that_is_down_is_not_hammered() {
    let mut envoy = SCENE.start(Value::Null);
    let mut fetches = 0;
    envoy.run_for(Duration::from_secs(600), |callout| {
        fetches += usize::from(callout.cluster == "idp");
        Some(Answer::unreachable())
    });
    assert!((2..=100).contains(&fetches), "{fetches} fetches by two VMs in ten minutes");
}

#[test]
fn made_up_key_ids_cause_few_fetches() {
    let mut envoy = SCENE.start_warm(Value::Null);
    let token = SCENE.token(json!({"header": {"kid": "made-up"}}));
    let mut fetches = 0;
    let mut world = SCENE.world();
    for _ in 0..200 {
        let stream = envoy.worker(0).request(Request::get("/v1/objects/1").bearer(&token));
        let outcome = envoy.decide(stream, LONG, |callout| {
            fetches += 1;
            world(callout)
        });
        assert_eq!(outcome.status(), Some(401));
        envoy.advance(Duration::from_millis(50));
    }
    assert!(fetches <= 4, "{fetches} fetches for 200 made-up key ids in ten seconds");
}

#[test]
fn a_new_key_is_found_when_a_token_names_it() {
    let mut envoy = SCENE.start(Value::Null);
    let mut old = issuer_says(Some(Answer::json(200, SCENE.keys.jwks("RS256").unwrap())));
    envoy.run_for(Duration::from_secs(11), &mut old);
    is_served(&mut envoy);
}

// Waiting

fn wait(envoy: &mut Envoy, count: usize) -> Vec<Stream> {
    (0..count).map(|_| envoy.worker(0).request(SCENE.good())).collect()
}

#[test]
fn requests_wait_together_for_one_fetch() {
    let mut envoy = SCENE.start(Value::Null);
    let streams = wait(&mut envoy, 50);
    let forged = envoy.worker(0).request(SCENE.forged());
    envoy.advance(Duration::from_millis(100));
    assert!(streams.iter().all(|stream| envoy.outcome(*stream) == Outcome::Paused));
    assert_eq!(envoy.worker(0).callouts().len(), 1);
    envoy.run_for(Duration::from_millis(100), SCENE.world());
    assert!(streams.iter().all(|stream| matches!(envoy.outcome(*stream), Outcome::Continued { .. })));
    assert_eq!(envoy.outcome(forged).status(), Some(401));
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let mut envoy = SCENE.start(Value::Null);
    let streams = wait(&mut envoy, MAX_WAITING + 5);
    let outcomes: Vec<_> = streams.iter().map(|stream| envoy.outcome(*stream)).collect();
    assert!(outcomes[..MAX_WAITING].iter().all(|outcome| *outcome == Outcome::Paused));
    assert!(outcomes[MAX_WAITING..].iter().all(|outcome| code(outcome) == "overloaded"));
    envoy.run_for(Duration::from_secs(1), SCENE.world());
    assert!(matches!(envoy.outcome(streams[0]), Outcome::Continued { .. }));
    is_served(&mut envoy);
}

#[test]
fn an_issuer_that_never_answers_ends_the_wait_even_if_the_host_forgets_to_say_so() {
    let mut envoy = SCENE.start(Value::Null);
    let streams = wait(&mut envoy, 3);
    envoy.run_for(LONG, |_| None);
    assert!(streams.iter().all(|stream| code(&envoy.outcome(*stream)) == "keys_unavailable"));
}

#[test]
fn clients_that_leave_while_they_wait_harm_nobody() {
    let mut envoy = SCENE.start(Value::Null);
    let streams = wait(&mut envoy, 20);
    envoy.advance(Duration::from_millis(100));
    for stream in streams.iter().step_by(2) {
        envoy.worker(0).abort(*stream);
    }
    let callout = envoy.worker(0).callouts().remove(0);
    let jwks = Answer::json(200, SCENE.keys.jwks("ES256").unwrap());
    envoy.worker(0).answer(&callout, jwks.clone());
    envoy.worker(0).answer(&callout, jwks);
    for (index, stream) in streams.iter().enumerate() {
        let outcome = envoy.outcome(*stream);
        assert_eq!(outcome == Outcome::Aborted, index % 2 == 0, "{outcome:?}");
    }
    is_served(&mut envoy);
}

#[test]
fn those_who_left_make_room_for_others() {
    let mut envoy = SCENE.start(Value::Null);
    for stream in wait(&mut envoy, MAX_WAITING) {
        envoy.worker(0).abort(stream);
    }
    let streams = wait(&mut envoy, MAX_WAITING);
    assert!(streams.iter().all(|stream| envoy.outcome(*stream) == Outcome::Paused));
}

// Configuration

#[test]
fn a_request_that_waits_is_decided_by_the_configuration_it_came_under() {
    let mut envoy = SCENE.start(Value::Null);
    let before = envoy.worker(0).request(SCENE.good());
    envoy.advance(Duration::from_millis(100));
    let closed = SCENE.document(json!({"name": "closed", "authorization": {}}));
    envoy.reconfigure(closed.to_string()).unwrap();
    let after = envoy.worker(0).request(SCENE.good());
    envoy.run_for(Duration::from_secs(5), SCENE.world());
    assert!(matches!(envoy.outcome(before), Outcome::Continued { .. }));
    assert_eq!(code(&envoy.outcome(after)), "access_denied");
}

#[test]
fn a_configuration_is_refused_with_every_reason_and_the_old_one_goes_on() {
    let two = json!({"methods": ["GET"], "path": "/a/{x}"});
    let roles = json!({"a": {"inherits": ["b"]}, "b": {"inherits": ["a"]}});
    let mut document =
        SCENE.document(json!({"authorization": {"routes": [two, two], "roles": roles}, "colour": "red"}));
    document["authentication"]["methods"][0]["jwt"]["audience"].take();
    document["authentication"]["methods"][0]["jwt"]["clock_skew_secs"] = 5.into();
    let mut envoy = SCENE.start_warm(Value::Null);
    let rejected = envoy.reconfigure(document.to_string()).unwrap_err();
    let errors: Vec<_> = rejected.log.iter().filter(|line| line.level >= LogLevel::Error).collect();
    let [line] = errors.as_slice() else { panic!("one line, not {errors:?}") };
    for reason in ["/colour", "clock_skew_seconds", "audience", "routes/1", "roles"] {
        assert!(line.message.contains(reason), "{reason}: {}", line.message);
    }
    assert!(!line.message.contains('\n'));
    is_served(&mut envoy);
}

#[test]
fn documents_that_must_not_load_do_not() {
    let edit = |change: fn(&mut Value)| {
        let mut document = SCENE.document(Value::Null);
        change(&mut document["authentication"]["methods"][0]["jwt"]);
        document
    };
    let hmac = |jwt: &mut Value| {
        jwt["algorithms"] = json!(["HS256"]);
        let members = jwt.as_object_mut().unwrap();
        members.remove("jwks_uri");
        members.remove("cluster");
    };
    let mut literal = edit(hmac);
    literal["authentication"]["methods"][0]["jwt"]["secret"] =
        "hunter2-hunter2-hunter2-hunter2-hunter2".into();
    let mut absent = edit(hmac);
    absent["authentication"]["methods"][0]["jwt"]["secret"] = "${NOT_SET}".into();
    let mut short = edit(hmac);
    short["authentication"]["methods"][0]["jwt"]["secret"] = "${SHORT}".into();
    let mut off = SCENE.document(Value::Null);
    off["authentication"] = json!({"disabled": true});
    let documents = [
        ("literal secret", literal.to_string()),
        ("secret not in the environment", absent.to_string()),
        ("secret too short", short.to_string()),
        ("authentication off with one lock", off.to_string()),
        ("no audience", edit(|jwt| drop(jwt.as_object_mut().unwrap().remove("audience"))).to_string()),
        ("no algorithm", edit(|jwt| jwt["algorithms"] = json!([])).to_string()),
        ("algorithm none", edit(|jwt| jwt["algorithms"] = json!(["none"])).to_string()),
        ("secret algorithm with public keys", edit(|jwt| jwt["algorithms"] = json!(["HS256"])).to_string()),
        ("two sources of keys", edit(|jwt| jwt["jwks"] = json!({"keys": []})).to_string()),
        ("plain http", edit(|jwt| jwt["jwks_uri"] = "http://auth.example.com/jwks".into()).to_string()),
        ("not JSON", "{".to_owned()),
        ("nothing", String::new()),
        ("version 2", SCENE.document(json!({"version": 2})).to_string()),
        ("a member twice", r#"{"version": 1, "version": 1}"#.to_owned()),
    ];
    for (what, document) in documents {
        let host = SCENE.host().env("SHORT", "0123456789abcdef0123456789abcde");
        let error = host.start(document).err().unwrap_or_else(|| panic!("{what} loads"));
        assert!(!error.to_string().contains("hunter2"), "the secret is in the log");
        assert!(!error.to_string().contains("0123456789abcdef"), "the secret is in the log");
        assert!(!error.log.is_empty(), "{what}: nothing says why");
    }
}

#[test]
fn authentication_is_off_with_two_locks_and_says_so() {
    let mut document = SCENE.document(Value::Null);
    document["authentication"] = json!({"disabled": true});
    let host = SCENE.host().env("PORTCULLIS_DISABLE_AUTHENTICATION", "true");
    let mut envoy = host.start(document.to_string()).unwrap();
    assert!(envoy.log().iter().any(|line| line.level >= LogLevel::Warn), "it must be loud");
    let spoofed = Request::get("/anything").header("x-user-id", "root");
    let outcome = envoy.worker(0).send(spoofed);
    assert!(!outcome.upstream().contains("x-user-id"), "identity headers are ours alone, even now");
}

// The sink

/// Every record that reached the sink, in order of arrival.
fn collecting<'a>(records: &'a mut Vec<Value>) -> impl FnMut(&Callout) -> Option<Answer> + 'a {
    let mut world = SCENE.world();
    move |callout| {
        if callout.cluster == "audit" {
            records.extend(callout.json_lines());
        }
        world(callout)
    }
}

fn sink_is_down() -> impl FnMut(&Callout) -> Option<Answer> {
    let mut world = SCENE.world();
    move |callout| if callout.cluster == "audit" { Some(Answer::unreachable()) } else { world(callout) }
}

#[test]
fn records_are_kept_until_the_sink_is_back_and_then_nothing_is_missing() {
    let mut envoy = SCENE.start(SCENE.audit("refuse", 20));
    envoy.run_for(Duration::from_millis(500), sink_is_down());
    let mut refused = 0;
    for _ in 0..40 {
        let stream = envoy.worker(0).request(SCENE.good());
        match envoy.decide(stream, LONG, sink_is_down()) {
            Outcome::Continued { .. } => assert_eq!(refused, 0, "no room is no room"),
            outcome => {
                assert_eq!(code(&outcome), "audit_unavailable");
                refused += 1;
            }
        }
        envoy.worker(0).finish(stream);
    }
    assert!((20..40).contains(&refused), "{refused} of 40 refused with room for 20 records");
    let mut records = Vec::new();
    envoy.run_for(Duration::from_secs(120), collecting(&mut records));
    let permits = records.iter().filter(|record| record["event"]["decision"] == "permit").count();
    assert_eq!(permits, 40 - refused, "each permit has its record, once");
    is_served(&mut envoy);
}

#[test]
fn a_document_may_choose_to_go_on_and_the_gap_is_on_record() {
    let mut envoy = SCENE.start(SCENE.audit("drop", 20));
    envoy.run_for(Duration::from_millis(500), sink_is_down());
    for _ in 0..40 {
        let stream = envoy.worker(0).request(SCENE.good());
        assert!(matches!(envoy.decide(stream, LONG, sink_is_down()), Outcome::Continued { .. }));
        envoy.worker(0).finish(stream);
    }
    let mut records = Vec::new();
    envoy.run_for(Duration::from_secs(120), collecting(&mut records));
    is_served(&mut envoy);
    envoy.run_for(Duration::from_secs(5), collecting(&mut records));
    assert!(records.iter().any(|record| record["event"]["kind"] == "gap"), "{:?}", records.last());
}

#[test]
fn a_sink_that_says_no_has_not_taken_anything() {
    for status in [400, 401, 404, 413, 429, 500, 503] {
        let mut envoy = SCENE.start_warm(SCENE.audit("refuse", 20));
        envoy.worker(0).send(SCENE.good());
        let mut world = SCENE.world();
        envoy.run_for(Duration::from_secs(10), |callout| match callout.cluster.as_str() {
            "audit" => Some(Answer::new(status, "")),
            _ => world(callout),
        });
        let mut records = Vec::new();
        envoy.run_for(Duration::from_secs(120), collecting(&mut records));
        let permits = records.iter().filter(|record| record["event"]["decision"] == "permit").count();
        assert_eq!(permits, 1, "after {status}");
    }
}

#[test]
fn each_worker_writes_a_stream_of_its_own_and_closes_it_at_the_end() {
    let mut records = Vec::new();
    let document = SCENE.document(SCENE.audit("refuse", 64)).to_string();
    let mut envoy = SCENE.host().workers(2).start(document).unwrap();
    envoy.run_for(Duration::from_secs(2), collecting(&mut records));
    for worker in [0, 1, 0, 1] {
        assert!(envoy.worker(worker).send(SCENE.good()).passed());
    }
    envoy.shut_down();
    envoy.run_for(Duration::from_secs(5), collecting(&mut records));
    let decisions = records.iter().filter(|record| record["event"]["kind"] == "decision");
    let streams: std::collections::BTreeSet<_> =
        decisions.map(|record| record["stream"].to_string()).collect();
    assert_eq!(streams.len(), 2, "{records:?}");
}

// Secrets

#[test]
fn no_token_reaches_the_log_or_the_record() {
    let mut records = Vec::new();
    let mut envoy = SCENE.start(SCENE.audit("refuse", 64));
    let query = format!("/v1/objects/1?access_token={}", SCENE.token(Value::Null));
    for request in [SCENE.good(), SCENE.forged(), Request::get(query)] {
        let stream = envoy.worker(0).request(request);
        envoy.decide(stream, LONG, collecting(&mut records));
        envoy.worker(0).finish(stream);
    }
    envoy.run_for(Duration::from_secs(5), collecting(&mut records));
    let said = format!("{:?} {records:?}", envoy.log());
    assert!(records.len() >= 3 && !said.contains("eyJ"), "{said}");
}

// What comes behind the headers

#[test]
fn a_body_does_not_carry_a_paused_request_through() {
    let document = SCENE.document(Value::Null).to_string();
    let mut envoy = SCENE.host().allow_on_headers_stop_iteration().start(document).unwrap();
    for request in [SCENE.forged(), SCENE.good()] {
        let stream = envoy.worker(0).request(request.body("a body"));
        assert_eq!(envoy.outcome(stream), Outcome::Paused, "it waits for keys, body and all");
    }
}

#[test]
fn identity_cannot_be_sent_in_trailers() {
    let mut envoy = SCENE.start_warm(Value::Null);
    let request = SCENE.good().body("a body").trailer("x-user-id", "root").trailer("X_User_Roles", "admin");
    let stream = envoy.worker(0).request(request.trailer("x-checksum", "7"));
    assert!(matches!(envoy.outcome(stream), Outcome::Continued { .. }));
    let trailers = envoy.trailers(stream).expect("a whole request");
    assert_eq!(trailers.iter().collect::<Vec<_>>(), [("x-checksum", &b"7"[..])]);
}

#[test]
fn trailers_that_cannot_be_cleaned_do_not_go_on() {
    for call in [Call::GetHeaderMapPairs, Call::RemoveHeaderMapValue] {
        let mut envoy = SCENE.start_warm(Value::Null);
        // The first of these calls is about headers, and a request without identity headers has none removed.
        let nth = if call == Call::GetHeaderMapPairs { 2 } else { 1 };
        envoy.inject(call, Fault::status(10).nth(nth));
        let stream = envoy.worker(0).request(SCENE.good().body("a body").trailer("x-user-id", "root"));
        assert_eq!(envoy.trailers(stream), None, "{call:?}");
        envoy.clear_faults();
        is_served(&mut envoy);
    }
}

// Time and space

#[test]
fn no_request_costs_more_than_a_bounded_number_of_instructions() {
    let mut envoy = SCENE.start_warm(Value::Null);
    let usual = envoy.worker(0).hottest_call();
    let headers = (0..95).fold(SCENE.good(), |request, number| request.header(&format!("x-{number}"), "v"));
    let requests = [
        Request::get("/v1/objects/1").bearer(&SCENE.token(json!({"padding": 40_000}))),
        Request::get("/v1/objects/1").bearer(&format!("{}.e30.AAAA", "A".repeat(60_000))),
        Request::get("/v1/objects/1").bearer(&".".repeat(60_000)),
        Request::get("/a".repeat(15_000)).bearer(&SCENE.token(Value::Null)),
        Request::get(format!("/{}", "%41".repeat(10_000))),
        Request::get("/v1/objects/1").header("cookie", "a=b;".repeat(10_000)),
        headers,
    ];
    for request in requests {
        let outcome = envoy.worker(0).send(request);
        assert!(!matches!(outcome, Outcome::Trapped { .. } | Outcome::Bypassed), "{outcome:?}");
    }
    let hottest = envoy.worker(0).hottest_call();
    println!("hottest call: {hottest} (setting up: {usual})");
    assert!(hottest < 30_000_000, "{hottest} instructions in one call");
    is_served(&mut envoy);
}

#[test]
fn ten_thousand_bad_requests_leave_nothing_behind() {
    let mut envoy = SCENE.start_warm(Value::Null);
    let requests = |envoy: &mut Envoy, from: usize| {
        for number in from..from + 2_000 {
            let path = format!("/v1/objects/{number}");
            envoy.worker(0).send(
                Request::get(&path).header("authorization", format!("Bearer {number}.{number}.{number}")),
            );
            envoy.worker(0).send(Request::get(&path));
            envoy.worker(0).send(Request::get(format!("/a//{number}")));
        }
    };
    requests(&mut envoy, 0);
    let warm = envoy.worker(0).memory_bytes();
    let metrics = envoy.metrics().len();
    requests(&mut envoy, 2_000);
    assert_eq!(envoy.worker(0).memory_bytes(), warm, "memory grows with requests");
    assert_eq!(envoy.metrics().len(), metrics, "metrics grow with requests");
}
