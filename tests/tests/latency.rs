//! `portcullis_auth_latency_ms` tells of the requests that waited, and costs those that did not nothing.

use portcullis_tests::host::Envoy;
use portcullis_tests::scene::Scene;
use serde_json::json;
use std::time::Duration;

fn told(envoy: &Envoy) -> Vec<u64> {
    let metrics = envoy.metrics().into_iter().filter(|(name, _)| name.contains("auth_latency_ms"));
    metrics.flat_map(|(_, metric)| metric.samples).collect()
}

#[test]
fn who_waited_for_keys_is_told_of_and_nobody_else() {
    let scene = Scene::new();
    let mut envoy = scene.start(json!({}));
    let stream = envoy.worker(0).request(scene.good());
    envoy.advance(Duration::from_millis(30));
    envoy.run_for(Duration::from_secs(5), scene.world());
    assert!(envoy.outcome(stream).passed(), "{:?}", envoy.outcome(stream));
    let waited = told(&envoy);
    assert!(matches!(waited.as_slice(), [30..=60]), "{waited:?}");
    for request in [scene.good(), scene.forged()] {
        envoy.worker(0).send(request);
    }
    assert_eq!(told(&envoy), waited);
}
