//! What a root context still does that the host lets go: it hands over its records, and tells what it has counted.

use portcullis_tests::host::{Answer, Envoy};
use portcullis_tests::scene::Scene;
use std::time::Duration;

#[test]
fn the_batch_that_ends_a_retired_root_is_counted() {
    let scene = Scene::new();
    let mut envoy = scene.start_warm(scene.audit("refuse", 20));
    assert!(envoy.worker(0).send(scene.good()).passed());
    let told = |envoy: &Envoy| envoy.count(&["audit_batches_total", "success"]);
    let before = told(&envoy);
    envoy.shut_down();
    let mut taken = 0;
    envoy.run_for(Duration::from_secs(60), |callout| {
        taken += u64::from(callout.cluster == "audit");
        Some(Answer::new(204, ""))
    });
    assert!(taken > 0, "the stream is closed, and the sink is told");
    assert_eq!(told(&envoy), before + taken);
}
