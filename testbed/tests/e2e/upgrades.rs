//! WebSocket through an Envoy that lets upgrades through, over HTTP/1.1 (RFC 6455) and over HTTP/2 by an extended CONNECT
//! (RFC 8441): the gate decides about the request that opens it, and sees nothing of what passes afterwards.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::Request;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{accept_async, client_async};

use crate::support::{OBJECT, Shipped, access_log, judge, options, person, quickstart, start, viewer};

/// The route that is about WebSocket.
const LIVE: &str = "/v1/live";

/// A text frame with `ping`, masked by zeros, and the same as a server sends it (RFC 6455 section 5.2).
const PING: [u8; 10] = [0x81, 0x84, 0, 0, 0, 0, b'p', b'i', b'n', b'g'];
const ECHOED: [u8; 6] = [0x81, 0x04, b'p', b'i', b'n', b'g'];

/// A WebSocket server that sends each text back.
#[derive(Debug)]
struct Echo {
    address: SocketAddr,
    opened: Arc<AtomicU64>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let opened = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&opened);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut socket = accept_async(stream).await.expect("a handshake");
                    while let Some(Ok(message)) = socket.next().await {
                        if message.is_text() {
                            socket.send(message).await.expect("sent back");
                        }
                    }
                });
            }
        });
        Self { address, opened }
    }

    /// How many connections reached it.
    fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

/// The shipped Envoy with upgrades to these switched on, and the echo behind it.
async fn upgrading_to(protocols: &[&str]) -> (Bed, Echo) {
    let echo = Echo::start().await;
    let configs: Vec<_> = protocols.iter().map(|protocol| json!({"upgrade_type": protocol})).collect();
    let shipped = Shipped::new().settings(json!({
        "upgrade_configs": configs,
        "http2_protocol_options": {"allow_connect": true},
    }));
    let mut document = quickstart();
    document["authorization"]["routes"].as_array_mut().expect("a list").push(json!({
        "name": "live", "methods": ["GET"], "path": LIVE, "upgrade": "websocket", "permission": "objects:read",
    }));
    let mut options = options(document).await;
    options.root = shipped.root().to_owned();
    options.clusters.insert("upstream".to_owned(), echo.address);
    (start(&options).await, echo)
}

fn upgrade(path: &str) -> Request {
    let request = Request::get(path).header("connection", "Upgrade").header("upgrade", "websocket");
    request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

#[tokio::test]
async fn a_websocket_opens_for_who_may_and_carries_frames() {
    let (bed, echo) = upgrading_to(&["websocket"]).await;
    let mut request = format!("ws://{}{LIVE}", bed.gate()).into_client_request().expect("a request");
    let bearer = format!("Bearer {}", viewer(&bed.issuer)).parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    let stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
    let opened = timeout(PATIENCE, client_async(request, stream)).await.expect("in time");
    let (mut socket, answer) = opened.expect("the WebSocket opens");
    assert_eq!(answer.status().as_u16(), 101);
    for text in ["a frame", "and another"] {
        socket.send(Message::text(text)).await.expect("sent");
        let echoed =
            timeout(PATIENCE, socket.next()).await.expect("in time").expect("open").expect("a frame");
        assert_eq!(echoed.into_text().expect("text").as_str(), text);
    }
    assert_eq!(echo.opened(), 1);
}

#[tokio::test]
async fn an_upgrade_is_decided_before_anything_passes() {
    let (bed, echo) = upgrading_to(&["websocket"]).await;
    let (ann, stranger) = (viewer(&bed.issuer), person(&bed.issuer, "eve", "stranger"));
    for (what, request, verdict) in [
        ("no token", upgrade(LIVE), "401 missing_token"),
        ("bad token", upgrade(LIVE).bearer("a.b.c"), "401 invalid_token"),
        ("no role", upgrade(LIVE).bearer(&stranger), "403 insufficient_permissions"),
        ("a route that is about no upgrade", upgrade(OBJECT).bearer(&ann), "403 access_denied"),
        ("a public route", upgrade("/healthz").bearer(&ann), "403 access_denied"),
        ("no route", upgrade("/v1/elsewhere").bearer(&ann), "403 access_denied"),
        ("no upgrade, on the route for one", Request::get(LIVE).bearer(&ann), "403 access_denied"),
    ] {
        assert_eq!(judge(&bed, &request).await, verdict, "{what}");
    }
    assert_eq!(echo.opened(), 0, "a request reached the service");
}

/// An HTTP/2 connection whose server has said that it takes extended CONNECTs.
async fn http2(bed: &Bed) -> h2::client::SendRequest<Bytes> {
    let stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = http::Request::get("http://gate.test/v1/elsewhere").body(()).expect("a request");
    // Settings come before the first answer.
    let (answer, _) = client.clone().ready().await.expect("room").send_request(request, true).expect("sent");
    assert_eq!(answer.await.expect("an answer").status(), 401);
    assert!(client.is_extended_connect_protocol_enabled(), "Envoy takes extended CONNECTs");
    client
}

/// RFC 8441 has no use for a key, but Envoy hands the request on as one of HTTP/1.1 and adds none.
fn connect(protocol: &'static str, path: &str, token: Option<&str>) -> http::Request<()> {
    let request = http::Request::connect(format!("http://gate.test{path}"))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let request = request.extension(h2::ext::Protocol::from_static(protocol));
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(()).expect("a request")
}

async fn open(
    client: &h2::client::SendRequest<Bytes>,
    request: http::Request<()>,
) -> (http::Response<h2::RecvStream>, h2::SendStream<Bytes>) {
    let mut ready = client.clone().ready().await.expect("room for a stream");
    let (answer, body) = ready.send_request(request, false).expect("sent");
    (timeout(PATIENCE, answer).await.expect("an answer in time").expect("an answer"), body)
}

#[tokio::test]
async fn an_extended_connect_is_the_upgrade_that_it_is() {
    let (bed, echo) = upgrading_to(&["websocket"]).await;
    let (ann, stranger) = (viewer(&bed.issuer), person(&bed.issuer, "eve", "stranger"));
    let client = http2(&bed).await;
    for (what, request, status) in [
        ("no token", connect("websocket", LIVE, None), 401),
        ("no role", connect("websocket", LIVE, Some(&stranger)), 403),
        ("a route that is about no upgrade", connect("websocket", OBJECT, Some(&ann)), 403),
        ("a public route", connect("websocket", "/healthz", Some(&ann)), 403),
    ] {
        assert_eq!(open(&client, request).await.0.status(), status, "{what}");
    }
    assert_eq!(echo.opened(), 0, "a request reached the service");

    let (answer, mut body) = open(&client, connect("websocket", LIVE, Some(&ann))).await;
    assert_eq!(answer.status(), 200);
    body.send_data(Bytes::from_static(&PING), false).expect("sent");
    let mut received = Vec::new();
    let mut from = answer.into_body();
    while received.len() < ECHOED.len() {
        let data = timeout(PATIENCE, from.data()).await.expect("in time").expect("open").expect("data");
        received.extend(data);
    }
    assert_eq!(received, ECHOED);
    assert_eq!(echo.opened(), 1);
}

/// The gate refuses on its own what Envoy would refuse if it were not told to let it through.
#[tokio::test]
async fn an_extended_connect_to_anything_else_is_refused() {
    let known = ["websocket", "h2c", "connect-udp", "connect-ip", "CONNECT"];
    let (bed, echo) = upgrading_to(&known).await;
    let ann = viewer(&bed.issuer);
    for (protocol, refused_by) in [
        ("h2c", "portcullis_denied{access_denied}"),
        ("connect-ip", "portcullis_denied{access_denied}"),
        // Without upgrades of this name Envoy hands on the CONNECT that it is.
        ("bytestream", "portcullis_denied{malformed_request}"),
        ("connect-udp", "invalid_path"),
        ("websocket, h2c", "upgrade_failed"),
        ("unheard-of", "upgrade_failed"),
    ] {
        for path in [LIVE, OBJECT, "/healthz"] {
            // Envoy leaves a connection over an upgrade that it does not know.
            let client = http2(&bed).await;
            let (answer, _body) = open(&client, connect(protocol, path, Some(&ann))).await;
            let status = answer.status().as_u16();
            assert!((400..500).contains(&status), "{protocol} {path}: {status}");
            let line = access_log(&bed, |line| line["details"] == refused_by).await;
            assert_eq!(line["status"], status, "{protocol} {path}: {line}");
        }
    }
    assert_eq!(echo.opened(), 0, "a request reached the service");
}
