//! Key sets that cannot be had or cannot be used: 503 with `Retry-After` and never a pass, the last good keys during an
//! outage, and one fetch for all who wait.

use std::time::{Duration, Instant};

use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request};
use portcullis_testbed::issuer::{Issuer, KeySetFault};
use portcullis_testbed::{Fault, PATIENCE};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::{
    OBJECT, ask, assert_serving, bed, judge, options, quickstart, start, stat, verdict, viewer,
    wait_for_verdict, wait_until,
};

/// Requests that come at once before there is a key.
const CROWD: usize = 200;

/// How long a caller may be kept waiting for a fetch of 300 ms, on a machine that has other things to do.
const LONGEST_ANSWER: Duration = Duration::from_secs(4);

/// The quickstart policy under another name and with other settings of its method.
fn policy(name: &str, settings: &[(&str, &str)]) -> Value {
    let mut document = quickstart();
    document["name"] = name.into();
    for (setting, value) in settings {
        document["authentication"]["methods"][0]["jwt"][setting] = (*value).into();
    }
    document
}

/// Waits until the worker decides by the policy of this name: only its challenge names it.
async fn in_force(bed: &Bed, name: &str) {
    let wanted = format!("Bearer realm=\"{name}\"");
    let found = || async {
        let answer = ask(bed, &Request::get(OBJECT)).await;
        (answer.header("www-authenticate") == Some(wanted.clone())).then_some(())
    };
    wait_until("the policy is in force", found).await;
}

#[tokio::test]
async fn a_key_set_that_is_not_good_is_503_and_mends_itself() {
    let bed = bed(policy("none", &[])).await;
    let token = viewer(&bed.issuer);
    let request = Request::get(OBJECT).bearer(&token);
    let faults = [
        ("unavailable", KeySetFault::Request(Fault::Unavailable)),
        ("reset", KeySetFault::Request(Fault::Reset)),
        ("slow", KeySetFault::Request(Fault::Slow)),
        ("huge", KeySetFault::Huge),
        ("not-json", KeySetFault::NotJson),
        ("empty", KeySetFault::Empty),
        ("private-key", KeySetFault::PrivateKey),
    ];
    for (name, fault) in faults {
        // Each begins without keys: a policy brings none of the one before.
        bed.issuer.set_fault(fault);
        let served = bed.upstream.served();
        bed.push(&policy(name, &[("jwks_timeout", "300ms")])).await.expect("a good policy");
        in_force(&bed, name).await;
        let asked = Instant::now();
        let answer = ask(&bed, &request).await;
        assert_eq!(verdict(&answer), "503 keys_unavailable", "{name}");
        let after: u64 = answer.header("retry-after").expect("when to come back").parse().expect("seconds");
        assert!((1..=30).contains(&after), "{name}: {after}");
        assert_eq!(answer.header("www-authenticate"), None, "{name}: the token must not look bad");
        let answered = asked.elapsed();
        assert!(answered < LONGEST_ANSWER, "{name}: {answered:?}");
        assert_eq!(bed.upstream.served(), served, "{name}: a request passed without a key");
        assert_eq!(
            judge(&bed, &Request::get("/healthz")).await,
            "200",
            "{name}: a public route needs no key"
        );

        bed.issuer.set_fault(KeySetFault::None);
        let mended = wait_for_verdict(&bed, &request, "200").await;
        println!("{name}: 503 after {answered:?}, 200 {mended:?} after it was mended");
        // Workers tell their counts every half second.
        let failures =
            format!("wasmcustom.portcullis_jwks_fetches_total.policy={name}.method=people.result=failure");
        bed.envoy.admin().wait_for_stat(&failures, 1, PATIENCE).await.expect("the failure is counted");
    }
    assert_serving(&bed, "seven bad key sets").await;
}

#[tokio::test]
async fn a_provider_that_nobody_listens_for_is_503() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
    let mut options = options(quickstart()).await;
    options.clusters.insert("idp".to_owned(), port.expect("a port that was free a moment ago"));
    let bed = start(&options).await;
    let request = Request::get(OBJECT).bearer(&viewer(&bed.issuer));
    assert_eq!(judge(&bed, &request).await, "503 keys_unavailable");
    assert_eq!(bed.upstream.served(), 0);
    assert_serving(&bed, "a provider that is not there").await;
}

#[tokio::test]
async fn the_last_good_keys_serve_through_an_outage() {
    // The shortest time to live there is: the keys grow old while this test watches.
    let bed = bed(policy("outage", &[("jwks_cache_ttl", "10s"), ("jwks_timeout", "300ms")])).await;
    let request = Request::get(OBJECT).bearer(&viewer(&bed.issuer));
    assert_eq!(judge(&bed, &request).await, "200");
    for fault in [KeySetFault::Request(Fault::Unavailable), KeySetFault::PrivateKey] {
        bed.issuer.set_fault(fault);
        let failures = "wasmcustom.portcullis_jwks_fetches_total.policy=outage.method=people.result=failure";
        let known = bed.envoy.admin().stat(failures).await.expect("a statistic");
        // The worker and the main thread each fetch, so that two more failures are at least one of the worker.
        let failed = bed.envoy.admin().wait_for_stat(failures, known + 2, PATIENCE).await;
        failed.expect("old keys are fetched anew, in vain");
        assert_eq!(judge(&bed, &request).await, "200", "{fault:?}");
    }
    let stranger = Issuer::start(bed.issuer.name()).await.expect("another issuer");
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&viewer(&stranger))).await, "401 invalid_signature");
}

/// A bed whose keys come from an issuer that holds every fetch until its fault is taken away.
async fn bed_without_keys_yet(name: &str, workers: u32) -> (Bed, Issuer) {
    let mut options = options(policy(name, &[("jwks_timeout", "10s")])).await;
    options.concurrency = workers;
    let issuer = Issuer::start(&options.issuer).await.expect("an issuer");
    issuer.set_fault(KeySetFault::Request(Fault::Slow));
    options.clusters.insert("idp".to_owned(), issuer.address());
    (start(&options).await, issuer)
}

/// Requests under way at once, each on a connection of its own.
async fn waiting(bed: &Bed, request: &Request, count: usize) -> JoinSet<u16> {
    let mut crowd = JoinSet::new();
    for _ in 0..count {
        let (gate, request) = (bed.gate(), request.clone());
        crowd.spawn(async move {
            let mut connection = Connection::open(gate).await.expect("the gate listens");
            connection.exchange(&request).await.expect("an answer").status
        });
    }
    let active = "http.gate.downstream_rq_active";
    bed.envoy.admin().wait_for_stat(active, count as u64, PATIENCE).await.expect("all requests wait");
    crowd
}

async fn all_pass(mut crowd: JoinSet<u16>) -> usize {
    let mut answered = 0;
    while let Some(status) = crowd.join_next().await {
        assert_eq!(status.expect("no panic"), 200);
        answered += 1;
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_before_the_keys_waits_for_one_fetch() {
    let workers = 2;
    let (bed, issuer) = bed_without_keys_yet("crowd", workers).await;
    let crowd = waiting(&bed, &Request::get(OBJECT).bearer(&viewer(&issuer)), CROWD).await;
    assert_eq!(bed.upstream.served(), 0);
    let released = Instant::now();
    issuer.set_fault(KeySetFault::None);
    assert_eq!(all_pass(crowd).await, CROWD);
    println!(
        "{CROWD} answered {:?} after the keys came, by {} fetches",
        released.elapsed(),
        issuer.fetches()
    );
    // The main thread, which serves nobody, fetches too.
    assert!(issuer.fetches() <= u64::from(workers) + 1, "{} fetches", issuer.fetches());
}

#[tokio::test]
async fn requests_that_wait_when_the_policy_changes_are_answered_by_the_old_one() {
    let (bed, issuer) = bed_without_keys_yet("old", 1).await;
    let request = Request::get(OBJECT).bearer(&viewer(&issuer));
    let crowd = waiting(&bed, &request, 20).await;
    let mut strict = policy("new", &[("jwks_timeout", "10s")]);
    strict["authorization"]["routes"][0]["permission"] = "objects:administer".into();
    bed.push(&strict).await.expect("a good policy");
    in_force(&bed, "new").await;
    issuer.set_fault(KeySetFault::None);
    assert_eq!(all_pass(crowd).await, 20);
    assert_eq!(judge(&bed, &request).await, "403 insufficient_permissions");
}

#[tokio::test]
async fn clients_that_leave_while_they_wait_do_no_harm() {
    let (bed, issuer) = bed_without_keys_yet("leaving", 1).await;
    let request = Request::get(OBJECT).bearer(&viewer(&issuer));
    let mut crowd = waiting(&bed, &request, 20).await;
    crowd.shutdown().await;
    let waiting_requests =
        || async { (stat(&bed, "portcullis_waiting_requests.policy=leaving").await == 0).then_some(()) };
    wait_until("nobody waits any more", waiting_requests).await;
    let patient = waiting(&bed, &request, 1).await;
    issuer.set_fault(KeySetFault::None);
    assert_eq!(all_pass(patient).await, 1);
    assert_eq!(bed.upstream.served(), 1, "a request whose client had gone reached the upstream");
    assert_serving(&bed, "clients that left").await;
}
