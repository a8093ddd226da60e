//! C2SP Wycheproof: compact JWS, JWK sets, and bare signatures.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_filter::authn::algorithm::Algorithm;
use serde_json::{Value, json};

use crate::path::{CryptoPath, key_set, single};
use crate::suite::{Suite, read};

pub(crate) fn suites(folder: &Path, path: &CryptoPath) -> Vec<Suite> {
    let read = |file: &str| read(folder, &format!("wycheproof/{file}.json"));
    let mut suites = Vec::from(jws(&read("json_web_signature_test"), &read("ERRATA"), path));
    suites.push(jwk(&read("json_web_key_test"), path));
    suites.push(hmac(&read("hmac_sha256_test"), path));
    for (file, algorithm, key) in [
        ("ecdsa_secp256r1_sha256_p1363_test", Algorithm::Es256, "publicKeyJwk"),
        ("ed25519_test", Algorithm::EdDsa, "publicKeyJwk"),
        ("rsa_pss_2048_sha256_mgf1_32_test", Algorithm::Ps256, "publicKeyJwk"),
        ("rsa_signature_2048_sha256_test", Algorithm::Rs256, "keyJwk"),
    ] {
        suites.push(signatures(file, &read(file), algorithm, key, path));
    }
    suites
}

/// Cases that contradict others are set aside by `skip`, those marked valid that a strict verifier refuses are owed a
/// refusal by `skip_or_expect_reject`; both lists are with the vectors.
fn jws(vectors: &Value, errata: &Value, path: &CryptoPath) -> [Suite; 2] {
    let listed = |list: &str, id: &Value| {
        errata[list].as_array().is_some_and(|rows| {
            rows.iter().any(|row| row["tcId"].as_array().is_some_and(|ids| ids.contains(id)))
        })
    };
    let mut suite = Suite::new("wycheproof jws", path);
    let mut errata_refused = Suite::new("wycheproof jws, errata that owe a refusal", path);
    for (group, test) in cases(vectors) {
        let key = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        // A token that is a JSON object is text to a client, and refused as such.
        let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
        let accepted = path.accepts_jws(&token, single(key).as_ref());
        let id = &test["tcId"];
        if listed("skip_or_expect_reject", id) {
            errata_refused.case(id, accepted, false);
        } else if !listed("skip", id) {
            suite.case(id, accepted, test["result"] == "valid");
        }
    }
    [suite, errata_refused]
}

fn jwk(vectors: &Value, path: &CryptoPath) -> Suite {
    let mut suite = Suite::new("wycheproof jwk", path);
    for (group, test) in cases(vectors) {
        let set = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let token = test["jws"].as_str().expect("a compact token");
        suite.case(&test["tcId"], path.accepts_jws(token, key_set(set).as_ref()), test["result"] == "valid");
    }
    suite
}

fn signatures(name: &str, vectors: &Value, algorithm: Algorithm, key: &str, path: &CryptoPath) -> Suite {
    let mut suite = Suite::new(&format!("wycheproof {name}"), path);
    for (group, test) in cases(vectors) {
        let jwk = jwk_of(group, key);
        let (text, signature) = (hex(&test["msg"]), hex(&test["sig"]));
        let accepted = path.accepts(algorithm, single(&jwk).as_ref(), &text, &signature);
        suite.case(&test["tcId"], accepted, test["result"] == "valid");
    }
    suite
}

/// Groups whose points are too odd for their generator's JWK export give the point alone.
fn jwk_of(group: &Value, key: &str) -> Value {
    let jwk = &group[key];
    if jwk["kty"].is_string() {
        return jwk.clone();
    }
    let point = hex(&group["publicKey"]["uncompressed"]);
    let (x, y) = point[1..].split_at(32);
    json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)})
}

/// A truncated tag and a key shorter than the hash are refused whatever the primitive says (RFC 7518 3.2).
fn hmac(vectors: &Value, path: &CryptoPath) -> Suite {
    let mut suite = Suite::new("wycheproof hmac_sha256_test", path);
    for (group, test) in cases(vectors) {
        let jwk = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(hex(&test["key"]))});
        let accepted =
            path.accepts(Algorithm::Hs256, single(&jwk).as_ref(), &hex(&test["msg"]), &hex(&test["tag"]));
        let strong = group["tagSize"] == 256 && group["keySize"].as_u64() >= Some(256);
        suite.case(&test["tcId"], accepted, strong && test["result"] == "valid");
    }
    suite
}

fn cases(vectors: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = vectors["testGroups"].as_array().expect("groups");
    groups
        .iter()
        .flat_map(|group| group["tests"].as_array().expect("tests").iter().map(move |test| (group, test)))
}

fn hex(value: &Value) -> Vec<u8> {
    base16ct::lower::decode_vec(value.as_str().expect("hexadecimal")).expect("hexadecimal")
}
