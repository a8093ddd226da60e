//! The examples of the JOSE RFCs and of the cookbook (RFC 7520, 7797, 8037).

use std::path::Path;

use serde_json::Value;

use crate::path::{CryptoPath, key_set, single};
use crate::suite::{Suite, read};

pub(crate) fn suites(folder: &Path, path: &CryptoPath) -> Vec<Suite> {
    vec![
        rfc_jose(&read(folder, "rfc_jose/rfc7515_8037_7638.json"), path),
        cookbook(&folder.join("jose_cookbook"), path),
    ]
}

fn rfc_jose(vectors: &Value, path: &CryptoPath) -> Suite {
    let mut suite = Suite::new("rfc jose", path);
    for case in vectors["cases"].as_array().expect("cases") {
        let id = case["id"].as_str().expect("an id");
        let keys = single(&case["key"]);
        match case["jws"].as_str() {
            Some(token) => suite.case(id, path.accepts_jws(token, keys.as_ref()), case["expect"] == "valid"),
            None => {
                let thumbprint = keys.and_then(|keys| keys.keys()[0].thumbprint());
                suite.case(id, thumbprint.as_deref() == case["thumbprint_sha256"].as_str(), true);
            }
        }
    }
    suite
}

/// Each serialisation of each example is one case. Only a compact JWS with its payload encoded inside is a bearer token:
/// JSON serialisations, detached and unencoded payloads and encryption are refusals. Of the keys, the public are taken.
fn cookbook(folder: &Path, path: &CryptoPath) -> Suite {
    let mut suite = Suite::new("jose cookbook", path);
    for file in [
        "jws/4_1.rsa_v15_signature",
        "jws/4_2.rsa-pss_signature",
        "jws/4_3.ecdsa_signature",
        "jws/4_4.hmac-sha2_integrity_protection",
        "jws/4_5.signature_with_detached_content",
        "jws/4_6.protecting_specific_header_fields",
        "jws/4_7.protecting_content_only",
        "jws/4_8.multiple_signatures",
        "curve25519/jws",
        "curve25519/ecdh-es",
        "rfc7797/4.2.hmac-sha2_b64_false",
        "rfc7797/hmac-sha2_b64_false",
        "6.nesting_signatures_and_encryption",
    ] {
        let example = read(folder, &format!("{file}.json"));
        let (output, key) = match example.get("output") {
            Some(output) => (output, &example["input"]["key"]),
            None => (&example["encrypt"]["output"], &example["sign"]["input"]["key"]),
        };
        let owed = matches!(
            file,
            "jws/4_1.rsa_v15_signature"
                | "jws/4_2.rsa-pss_signature"
                | "jws/4_3.ecdsa_signature"
                | "jws/4_4.hmac-sha2_integrity_protection"
                | "curve25519/jws"
        );
        for (form, token) in output.as_object().expect("an output") {
            let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
            let keys = match key {
                Value::Array(keys) => keys.first().and_then(|key| single(&public(key))),
                key => single(&public(key)),
            };
            suite.case(
                format!("{file} {form}"),
                path.accepts_jws(&token, keys.as_ref()),
                owed && form == "compact",
            );
        }
    }
    let nested = read(folder, "6.nesting_signatures_and_encryption.json");
    let (inner, key) = (&nested["sign"]["output"]["compact"], &nested["sign"]["input"]["key"]);
    let accepted = path.accepts_jws(inner.as_str().expect("a token"), single(&public(key)).as_ref());
    suite.case("6.nesting_signatures_and_encryption, the inner token", accepted, true);
    for (file, owed) in [
        ("jwk/3_1.ec_public_key", true),
        ("jwk/3_2.ec_private_key", false),
        ("jwk/3_3.rsa_public_key", true),
        ("jwk/3_4.rsa_private_key", false),
    ] {
        let set = serde_json::json!({ "keys": [read(folder, &format!("{file}.json"))] });
        suite.case(file, key_set(&set).is_some(), owed);
    }
    for file in ["jwk/3_5.symmetric_key_mac_computation", "jwk/3_6.symmetric_key_encryption"] {
        let set = serde_json::json!({ "keys": [read(folder, &format!("{file}.json"))] });
        let taken = portcullis_filter::authn::jwk::JwkSet::parse(set.to_string().as_bytes()).is_ok();
        suite.case(file, taken, false);
    }
    suite
}

/// The public part of a key pair: examples give both.
fn public(key: &Value) -> Value {
    let mut key = key.clone();
    if let Some(members) = key.as_object_mut().filter(|members| members["kty"] != "oct") {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            members.remove(private);
        }
    }
    key
}
