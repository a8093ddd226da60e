//! A candidate beside the live policy in a real Envoy: what it changes is counted and recorded, whoever it answers stays with
//! it on every worker and after a push, and everyone else feels nothing of it.

use std::collections::BTreeSet;

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request};
use serde_json::{Value, json};

use crate::support::{OBJECT, options, person, quickstart, start, stat, verdict, wait_until};

/// Connections that ask the same, enough to meet both workers: that all of them are with one has a chance of one in two
/// thousand.
const CONNECTIONS: usize = 12;

/// Dave of acme stands at place 6 and erin at 62: `printf 'portcullis candidate v1\nnext\nacme\ndave' | sha256sum`.
const DAVE_AND_NOT_ERIN: u8 = 10;

/// The quickstart policy with a candidate for so many of a hundred, under which viewers create objects and no longer read
/// them.
fn policy(percentage: u8) -> Value {
    let mut document = quickstart();
    let mut candidate = document["authorization"].clone();
    candidate["roles"]["viewer"]["permissions"] = json!(["objects:create"]);
    document["candidate"] =
        json!({"name": "next", "authorization": candidate, "enforce": {"percentage": percentage}});
    document
}

async fn bed(percentage: u8) -> Bed {
    let mut options = options(policy(percentage)).await;
    options.concurrency = 2;
    start(&options).await
}

fn read(token: &str) -> Request {
    Request::get(OBJECT).bearer(token)
}

fn create(token: &str) -> Request {
    Request::new("POST", "/v1/objects").bearer(token).header("content-length", "0")
}

/// What many connections are answered, which is one thing.
async fn everywhere(bed: &Bed, request: &Request) -> String {
    let mut verdicts = BTreeSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
        verdicts.insert(verdict(&connection.exchange(request).await.expect("an answer")));
    }
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    verdicts.pop_first().unwrap_or_default()
}

async fn changes(bed: &Bed, rule: &str, change: &str) -> u64 {
    let labels = format!("policy=quickstart.candidate=next.rule={rule}.change={change}");
    stat(bed, &format!("portcullis_candidate_changes_total.{labels}")).await
}

/// The `candidate` of every decision on record about `subject`, once there are as many as asked for.
async fn recorded(bed: &Bed, subject: &str, decisions: usize) -> Vec<Value> {
    let find = |lines: &[String]| {
        let events = lines
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).expect("a record is JSON")["event"].clone());
        let about: Vec<Value> = events.filter(|event| event["subject"] == subject).collect();
        (about.len() >= decisions).then(|| about.iter().map(|event| event["candidate"].clone()).collect())
    };
    bed.sink.records().wait_until(PATIENCE, find).await.expect("every decision is on record")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_is_counted_by_rule_and_recorded_and_felt_by_nobody() {
    let bed = bed(0).await;
    let token = person(&bed.issuer, "dave", "viewer");
    assert_eq!(everywhere(&bed, &read(&token)).await, "200");
    assert_eq!(everywhere(&bed, &create(&token)).await, "403 insufficient_permissions");
    assert_eq!(everywhere(&bed, &Request::get("/healthz")).await, "200");

    let each = CONNECTIONS as u64;
    let decided = "portcullis_candidate_decisions_total.policy=quickstart.candidate=next.enforced=";
    // Workers tell their counts every half second.
    let all = format!("{decided}false");
    wait_until("every decision and change to be counted", || async {
        let decisions = stat(&bed, &all).await;
        let denied = changes(&bed, "read-object", "newly_denied").await;
        let allowed = changes(&bed, "create-object", "newly_allowed").await;
        (decisions >= 3 * each && denied >= each && allowed >= each).then_some(())
    })
    .await;
    assert_eq!(changes(&bed, "read-object", "newly_denied").await, each);
    assert_eq!(changes(&bed, "create-object", "newly_allowed").await, each);
    assert_eq!(changes(&bed, "create-object", "newly_denied").await, 0);
    let prometheus = bed.envoy.admin().prometheus().await.expect("Envoy tells its statistics");
    let series =
        prometheus.lines().find(|line| line.contains("newly_denied") && line.contains("read-object"));
    let series = series.expect("the series");
    for label in
        ["policy=\"quickstart\"", "candidate=\"next\"", "rule=\"read-object\"", "change=\"newly_denied\""]
    {
        assert!(
            series.starts_with("portcullis_candidate_changes_total{") && series.contains(label),
            "{series}"
        );
    }
    assert_eq!(stat(&bed, &format!("{decided}true")).await, 0);

    let recorded = recorded(&bed, "dave", 2 * CONNECTIONS).await;
    let denied = json!({"name": "next", "enforced": false, "change": "newly_denied", "decision": "deny",
                        "code": "insufficient_permissions", "rules": ["read-object"]});
    let allowed = json!({"name": "next", "enforced": false, "change": "newly_allowed", "decision": "permit",
                         "rules": ["create-object"]});
    for answer in [&denied, &allowed] {
        assert_eq!(
            recorded.iter().filter(|recorded| *recorded == answer).count(),
            CONNECTIONS,
            "{recorded:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_stays_on_its_side_on_every_worker_and_after_a_push() {
    let bed = bed(DAVE_AND_NOT_ERIN).await;
    let (dave, erin) = (person(&bed.issuer, "dave", "viewer"), person(&bed.issuer, "erin", "viewer"));
    let mut wider = policy(DAVE_AND_NOT_ERIN + 10);
    wider["authorization"]["roles"]["viewer"]["permissions"] = json!(["objects:read", "objects:update"]);
    for push in [None, Some(wider)] {
        if let Some(document) = &push {
            bed.push(document).await.expect("a good policy");
        }
        assert_eq!(everywhere(&bed, &read(&dave)).await, "403 insufficient_permissions");
        assert_eq!(everywhere(&bed, &create(&dave)).await, "200");
        assert_eq!(everywhere(&bed, &read(&erin)).await, "200");
        assert_eq!(everywhere(&bed, &create(&erin)).await, "403 insufficient_permissions");
    }
    let enforced = recorded(&bed, "dave", 4 * CONNECTIONS).await;
    assert!(enforced.iter().all(|candidate| candidate["enforced"] == true), "{enforced:#?}");
    assert!(enforced.iter().any(|candidate| candidate["live"]["decision"] == "permit"), "{enforced:#?}");

    // The candidate for everyone, and then none at all.
    bed.push(&policy(100)).await.expect("a good policy");
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    let answer = connection.exchange(&read(&erin)).await.expect("an answer");
    assert_eq!(verdict(&answer), "403 insufficient_permissions");
    bed.push(&quickstart()).await.expect("a good policy");
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    assert_eq!(verdict(&connection.exchange(&read(&dave)).await.expect("an answer")), "200");
}
