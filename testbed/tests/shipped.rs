//! The shipped Envoy files with the module in them: they boot, they count, the guard stands, and a policy changes under
//! load without a request lost. What the gate decides is the corpus's affair, not this file's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::{Bed, BedOptions};
use portcullis_testbed::client::{Connection, Request, exchange};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions, Wanted, provision};
use portcullis_testbed::envoy_config::{
    DocumentForm, Places, Plugin, bootstrap, bootstrap_with_plugin, read_yaml,
};
use portcullis_testbed::issuer::Algorithm;
use portcullis_testbed::load::Load;
use portcullis_testbed::upstream::Upstream;
use serde_json::{Value, json};

/// What issue 2 asks for: requests through a policy push, and how many connections they share.
const LOAD_REQUESTS: u64 = 10_000;
const LOAD_CONNECTIONS: usize = 50;

/// How soon a pushed policy must be in force on every worker.
const PUSH_LIMIT: Duration = Duration::from_secs(2);

fn root() -> PathBuf {
    std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

fn module() -> PathBuf {
    let module = root().join("target/portcullis.wasm");
    assert!(module.is_file(), "{} is missing: run `cargo xtask build`", module.display());
    module
}

async fn envoy() -> PathBuf {
    provision(&Wanted::Any, &root().join("target/envoy"), &|step| println!("{step}")).await.unwrap().path
}

fn quickstart() -> Value {
    read_yaml(&root().join("examples/quickstart/policy.yaml")).unwrap()
}

async fn bed(form: DocumentForm) -> Bed {
    let mut options = BedOptions::new(&root(), &envoy().await, &module(), quickstart());
    options.form = form;
    Bed::start(&options).await.unwrap()
}

fn viewer(bed: &Bed) -> String {
    let token = bed.issuer.token(Algorithm::ES256).claim("sub", "ann").claim("aud", "api.example.com");
    token.claim("tenant", "acme").claim("roles", json!(["viewer"])).sign().unwrap()
}

#[tokio::test]
async fn a_policy_is_the_same_as_struct_and_as_text() {
    for form in [DocumentForm::Struct, DocumentForm::Text] {
        let bed = bed(form).await;
        let read = Request::get("/v1/objects/1").bearer(&viewer(&bed));
        assert_eq!(exchange(bed.gate(), &read).await.unwrap().status, 200, "{form:?}");
        assert_eq!(
            exchange(bed.gate(), &Request::get("/v1/objects/1")).await.unwrap().status,
            401,
            "{form:?}"
        );
    }
}

#[tokio::test]
async fn metrics_have_their_labels_and_the_access_log_its_reason() {
    let bed = bed(DocumentForm::Struct).await;
    let mut client = Connection::open(bed.gate()).await.unwrap();
    let requests = [
        Request::get("/v1/objects/1").bearer(&viewer(&bed)),
        Request::get("/v1/objects/1"),
        Request::get("//v1/objects/1"),
    ];
    for request in &requests {
        client.exchange(request).await.unwrap();
    }
    let wanted = [
        r#"portcullis_auth_attempts_total{policy="quickstart",method="people",result="success"} 1"#,
        r#"reason="missing_token"} 1"#,
        r#"portcullis_decisions_total{policy="quickstart",code="permit"} 1"#,
        r#"kind="#,
        r#"portcullis_auth_latency_ms_count{policy="quickstart",method="people"}"#,
    ];
    let metrics = bed.envoy.admin().prometheus().await.unwrap();
    let ours: Vec<_> = metrics.lines().filter(|line| line.starts_with("portcullis_")).collect();
    for wanted in wanted {
        assert!(ours.iter().any(|line| line.contains(wanted)), "no {wanted} in:\n{}", ours.join("\n"));
    }
    let unlabelled: Vec<_> =
        ours.iter().filter(|line| line.split('{').next().unwrap().contains('=')).collect();
    assert!(unlabelled.is_empty(), "{unlabelled:?}");
    let line = bed.envoy.output().wait_for_line("missing_token", PATIENCE).await;
    assert!(line.expect("an access log line").contains(r#""status":401"#));
}

#[tokio::test]
async fn a_policy_changes_under_load_and_no_request_is_lost() {
    let bed = Arc::new(bed(DocumentForm::Struct).await);
    let token = viewer(&bed);
    let read = Request::get("/v1/objects/1").bearer(&token);
    let create = Request::new("POST", "/v1/objects").bearer(&token).body("{}");
    let load = Load {
        address: bed.gate(),
        requests: LOAD_REQUESTS,
        connections: LOAD_CONNECTIONS,
        mix: vec![read, create.clone()],
    };
    let sent = Arc::new(AtomicU64::new(0));
    let running = tokio::spawn({
        let sent = Arc::clone(&sent);
        async move { load.run(sent).await }
    });
    while sent.load(Ordering::Relaxed) < LOAD_REQUESTS / 3 {
        tokio::task::yield_now().await;
    }
    let mut generous = quickstart();
    generous["authorization"]["roles"]["viewer"]["permissions"] = json!(["objects:read", "objects:create"]);
    let took = bed.push(&generous).await.unwrap();
    assert!(took < PUSH_LIMIT, "{took:?}");
    assert!(sent.load(Ordering::Relaxed) < LOAD_REQUESTS, "the push came after the load");
    let report = running.await.unwrap().unwrap();
    println!("push in {took:.1?} under load: {report}");
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    assert_eq!(report.statuses.keys().copied().collect::<Vec<_>>(), [200, 403], "{report}");
    assert_eq!(exchange(bed.gate(), &create).await.unwrap().status, 200);
    assert_eq!(bed.envoy.admin().stat("listener_manager.total_listeners_draining").await.unwrap(), 0);
}

#[tokio::test]
async fn a_broken_policy_is_refused_and_the_old_one_goes_on() {
    let bed = bed(DocumentForm::Text).await;
    let read = Request::get("/v1/objects/1").bearer(&viewer(&bed));
    let mut broken = quickstart();
    broken["authentication"]["methods"][0]["jwt"]["isuer"] = "x".into();
    let error = format!("{:#}", bed.push(&broken).await.unwrap_err());
    assert!(error.contains("isuer") && error.contains("issuer"), "{error}");
    assert_eq!(exchange(bed.gate(), &read).await.unwrap().status, 200);
    bed.push(&quickstart()).await.expect("a good policy is taken after a broken one");
    assert_eq!(exchange(bed.gate(), &read).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_guard_refuses_everything_when_the_filter_is_missing() {
    let upstream = Upstream::start().await.unwrap();
    let mut config =
        bootstrap(&root().join("envoy/envoy.yaml"), &places(&upstream), Path::new("/nowhere/ecds.json"))
            .unwrap();
    let filters = config
        .pointer_mut("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters");
    let filters = filters.and_then(Value::as_array_mut).unwrap();
    assert_eq!(filters.remove(0)["name"], "portcullis");
    let envoy = Envoy::start(&EnvoyOptions::new(&envoy().await, config.to_string())).await.unwrap();
    let gate = envoy.listener("gate").await.unwrap();
    for request in [Request::get("/healthz"), Request::get("/").header("portcullis_permit", "1")] {
        assert_eq!(exchange(gate, &request).await.unwrap().status, 403);
    }
    assert_eq!(upstream.served(), 0);
}

#[tokio::test]
async fn the_minimal_configuration_boots_as_it_is() {
    let upstream = Upstream::start().await.unwrap();
    let file = root().join("envoy/minimal.yaml");
    let shipped = read_yaml(&file).unwrap();
    let place = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config\
                 /configuration/value";
    let document = shipped.pointer(place).and_then(Value::as_str).unwrap();
    let plugin = Plugin {
        module: module(),
        document: serde_json::from_str(document).unwrap(),
        form: DocumentForm::Text,
        environment_keys: Vec::new(),
    };
    let config = bootstrap_with_plugin(&file, &places(&upstream), &plugin).unwrap();
    let envoy = Envoy::start(&EnvoyOptions::new(&envoy().await, config.to_string())).await.unwrap();
    let gate = envoy.listener("gate").await.unwrap();
    assert_eq!(exchange(gate, &Request::get("/healthz")).await.unwrap().status, 200);
    assert_eq!(exchange(gate, &Request::get("/v1/objects/1")).await.unwrap().status, 401);
    assert_eq!(upstream.served(), 1);
}

fn places(upstream: &Upstream) -> Places {
    let anywhere = ([127, 0, 0, 1], 0).into();
    let clusters = BTreeMap::from([("upstream".to_owned(), upstream.address())]);
    Places { gate: anywhere, admin: anywhere, clusters }
}
