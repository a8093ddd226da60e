//! gRPC over HTTP/2 from client to service: a permitted call passes with its trailers, and a denial is one that a gRPC client
//! understands (gRPC over HTTP/2, "Responses"): status 200 and `grpc-status` in a head that ends the stream. And CORS
//! preflights, whose answers a browser reads, over the same protocol.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{Shipped, options, person, quickstart, start, viewer};

/// A message of no bytes: not compressed, length 0.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// A gRPC service that answers every call with one empty message and `grpc-status: 0`.
#[derive(Debug)]
struct Service {
    address: SocketAddr,
    called: Arc<AtomicU64>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let called = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&called);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counter)));
            }
        });
        Self { address, called }
    }
}

async fn serve(stream: TcpStream, called: Arc<AtomicU64>) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(call) = connection.accept().await {
        let (_request, mut respond) = call?;
        called.fetch_add(1, Ordering::Relaxed);
        let head = http::Response::builder().header("content-type", "application/grpc").body(());
        let mut body = respond.send_response(head.expect("a head"), false)?;
        body.send_data(Bytes::from_static(EMPTY_MESSAGE), false)?;
        let status = [("grpc-status", "0")].map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        body.send_trailers(http::HeaderMap::from_iter(status))?;
    }
    Ok(())
}

/// The shipped Envoy with the service behind it, spoken to by HTTP/2.
async fn bed() -> (Bed, Service) {
    let service = Service::start().await;
    let shipped = Shipped::new().cluster(
        "upstream",
        json!({
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http2_protocol_options": {}},
                },
            },
        }),
    );
    let mut document = quickstart();
    let routes = document["authorization"]["routes"].as_array_mut().expect("a list");
    routes
        .push(json!({"grpc": {"service": "shop.v1.Orders", "method": "Get"}, "permission": "objects:read"}));
    routes.push(json!({"grpc": {"service": "shop.v1.Orders"}, "require": {"roles": {"any_of": ["admin"]}}}));
    document["authorization"]["preflight"] =
        json!([{"path": "/v1/**", "origins": ["https://app.example.com"]}]);
    let mut options = options(document).await;
    options.root = shipped.root().to_owned();
    options.clusters.insert("upstream".to_owned(), service.address);
    (start(&options).await, service)
}

async fn http2(bed: &Bed) -> h2::client::SendRequest<Bytes> {
    let stream = TcpStream::connect(bed.gate()).await.expect("the gate listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    client
}

fn call(method: &str, content_type: &str, token: Option<&str>) -> http::Request<()> {
    let request = http::Request::post(format!("http://gate.test/shop.v1.Orders/{method}"));
    let request = request.header("content-type", content_type).header("te", "trailers");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(()).expect("a request")
}

/// The answer's head, and whether it ended the stream.
async fn send(
    client: &h2::client::SendRequest<Bytes>,
    request: http::Request<()>,
) -> (http::Response<h2::RecvStream>, bool) {
    let mut ready = client.clone().ready().await.expect("room for a stream");
    let (answer, mut body) = ready.send_request(request, false).expect("sent");
    // The gate may have answered already, and want no more.
    let _ = body.send_data(Bytes::from_static(EMPTY_MESSAGE), true);
    let answer = timeout(PATIENCE, answer).await.expect("an answer in time").expect("an answer");
    let ended = answer.body().is_end_stream();
    (answer, ended)
}

fn text<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn a_permitted_call_passes_with_its_trailers() {
    let (bed, service) = bed().await;
    let token = viewer(&bed.issuer);
    let (answer, ended) = send(&http2(&bed).await, call("Get", "application/grpc+proto", Some(&token))).await;
    assert_eq!((answer.status().as_u16(), ended), (200, false));
    assert_eq!(text(answer.headers(), "grpc-status"), None);
    let mut body = answer.into_body();
    let mut message = Vec::new();
    while let Some(data) = timeout(PATIENCE, body.data()).await.expect("in time") {
        message.extend(data.expect("data"));
    }
    assert_eq!(message, EMPTY_MESSAGE);
    let trailers =
        timeout(PATIENCE, body.trailers()).await.expect("in time").expect("an end").expect("trailers");
    assert_eq!(text(&trailers, "grpc-status"), Some("0"));
    assert_eq!(service.called.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_denied_call_is_told_as_a_grpc_client_understands_it() {
    let (bed, service) = bed().await;
    let (ann, stranger) = (viewer(&bed.issuer), person(&bed.issuer, "eve", "stranger"));
    let client = http2(&bed).await;
    const GRPC: &str = "application/grpc";
    for (what, request, status, message) in [
        ("no token", call("Get", GRPC, None), "16", "missing_token"),
        ("bad token", call("Get", GRPC, Some("a.b.c")), "16", "invalid_token"),
        ("no permission", call("Get", GRPC, Some(&stranger)), "7", "insufficient_permissions"),
        ("another method", call("Delete", GRPC, Some(&ann)), "7", "insufficient_role"),
        ("with a codec", call("Delete", "application/grpc+proto", Some(&ann)), "7", "insufficient_role"),
    ] {
        let (answer, ended) = send(&client, request).await;
        let headers = answer.headers();
        assert_eq!((answer.status().as_u16(), text(headers, "content-type")), (200, Some(GRPC)), "{what}");
        assert_eq!(text(headers, "grpc-status"), Some(status), "{what}");
        assert_eq!(text(headers, "grpc-message"), Some(message), "{what}");
        assert!(ended, "{what}: a head with a status and no trailers ends the stream");
    }
    for content_type in ["application/json", "application/grpc-web+proto"] {
        let (answer, _ended) = send(&client, call("Get", content_type, Some(&ann))).await;
        assert_eq!(answer.status().as_u16(), 403, "{content_type} is no gRPC");
        assert_eq!(
            text(answer.headers(), "content-type"),
            Some("application/problem+json"),
            "{content_type}"
        );
        assert_eq!(text(answer.headers(), "grpc-status"), None, "{content_type}");
    }
    assert_eq!(service.called.load(Ordering::Relaxed), 0, "a call reached the service");
}

#[tokio::test]
async fn a_preflight_passes_for_the_origin_that_is_listed() {
    let (bed, service) = bed().await;
    let client = http2(&bed).await;
    let preflight = |path: &str, origin: &str| {
        let request = http::Request::options(format!("http://gate.test{path}")).header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
    };
    for (what, request, status) in [
        ("listed", preflight("/v1/objects", "https://app.example.com"), 200),
        ("another origin", preflight("/v1/objects", "https://evil.example"), 401),
        ("an origin that ends alike", preflight("/v1/objects", "https://evil.app.example.com"), 401),
        ("no origin", preflight("/v1/objects", "null"), 401),
        (
            "two origins",
            preflight("/v1/objects", "https://app.example.com").header("origin", "https://evil.example"),
            401,
        ),
        ("elsewhere", preflight("/internal/metrics", "https://app.example.com"), 401),
    ] {
        let mut ready = client.clone().ready().await.expect("room for a stream");
        let (answer, _body) = ready.send_request(request.body(()).expect("a request"), true).expect("sent");
        let answer = timeout(PATIENCE, answer).await.expect("an answer in time").expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{what}");
        // What it may do is for the service, or Envoy's CORS filter, to say.
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{what}");
    }
    // No header says that there is a body, and yet there is one.
    let request = preflight("/v1/objects", "https://app.example.com").body(()).expect("a request");
    assert_eq!(send(&client, request).await.0.status().as_u16(), 401, "with a body");
    assert_eq!(service.called.load(Ordering::Relaxed), 1);
}
