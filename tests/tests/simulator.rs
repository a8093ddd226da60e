//! The simulated host itself: each test is a behaviour of a real proxy that has surprised somebody.

use portcullis_tests::host::{Answer, Call, FailurePolicy, Fault, Host, Module, Outcome, Request, VmName};
use std::sync::LazyLock;
use std::time::Duration;

/// The guest of `guests/mirror.wat`: the second byte of `:path` says what it does.
static MIRROR: LazyLock<Module> = LazyLock::new(|| {
    let binary = wat::parse_bytes(include_bytes!("../guests/mirror.wat")).unwrap();
    Module::from_bytes(&binary).unwrap()
});

fn host() -> Host {
    Host::load(&MIRROR).cluster("idp")
}

#[test]
fn a_request_goes_on_with_what_the_filter_set() {
    let mut envoy = host().start("-").unwrap();
    let stream = envoy.worker(0).request(&[(":path", "/c"), ("x", "1")]);
    assert_eq!(envoy.outcome(stream).upstream().text("x").as_deref(), Some("1"));
    assert_eq!(envoy.filter_state(stream)["wasm.idp"], b"idp");
    assert!(!envoy.ended(stream));
    envoy.worker(0).finish(stream);
    assert!(envoy.ended(stream));
    assert!(!envoy.logged("unexpected status"), "on_log reads the request headers again");
}

#[test]
fn request_headers_are_gone_once_the_response_comes() {
    let mut envoy = host().start("-").unwrap();
    envoy.worker(0).send(&[(":path", "/c")]);
    assert!(!envoy.logged("request headers are readable"));
}

#[test]
fn a_local_reply_wins_over_the_action_returned() {
    let mut envoy = host().start("-").unwrap();
    let outcome = envoy.worker(0).send(&[(":path", "/r")]);
    let reply = outcome.reply();
    assert_eq!(
        (reply.status, reply.details.as_str(), reply.body.as_slice()),
        (403, "refused_here", &b"refused"[..])
    );
}

#[test]
fn of_two_local_replies_the_first_is_sent_and_the_second_logged() {
    let mut envoy = host().start("-").unwrap();
    let outcome = envoy.worker(0).send(&[(":path", "/2")]);
    assert_eq!((outcome.reply().status, outcome.reply().details.as_str()), (403, "second_time"));
}

#[test]
fn head_has_no_body_and_grpc_has_its_own_status() {
    let mut envoy = host().start("-").unwrap();
    let head = envoy.worker(0).send(Request::new("HEAD", "/r"));
    assert!(head.reply().body.is_empty());
    let grpc = envoy.worker(0).send(Request::new("POST", "/r").header("content-type", "application/grpc"));
    assert_eq!(grpc.reply().status, 200);
    assert_eq!(grpc.reply().headers.text("grpc-status").as_deref(), Some("7"));
    assert_eq!(grpc.reply().headers.text("grpc-message").as_deref(), Some("refused"));
}

#[test]
fn body_and_trailers_follow_the_headers_that_went_on() {
    let mut envoy = host().start("-").unwrap();
    let stream = envoy.worker(0).request(Request::get("/c").body("body").trailer("t", "1"));
    assert_eq!(envoy.trailers(stream).unwrap().text("t").as_deref(), Some("1"));
    let stream = envoy.worker(0).request(Request::get("/p").body("body").trailer("t", "1"));
    assert_eq!((envoy.outcome(stream), envoy.trailers(stream)), (Outcome::Paused, None));
}

#[test]
fn a_body_carries_a_paused_request_through_where_the_host_delivers_it() {
    // The guest has no body callback, and what a guest does not have says Continue.
    let mut envoy = host().allow_on_headers_stop_iteration().start("-").unwrap();
    let stream = envoy.worker(0).request(Request::get("/p").body("body"));
    assert!(envoy.outcome(stream).passed());
}

#[test]
fn a_line_break_in_a_request_header_is_refused_by_the_proxy() {
    let mut envoy = host().start("-").unwrap();
    assert_eq!(envoy.worker(0).send(&[(":path", "/b")]).status(), Some(503));
}

#[test]
fn a_trap_closes_one_worker_for_good() {
    let mut envoy = host().workers(2).start("-").unwrap();
    let waiting = envoy.worker(0).request(&[(":path", "/p")]);
    assert!(matches!(envoy.worker(0).send(&[(":path", "/t")]), Outcome::Trapped { .. }));
    assert!(
        matches!(envoy.outcome(waiting), Outcome::Trapped { .. }),
        "whoever waited there is answered too"
    );
    envoy.advance(Duration::from_secs(60));
    assert_eq!(envoy.worker(0).send(&[(":path", "/c")]).status(), Some(503));
    assert!(envoy.worker(1).send(&[(":path", "/c")]).passed());
}

#[test]
fn fail_open_lets_everything_pass_after_the_first() {
    let mut envoy = host().failure_policy(FailurePolicy::Open).start("-").unwrap();
    assert_eq!(envoy.worker(0).send(&[(":path", "/t")]).status(), Some(503));
    assert_eq!(envoy.worker(0).send(&[(":path", "/r")]), Outcome::Bypassed);
}

#[test]
fn fail_reload_comes_back_after_a_second() {
    let mut envoy = host().failure_policy(FailurePolicy::Reload).start("-").unwrap();
    envoy.worker(0).send(&[(":path", "/t")]);
    assert_eq!(envoy.worker(0).send(&[(":path", "/c")]).status(), Some(503));
    envoy.advance(Duration::from_secs(1));
    assert!(matches!(envoy.worker(0).send(&[(":path", "/c")]), Outcome::Continued { .. }));
}

#[test]
fn a_loop_runs_out_of_fuel_and_a_glutton_out_of_memory() {
    let mut envoy = host().fuel(1_000_000).memory(4 * 1024 * 1024).workers(2).start("-").unwrap();
    assert!(matches!(envoy.worker(0).send(&[(":path", "/l")]), Outcome::Trapped { .. }));
    assert!(matches!(envoy.worker(1).send(&[(":path", "/m")]), Outcome::Trapped { .. }));
    assert!(envoy.worker(1).memory_bytes() <= 4 * 1024 * 1024);
}

#[test]
fn the_canary_refuses_what_it_cannot_load() {
    assert!(host().start("f").is_err());
    assert!(host().start("t").is_err());
    let mut envoy = host().start("-").unwrap();
    assert!(envoy.reconfigure("f").is_err());
    assert!(envoy.worker(0).send(&[(":path", "/c")]).passed(), "the one in force goes on");
}

#[test]
fn a_worker_that_fails_after_the_canary_leaves_a_hole_and_blocks_every_later_push() {
    let fault = Fault::status(1).on(VmName::Worker(0));
    let mut envoy = host().workers(2).inject(Call::GetBufferBytes, fault).start("-").unwrap();
    assert_eq!(envoy.worker(0).send(&[(":path", "/r")]), Outcome::Bypassed);
    assert_eq!(envoy.worker(1).send(&[(":path", "/r")]).status(), Some(403));
    envoy.clear_faults();
    assert!(envoy.reconfigure("-").is_err());
}

#[test]
fn callouts_start_at_four_and_may_have_nowhere_to_go() {
    let mut envoy = host().start("-").unwrap();
    let stream = envoy.worker(0).request(&[(":path", "/h")]);
    let callout = envoy.worker(0).callouts().remove(0);
    assert_eq!(
        (callout.token, callout.path().as_str(), callout.timeout),
        (4, "/k", Some(Duration::from_secs(2)))
    );
    envoy.worker(0).answer(&callout, Answer::new(200, ""));
    assert!(envoy.outcome(stream).passed());
    envoy.remove_cluster("idp");
    assert_eq!(envoy.worker(0).send(&[(":path", "/h")]).status(), Some(503));
}

#[test]
fn callouts_time_out_when_time_passes_and_ticks_keep_theirs() {
    let mut envoy = host().start("s").unwrap();
    let stream = envoy.worker(0).request(&[(":path", "/h")]);
    envoy.advance(Duration::from_millis(1999));
    assert_eq!(envoy.outcome(stream), Outcome::Paused);
    assert_eq!(envoy.count(&["ticks"]), 2, "main and worker, one second");
    envoy.advance(Duration::from_millis(1));
    assert!(envoy.outcome(stream).passed());
    assert_eq!(envoy.count(&["ticks"]), 4);
}

#[test]
fn a_late_answer_finds_nobody_and_harms_nobody() {
    let mut envoy = host().start("-").unwrap();
    let stream = envoy.worker(0).request(&[(":path", "/h")]);
    let callout = envoy.worker(0).callouts().remove(0);
    envoy.worker(0).abort(stream);
    assert_eq!(envoy.outcome(stream), Outcome::Aborted);
    envoy.worker(0).reset(&callout);
    envoy.worker(0).reset(&callout);
    assert!(envoy.worker(0).is_alive());
}

#[test]
fn every_thread_fetches_on_configure_and_a_stream_ends_under_its_own_configuration() {
    let mut envoy = host().workers(2).start("k").unwrap();
    assert_eq!(
        envoy.main().callouts().len() + envoy.worker(0).callouts().len() + envoy.worker(1).callouts().len(),
        3
    );
    envoy.settle(|_| Some(Answer::json(200, "{}")));
    let stream = envoy.worker(0).request(&[(":path", "/h")]);
    envoy.reconfigure("-").unwrap();
    assert_eq!(envoy.worker(0).callouts().len(), 1, "the old root keeps its callout while a stream needs it");
    envoy.settle(|_| Some(Answer::new(200, "")));
    assert!(envoy.outcome(stream).passed());
}

#[test]
fn any_call_can_fail_on_any_turn() {
    let mut envoy = host().start("-").unwrap();
    envoy.inject(Call::GetHeaderMapValue, Fault::status(12).nth(2));
    assert!(envoy.worker(0).send(&[(":path", "/p")]).status().is_none());
    assert_eq!(envoy.worker(0).send(&[(":path", "/c")]).status(), Some(500));
    envoy.clear_faults();
    envoy.inject(Call::GetHeaderMapValue, Fault::bytes(*b"\xffr\xfe"));
    assert_eq!(
        envoy.worker(0).send(&[(":path", "/c")]).status(),
        Some(403),
        "the guest sees the forged bytes"
    );
}

#[test]
fn an_import_the_host_lacks_is_an_error_unless_tolerated() {
    let text = r#"(module (import "env" "envoy_resolve_dns" (func (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (func (export "_initialize")))"#;
    let module = Module::from_bytes(&wat::parse_str(text).unwrap()).unwrap();
    let error = Host::load(&module).start("").err().unwrap();
    assert!(error.to_string().contains("envoy_resolve_dns"), "{error}");
    assert!(Host::load(&module).tolerate_missing_import("envoy_resolve_dns").start("").is_ok());
}
