//! A policy that changes while traffic flows: in force on every worker within two seconds, with no request lost and no
//! connection drained; a broken one changes nothing and says why in one line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request};
use portcullis_testbed::load::{Load, LoadReport};
use serde_json::{Value, json};

use crate::support::{OBJECT, options, quickstart, start, verdict, viewer, wait_until};

/// How soon a pushed policy must be in force on every worker.
const PUSH_LIMIT: Duration = Duration::from_secs(2);

/// Connections that watch for a change, enough to meet both workers: that all of them are with one has a chance of one
/// in two thousand.
const WATCHERS: usize = 12;

/// Requests that the policy before and the policy after agree on, and as many that they do not.
const REQUESTS_EACH: u64 = 5_000;

/// Connections for each half of the requests.
const CONNECTIONS_EACH: usize = 25;

/// The quickstart policy, with or without the right of viewers to create.
fn policy(viewers_create: bool) -> Value {
    let mut document = quickstart();
    if viewers_create {
        document["authorization"]["roles"]["viewer"]["permissions"] =
            json!(["objects:read", "objects:create"]);
    }
    document
}

fn broken() -> Value {
    let mut document = policy(true);
    document["authorization"]["roles"]["viewer"]["permisions"] = json!([]);
    document
}

async fn bed() -> Bed {
    let mut options = options(policy(false)).await;
    options.concurrency = 2;
    start(&options).await
}

/// Without a body: Envoy ends a connection of HTTP/1.1 on which it answers before it has read the whole request.
fn create(token: &str) -> Request {
    Request::new("POST", "/v1/objects").bearer(token).header("content-length", "0")
}

fn load(bed: &Bed, request: Request) -> (Load, Arc<AtomicU64>) {
    let (requests, connections) = (REQUESTS_EACH, CONNECTIONS_EACH);
    let load = Load { address: bed.gate(), requests, connections, mix: vec![request] };
    (load, Arc::new(AtomicU64::new(0)))
}

/// Connections that are open and warm before the push.
async fn watchers(bed: &Bed, request: &Request, wanted: &str) -> Vec<Connection> {
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
        let answer = connection.exchange(request).await.expect("an answer");
        assert_eq!(verdict(&answer), wanted);
        watchers.push(connection);
    }
    watchers
}

/// Waits until all of them see `wanted`.
async fn all_see(bed: &Bed, watchers: &mut [Connection], request: &Request, wanted: &str) {
    let started = Instant::now();
    for connection in watchers {
        loop {
            let answer = connection.exchange(request).await;
            let answer = answer.unwrap_or_else(|error| panic!("{error:#}\n{}", bed.envoy.log().tail(20)));
            if verdict(&answer) == wanted {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "not {wanted} within {PATIENCE:?}");
        }
    }
}

fn assert_unbroken(report: &LoadReport, statuses: &[u16]) {
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    assert_eq!(report.statuses.values().sum::<u64>(), REQUESTS_EACH, "{report}");
    assert_eq!(report.statuses.keys().copied().collect::<Vec<_>>(), statuses, "{report}");
}

/// Connections that Envoy ended or was about to end.
async fn disturbed(bed: &Bed) -> u64 {
    let names = [
        "http.gate.downstream_cx_drain_close",
        "http.gate.downstream_cx_delayed_close_timeout",
        "http.gate.downstream_cx_destroy_local",
        "listener_manager.listener_modified",
        "listener_manager.total_listeners_draining",
    ];
    let mut sum = 0;
    for name in names {
        sum += bed.envoy.admin().stat(name).await.expect("Envoy tells its statistics");
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_pass_through_a_push() {
    let bed = bed().await;
    let token = viewer(&bed.issuer);
    let (steady, _) = load(&bed, Request::get(OBJECT).bearer(&token));
    let (flipping, sent) = load(&bed, create(&token));
    let mut watchers = watchers(&bed, &create(&token), "403 insufficient_permissions").await;

    let progress = Arc::clone(&sent);
    let steady = tokio::spawn(async move { steady.run(Arc::default()).await });
    let flipping = tokio::spawn(async move { flipping.run(progress).await });
    wait_until("a third of the requests", || async { (sent.load(Ordering::Relaxed) > 1_500).then_some(()) })
        .await;
    let renamed = Instant::now();
    let taken = bed.push(&policy(true)).await.expect("a good policy");
    all_see(&bed, &mut watchers, &create(&token), "200").await;
    let in_force = renamed.elapsed();
    let under_way = sent.load(Ordering::Relaxed);

    let steady = steady.await.expect("no panic").expect("a load");
    let flipping = flipping.await.expect("no panic").expect("a load");
    println!("the same before and after: {steady}\nflips 403 to 200: {flipping}");
    println!(
        "taken after {taken:?}, in force everywhere after {in_force:?}, {under_way} of the flipping half sent"
    );
    assert!(in_force < PUSH_LIMIT, "{in_force:?}");
    assert!(under_way < REQUESTS_EACH, "the load was over before the policy was in force");
    assert_unbroken(&steady, &[200]);
    assert_unbroken(&flipping, &[200, 403]);
    assert_eq!(disturbed(&bed).await, 0);
    let opened = bed.envoy.admin().stat("http.gate.downstream_cx_total").await.expect("a statistic");
    assert_eq!(opened, (2 * CONNECTIONS_EACH + WATCHERS) as u64, "a connection had to be opened anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_policy_changes_nothing_and_says_why_in_one_line() {
    let bed = bed().await;
    let token = viewer(&bed.issuer);
    let mut watchers = watchers(&bed, &create(&token), "403 insufficient_permissions").await;

    let mark = bed.envoy.log().len();
    let refused = bed.push(&broken()).await.expect_err("a broken policy");
    println!("{refused:#}");
    let lines = bed.envoy.log().lines().split_off(mark);
    let ours: Vec<_> = lines.iter().filter(|line| line.contains("wasm log")).collect();
    assert_eq!(ours.len(), 1, "{ours:#?}");
    assert!(ours[0].contains("/authorization/roles/viewer/permisions"), "{}", ours[0]);
    assert!(ours[0].contains("permissions"), "the nearest name is told: {}", ours[0]);
    all_see(&bed, &mut watchers, &create(&token), "403 insufficient_permissions").await;
    all_see(&bed, &mut watchers, &Request::get(OBJECT).bearer(&token), "200").await;

    // Nothing sticks: the next good one is taken, and the one after it.
    for (viewers_create, wanted) in [(true, "200"), (false, "403 insufficient_permissions")] {
        let renamed = Instant::now();
        bed.push(&policy(viewers_create)).await.expect("a good policy");
        all_see(&bed, &mut watchers, &create(&token), wanted).await;
        assert!(renamed.elapsed() < PUSH_LIMIT, "{:?}", renamed.elapsed());
    }
    assert_eq!(disturbed(&bed).await, 0);
}

/// Envoy hands a document over as a `Struct` of doubles, which cannot hold the number that was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_envoy_rounds_is_refused() {
    let bed = bed().await;
    let mut document = policy(false);
    document["authorization"]["rules"] = json!([{"effect": "deny", "action": "*", "resource": "/**", "role": "*",
        "conditions": [{"attribute": "number", "operator": "eq", "value": 9_007_199_254_740_993_u64}]}]);
    let refused = format!("{:#}", bed.push(&document).await.expect_err("it means another number by now"));
    assert!(refused.contains("/authorization/rules/0/conditions/0/value"), "{refused}");
    assert!(refused.contains("cannot be compared exactly"), "{refused}");
    document["authorization"]["rules"][0]["conditions"][0]["value"] = json!(9_007_199_254_740_991_u64);
    bed.push(&document).await.expect("a double holds this one");
}

/// Resident memory of Envoy in KiB: the VMs' own included, which no statistic of Envoy tells.
#[cfg(target_os = "linux")]
fn resident_kib(bed: &Bed) -> u64 {
    let id = bed.envoy.process_id().expect("Envoy runs");
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of that name");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_went_leave_nothing_behind() {
    // A policy kept by three VMs would be some tens of KiB; forty of them must stay below what a busy Envoy's memory
    // moves by.
    const PUSHES: usize = 40;
    const GROWTH_KIB: u64 = 2 * 1024;
    let bed = bed().await;
    let token = viewer(&bed.issuer);
    let mut watchers = watchers(&bed, &create(&token), "403 insufficient_permissions").await;
    let vms = "wasm.envoy.wasm.runtime.v8.active";
    let (mut settled, vms_before) = (0, bed.envoy.admin().stat(vms).await.expect("a statistic"));
    for push in 0..2 * PUSHES {
        if push == PUSHES {
            settled = resident_kib(&bed);
        }
        let viewers_create = push % 2 == 0;
        bed.push(&policy(viewers_create)).await.expect("a good policy");
        let wanted = if viewers_create { "200" } else { "403 insufficient_permissions" };
        all_see(&bed, &mut watchers, &create(&token), wanted).await;
    }
    let grown = resident_kib(&bed).saturating_sub(settled);
    println!("{grown} KiB more than {settled} KiB after {PUSHES} pushes");
    assert!(grown < GROWTH_KIB, "{grown} KiB");
    assert_eq!(bed.envoy.admin().stat(vms).await.expect("a statistic"), vms_before);
    assert_eq!(disturbed(&bed).await, 0);
}
