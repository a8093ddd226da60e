//! The module traps, as no module should: Envoy answers 503, makes a fresh VM, and goes on; and where it is told to let
//! requests through instead, the guard does not.

use std::time::Instant;

use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request};
use portcullis_testbed::issuer::{Issuer, KeySetFault};
use portcullis_testbed::{Fault, PATIENCE};

use crate::support::{
    OBJECT, Shipped, Surgery, access_log, ask, assert_serving, judge, options, quickstart, start, verdict,
    viewer, wait_for_verdict,
};

/// Header lines of the request that kills: none that a test sends otherwise.
const DEADLY_HEADERS: i32 = 37;

/// Lines that Envoy has made of a request of ours by the time the filter sees it: `:authority`, `:path`, `:method`,
/// `:scheme`, `x-forwarded-for`, `x-forwarded-proto`, `x-envoy-internal` or not, `x-request-id`. Which ones is not ours to
/// know, so the deadly request is found by trying.
const LINES_OF_ENVOY: std::ops::RangeInclusive<i32> = 4..=12;

fn with_lines(lines: i32) -> Request {
    (0..lines).fold(Request::get("/healthz"), |request, line| request.header(format!("x-line-{line}"), "1"))
}

/// Finds and sends the request that traps; every other one is answered as ever.
async fn kill(bed: &Bed) {
    for of_envoy in LINES_OF_ENVOY {
        let answer = ask(bed, &with_lines(DEADLY_HEADERS - of_envoy)).await;
        if answer.status == 503 {
            return;
        }
        assert_eq!(answer.status, 200);
    }
    panic!("no number of headers was deadly: is the module under test the changed one?");
}

#[tokio::test]
async fn after_a_trap_envoy_answers_503_and_goes_on() {
    let surgery = Surgery::trap_on_header_count(DEADLY_HEADERS);
    let mut options = options(quickstart()).await;
    options.module = surgery.path();
    let bed = start(&options).await;
    let token = viewer(&bed.issuer);
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&token)).await, "200");

    for death in 1..=2 {
        let served = bed.upstream.served();
        kill(&bed).await;
        let line = access_log(&bed, |line| line["status"] == 503).await;
        assert_eq!(line["details"], "wasm_fail_stream", "{line}");
        assert!(bed.upstream.served() <= served + LINES_OF_ENVOY.count() as u64);
        // A fresh VM is made with a request, no sooner than a second after the last; until then the answer is 503.
        let took = wait_for_verdict(&bed, &Request::get("/healthz"), "200").await;
        println!("death {death}: serving again after {took:?}");
        assert_serving(&bed, "a trap").await;
        // Its keys are fetched anew.
        wait_for_verdict(&bed, &Request::get(OBJECT).bearer(&token), "200").await;
        let reloads =
            bed.envoy.admin().wait_for_stat("wasm.portcullis.vm_reload_success", death, PATIENCE).await;
        reloads.expect("Envoy counts the reload");
    }
}

/// Envoy forgets the requests that waited in a VM that died; its own timeout, which is shipped for this, ends them.
#[tokio::test]
async fn requests_that_wait_when_the_module_traps_are_refused() {
    let surgery = Surgery::trap_on_header_count(DEADLY_HEADERS);
    let shipped = Shipped::new().setting("stream_idle_timeout", "3s");
    let mut options = options(quickstart()).await;
    options.module = surgery.path();
    options.root = shipped.root().to_owned();
    let issuer = Issuer::start(&options.issuer).await.expect("an issuer");
    issuer.set_fault(KeySetFault::Request(Fault::Slow));
    options.clusters.insert("idp".to_owned(), issuer.address());
    let bed = start(&options).await;
    let request = Request::get(OBJECT).bearer(&viewer(&issuer));
    let mut waiting = Connection::open(bed.gate()).await.expect("the gate listens");
    waiting.send(&request.to_bytes()).await.expect("sent");
    let active = "http.gate.downstream_rq_active";
    bed.envoy.admin().wait_for_stat(active, 1, PATIENCE).await.expect("the request waits");

    kill(&bed).await;
    let (killed, served) = (Instant::now(), bed.upstream.served());
    let answer = waiting.receive(false, PATIENCE).await.expect("an answer");
    println!("{} {:?} after the trap", verdict(&answer), killed.elapsed());
    assert!(matches!(answer.status, 408 | 503 | 504), "{}", answer.status);
    assert_eq!(bed.upstream.served(), served);
    issuer.set_fault(KeySetFault::None);
    wait_for_verdict(&bed, &request, "200").await;
}

#[tokio::test]
async fn where_envoy_lets_requests_through_after_a_trap_the_guard_does_not() {
    let surgery = Surgery::trap_on_header_count(DEADLY_HEADERS);
    let shipped = Shipped::new().failure_policy("FAIL_OPEN");
    let mut options = options(quickstart()).await;
    options.module = surgery.path();
    options.root = shipped.root().to_owned();
    let bed = start(&options).await;
    let token = viewer(&bed.issuer);
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&token)).await, "200");
    kill(&bed).await;

    let served = bed.upstream.served();
    for request in [
        Request::get("/healthz"),
        Request::get(OBJECT),
        Request::get(OBJECT).bearer(&token),
        Request::get("/internal/metrics").header("x-portcullis-permit", "1"),
    ] {
        let answer = ask(&bed, &request).await;
        assert_eq!((answer.status, answer.text().as_str()), (403, "RBAC: access denied"));
    }
    access_log(&bed, |line| {
        line["details"].as_str().is_some_and(|why| why.starts_with("rbac_access_denied"))
    })
    .await;
    assert_eq!(bed.upstream.served(), served, "a request passed the guard");
}
