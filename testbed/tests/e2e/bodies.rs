//! Decisions on the body, with the ways in which a body comes: in chunks, over HTTP/2 with trailers, slowly, not at all, while keys
//! are fetched, and to an Envoy that holds less than the document asks for.

use std::time::{Duration, Instant};

use bytes::Bytes;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request, Response};
use portcullis_testbed::envoy_config::read_yaml;
use portcullis_testbed::issuer::KeySetFault;
use portcullis_testbed::{Fault, PATIENCE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{
    assert_serving, bed, judge, options, quickstart, root, start, stat, verdict, viewer, wait_until,
};

const PAYMENTS: &str = "/v1/payments";

/// How long the filter waits for a body, and how much later it may notice.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
const SLACK: Duration = Duration::from_secs(10);

/// The quickstart policy, and payments of at most 1000 for viewers.
fn policy(max_bytes: u32) -> Value {
    let mut document = quickstart();
    document["request"] = json!({"body": {"max_bytes": max_bytes}});
    let route = json!({"methods": ["POST"], "path": PAYMENTS, "permission": "objects:read",
        "conditions": [{"attribute": "context.body/amount", "operator": "lte", "value": 1000}]});
    document["authorization"]["routes"].as_array_mut().expect("a list").push(route);
    document
}

fn payment(token: &str) -> Request {
    Request::new("POST", PAYMENTS).bearer(token).header("content-type", "application/json")
}

/// A payment's head with these header lines, and nothing behind it.
fn head(token: &str, lines: &str) -> Vec<u8> {
    let line = format!("POST {PAYMENTS} HTTP/1.1\r\nhost: gate.test\r\nauthorization: Bearer {token}\r\n");
    format!("{line}content-type: application/json\r\n{lines}\r\n").into_bytes()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

async fn open(bed: &Bed) -> Connection {
    Connection::open(bed.gate()).await.expect("the gate listens")
}

async fn send(connection: &mut Connection, bytes: &[u8]) {
    connection.send(bytes).await.expect("sent");
}

async fn answer(connection: &mut Connection) -> Response {
    connection.receive(false, PATIENCE.max(LONGEST_WAIT + SLACK)).await.expect("an answer")
}

async fn waiting(bed: &Bed, count: u64) {
    let seen = || async {
        (stat(bed, "portcullis_waiting_requests.policy=quickstart").await == count).then_some(())
    };
    wait_until(&format!("{count} requests wait"), seen).await;
}

#[tokio::test]
async fn a_body_in_chunks_is_decided_when_it_is_whole_and_passes_as_it_came() {
    let bed = bed(policy(1024)).await;
    let token = viewer(&bed.issuer);
    assert_eq!(judge(&bed, &payment(&token).body(r#"{"amount": 1000}"#)).await, "200");
    assert_eq!(judge(&bed, &payment(&token).body(r#"{"amount": 1001}"#)).await, "403 access_denied");
    assert_eq!(judge(&bed, &payment(&token)).await, "403 access_denied");
    let mut connection = open(&bed).await;
    for (amount, wanted) in [(7, "200"), (7000, "403 access_denied"), (8, "200")] {
        let body = format!("{{\"amount\" : {amount}, \"note\": \"ü\"}}");
        let served = bed.upstream.served();
        send(&mut connection, &head(&token, "transfer-encoding: chunked\r\n")).await;
        let (first, second) = body.as_bytes().split_at(13);
        send(&mut connection, &chunk(first)).await;
        // The request is held, and nothing of it has gone on.
        waiting(&bed, 1).await;
        assert_eq!(bed.upstream.served(), served);
        send(&mut connection, &chunk(second)).await;
        send(&mut connection, b"0\r\n\r\n").await;
        let answer = answer(&mut connection).await;
        assert_eq!(verdict(&answer), wanted, "{}", answer.text());
        if wanted == "200" {
            let echo = answer.json().expect("the echo");
            assert_eq!(echo["body"], body);
            let headers = echo["headers"].as_array().expect("a list");
            assert!(headers.contains(&json!(["x-user-id", "ann"])), "{headers:?}");
        }
    }
    waiting(&bed, 0).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_413_as_soon_as_it_is_known() {
    let bed = bed(policy(1024)).await;
    let token = viewer(&bed.issuer);
    let served = bed.upstream.served();
    let mut connection = open(&bed).await;
    // Not a byte of the body has been sent.
    send(&mut connection, &head(&token, "content-length: 1025\r\n")).await;
    let told = answer(&mut connection).await;
    assert_eq!(verdict(&told), "413 body_too_large");
    assert_eq!(told.header("content-type").as_deref(), Some("application/problem+json"));
    let mut connection = open(&bed).await;
    send(&mut connection, &head(&token, "transfer-encoding: chunked\r\n")).await;
    for _ in 0..3 {
        send(&mut connection, &chunk(&[b' '; 400])).await;
    }
    // It never ends.
    assert_eq!(verdict(&answer(&mut connection).await), "413 body_too_large");
    assert_eq!(judge(&bed, &payment("a.b.c").body("x".repeat(2000))).await, "401 invalid_token");
    assert_eq!(bed.upstream.served(), served);
    assert_serving(&bed, "long bodies").await;
    waiting(&bed, 0).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408_and_a_client_that_leaves_leaves_nothing_behind() {
    let bed = bed(policy(1024)).await;
    let token = viewer(&bed.issuer);
    assert_eq!(judge(&bed, &payment(&token).body(r#"{"amount": 1}"#)).await, "200");
    let served = bed.upstream.served();
    let mut slow = open(&bed).await;
    send(&mut slow, &head(&token, "content-length: 20\r\n")).await;
    let since = Instant::now();
    send(&mut slow, b"{\"amount\":").await;
    waiting(&bed, 1).await;
    let mut leaving = open(&bed).await;
    send(&mut leaving, &head(&token, "content-length: 20\r\n")).await;
    waiting(&bed, 2).await;
    drop(leaving);
    waiting(&bed, 1).await;
    assert_eq!(verdict(&answer(&mut slow).await), "408 body_timeout");
    let waited = since.elapsed();
    assert!((LONGEST_WAIT..LONGEST_WAIT + SLACK).contains(&waited), "{waited:?}");
    waiting(&bed, 0).await;
    assert_eq!(bed.upstream.served(), served);
    assert_serving(&bed, "slow bodies").await;
}

#[tokio::test]
async fn body_and_keys_are_waited_for_at_once() {
    let mut document = policy(1024);
    document["authentication"]["methods"][0]["jwt"]["jwks_timeout"] = "10s".into();
    let bed = bed(document).await;
    bed.issuer.set_fault(KeySetFault::Request(Fault::Slow));
    let token = viewer(&bed.issuer);
    let (mut whole, mut large, mut later) = (open(&bed).await, open(&bed).await, open(&bed).await);
    send(&mut whole, &payment(&token).body(r#"{"amount": 3}"#).to_bytes()).await;
    waiting(&bed, 1).await;
    send(&mut later, &head(&token, "content-length: 13\r\n")).await;
    waiting(&bed, 2).await;
    // What is too long is so whoever sends it.
    send(&mut large, &head(&token, "transfer-encoding: chunked\r\n")).await;
    send(&mut large, &chunk(&[b' '; 1025])).await;
    assert_eq!(verdict(&answer(&mut large).await), "413 body_too_large");
    bed.issuer.set_fault(KeySetFault::None);
    let passed = answer(&mut whole).await;
    assert_eq!(
        (verdict(&passed).as_str(), &passed.json().expect("the echo")["body"]),
        ("200", &json!(r#"{"amount": 3}"#))
    );
    // Its keys are there, and it waits for its body still.
    waiting(&bed, 1).await;
    send(&mut later, br#"{"amount": 4}"#).await;
    assert_eq!(verdict(&answer(&mut later).await), "200");
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let bed = bed(policy(1024)).await;
    let token = viewer(&bed.issuer);
    let mut stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
    stream.write_all(&head(&token, "content-length: 13\r\nexpect: 100-continue\r\n")).await.expect("sent");
    let mut told = vec![0; 25];
    timeout(PATIENCE, stream.read_exact(&mut told)).await.expect("in time").expect("an answer");
    assert!(told.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&told));
    stream.write_all(br#"{"amount": 5}"#).await.expect("sent");
    let mut status = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("in time").expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test]
async fn http2_with_trailers_is_decided_at_the_trailers() {
    let mut config = read_yaml(&root().join("envoy/envoy.yaml")).expect("YAML");
    let options_of_http1 = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}}}});
    config["static_resources"]["clusters"][0]["typed_extension_protocol_options"] = options_of_http1;
    let folder = tempfile::tempdir().expect("a folder");
    let bed = with_bootstrap(&folder, &config, policy(1024)).await;
    let token = viewer(&bed.issuer);
    let stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    for (amount, wanted) in [(6, 200), (6000, 403)] {
        let request = http::Request::builder()
            .method("POST")
            .uri(format!("http://gate.test{PAYMENTS}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(())
            .expect("a request");
        let mut ready = client.clone().ready().await.expect("room for a stream");
        let (answer, mut body) = ready.send_request(request, false).expect("sent");
        let text = format!("{{\"amount\": {amount}}}");
        let (first, second) = text.split_at(5);
        body.send_data(Bytes::copy_from_slice(first.as_bytes()), false).expect("sent");
        waiting(&bed, 1).await;
        body.send_data(Bytes::copy_from_slice(second.as_bytes()), false).expect("sent");
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-checksum", "7".parse().expect("a value"));
        trailers.insert("x-user-id", "root".parse().expect("a value"));
        body.send_trailers(trailers).expect("sent");
        let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
        assert_eq!(answer.status().as_u16(), wanted);
        let mut echo = Vec::new();
        let mut body = answer.into_body();
        while let Some(data) = body.data().await {
            let data = data.expect("data");
            let _ = body.flow_control().release_capacity(data.len());
            echo.extend(data);
        }
        if wanted == 200 {
            let echo: Value = serde_json::from_slice(&echo).expect("the echo");
            assert_eq!(echo["body"], text);
            assert_eq!(echo["trailers"], json!([["x-checksum", "7"]]));
        }
    }
}

/// Envoy answers 413 itself, without a code of ours, and the upstream sees nothing.
#[tokio::test]
async fn an_envoy_that_holds_less_than_the_document_asks_for_refuses_too() {
    let mut config = read_yaml(&root().join("envoy/envoy.yaml")).expect("YAML");
    config["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = json!(1024);
    let folder = tempfile::tempdir().expect("a folder");
    let bed = with_bootstrap(&folder, &config, policy(65_536)).await;
    let token = viewer(&bed.issuer);
    let padded = |bytes: usize| format!("{{\"amount\": 1{}}}", " ".repeat(bytes - 13));
    assert_eq!(judge(&bed, &payment(&token).body(padded(512))).await, "200");
    let served = bed.upstream.served();
    assert_eq!(judge(&bed, &payment(&token).body(padded(30_000))).await, "413");
    assert_eq!(bed.upstream.served(), served);
    waiting(&bed, 0).await;
    assert_serving(&bed, "a body that Envoy does not hold").await;
}

/// Whoever says that bodies are delivered and does not see to it has requests that wait in vain, and learns why.
#[tokio::test]
async fn an_envoy_that_delivers_no_bodies_opens_nothing() {
    let bed = bed(policy(1024)).await;
    let mut file: Value =
        serde_json::from_slice(&std::fs::read(bed.policy_file()).expect("a file")).expect("JSON");
    let config = &mut file["resources"][0]["typed_config"]["config"];
    config["allow_on_headers_stop_iteration"] = json!(false);
    config["configuration"]["value"]["name"] = json!("quickstart");
    file["version_info"] = json!("without");
    put(&bed, &file).await;
    let token = viewer(&bed.issuer);
    let served = bed.upstream.served();
    assert_eq!(judge_slowly(&bed, &payment(&token).body(r#"{"amount": 1}"#)).await, "408 body_timeout");
    assert_eq!(bed.upstream.served(), served);
    let said = bed.envoy.log().wait_for_line_after(0, "allow_on_headers_stop_iteration", PATIENCE).await;
    assert!(said.is_some(), "the log says what is missing");
    assert_serving(&bed, "a body that was not delivered").await;
}

async fn judge_slowly(bed: &Bed, request: &Request) -> String {
    let mut connection = open(bed).await;
    send(&mut connection, &request.to_bytes()).await;
    verdict(&answer(&mut connection).await)
}

/// Puts another file in place of the discovered one, and waits until Envoy has taken it.
async fn put(bed: &Bed, file: &Value) {
    let count = || async {
        let name = "extension_config_discovery.http_filter.portcullis.update_success";
        bed.envoy.admin().stat(name).await.expect("Envoy tells its statistics")
    };
    let before = count().await;
    let folder = bed.policy_file().parent().and_then(|folder| folder.parent()).expect("a folder");
    let draft = folder.join("workshop/draft.json");
    std::fs::write(&draft, file.to_string()).expect("written");
    std::fs::rename(&draft, bed.policy_file()).expect("renamed");
    wait_until("the policy is taken", || async { (count().await > before).then_some(()) }).await;
}

async fn with_bootstrap(folder: &tempfile::TempDir, config: &Value, document: Value) -> Bed {
    let file = folder.path().join("envoy.json");
    std::fs::write(&file, config.to_string()).expect("written");
    let mut options = options(document).await;
    options.bootstrap = file;
    start(&options).await
}
