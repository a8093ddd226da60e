//! How token verification elsewhere was broken, each as a test of ours; and that every algorithm works, both ways.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_filter::authn::algorithm::Algorithm;
use portcullis_filter::authn::error::{AuthnError, Claim, ClaimDefect, Fault, TokenDefect};
use portcullis_filter::authn::jwk::{JwkSet, JwkSetError, MAX_JWK_SET_BYTES};
use portcullis_filter::authn::jwt::{Audience, ClaimPaths, Expiry, JwtSettings, JwtVerifier, VerifiedToken};
use portcullis_filter::authn::key::VerificationKey;
use portcullis_filter::authn::keyset::KeySet;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::{NoHostCrypto, SignatureVerifier};
use portcullis_filter::secret::Secret;
use portcullis_filter::time::UnixTime;
use serde_json::{Value, json};

use crate::host::NativeHost;
use crate::signer::{KEY_ID, Signer};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";

fn settings(algorithms: &[Algorithm]) -> JwtSettings {
    JwtSettings {
        issuer: ISSUER.to_owned(),
        audience: Audience::OneOf(vec!["api".to_owned()]),
        algorithms: algorithms.to_vec(),
        clock_skew: Duration::from_secs(60),
        expiry: Expiry::default(),
        max_token_age: None,
        token_type: None,
        claims: ClaimPaths::default(),
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "api", "exp": NOW + 100, "sub": "u1", "jti": "t1"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn keys_of(signer: &Signer) -> KeySet {
    match signer.secret() {
        Some(secret) => {
            KeySet::new([VerificationKey::shared_secret(Secret::new(secret.to_vec()).unwrap())]).unwrap()
        }
        None => JwkSet::parse(&signer.jwk_set()).unwrap().into_keys(),
    }
}

fn verify(
    settings: JwtSettings,
    token: impl AsRef<[u8]>,
    keys: &KeySet,
) -> Result<VerifiedToken, AuthnError> {
    let now = UnixTime::from_seconds(NOW).unwrap();
    JwtVerifier::new(settings).unwrap().verify(
        token.as_ref(),
        keys,
        now,
        &SignatureVerifier::default(),
        &NoHostCrypto,
    )
}

fn asymmetric() -> Vec<Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect()
}

#[test]
fn every_algorithm_verifies_through_both_paths() {
    let host = NativeHost::default();
    let by_host = SignatureVerifier::new(HostProbe::run(&host));
    let now = UnixTime::from_seconds(NOW).unwrap();
    for algorithm in Algorithm::ALL {
        let signer = Signer::generate(algorithm);
        let (token, keys) = (signer.token(&claims()), keys_of(&signer));
        assert!(verify(settings(&[algorithm]), &token, &keys).is_ok(), "{algorithm}");
        let verifier = JwtVerifier::new(settings(&[algorithm])).unwrap();
        let calls = host.calls();
        assert!(verifier.verify(token.as_bytes(), &keys, now, &by_host, &host).is_ok(), "{algorithm}");
        let on_host = matches!(algorithm.as_str().split_at(2).0, "RS" | "ES");
        assert_eq!(host.calls() - calls, usize::from(on_host), "{algorithm}");
    }
}

/// Istio fell back to a key set of its own whose private key was published.
#[test]
fn istio_cve_2026_31837_without_keys_every_token_fails() {
    for algorithm in asymmetric() {
        let signer = Signer::generate(algorithm);
        let outcome = verify(settings(&asymmetric()), signer.token(&claims()), &KeySet::default());
        assert_eq!(outcome.as_ref().err(), Some(&AuthnError::NoKeys));
        assert_eq!(outcome.err().map(AuthnError::fault), Some(Fault::Keys));
    }
}

#[test]
fn istio_cve_2026_31837_a_published_private_key_spoils_its_set() {
    let mut jwk = Signer::generate(Algorithm::Es256).jwk();
    jwk["d"] = json!("AQ");
    let other = Signer::generate(Algorithm::Es384).jwk();
    let set = json!({"keys": [other, jwk]}).to_string();
    assert_eq!(JwkSet::parse(set.as_bytes()).err(), Some(JwkSetError::PrivateKey));
}

#[test]
fn apisix_cve_2026_39999_a_public_key_is_no_secret() {
    let signer = Signer::generate(Algorithm::Rs256);
    let keys = keys_of(&signer);
    let spki = keys.keys()[0].spki_der().to_vec();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&spki));
    let n = URL_SAFE_NO_PAD.decode(signer.jwk()["n"].as_str().unwrap()).unwrap();
    for secret in [spki, pem.into_bytes(), signer.jwk().to_string().into_bytes(), n, Vec::new()] {
        let header = json!({"alg": "HS256", "kid": KEY_ID}).to_string();
        let input =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), input.as_bytes());
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
        let pinned = verify(settings(&[Algorithm::Rs256]), &token, &keys);
        assert_eq!(pinned.err(), Some(AuthnError::AlgorithmNotAllowed));
        // Even a method that takes HS256 finds no secret in an issuer's key set.
        let loose = verify(settings(&[Algorithm::Hs256]), &token, &keys);
        assert_eq!(loose.err(), Some(AuthnError::KeyNotForAlgorithm));
    }
}

#[test]
fn wso2_cve_2026_5430_the_key_pins_the_algorithm() {
    let rs256 = Signer::generate(Algorithm::Rs256);
    let mut jwk = rs256.jwk();
    jwk["alg"] = json!("RS256");
    let keys = JwkSet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap().into_keys();
    assert!(verify(settings(&asymmetric()), rs256.token(&claims()), &keys).is_ok());
    let mut signer = rs256;
    for other in [Algorithm::Ps256, Algorithm::Rs384, Algorithm::Ps512] {
        signer = signer.with_algorithm(other);
        let outcome = verify(settings(&asymmetric()), signer.token(&claims()), &keys);
        assert_eq!(outcome.err(), Some(AuthnError::KeyNotForAlgorithm), "{other}");
    }
}

#[test]
fn a_header_does_not_change_how_the_signature_was_made() {
    let signer = Signer::generate(Algorithm::Ps256);
    for lie in ["RS256", "PS384", "PS512"] {
        let token = signer.token_with(&json!({"alg": lie, "kid": KEY_ID}), &claims());
        let outcome = verify(settings(&asymmetric()), token, &keys_of(&signer));
        assert_eq!(outcome.err(), Some(AuthnError::SignatureMismatch), "{lie}");
    }
}

#[test]
fn none_is_no_algorithm_in_any_spelling_and_an_empty_signature_none() {
    let signer = Signer::generate(Algorithm::Rs256);
    let keys = keys_of(&signer);
    for none in ["none", "None", "NONE", "nOnE", "", "null"] {
        let signed = signer.token_with(&json!({"alg": none, "kid": KEY_ID}), &claims());
        let (input, _) = signed.rsplit_once('.').unwrap();
        for token in [signed.clone(), format!("{input}.")] {
            let outcome = verify(settings(&asymmetric()), token, &keys);
            assert_eq!(outcome.err(), Some(AuthnError::AlgorithmNotAllowed), "{none}");
        }
    }
    for algorithm in Algorithm::ALL {
        let signer = Signer::generate(algorithm);
        let token = signer.token(&claims());
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        let outcome = verify(settings(&[algorithm]), unsigned, &keys_of(&signer));
        assert_eq!(outcome.err(), Some(AuthnError::SignatureMismatch), "{algorithm}");
    }
}

#[test]
fn a_key_in_the_header_is_never_used() {
    let (ours, theirs) = (Signer::generate(Algorithm::Es256), Signer::generate(Algorithm::Es256));
    let header =
        json!({"alg": "ES256", "kid": KEY_ID, "jwk": theirs.jwk(), "jku": "https://evil.example/jwks"});
    let outcome = verify(settings(&asymmetric()), theirs.token_with(&header, &claims()), &keys_of(&ours));
    assert_eq!(outcome.err(), Some(AuthnError::SignatureMismatch));
}

#[test]
fn apisix_cve_2026_49230_an_encrypted_token_is_no_signed_one() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    let outcome = verify(settings(&asymmetric()), format!("{header}..aXY.dGV4dA.dGFn"), &KeySet::default());
    assert_eq!(outcome.err(), Some(AuthnError::Malformed(TokenDefect::NotThreeParts)));
}

#[test]
fn apisix_duplicate_claims_critical_headers_and_a_missing_audience() {
    let signer = Signer::generate(Algorithm::Es256);
    let keys = keys_of(&signer);
    let outcome = |token: String| verify(settings(&asymmetric()), token, &keys).err();
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES256"}).to_string());
    let twice = claims().to_string().replacen('{', r#"{"aud":"other","#, 1);
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(twice));
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signer.sign(input.as_bytes())));
    assert_eq!(outcome(token), Some(AuthnError::Malformed(TokenDefect::PayloadNotJsonObject)));
    let critical = signer.token_with(&json!({"alg": "ES256", "crit": ["b64"], "b64": true}), &claims());
    assert_eq!(outcome(critical), Some(AuthnError::Malformed(TokenDefect::CriticalExtension)));
    let mut nobody = claims();
    nobody.as_object_mut().unwrap().remove("aud");
    assert_eq!(outcome(signer.token(&nobody)), Some(AuthnError::Claim(ClaimDefect::AudienceMissing)));
}

#[test]
fn kong_expiry_counts_without_being_asked_for() {
    let signer = Signer::generate(Algorithm::Es256);
    let outcome =
        verify(settings(&asymmetric()), signer.token(&with("exp", json!(NOW - 60))), &keys_of(&signer));
    assert_eq!(outcome.err(), Some(AuthnError::Claim(ClaimDefect::Expired)));
}

#[test]
fn oathkeeper_unknown_key_ids_cost_no_signature_check() {
    let signer = Signer::generate(Algorithm::Rs256);
    let host = NativeHost::default();
    let signatures = SignatureVerifier::new(HostProbe::run(&host));
    let (calls, keys) = (host.calls(), keys_of(&signer));
    let verifier = JwtVerifier::new(settings(&asymmetric())).unwrap();
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    for number in 0..10_000 {
        let header = json!({"alg": "RS256", "kid": format!("random-{number}")}).to_string();
        let token = format!("{}.{payload}.AAAA", URL_SAFE_NO_PAD.encode(header));
        let outcome = verifier.verify(token.as_bytes(), &keys, UnixTime::default(), &signatures, &host);
        assert_eq!(outcome.err(), Some(AuthnError::UnknownKey));
    }
    assert_eq!(host.calls(), calls);
}

#[test]
fn higress_no_key_stands_in_for_another() {
    let (first, second) = (Signer::generate(Algorithm::Es256), Signer::generate(Algorithm::Es256));
    let all = settings(&asymmetric());
    let stranger = first.token_with(&json!({"alg": "ES256", "kid": "k2"}), &claims());
    assert_eq!(verify(all.clone(), stranger, &keys_of(&first)).err(), Some(AuthnError::UnknownKey));
    let nameless = first.token_with(&json!({"alg": "ES256"}), &claims());
    assert!(verify(all.clone(), &nameless, &keys_of(&first)).is_ok());
    assert_eq!(verify(all.clone(), &nameless, &keys_of(&second)).err(), Some(AuthnError::SignatureMismatch));
    assert_eq!(verify(all, &nameless, &KeySet::default()).err(), Some(AuthnError::NoKeys));
    let alike = json!({"keys": [first.jwk(), second.jwk()]}).to_string();
    assert_eq!(JwkSet::parse(alike.as_bytes()).err(), Some(JwkSetError::AmbiguousKeyId));
}

#[test]
fn a_nameless_token_finds_its_key_among_several() {
    let signers: Vec<_> = (0..3).map(|_| Signer::generate(Algorithm::Es256)).collect();
    let jwks: Vec<_> = signers.iter().map(Signer::jwk).collect();
    let named: Vec<_> = jwks
        .into_iter()
        .enumerate()
        .map(|(number, mut jwk)| {
            jwk["kid"] = json!(format!("k{number}"));
            jwk
        })
        .collect();
    let keys = JwkSet::parse(json!({ "keys": named }).to_string().as_bytes()).unwrap().into_keys();
    for signer in &signers {
        let token = signer.token_with(&json!({"alg": "ES256"}), &claims());
        assert!(verify(settings(&asymmetric()), token, &keys).is_ok());
    }
}

#[test]
fn agentgateway_one_key_id_at_two_issuers() {
    let (ours, theirs) = (Signer::generate(Algorithm::Es256), Signer::generate(Algorithm::Es256));
    let all = settings(&asymmetric());
    let impostor = theirs.token(&claims());
    assert_eq!(verify(all.clone(), impostor, &keys_of(&ours)).err(), Some(AuthnError::SignatureMismatch));
    let honest = theirs.token(&with("iss", json!("https://other.example")));
    let outcome = verify(all, honest, &keys_of(&theirs));
    assert_eq!(outcome.err(), Some(AuthnError::Claim(ClaimDefect::IssuerMismatch)));
}

/// ECDSA lets anybody turn `s` into `n - s`. Both verify; what names the token is the same.
#[test]
fn owasp_a_second_signature_names_the_same_token() {
    let signer = Signer::generate(Algorithm::Es256);
    let token = signer.token(&claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let parsed = p256::ecdsa::Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (r, s) = parsed.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    let twin = format!("{input}.{}", URL_SAFE_NO_PAD.encode(other.to_bytes()));
    assert_ne!(token, twin);
    let [one, two] =
        [token, twin].map(|token| verify(settings(&asymmetric()), token, &keys_of(&signer)).unwrap());
    assert_eq!((one.issuer(), one.token_id()), (two.issuer(), two.token_id()));
    assert_eq!(one.token_id(), Some("t1"));
}

#[test]
fn owasp_a_second_spelling_is_no_token() {
    let signer = Signer::generate(Algorithm::Es256);
    let token = signer.token(&claims());
    for other in [format!("{token}="), format!("{token}=="), format!("{token} "), token.replace('.', "=.")] {
        let outcome = verify(settings(&asymmetric()), other, &keys_of(&signer));
        assert_eq!(outcome.err(), Some(AuthnError::Malformed(TokenDefect::NotBase64Url)));
    }
}

#[test]
fn envoy_cve_2025_66220_a_nul_is_a_mismatch() {
    let signer = Signer::generate(Algorithm::Es256);
    for (name, claim) in [("sub", Claim::UserId), ("tenant", Claim::Tenant), ("aud", Claim::Audience)] {
        let token = signer.token(&with(name, json!("api\u{0}.evil")));
        let outcome = verify(settings(&asymmetric()), token, &keys_of(&signer));
        assert_eq!(outcome.err(), Some(AuthnError::Claim(ClaimDefect::Malformed(claim))), "{name}");
    }
    let token = signer.token(&with("iss", json!(format!("{ISSUER}\u{0}"))));
    let outcome = verify(settings(&asymmetric()), token, &keys_of(&signer));
    assert_eq!(outcome.err(), Some(AuthnError::Claim(ClaimDefect::IssuerMismatch)));
}

#[test]
fn istio_cve_2026_41413_the_size_of_a_key_set_is_bounded() {
    let mut set = Signer::generate(Algorithm::Es256).jwk_set();
    set.resize(MAX_JWK_SET_BYTES, b' ');
    assert!(JwkSet::parse(&set).is_ok());
    set.push(b' ');
    assert_eq!(JwkSet::parse(&set).err(), Some(JwkSetError::TooLong));
}

#[test]
fn a_token_of_60_kib_is_refused_unread() {
    let signer = Signer::generate(Algorithm::Es256);
    let token = signer.token(&with("padding", json!("x".repeat(45 * 1024))));
    assert!(token.len() > 60 * 1024);
    let outcome = verify(settings(&asymmetric()), token, &keys_of(&signer));
    assert_eq!(outcome.err(), Some(AuthnError::Malformed(TokenDefect::TooLong)));
}
