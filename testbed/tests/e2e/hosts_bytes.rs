//! Bytes that no decent client sends: each gets a refusal, and the worker lives to serve the next request.

use std::time::Duration;

use bytes::Bytes;
use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{OBJECT, access_log, assert_serving, bed, judge, quickstart, verdict, viewer};

/// Who refuses a request: what Envoy refuses never reaches the filter, and has no code.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Us(&'static str),
    Envoy(u16),
    /// Which of the two it is depends on the version of Envoy.
    Either(&'static str, u16),
}

/// Envoy made no VM anew and has none that failed.
async fn assert_no_trap(bed: &Bed) {
    let reloads = bed.envoy.admin().stats_with("vm_reload").await.expect("Envoy tells its statistics");
    assert!(reloads.iter().all(|(_, count)| *count == 0), "{reloads:?}");
    let lines = bed.envoy.log().lines();
    let trouble: Vec<_> =
        lines.iter().filter(|line| line.contains("panicked") || line.contains("Wasm VM failed")).collect();
    assert!(trouble.is_empty(), "{trouble:?}");
}

async fn raw(bed: &Bed, bytes: &[u8]) -> Response {
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    connection.send(bytes).await.expect("sent");
    connection.receive(bytes.starts_with(b"HEAD"), PATIENCE).await.expect("an answer")
}

async fn assert_refused(bed: &Bed, what: &str, bytes: &[u8], by: By) {
    let served = bed.upstream.served();
    let answer = raw(bed, bytes).await;
    let got = verdict(&answer);
    let envoy = |status: u16| answer.status == status && answer.json().is_err();
    let as_expected = match by {
        By::Us(wanted) => got == wanted,
        By::Envoy(status) => envoy(status),
        By::Either(wanted, status) => got == wanted || envoy(status),
    };
    println!("{what}: {got}{}", if answer.json().is_err() { " by Envoy" } else { "" });
    assert!(as_expected, "{what}: {by:?} expected, got {got}: {}", answer.text());
    assert_eq!(bed.upstream.served(), served, "{what}: reached the upstream");
    assert_serving(bed, what).await;
}

#[tokio::test]
async fn odd_bytes_are_refused_and_the_worker_lives() {
    let bed = bed(quickstart()).await;
    let token = viewer(&bed.issuer);
    let good = || Request::get(OBJECT).bearer(&token);
    assert_eq!(judge(&bed, &good()).await, "200");
    let path = |path: &[u8]| Request::get(path).bearer(&token).to_bytes();
    let head = |head: &str| [head, "\r\nhost: gate.test\r\n\r\n"].concat().into_bytes();
    use By::{Either, Envoy, Us};
    for (what, bytes, by) in [
        (
            "token that is not UTF-8",
            Request::get(OBJECT).header("authorization", b"Bearer \xff\xfe").to_bytes(),
            Us("400 malformed_request"),
        ),
        (
            "scheme that is not UTF-8",
            Request::get(OBJECT).header("authorization", b"\xff\xfe").to_bytes(),
            Us("400 malformed_request"),
        ),
        (
            "host that is not UTF-8",
            good().header("host", b"gate.\xff").to_bytes(),
            Either("400 malformed_request", 400),
        ),
        ("path that is not UTF-8", path(b"/v1/objects/\xff"), Either("400 malformed_request", 400)),
        ("overlong UTF-8 in escapes", path(b"/v1/objects/%c0%af"), Us("400 ambiguous_path")),
        ("%zz", path(b"/v1/objects/%zz"), Us("400 ambiguous_path")),
        ("% at the end", path(b"/v1/objects/%"), Us("400 ambiguous_path")),
        ("%00", path(b"/v1/objects/%00"), Either("400 ambiguous_path", 400)),
        ("NUL in the path", path(b"/v1/objects/\0"), Either("400 ambiguous_path", 400)),
        ("NUL in a header", good().header("x-odd", b"a\0b").to_bytes(), Envoy(400)),
        ("no path", head("GET  HTTP/1.1"), Envoy(400)),
        ("*", head("OPTIONS * HTTP/1.1"), Either("400 malformed_request", 404)),
        ("* for GET", head("GET * HTTP/1.1"), Either("400 malformed_request", 400)),
        (
            "CONNECT",
            b"CONNECT gate.test:443 HTTP/1.1\r\nhost: gate.test:443\r\n\r\n".to_vec(),
            Either("400 malformed_request", 404),
        ),
        ("HTTP/1.0", head("GET /healthz HTTP/1.0"), Envoy(426)),
        ("no host", good().without_host().to_bytes(), Envoy(400)),
        ("method that is no token", head("G@T /healthz HTTP/1.1"), Envoy(400)),
        ("unknown method", head("FROBNICATE /healthz HTTP/1.1"), Either("401 missing_token", 400)),
        (
            "a token of 58 KiB",
            Request::get(OBJECT).bearer(&"x".repeat(58 * 1024)).to_bytes(),
            Us("401 invalid_token"),
        ),
        ("a token of 60 KiB", Request::get(OBJECT).bearer(&"x".repeat(60 * 1024)).to_bytes(), Envoy(431)),
        (
            "101 headers",
            (0..100).fold(good(), |request, line| request.header(format!("x-{line}"), "1")).to_bytes(),
            Envoy(431),
        ),
    ] {
        assert_refused(&bed, what, &bytes, by).await;
    }
    assert_eq!(judge(&bed, &good()).await, "200");
    assert_no_trap(&bed).await;
}

#[tokio::test]
async fn a_header_that_is_not_text_is_refused_and_there_may_be_eighty_that_are() {
    let bed = bed(quickstart()).await;
    let token = viewer(&bed.issuer);
    let odd = Request::get(OBJECT).bearer(&token).header("x-odd", b"\xff\xfe\x80").header("x-odd", "2");
    assert_eq!(judge(&bed, &odd).await, "400 malformed_request");
    let cookie = Request::get(OBJECT).bearer(&token).header("cookie", b"a=\xff; \xfe");
    assert_eq!(judge(&bed, &cookie).await, "400 malformed_request");
    let text = Request::get(OBJECT).bearer(&token).header("x-text", "café".as_bytes());
    assert_eq!(judge(&bed, &text).await, "200");
    let many = (0..80)
        .fold(Request::get(OBJECT).bearer(&token), |request, line| request.header(format!("x-{line}"), "1"));
    assert_eq!(judge(&bed, &many).await, "200");
    // An identity header of ours is the client's to write and ours to remove.
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    let claimed =
        Request::get(OBJECT).bearer(&token).header("x-user-id", b"admin").header("X-USER-ID", "root");
    let seen = connection.exchange(&claimed).await.expect("an answer").json().expect("the echo");
    let users: Vec<_> =
        seen["headers"].as_array().expect("a list").iter().filter(|line| line[0] == "x-user-id").collect();
    assert_eq!(users, [&Value::from(vec!["x-user-id", "ann"])]);
    assert_no_trap(&bed).await;
}

#[tokio::test]
async fn the_answer_to_head_has_no_body_and_the_connection_goes_on() {
    let bed = bed(quickstart()).await;
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    for _ in 0..2 {
        let answer = connection.exchange(&Request::new("HEAD", OBJECT)).await.expect("an answer");
        assert_eq!((answer.status, answer.body.len()), (401, 0));
        assert!(answer.header("www-authenticate").is_some());
        // A body would be read as the start of this answer.
        let next = connection.exchange(&Request::get("/healthz")).await.expect("the next answer");
        assert_eq!(next.status, 200);
    }
    let line = access_log(&bed, |line| line["method"] == "HEAD").await;
    assert_eq!(line["details"], "portcullis_denied{missing_token}");
}

/// A connection that speaks HTTP/2 from its first byte.
async fn http2(bed: &Bed) -> h2::client::SendRequest<Bytes> {
    let stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    client
}

fn call(path: &str) -> http::request::Builder {
    let request = http::Request::builder().method("POST").uri(format!("http://gate.test{path}"));
    request.header("content-type", "application/grpc").header("te", "trailers")
}

/// Sends one empty message, and returns the head of the answer.
async fn send(client: &h2::client::SendRequest<Bytes>, request: http::Request<()>) -> http::response::Parts {
    let mut ready = client.clone().ready().await.expect("room for a stream");
    let (answer, mut body) = ready.send_request(request, false).expect("sent");
    // The gate may have answered already, and want no more.
    let _ = body.send_data(Bytes::from_static(&[0; 5]), true);
    timeout(PATIENCE, answer).await.expect("an answer in time").expect("an answer").into_parts().0
}

#[tokio::test]
async fn a_grpc_caller_gets_a_grpc_status() {
    let mut document = quickstart();
    let route = serde_json::json!({"methods": ["POST"], "path": "/shop.Objects/{method}", "permission": "objects:read"});
    document["authorization"]["routes"].as_array_mut().expect("a list").push(route);
    let bed = bed(document).await;
    let token = viewer(&bed.issuer);
    let client = http2(&bed).await;
    let odd = http::HeaderValue::from_bytes(b"\xff\xfe").expect("any byte but controls");
    let bearer = |request: http::request::Builder, token: &str| {
        request.header("authorization", format!("Bearer {token}"))
    };
    for (what, request, status, grpc) in [
        ("no token", call("/shop.Objects/Get"), 200, Some("16")),
        ("bad token", bearer(call("/shop.Objects/Get"), "a.b.c"), 200, Some("16")),
        ("odd bytes", call("/shop.Objects/Get").header("authorization", odd.clone()), 200, Some("3")),
        ("no such route", bearer(call("/shop.Objects/Get/More"), &token), 200, Some("7")),
        ("ambiguous path", bearer(call("/shop.Objects//Get"), &token), 200, Some("3")),
        ("good", bearer(call("/shop.Objects/Get"), &token), 200, None),
        (
            "a good token and odd bytes elsewhere",
            bearer(call("/shop.Objects/Get"), &token).header("x-odd", odd),
            200,
            Some("3"),
        ),
    ] {
        let head = send(&client, request.body(()).expect("a request")).await;
        let got = head.headers.get("grpc-status").map(|status| status.to_str().expect("digits"));
        assert_eq!((head.status.as_u16(), got), (status, grpc), "{what}: {head:?}");
        if grpc.is_some() {
            assert_eq!(head.headers.get("content-type").expect("a type"), "application/grpc", "{what}");
            assert!(head.headers.contains_key("grpc-message"), "{what}");
        }
    }
    assert_serving(&bed, "gRPC").await;
    assert_no_trap(&bed).await;
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Reads until the peer answers, resets or leaves; the kind of the frame that told, none for the end of the connection.
async fn told(stream: &mut TcpStream) -> Option<u8> {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const GOAWAY: u8 = 7;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).expect("a short frame")];
        stream.read_exact(&mut payload).await.ok()?;
        if matches!(head[3], HEADERS | RST_STREAM | GOAWAY) {
            return Some(head[3]);
        }
    }
}

#[tokio::test]
async fn http2_without_a_path_or_with_two_is_refused() {
    let bed = bed(quickstart()).await;
    // HPACK (RFC 7541 appendix A): 0x82 is `:method: GET`, 0x86 `:scheme: http`, 0x84 `:path: /`, 0x41 `:authority`.
    let authority = [&[0x41, 9][..], b"gate.test"].concat();
    let fields = |paths: usize| [&[0x82, 0x86][..], &vec![0x84; paths], &authority].concat();
    for (what, paths) in [("no path", 0), ("two paths", 2)] {
        let served = bed.upstream.served();
        let mut stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // An empty SETTINGS frame, then HEADERS with END_STREAM and END_HEADERS.
        let bytes = [preface, frame(4, 0, 0, &[]), frame(1, 0x05, 1, &fields(paths))].concat();
        stream.write_all(&bytes).await.expect("sent");
        let told = timeout(Duration::from_secs(10), told(&mut stream)).await.expect("told in time");
        println!("{what}: frame {told:?}");
        assert_eq!(bed.upstream.served(), served, "{what}: reached the upstream");
        assert_serving(&bed, what).await;
    }
    assert_no_trap(&bed).await;
}
