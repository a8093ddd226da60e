//! Every example with its own Envoy configuration and the policy as rendered beside it: each case is a real request with
//! a real token, and must get the answer that the case says.

use portcullis_testbed::envoy::{Wanted, provision};
use portcullis_testbed::envoy_config::read_yaml;
use portcullis_testbed::example::{Example, Stage, StageOptions};
use serde_json::Value;

use crate::support::{module, root};

/// What an example shows is not worth starting a proxy for below this many cases.
const FEWEST_CASES: usize = 25;

async fn play(name: &str) {
    let root = root();
    let example = Example::open(&root, name).expect("the example reads");
    assert!(example.cases.cases.len() >= FEWEST_CASES, "{name} has {} cases", example.cases.cases.len());
    assert_hands_on_secrets(&example);
    let envoy = provision(&Wanted::Any, &root.join("target/envoy"), &|step| println!("{step}")).await;
    let envoy = envoy.expect("an Envoy to test with").path;
    let options = StageOptions { root, envoy, module: module(), audit_file: None };
    let stage = Stage::start(&options, example).await.expect("the example starts");
    let outcomes = stage.run().await.expect("every case gets an answer");
    let bad: Vec<_> = outcomes.iter().filter(|outcome| !outcome.as_expected()).collect();
    assert!(bad.is_empty(), "{name}: {} of {} cases: {bad:#?}", bad.len(), outcomes.len());
    let permits = outcomes.iter().filter(|outcome| outcome.got.starts_with("permit")).count();
    assert_eq!(stage.bed.upstream.served(), permits as u64, "{name}: the service saw what was permitted");
    println!("{name}: {} cases, {permits} of them permitted", outcomes.len());
    for (case, reason) in stage.example().left_out() {
        println!("{name}: not sent: {case}: {reason}");
    }
}

/// The bed would hand on any variable; the file as it is shipped must name those that its policy needs.
fn assert_hands_on_secrets(example: &Example) {
    let rendered = read_yaml(&root().join(example.discovery())).expect("the rendered policy");
    let place = "/resources/0/typed_config/config/vm_config/environment_variables/host_env_keys";
    let keys =
        rendered.pointer(place).and_then(Value::as_array).expect("the rendered filter names variables");
    let methods = example.document["authentication"]["methods"].as_array().expect("methods");
    for reference in methods.iter().filter_map(|method| method["jwt"]["secret"].as_str()) {
        let name = reference.trim_start_matches("${").trim_end_matches('}');
        assert!(keys.iter().any(|key| key == name), "{} hands on no {name}", example.name);
    }
}

#[test]
fn every_example_is_played() {
    let played = ["aethera", "openid-provider", "plexspaces", "saas", "terragnos", "tesserra", "triform"];
    assert_eq!(Example::names(&root()).expect("the examples"), played);
}

#[tokio::test]
async fn terragnos() {
    play("terragnos").await;
}

#[tokio::test]
async fn aethera() {
    play("aethera").await;
}

#[tokio::test]
async fn tesserra() {
    play("tesserra").await;
}

#[tokio::test]
async fn triform() {
    play("triform").await;
}

#[tokio::test]
async fn plexspaces() {
    play("plexspaces").await;
}

#[tokio::test]
async fn saas() {
    play("saas").await;
}

#[tokio::test]
async fn openid_provider() {
    play("openid-provider").await;
}
