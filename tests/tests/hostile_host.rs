//! The module on a host that fails, lies and goes on: whatever a call answers, nothing passes that a sound host would have
//! stopped, and the module does not trap.

use std::sync::LazyLock;
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use portcullis_tests::host::{Answer, Call, Envoy, Fault, Host, Module, Outcome, Request, Stream};
use serde_json::json;

static MODULE: LazyLock<Module> =
    LazyLock::new(|| Module::built().unwrap_or_else(|missing| panic!("{missing}")));

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Every status the ABI defines, two that it does not, and 0: success, with nothing done.
const STATUSES: [u32; 11] = [0, 1, 2, 3, 4, 6, 7, 8, 10, 12, 0xdead_beef];

fn host() -> Host {
    Host::load(&MODULE).env("SECRET", SECRET).cluster("audit")
}

/// One method with a shared secret; `/now` is decided at once, `/later` when its record is acknowledged.
fn document() -> String {
    let jwt =
        json!({"issuer": "issuer", "audience": ["api"], "algorithms": ["HS256"], "secret": "${SECRET}"});
    json!({
        "version": 1,
        "name": "hostile",
        "authentication": {"methods": [{"name": "people", "jwt": jwt}]},
        "authorization": {"routes": [
            {"methods": ["GET", "POST"], "path": "/now"},
            {"methods": ["GET", "POST"], "path": "/later", "audit": "acknowledged"},
        ]},
        "audit": {"sink": {"cluster": "audit", "path": "/batches"}},
    })
    .to_string()
}

fn token(secret: &str) -> String {
    let claims = json!({"iss": "issuer", "aud": "api", "sub": "alice", "exp": 4_000_000_000_u64});
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn good(path: &str) -> Request {
    Request::new("POST", path).bearer(&token(SECRET)).header("x-user-id", "mallory").body("body")
}

/// Sends one request, and lets the timer run and the sink answer until it is decided or nobody will.
fn send(envoy: &mut Envoy, request: Request) -> (Stream, Outcome) {
    let stream = envoy.worker(0).request(request);
    for _ in 0..3 {
        envoy.advance(Duration::from_millis(2));
        envoy.settle(|_| Some(Answer::new(200, "")));
    }
    (stream, envoy.outcome(stream))
}

/// What no fault may change. `lied` is the call that reports success and does nothing, if one does.
fn hold(envoy: &mut Envoy, what: &str, lied: Option<Call>) {
    for request in [Request::get("/now"), Request::get("/now").bearer(&token(&SECRET.replace('0', "1")))] {
        let (_, outcome) = send(envoy, request);
        assert!(!outcome.passed(), "{what}: {outcome:?}");
    }
    for path in ["/now", "/later"] {
        let (stream, outcome) = send(envoy, good(path));
        if let Outcome::Continued { headers } = &outcome {
            // What a host says it did and did not is beyond the module: the guard behind it demands the mark.
            let marked =
                envoy.filter_state(stream).get("wasm.portcullis_permit").is_some_and(|mark| mark == b"1");
            assert!(marked || lied == Some(Call::SetProperty), "{what}: {path} passed without the mark");
            let edits = [Call::ReplaceHeaderMapValue, Call::RemoveHeaderMapValue];
            let ours = headers.all("x-user-id").eq([b"alice"]);
            assert!(
                ours || lied.is_some_and(|call| edits.contains(&call)),
                "{what}: {path} passed as {headers:?}"
            );
        }
        assert!(
            !matches!(outcome, Outcome::Trapped { .. } | Outcome::Bypassed),
            "{what}: {path}: {outcome:?}"
        );
    }
    assert!(envoy.worker(0).is_alive(), "{what}: the worker is gone");
}

/// The calls that the module makes at all.
fn used() -> Vec<Call> {
    let mut envoy = host().start(document()).unwrap();
    hold(&mut envoy, "a sound host", None);
    let (_, later) = send(&mut envoy, good("/later"));
    assert_eq!(later.upstream().text("x-user-id").as_deref(), Some("alice"), "what waits goes on in the end");
    envoy.reconfigure(document().replace("hostile", "hostile-2")).unwrap();
    let calls: Vec<Call> = Call::ALL.iter().copied().filter(|call| envoy.calls(*call) > 0).collect();
    assert!(calls.contains(&Call::SetProperty) && calls.contains(&Call::HttpCall), "{calls:?}");
    calls
}

#[test]
fn only_the_word_that_says_so_leaves_a_permit_unmarked() {
    for (word, marked) in [(None, true), (Some("on"), true), (Some(""), true), (Some("off"), false)] {
        let host = word.map_or_else(host, |word| host().env("PORTCULLIS_PERMIT_MARK", word));
        let mut envoy = host.start(document()).unwrap();
        for path in ["/now", "/later"] {
            let (stream, outcome) = send(&mut envoy, good(path));
            assert!(outcome.passed(), "{word:?}: {outcome:?}");
            let mark = envoy.filter_state(stream).contains_key("wasm.portcullis_permit");
            assert_eq!(mark, marked, "{word:?}: {path}");
        }
        let (stream, outcome) = send(&mut envoy, Request::get("/now"));
        assert!(!outcome.passed() && !envoy.filter_state(stream).contains_key("wasm.portcullis_permit"));
    }
}

#[test]
fn a_call_that_begins_to_fail_opens_nothing_and_the_worker_recovers() {
    for call in used() {
        for status in STATUSES {
            let what = format!("{} answers {status}", call.import());
            let mut envoy = host().start(document()).unwrap();
            envoy.inject(call, Fault::status(status));
            hold(&mut envoy, &what, (status == 0).then_some(call));
            envoy.clear_faults();
            // A batch that was not acknowledged is tried again after a while.
            envoy.advance(Duration::from_secs(120));
            let (_, outcome) = send(&mut envoy, good("/now"));
            assert!(matches!(outcome, Outcome::Continued { .. }), "{what}, then no more: {outcome:?}");
        }
    }
}

#[test]
fn a_call_that_fails_from_the_start_never_leaves_the_filter_out() {
    for call in used() {
        for status in STATUSES {
            let what = format!("{} always answers {status}", call.import());
            let mut envoy =
                host().inject(call, Fault::status(status)).start(document()).unwrap_or_else(|error| {
                    panic!("{what}: {error}");
                });
            hold(&mut envoy, &what, (status == 0).then_some(call));
        }
    }
}

#[test]
fn a_host_that_has_lost_its_way_opens_nothing() {
    const PAUSE: i32 = 1;
    const NOBODY: u32 = 7_000;
    let mut envoy = host().start(document()).unwrap();
    let (stream, outcome) = send(&mut envoy, good("/now"));
    assert!(matches!(outcome, Outcome::Continued { .. }), "{outcome:?}");
    let mut worker = envoy.worker(0);
    // Contexts that were never created, and one whose parent never was.
    worker.stray_call(NOBODY + 1, "proxy_on_context_create", &[NOBODY + 1, NOBODY]);
    for context in [NOBODY, NOBODY + 1] {
        for (export, arguments) in [
            ("proxy_on_request_headers", &[context, 3, 1][..]),
            ("proxy_on_request_body", &[context, 0, 1]),
            ("proxy_on_request_trailers", &[context, 0]),
        ] {
            assert_eq!(worker.stray_call(context, export, arguments), PAUSE, "{export} of {context}");
        }
        worker.stray_call(context, "proxy_on_tick", &[context]);
        worker.stray_call(context, "proxy_on_http_call_response", &[context, 4, 0, 0, 0]);
        assert_eq!(worker.stray_call(context, "proxy_on_done", &[context]), 1);
    }
    // Headers once more, of a request that was permitted: whatever they are, nobody has decided on them.
    let context = worker.context(stream).unwrap();
    assert_eq!(worker.stray_call(context, "proxy_on_request_body", &[context, 0, 1]), 0);
    assert_eq!(worker.stray_call(context, "proxy_on_request_headers", &[context, 3, 1]), PAUSE);
    assert_eq!(worker.stray_call(context, "proxy_on_request_body", &[context, 0, 1]), PAUSE);
    assert!(worker.is_alive());
    hold(&mut envoy, "a host that found its way again", None);
}

#[test]
fn a_request_whose_root_context_is_made_anew_is_answered() {
    let mut envoy = host().start(document()).unwrap();
    let held = envoy.worker(0).request(good("/later"));
    let expected = envoy.worker(0).request(good("/later").body(""));
    assert!(matches!(envoy.outcome(held), Outcome::Paused), "{:?}", envoy.outcome(held));
    let mut worker = envoy.worker(0);
    let root = worker.root().unwrap();
    worker.stray_call(root, "proxy_on_context_create", &[root, 0]);
    for stream in [held, expected] {
        assert_eq!(envoy.outcome(stream).status(), Some(503), "{:?}", envoy.outcome(stream));
    }
}

/// Nobody decides on a request that the host forgot to tell of, but whoever hears of it answers.
#[test]
fn a_request_that_no_root_context_holds_is_answered_when_it_is_heard_of() {
    let mut envoy = host().start(document()).unwrap();
    let mut worker = envoy.worker(0);
    let root = worker.root().unwrap();
    let held = worker.request(good("/later"));
    let context = worker.context(held).unwrap();
    worker.stray_call(context, "proxy_on_context_create", &[context, root + 9_000]);
    worker.stray_call(context, "proxy_on_request_body", &[context, 4, 1]);
    assert_eq!(envoy.outcome(held).status(), Some(503), "{:?}", envoy.outcome(held));
}

#[test]
fn a_request_made_anew_does_not_pass_on_what_the_one_before_waited_for() {
    let mut envoy = host().start(document()).unwrap();
    let mut worker = envoy.worker(0);
    let root = worker.root().unwrap();
    let (other, unknown) = (root + 9_000, root + 9_001);
    worker.stray_call(other, "proxy_on_context_create", &[other, 0]);
    for parent in [root, other, unknown, 0] {
        let held = envoy.worker(0).request(good("/later"));
        let mut worker = envoy.worker(0);
        let context = worker.context(held).unwrap();
        worker.stray_call(context, "proxy_on_context_create", &[context, parent]);
        envoy.advance(Duration::from_millis(2));
        envoy.settle(|_| Some(Answer::new(200, "")));
        assert!(!envoy.outcome(held).passed(), "{parent}: {:?}", envoy.outcome(held));
    }
    hold(&mut envoy, "requests that were made anew", None);
}

#[test]
fn bytes_that_are_not_what_they_should_be_open_nothing() {
    let hostile: [&[u8]; 8] = [
        b"",
        b"\0",
        b"\xff\xff\xff\xff",
        b"\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x01\0\0\0\x05\0\0\0\x01\0\0\0:path\0/",
        b"\x02\0\0\0\x05\0\0\0\x01\0\0\0",
        &[0xff; 4096],
        &[b'9'; 300_000],
    ];
    let data = [
        Call::GetHeaderMapPairs,
        Call::GetHeaderMapValue,
        Call::GetBufferBytes,
        Call::GetProperty,
        Call::CallForeignFunction,
    ];
    for call in data {
        for bytes in hostile {
            let what = format!("{} gives {} odd bytes", call.import(), bytes.len());
            let mut envoy = host().start(document()).unwrap();
            envoy.inject(call, Fault::bytes(bytes));
            hold(&mut envoy, &what, None);
        }
    }
}

#[test]
fn a_body_that_comes_ahead_of_the_decision_is_held_with_its_headers() {
    let mut envoy = host().allow_on_headers_stop_iteration().start(document()).unwrap();
    let stream = envoy.worker(0).request(good("/later"));
    assert_eq!(envoy.outcome(stream), Outcome::Paused, "the body took the headers along");
    envoy.advance(Duration::from_millis(2));
    envoy.settle(|_| Some(Answer::new(200, "")));
    assert_eq!(envoy.outcome(stream).upstream().text("x-user-id").as_deref(), Some("alice"));
}

#[test]
fn a_client_that_hangs_up_takes_no_one_elses_answer_along() {
    let mut envoy = host().start(document()).unwrap();
    let leaver = envoy.worker(0).request(good("/later"));
    let stayer = envoy.worker(0).request(good("/later"));
    envoy.worker(0).abort(leaver);
    for _ in 0..3 {
        envoy.advance(Duration::from_millis(2));
        envoy.settle(|_| Some(Answer::new(200, "")));
    }
    assert!(matches!(envoy.outcome(stayer), Outcome::Continued { .. }), "{:?}", envoy.outcome(stayer));
}
