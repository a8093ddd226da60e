//! The guard behind the filter: where the filter is silently absent nothing passes, and its mark cannot be forged.

use std::net::{Ipv4Addr, SocketAddr};

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Request, exchange};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions};
use portcullis_testbed::envoy_config::{DocumentForm, LISTENER, Places, Plugin, bootstrap, discovery};
use portcullis_testbed::upstream::Upstream;
use serde_json::json;

use crate::support::{OBJECT, Shipped, Surgery, ask, bed, judge, options, quickstart, root, start, viewer};

/// What a client might try in place of the mark: no header becomes filter state.
const LOOK_ALIKES: [(&str, &str); 7] = [
    ("portcullis_permit", "1"),
    ("portcullis-permit", "1"),
    ("x-portcullis-permit", "1"),
    ("wasm.portcullis_permit", "1"),
    ("x-envoy-filter-state", "wasm.portcullis_permit=1"),
    ("x-envoy-wasm.portcullis_permit", "1"),
    ("filter_state[wasm.portcullis_permit]", "1"),
];

fn forged(request: Request) -> Request {
    // Brackets are no part of a header's name (RFC 9110 section 5.1): those go where they may.
    LOOK_ALIKES.iter().fold(request, |request, (name, value)| match name.contains('[') {
        true => request.header("x-envoy-original-filter-state", format!("{name}={value}")),
        false => request.header(name, value),
    })
}

async fn assert_guarded(bed: &Bed) {
    let token = viewer(&bed.issuer);
    for request in [
        Request::get("/healthz"),
        Request::get(OBJECT),
        Request::get(OBJECT).bearer(&token),
        forged(Request::get(OBJECT)),
        forged(Request::get(OBJECT).bearer(&token)),
    ] {
        let answer = ask(bed, &request).await;
        assert_eq!((answer.status, answer.text().as_str()), (403, "RBAC: access denied"));
    }
    assert_eq!(bed.upstream.served(), 0, "a request passed the guard");
}

/// Envoy leaves a filter out when one of its workers cannot configure it (envoyproxy/envoy#43751). Our filter never does
/// that; this is what would stand if it did. Two VMs configure on the main thread, then the worker's.
#[tokio::test]
async fn a_worker_that_could_not_configure_the_filter_lets_nothing_through() {
    let surgery = Surgery::refuse_configuration_after(2);
    let mut options = options(quickstart()).await;
    options.module = surgery.path();
    let bed = start(&options).await;
    let failed = bed.envoy.wait_for_log("Failed to configure thread-local Wasm plugin", PATIENCE).await;
    failed.expect("the worker's VM says no");
    assert_guarded(&bed).await;
}

#[tokio::test]
async fn without_the_filter_nothing_passes() {
    let shipped = Shipped::new().http_filters(|filters| {
        // The policy is still discovered, by a filter that is never in force.
        let ours = filters.iter_mut().find(|filter| filter["name"] == "portcullis").expect("our filter");
        ours["disabled"] = true.into();
    });
    let mut options = options(quickstart()).await;
    options.root = shipped.root().to_owned();
    let bed = start(&options).await;
    assert_guarded(&bed).await;
}

#[tokio::test]
async fn the_mark_cannot_be_forged_with_the_filter_in_place() {
    let bed = bed(quickstart()).await;
    assert_eq!(judge(&bed, &forged(Request::get(OBJECT))).await, "401 missing_token");
    assert_eq!(judge(&bed, &forged(Request::get("/internal/metrics"))).await, "401 missing_token");
    assert_eq!(bed.upstream.served(), 0);
    let token = viewer(&bed.issuer);
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&token)).await, "200");
}

/// `failOpen` of Envoy Gateway leaves a filter out whose configuration is invalid, and lets everything through. Here a first
/// policy that does not load leaves an Envoy that serves nothing.
#[tokio::test]
async fn envoy_gateway_fail_open_a_bad_first_policy_lets_nothing_through() {
    let options = options(json!({})).await;
    let upstream = Upstream::start().await.expect("an upstream");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plugin = Plugin {
        module: options.module,
        document: json!({"version": 1, "authentication": {}, "authorisation": {}}),
        form: DocumentForm::Struct,
        environment_keys: Vec::new(),
    };
    let filter = discovery(&root().join("envoy/policy/ecds.yaml"), &plugin, 1).expect("the shipped filter");
    let file = folder.path().join("ecds.json");
    std::fs::write(&file, filter.to_string()).expect("the folder can be written");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let clusters = [("upstream".to_owned(), upstream.address())].into();
    let places = Places { gate: any_port, admin: any_port, clusters };
    let config = bootstrap(&root().join("envoy/envoy.yaml"), &places, &file).expect("the shipped Envoy");
    let envoy =
        Envoy::start(&EnvoyOptions::new(&options.envoy, config.to_string())).await.expect("it starts");
    envoy
        .wait_for_log("/authorisation: unknown field", PATIENCE)
        .await
        .expect("the filter says what is wrong");
    let gate = envoy.listener(LISTENER).await.expect("it listens");
    for target in ["/healthz", OBJECT] {
        let answer = exchange(gate, &Request::get(target)).await.expect("an answer");
        assert_eq!(answer.status, 500, "{target}: {}", answer.text());
    }
    assert_eq!(upstream.served(), 0, "a request passed without a policy");
}
