//! The parts against each other and against a plain Envoy, without the module.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use portcullis_testbed::client::{Connection, Request, exchange};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions, Wanted, provision};
use portcullis_testbed::issuer::{Algorithm, DISCOVERY_PATH, Issuer, JWKS_PATH, KeyRing, KeySetFault};
use portcullis_testbed::load::Load;
use portcullis_testbed::sink::Sink;
use portcullis_testbed::upstream::Upstream;
use portcullis_testbed::{Fault, PATIENCE};

#[tokio::test]
async fn the_upstream_tells_what_it_received() {
    let upstream = Upstream::start().await.unwrap();
    let request =
        Request::new("POST", "/a%2fb?c=d").header("x-odd", b"\xff").header("x-odd", "2").body("four");
    let answer = exchange(upstream.address(), &request).await.unwrap();
    let received = answer.json().unwrap();
    assert_eq!(received["method"], "POST");
    assert_eq!(received["path"], "/a%2fb?c=d");
    assert_eq!(received["body_bytes"], 4);
    let odd: Vec<_> =
        received["headers"].as_array().unwrap().iter().filter(|line| line[0] == "x-odd").collect();
    assert_eq!(odd.len(), 2);
    assert_eq!(upstream.served(), 1);
}

#[tokio::test]
async fn faults_come_and_go() {
    let upstream = Upstream::start().await.unwrap();
    let mut connection = Connection::open(upstream.address()).await.unwrap();
    upstream.set_fault(Fault::Unavailable);
    assert_eq!(connection.exchange(&Request::get("/")).await.unwrap().status, 503);

    upstream.set_fault(Fault::Slow);
    connection.send(&Request::get("/held").to_bytes()).await.unwrap();
    assert!(connection.receive(false, Duration::from_millis(50)).await.is_err(), "answered while held");
    upstream.set_fault(Fault::None);
    assert_eq!(connection.receive(false, PATIENCE).await.unwrap().status, 200);

    upstream.set_fault(Fault::Reset);
    assert!(connection.exchange(&Request::get("/")).await.is_err());
    assert_eq!(upstream.served(), 1);
}

#[tokio::test]
async fn the_issuer_serves_its_keys_and_its_faults() {
    let issuer = Issuer::start("https://auth.example.com").await.unwrap();
    let page = |path: &'static str| {
        let address = issuer.address();
        async move { exchange(address, &Request::get(path)).await.unwrap() }
    };
    let discovery = page(DISCOVERY_PATH).await.json().unwrap();
    assert_eq!(discovery["jwks_uri"], "https://auth.example.com/.well-known/jwks.json");
    let set = page(JWKS_PATH).await.json().unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), Algorithm::ASYMMETRIC.len());

    issuer.set_fault(KeySetFault::Empty);
    assert_eq!(page(JWKS_PATH).await.text(), r#"{"keys":[]}"#);
    issuer.set_fault(KeySetFault::NotJson);
    assert!(page(JWKS_PATH).await.json().is_err());
    issuer.set_fault(KeySetFault::PrivateKey);
    assert!(page(JWKS_PATH).await.json().unwrap()["keys"][0]["d"].is_string());
    issuer.set_fault(KeySetFault::Huge);
    assert!(page(JWKS_PATH).await.body.len() > 8 * 1024 * 1024);
    issuer.set_fault(KeySetFault::Request(Fault::Unavailable));
    assert_eq!(page(JWKS_PATH).await.status, 503);
    issuer.set_fault(KeySetFault::None);

    let old = issuer.rotate("2").unwrap();
    assert_eq!(old.key_id(Algorithm::EdDSA), "EdDSA-1");
    let rotated = page(JWKS_PATH).await.json().unwrap();
    assert_eq!(rotated["keys"][0]["kid"], "RS256-2");
    assert_eq!(issuer.fetches(), 6);
}

#[tokio::test]
async fn tokens_of_every_algorithm_have_three_parts_and_their_own_signature() {
    let issuer = Issuer::start("https://auth.example.com").await.unwrap();
    for algorithm in Algorithm::ASYMMETRIC {
        let token = issuer.token(algorithm).claim("sub", "ann").sign().unwrap();
        assert_eq!(token.split('.').count(), 3, "{algorithm:?}");
        let forger = Arc::new(KeyRing::generate("1").unwrap());
        let forged = issuer.token(algorithm).claim("sub", "ann").signed_by(forger).sign().unwrap();
        assert_ne!(token.rsplit('.').next(), forged.rsplit('.').next());
    }
    for algorithm in Algorithm::SYMMETRIC {
        assert!(issuer.token(algorithm).sign().is_err(), "no secret given");
        issuer.token(algorithm).secret("0123456789abcdef0123456789abcdef").sign().unwrap();
    }
}

#[tokio::test]
async fn the_sink_keeps_what_it_acknowledges() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start(&folder.path().join("audit.ndjson")).await.unwrap();
    let batch = |text: &str| {
        let (address, request) = (sink.address(), Request::new("POST", "/batches").body(text));
        async move { exchange(address, &request).await }
    };
    sink.set_fault(Fault::Unavailable);
    assert_eq!(batch("{\"lost\":1}\n").await.unwrap().status, 503);
    sink.set_fault(Fault::LoseAnswer);
    assert!(batch("{\"n\":1}\n").await.is_err());
    sink.set_fault(Fault::None);
    assert_eq!(batch("{\"n\":1}\n{\"n\":2}\n").await.unwrap().status, 204);
    let records = sink.wait_for(3, PATIENCE).await.unwrap();
    assert_eq!(records, [r#"{"n":1}"#, r#"{"n":1}"#, r#"{"n":2}"#]);
    assert_eq!(std::fs::read_to_string(sink.file()).unwrap().lines().count(), 3);
    assert_eq!(sink.batches().lines(), ["/batches 1", "/batches 2"]);
    assert!(sink.wait_for(4, Duration::from_millis(10)).await.is_err());
}

#[tokio::test]
async fn a_plain_envoy_starts_serves_and_counts() {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/envoy");
    let binary = provision(&Wanted::Any, &cache, &|step| println!("{step}")).await.unwrap();
    let upstream = Upstream::start().await.unwrap();
    let configuration = PLAIN.replace("UPSTREAM_PORT", &upstream.address().port().to_string());
    let mut envoy = Envoy::start(&EnvoyOptions::new(&binary.path, configuration)).await.unwrap();
    let address = envoy.listener("plain").await.unwrap();

    let load =
        Load { address, requests: 200, connections: 8, mix: vec![Request::get("/"), Request::get("/b")] };
    let report = load.run(Arc::new(AtomicU64::new(0))).await.unwrap();
    assert_eq!(report.statuses, [(200, 200)].into(), "{report}");
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    assert_eq!(upstream.served(), 200);

    let head = exchange(address, &Request::new("HEAD", "/")).await.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    envoy.admin().wait_for_stat("http.plain.downstream_rq_2xx", 201, PATIENCE).await.unwrap();
    assert!(envoy.admin().prometheus().await.unwrap().contains("envoy_http_downstream_rq_xx"));
    envoy.wait_for_log("starting workers", PATIENCE).await.unwrap();
    assert!(envoy.is_running().unwrap());
}

#[tokio::test]
async fn a_broken_configuration_says_why() {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/envoy");
    let binary = provision(&Wanted::Any, &cache, &|step| println!("{step}")).await.unwrap();
    let error = Envoy::start(&EnvoyOptions::new(&binary.path, "admin: {nonsense: 1}")).await.unwrap_err();
    assert!(format!("{error:#}").contains("nonsense"), "{error:#}");
}

const PLAIN: &str = r#"
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
    - name: plain
      address: {socket_address: {address: 127.0.0.1, port_value: 0}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: plain
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                route_config:
                  virtual_hosts:
                    - {name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: upstream}}]}
  clusters:
    - name: upstream
      type: STATIC
      load_assignment:
        cluster_name: upstream
        endpoints:
          - lb_endpoints:
              - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: UPSTREAM_PORT}}}
"#;
