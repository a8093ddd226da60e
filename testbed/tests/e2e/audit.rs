//! The record of decisions on its way to the sink: linked, delivered until acknowledged, bounded while the sink is down,
//! and never silently short of anything.

use std::process::Command;
use std::time::{Duration, Instant};

use portcullis_filter::audit::{Expectations, Report, verify};
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request};
use portcullis_testbed::{Fault, PATIENCE};
use serde_json::{Value, json};

use crate::support::{
    OBJECT, ask, bed, judge, quickstart, root, stat, verdict, viewer, wait_for_verdict, wait_until,
};

/// Records that may wait in the tests of a full buffer.
const MAX_PENDING: usize = 8;

/// Requests sent while the sink is down: more than may wait.
const REQUESTS: usize = 30;

/// The quickstart policy with another `audit` section.
fn policy(when_full: &str, settings: &Value) -> Value {
    let mut document = quickstart();
    let audit = &mut document["audit"];
    audit["when_full"] = when_full.into();
    for (name, value) in settings.as_object().expect("an object") {
        audit[name] = value.clone();
    }
    document
}

fn small(when_full: &str) -> Value {
    policy(when_full, &json!({"max_pending": MAX_PENDING, "max_batch": 4, "flush_interval": "50ms"}))
}

fn event(line: &str) -> Value {
    serde_json::from_str::<Value>(line).expect("a record is JSON")["event"].clone()
}

fn of_kind(lines: &[String], kind: &str) -> Vec<Value> {
    lines.iter().map(|line| event(line)).filter(|event| event["kind"] == kind).collect()
}

/// Decisions on record and decisions known to be lost.
fn accounted_for(lines: &[String]) -> (usize, usize) {
    let lost = of_kind(lines, "gap").iter().filter_map(|gap| gap["lost"].as_u64()).sum::<u64>();
    (of_kind(lines, "decision").len(), usize::try_from(lost).expect("a small number"))
}

/// Waits until every one of `requests` is on record, or known to be lost.
async fn all_accounted_for(bed: &Bed, requests: usize) -> Vec<String> {
    let find = |lines: &[String]| {
        let (decided, lost) = accounted_for(lines);
        (decided + lost >= requests).then(|| lines.to_vec())
    };
    let found = bed.sink.records().wait_until(PATIENCE, find).await;
    found.unwrap_or_else(|| {
        panic!(
            "{:?} of {requests}:\n{}",
            accounted_for(&bed.sink.records().lines()),
            bed.envoy.log().tail(20)
        )
    })
}

/// Both streams there are, of the worker and of Envoy's main thread, have delivered their first record.
async fn streams_open(bed: &Bed) {
    bed.sink.wait_for(2, PATIENCE).await.expect("two streams");
}

/// Both verifiers, which share no code, find what the sink has so far intact.
fn assert_intact(bed: &Bed) -> Report {
    let lines = bed.sink.records().lines();
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let mut findings = Vec::new();
    let report = verify(text.as_bytes(), &Expectations::default(), |finding| findings.push(finding));
    assert!(findings.is_empty(), "{findings:?}");

    let copy = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(copy.path(), text).expect("written");
    let script = root().join("docs/verify_audit.py");
    let output = Command::new("python3").arg(script).arg(copy.path()).output().expect("Python 3 runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    report.expect("memory can be read")
}

#[tokio::test]
async fn every_decision_is_in_a_chain_that_holds() {
    let bed = bed(quickstart()).await;
    let token = viewer(&bed.issuer);
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    let requests = [
        Request::get("/healthz"),
        Request::get(format!("{OBJECT}?secret=in-the-query"))
            .bearer(&token)
            .header("x-request-id", "story-1"),
        Request::get(OBJECT),
        Request::new("DELETE", OBJECT).bearer(&token),
        Request::get("/v1/objects/..%2fadmin").bearer(&token),
    ];
    let mut verdicts = Vec::new();
    for request in &requests {
        verdicts.push(verdict(&connection.exchange(request).await.expect("an answer")));
    }
    assert_eq!(verdicts, ["200", "200", "401 missing_token", "403 insufficient_role", "400 ambiguous_path"]);

    let lines = all_accounted_for(&bed, requests.len()).await;
    let decisions = of_kind(&lines, "decision");
    let outcomes: Vec<_> =
        decisions.iter().map(|event| event["decision"].as_str().unwrap_or_default()).collect();
    assert_eq!(outcomes, ["permit", "permit", "deny", "deny", "deny"]);
    let read = &decisions[1];
    for (member, wanted) in [
        ("subject", "ann"),
        ("tenant", "acme"),
        ("method", "GET"),
        ("path", OBJECT),
        ("source", "127.0.0.1"),
        ("authentication", "people"),
        ("policy", "quickstart"),
    ] {
        assert_eq!(read[member], wanted, "{read:#}");
    }
    assert_eq!(decisions[4]["code"], "ambiguous_path");
    assert!(decisions.iter().all(|event| event["request_id"].is_string()), "{decisions:#?}");
    let text = lines.join("\n");
    assert!(!text.contains(&token) && !text.contains("in-the-query"), "a secret is on record");
    let report = assert_intact(&bed);
    let sum = |of: fn(&portcullis_filter::audit::StreamSummary) -> u64| {
        report.streams.values().map(of).sum::<u64>()
    };
    assert_eq!((sum(|stream| stream.permits), sum(|stream| stream.denies)), (2, 3));

    // The policy that goes ends its streams.
    let mut next = quickstart();
    next["name"] = "next".into();
    bed.push(&next).await.expect("a good policy");
    let closed =
        bed.sink.records().wait_until(PATIENCE, |lines| (of_kind(lines, "close").len() >= 2).then_some(()));
    closed.await.expect("both streams end when their policy does");
    assert_intact(&bed);
}

/// Fills the buffer while the sink is down, and returns how each request was answered.
async fn fill(bed: &Bed, token: &str) -> Vec<String> {
    streams_open(bed).await;
    bed.sink.set_fault(Fault::Unavailable);
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    let mut verdicts = Vec::new();
    for _ in 0..REQUESTS {
        let answer = connection.exchange(&Request::get(OBJECT).bearer(token)).await.expect("an answer");
        if answer.status == 503 {
            let after = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
            assert!(after.is_some_and(|seconds| seconds >= 1), "{after:?}");
        }
        verdicts.push(verdict(&answer));
    }
    verdicts
}

#[tokio::test]
async fn with_the_sink_down_requests_are_refused_once_the_buffer_is_full() {
    let bed = bed(small("refuse")).await;
    let token = viewer(&bed.issuer);
    let verdicts = fill(&bed, &token).await;
    let passed = verdicts.iter().take_while(|verdict| *verdict == "200").count();
    println!("{passed} of {REQUESTS} passed");
    // One more than `max_pending` has room: the place of the stream's own first record.
    assert!((MAX_PENDING..=MAX_PENDING + 1).contains(&passed), "{verdicts:?}");
    assert!(verdicts[passed..].iter().all(|verdict| verdict == "503 audit_unavailable"), "{verdicts:?}");
    assert_eq!(bed.upstream.served(), passed as u64, "what cannot be recorded does not reach the upstream");

    bed.sink.set_fault(Fault::None);
    let back = Instant::now();
    let lines = all_accounted_for(&bed, REQUESTS).await;
    println!("all delivered {:?} after the sink was back", back.elapsed());
    assert_eq!(accounted_for(&lines), (passed, REQUESTS - passed));
    assert!(of_kind(&lines, "gap").iter().all(|gap| gap["cause"] == "refused"));
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&token)).await, "200");
    all_accounted_for(&bed, REQUESTS + 1).await;
    assert_intact(&bed);
}

#[tokio::test]
async fn with_the_sink_down_records_are_dropped_where_the_policy_says_so() {
    let bed = bed(small("drop")).await;
    let token = viewer(&bed.issuer);
    let verdicts = fill(&bed, &token).await;
    assert!(verdicts.iter().all(|verdict| verdict == "200"), "{verdicts:?}");
    // Workers tell their counts every half second.
    let lost = || stat(&bed, "portcullis_audit_lost_total.policy=quickstart");
    let least = (REQUESTS - MAX_PENDING - 1) as u64;
    wait_until("losses to be counted", || async { (lost().await >= least).then_some(()) }).await;

    bed.sink.set_fault(Fault::None);
    let lines = all_accounted_for(&bed, REQUESTS).await;
    let (decided, dropped) = accounted_for(&lines);
    println!("{decided} of {REQUESTS} on record, {dropped} in gaps");
    assert_eq!(decided + dropped, REQUESTS);
    let all = dropped as u64;
    wait_until("every loss to be counted", || async { (lost().await >= all).then_some(()) }).await;
    assert_eq!(lost().await, all);
    assert!(of_kind(&lines, "gap").iter().all(|gap| gap["cause"] == "dropped"));
    assert_intact(&bed);
}

#[tokio::test]
async fn a_policy_pushed_while_the_sink_is_down_leaves_no_record_behind() {
    let bed = bed(small("refuse")).await;
    let token = viewer(&bed.issuer);
    streams_open(&bed).await;
    bed.sink.set_fault(Fault::Unavailable);
    for _ in 0..3 {
        assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&token)).await, "200");
    }
    let mut next = small("refuse");
    next["name"] = "next".into();
    bed.push(&next).await.expect("a good policy");
    bed.sink.set_fault(Fault::None);
    // The streams of the policy that went, of the worker and of the main thread, deliver all they have and end.
    let ended = |lines: &[String]| (of_kind(lines, "close").len() >= 2).then(|| lines.to_vec());
    let lines = bed.sink.records().wait_until(PATIENCE, ended).await.expect("the old streams end");
    assert_eq!(accounted_for(&lines), (3, 0));
    assert_intact(&bed);
}

#[tokio::test]
async fn a_batch_whose_acknowledgement_is_lost_is_sent_again_and_does_no_harm() {
    let bed = bed(small("refuse")).await;
    let token = viewer(&bed.issuer);
    streams_open(&bed).await;
    bed.sink.set_fault(Fault::LoseAnswer);
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&token)).await, "200");
    let twice = |lines: &[String]| (of_kind(lines, "decision").len() >= 2).then_some(());
    bed.sink.records().wait_until(PATIENCE, twice).await.expect("the batch comes again");
    bed.sink.set_fault(Fault::None);
    assert_eq!(judge(&bed, &Request::get("/healthz")).await, "200");
    let healthy = |lines: &[String]| lines.iter().any(|line| line.contains("/healthz")).then_some(());
    bed.sink.records().wait_until(PATIENCE, healthy).await.expect("the record after it");
    let report = assert_intact(&bed);
    assert!(report.streams.values().any(|stream| stream.repeated > 0), "{report:?}");
}

#[tokio::test]
async fn a_route_that_demands_it_waits_until_its_record_is_acknowledged() {
    // Nothing but that demand sends a batch before this test is over.
    let settings = json!({
        "flush_interval": "1m",
        "sink": {"cluster": "audit", "path": "/v1/audit/batches", "timeout": "2s"},
    });
    let mut document = policy("refuse", &settings);
    document["authorization"]["routes"][0]["audit"] = "acknowledged".into();
    let bed = bed(document).await;
    let request = Request::get(OBJECT).bearer(&viewer(&bed.issuer));
    // Fetches the keys, so that nothing below waits for them.
    assert_eq!(judge(&bed, &request).await, "200");
    let known = bed.sink.records().len();
    assert!(known > 0, "answered before it was on record");

    bed.sink.set_fault(Fault::Slow);
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    connection.send(&request.to_bytes()).await.expect("sent");
    assert!(
        connection.receive(false, Duration::from_millis(300)).await.is_err(),
        "answered without its record"
    );
    assert_eq!(bed.upstream.served(), 1);
    bed.sink.set_fault(Fault::None);
    assert_eq!(verdict(&connection.receive(false, PATIENCE).await.expect("an answer")), "200");
    assert!(bed.sink.records().len() > known);

    bed.sink.set_fault(Fault::Unavailable);
    let asked = Instant::now();
    let answer = ask(&bed, &request).await;
    println!("refused after {:?}", asked.elapsed());
    assert_eq!(verdict(&answer), "503 audit_unavailable");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(bed.upstream.served(), 2, "reached the upstream without its record");
    // Other routes do not wait.
    assert_eq!(judge(&bed, &Request::get("/healthz")).await, "200");

    bed.sink.set_fault(Fault::None);
    wait_for_verdict(&bed, &request, "200").await;
    assert_intact(&bed);
}
