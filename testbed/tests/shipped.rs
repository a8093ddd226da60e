//! The shipped Envoy files with the module in them: they boot and say why they refuse. What the gate does in them is the
//! affair of `e2e/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::{Bed, BedOptions};
use portcullis_testbed::client::{Request, exchange};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions, Wanted, provision};
use portcullis_testbed::envoy_config::{DocumentForm, Places, Plugin, bootstrap_with_plugin, read_yaml};
use portcullis_testbed::issuer::Algorithm;
use portcullis_testbed::upstream::Upstream;
use serde_json::{Value, json};

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
async fn the_access_log_says_why() {
    let bed = bed(DocumentForm::Struct).await;
    exchange(bed.gate(), &Request::get("/v1/objects/1").header("x-request-id", "not-ours")).await.unwrap();
    let line = bed.envoy.output().wait_for_line("missing_token", PATIENCE).await.expect("an access log line");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["status"], 401);
    assert_eq!(line["details"], "portcullis_denied{missing_token}");
    assert!(line["request_id"].is_string());
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
