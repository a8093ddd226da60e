//! Tokens of a real OpenID provider, npm `oidc-provider`: its discovery document, its key set, its `at+jwt` access tokens
//! (RFC 9068), its keys when they change.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::Request;
use serde_json::{Value, json};

use crate::support::{OBJECT, Provider, ask, judge, options, start, verdict, wait_for_verdict};

/// Our document for a provider that says this about itself.
fn document(discovery: &Value) -> Value {
    json!({
        "version": 1,
        "name": "discovered",
        "authentication": {"methods": [{"name": "clients", "jwt": {
            "issuer": discovery["issuer"],
            "audience": ["api.example.com"],
            "algorithms": ["RS256", "ES256"],
            "jwks_uri": discovery["jwks_uri"],
            "cluster": "idp",
            "clock_skew_seconds": 0,
            "token_type": "at+jwt",
        }}]},
        "authorization": {"routes": [
            {"methods": ["GET"], "path": "/v1/objects/{id}", "require": {"scopes": {"all_of": ["objects:read"]}}},
            {"methods": ["POST"], "path": "/v1/objects", "require": {"scopes": {"all_of": ["objects:create"]}}},
        ]},
    })
}

async fn bed_for(provider: &Provider) -> Bed {
    let mut options = options(document(&provider.discovery().await)).await;
    options.clusters.insert("idp".to_owned(), provider.address());
    start(&options).await
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("a token has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn get(token: &str) -> Request {
    Request::get(OBJECT).bearer(token)
}

#[tokio::test]
async fn access_tokens_of_a_real_provider_pass_and_their_scopes_count() {
    let provider = Provider::start(0).await;
    let bed = bed_for(&provider).await;
    for algorithm in ["rs256", "es256"] {
        let token = provider.token(algorithm, "objects:read").await;
        let answer = ask(&bed, &get(&token)).await;
        assert_eq!(verdict(&answer), "200", "{algorithm}");
        let seen = answer.json().expect("the echo").to_string();
        assert!(seen.contains(r#"["x-user-id","reporting"]"#), "{seen}");

        let create = Request::new("POST", "/v1/objects").bearer(&token).body("{}");
        let refused = ask(&bed, &create).await;
        assert_eq!(verdict(&refused), "403 insufficient_scope");
        let challenge = refused.header("www-authenticate").expect("a challenge");
        assert!(challenge.contains(r#"scope="objects:create""#), "{challenge}");
    }
    let both = provider.token("es256", "objects:read%20objects:create").await;
    assert_eq!(judge(&bed, &Request::new("POST", "/v1/objects").bearer(&both).body("{}")).await, "200");
}

#[tokio::test]
async fn what_the_provider_did_not_sign_for_us_is_refused() {
    let provider = Provider::start(0).await;
    let bed = bed_for(&provider).await;
    let good = provider.token("es256", "objects:read").await;
    assert_eq!(judge(&bed, &get(&good)).await, "200");

    let parts: Vec<&str> = good.split('.').collect();
    let mut more = claims(&good);
    more["scope"] = "objects:read objects:create".into();
    let more = URL_SAFE_NO_PAD.encode(more.to_string());
    let tampered = [parts[0], &more, parts[2]].join(".");
    let create = Request::new("POST", "/v1/objects").bearer(&tampered).body("{}");
    assert_eq!(judge(&bed, &create).await, "401 invalid_signature");

    let typ = json!({"alg": "ES256", "typ": "JWT", "kid": "any"}).to_string();
    let retyped = [&URL_SAFE_NO_PAD.encode(typ), parts[1], parts[2]].join(".");
    assert_eq!(judge(&bed, &get(&retyped)).await, "401 invalid_token");

    let elsewhere = provider.token("elsewhere", "objects:read").await;
    assert_eq!(claims(&elsewhere)["aud"], "other.example.com");
    assert_eq!(judge(&bed, &get(&elsewhere)).await, "401 invalid_token");

    // Good, says the provider when asked; but nothing in it can be verified without asking.
    let opaque = provider.token("opaque", "objects:read").await;
    assert_eq!(provider.introspect(&opaque).await["active"], true);
    assert_eq!(judge(&bed, &get(&opaque)).await, "401 invalid_token");
    assert_eq!(bed.upstream.served(), 1);
}

#[tokio::test]
async fn a_token_is_good_until_the_provider_said() {
    let provider = Provider::start(0).await;
    let bed = bed_for(&provider).await;
    // The first request also waits for keys; a token of three seconds might not live through that.
    assert_eq!(judge(&bed, &get(&provider.token("es256", "objects:read").await)).await, "200");

    let asked = Instant::now();
    let token = provider.token("short-lived", "objects:read").await;
    assert_eq!(judge(&bed, &get(&token)).await, "200", "after {:?}", asked.elapsed());
    wait_for_verdict(&bed, &get(&token), "401 invalid_token").await;
    let lived = asked.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&lived), "refused after {lived:?}");
    let answer = ask(&bed, &get(&token)).await;
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("The access token expired"), "{challenge}");
}

#[tokio::test]
async fn keys_that_change_are_fetched_when_a_token_names_one() {
    let provider = Provider::start(0).await;
    let bed = bed_for(&provider).await;
    let old = provider.token("rs256", "objects:read").await;
    assert_eq!(judge(&bed, &get(&old)).await, "200");

    let provider = provider.restart_with_new_keys().await;
    let new = provider.token("rs256", "objects:read").await;
    // Unknown key ids cause a fetch at most every ten seconds, so that made-up ones cannot cause a flood.
    let took = wait_for_verdict(&bed, &get(&new), "200").await;
    println!("the new key was known after {took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    assert_eq!(judge(&bed, &get(&old)).await, "401 invalid_token", "the old key is gone");
}
