//! What comes from Envoy's environment: secrets, which then stand nowhere else, and the second lock on switching
//! authentication off.

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::{Bed, BedOptions};
use portcullis_testbed::client::Request;
use portcullis_testbed::issuer::Algorithm;
use serde_json::{Value, json};

use crate::support::{OBJECT, judge, options, quickstart, start};

/// A shared secret, and words of it that would be found wherever it is written.
const SECRET: &str = "canary-7f3a9c1e-shared-secret-of-more-than-32-bytes";

/// The quickstart policy with a shared secret in place of fetched keys.
fn with_secret() -> Value {
    let mut document = quickstart();
    document["authentication"]["methods"][0]["jwt"] = json!({
        "issuer": "https://auth.example.com",
        "audience": ["api.example.com"],
        "algorithms": ["HS256"],
        "secret": "${PORTCULLIS_JWT_SECRET}",
    });
    document
}

fn disabled() -> Value {
    let mut document = quickstart();
    document["authentication"] = json!({"disabled": true});
    document
}

async fn options_with(document: Value, environment: &[(&str, &str)]) -> BedOptions {
    let mut options = options(document).await;
    let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    options.environment = owned.collect();
    options.component_log_level = "wasm:trace,config:debug".to_owned();
    options
}

async fn refusal(options: &BedOptions) -> String {
    format!("{:#}", Bed::start(options).await.expect_err("a document that must not load"))
}

#[tokio::test]
async fn a_secret_verifies_tokens_and_is_shown_nowhere() {
    let bed = start(&options_with(with_secret(), &[("PORTCULLIS_JWT_SECRET", SECRET)]).await).await;
    let token = bed.issuer.token(Algorithm::HS256).claim("sub", "ann").claim("aud", "api.example.com");
    let token = token.claim("tenant", "acme").claim("roles", json!(["viewer"]));
    let good = token.clone().secret(SECRET).sign().expect("signed");
    let forged = token.secret(SECRET.replace("canary", "guess!")).sign().expect("signed");
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&good)).await, "200");
    assert_eq!(judge(&bed, &Request::get(OBJECT).bearer(&forged)).await, "401 invalid_signature");

    let admin = bed.envoy.admin();
    let signature = good.rsplit('.').next().expect("a signature");
    bed.sink.wait_for(4, PATIENCE).await.expect("two streams with two decisions");
    for (place, text) in [
        ("the configuration dump", admin.get("/config_dump").await.expect("a page")),
        ("the statistics", admin.get("/stats").await.expect("a page")),
        ("the log", bed.envoy.log().lines().join("\n")),
        ("the access log", bed.envoy.output().lines().join("\n")),
        ("the record", bed.sink.records().lines().join("\n")),
    ] {
        assert!(!text.is_empty(), "{place} is empty");
        assert!(!text.contains("canary-7f3a9c1e"), "the secret is in {place}");
        assert!(!text.contains(signature), "the token is in {place}");
    }
}

#[tokio::test]
async fn a_secret_that_is_absent_or_short_does_not_load() {
    for environment in [vec![], vec![("PORTCULLIS_JWT_SECRET", "canary-7f3a9c1e-short")]] {
        let why = refusal(&options_with(with_secret(), &environment).await).await;
        assert!(why.contains("/authentication/methods/0/jwt/secret: "), "{why}");
        assert!(!why.contains("canary"), "the secret is in the log");
    }
}

#[tokio::test]
async fn authentication_is_off_only_with_both_locks_open_and_then_loudly() {
    let why = refusal(&options_with(disabled(), &[]).await).await;
    assert!(why.contains("/authentication/disabled: "), "{why}");

    let both = [("PORTCULLIS_DISABLE_AUTHENTICATION", "true")];
    let bed = start(&options_with(disabled(), &both).await).await;
    assert_eq!(judge(&bed, &Request::get(OBJECT)).await, "200");
    bed.envoy.wait_for_log("AUTHENTICATION IS DISABLED", PATIENCE).await.expect("a line in the log");
    let record = bed.sink.records().wait_for_line("authentication_disabled", PATIENCE).await;
    record.expect("it is on record");
}
