//! The claims of tokens, each at the edge where it begins to be refused.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::authn::error::TokenDefect;
use crate::authn::key::VerificationKey;
use crate::authn::signature::NoHostCrypto;
use crate::secret::Secret;

const SECRET: &[u8] = b"a secret that is long enough for HS256";
const NOW: u64 = 1_800_000_000;

fn settings() -> JwtSettings {
    JwtSettings {
        issuer: "https://issuer.example".to_owned(),
        audience: Audience::OneOf(vec!["api".to_owned(), "api2".to_owned()]),
        algorithms: vec![Algorithm::Hs256],
        clock_skew: Duration::from_secs(60),
        expiry: Expiry::Required,
        max_token_age: None,
        token_type: None,
        claims: ClaimPaths { permissions: Some(ClaimPath::name("permissions")), ..ClaimPaths::default() },
    }
}

fn claims() -> Value {
    json!({"iss": "https://issuer.example", "aud": "api", "exp": NOW + 100, "sub": "u1"})
}

/// The default claims, with these replaced, or removed where null.
fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn sign(header: &str, payload: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn verify_at(settings: JwtSettings, token: &str, now: UnixTime) -> Result<VerifiedToken, AuthnError> {
    let keys = KeySet::new([VerificationKey::shared_secret(Secret::new(SECRET.to_vec()).unwrap())]).unwrap();
    let verifier = JwtVerifier::new(settings).unwrap();
    verifier.verify(token.as_bytes(), &keys, now, &SignatureVerifier::default(), &NoHostCrypto)
}

fn verify(settings: JwtSettings, claims: &Value) -> Result<VerifiedToken, AuthnError> {
    let token = sign(r#"{"alg":"HS256"}"#, &claims.to_string());
    verify_at(settings, &token, UnixTime::from_seconds(NOW).unwrap())
}

fn defect(changes: Value) -> Option<ClaimDefect> {
    defect_with(settings(), changes)
}

fn defect_with(settings: JwtSettings, changes: Value) -> Option<ClaimDefect> {
    match verify(settings, &claims_with(changes)) {
        Ok(_) => None,
        Err(AuthnError::Claim(defect)) => Some(defect),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_good_token_tells_who_is_calling() {
    let token = verify(
        settings(),
        &claims_with(json!({
            "tenant": "acme", "roles": ["viewer", "Global Admin"], "scope": "a:read  b:write", "jti": "t1",
            "permissions": ["objects:read"],
        })),
    )
    .unwrap();
    assert_eq!(token.issuer(), "https://issuer.example");
    assert_eq!(token.user_id(), "u1");
    assert_eq!(token.tenant(), Some("acme"));
    assert_eq!(token.roles(), ["viewer", "Global Admin"]);
    assert_eq!(token.scopes(), ["a:read", "b:write"]);
    assert_eq!(token.permissions(), ["objects:read"]);
    assert_eq!(token.token_id(), Some("t1"));
    assert_eq!(token.expires_at(), UnixTime::from_seconds(NOW + 100));
    assert_eq!(token.valid_until(), UnixTime::from_seconds(NOW + 160));
    assert!(!format!("{token:?}").contains("acme"));
}

#[test]
fn issuer_is_compared_byte_for_byte() {
    assert_eq!(defect(json!({"iss": null})), Some(ClaimDefect::IssuerMissing));
    for other in ["https://issuer.example/", "https://ISSUER.example", "", "https://issuer.example\u{0}"] {
        assert_eq!(defect(json!({"iss": other})), Some(ClaimDefect::IssuerMismatch), "{other}");
    }
    for wrong in [json!(1), json!(["https://issuer.example"]), json!({})] {
        assert_eq!(defect(json!({"iss": wrong})), Some(ClaimDefect::Malformed(Claim::Issuer)));
    }
}

#[test]
fn audience_is_demanded_unless_any_is_said() {
    assert_eq!(defect(json!({"aud": null})), Some(ClaimDefect::AudienceMissing));
    assert_eq!(defect(json!({"aud": ["other", "api2"]})), None);
    for other in [json!("ap"), json!("API"), json!("api api2"), json!(["other"]), json!([])] {
        assert_eq!(defect(json!({"aud": other})), Some(ClaimDefect::AudienceMismatch), "{other}");
    }
    for wrong in [json!(1), json!({"api": 1}), json!([["api"]]), json!(["api", 1]), json!(vec!["api"; 65])] {
        assert_eq!(defect(json!({"aud": wrong})), Some(ClaimDefect::Malformed(Claim::Audience)), "{wrong}");
    }
    let any = JwtSettings { audience: Audience::Any, ..settings() };
    assert_eq!(defect_with(any.clone(), json!({"aud": null})), None);
    assert_eq!(defect_with(any, json!({"aud": "other"})), None);
}

#[test]
fn expiry_is_exclusive_and_the_skew_widens_it() {
    assert_eq!(defect(json!({"exp": NOW - 59})), None);
    assert_eq!(defect(json!({"exp": NOW - 60})), Some(ClaimDefect::Expired));
    let strict = JwtSettings { clock_skew: Duration::ZERO, ..settings() };
    assert_eq!(defect_with(strict.clone(), json!({"exp": NOW})), Some(ClaimDefect::Expired));
    assert_eq!(defect_with(strict.clone(), json!({"exp": NOW + 1})), None);
    assert_eq!(defect_with(strict, json!({"exp": NOW as f64 + 0.5})), None);
}

#[test]
fn expiry_to_the_nanosecond() {
    let token = sign(r#"{"alg":"HS256"}"#, &claims_with(json!({"exp": NOW})).to_string());
    let edge = (NOW + 60) * 1_000_000_000;
    assert!(verify_at(settings(), &token, UnixTime::from_nanos(edge - 1)).is_ok());
    let expired = Err(AuthnError::Claim(ClaimDefect::Expired));
    assert_eq!(verify_at(settings(), &token, UnixTime::from_nanos(edge)), expired);
}

#[test]
fn expiry_is_demanded_unless_optional_is_said_and_counts_if_there() {
    assert_eq!(defect(json!({"exp": null})), Some(ClaimDefect::ExpiryMissing));
    let optional = JwtSettings { expiry: Expiry::Optional, ..settings() };
    assert_eq!(defect_with(optional.clone(), json!({"exp": null})), None);
    assert_eq!(defect_with(optional.clone(), json!({"exp": NOW - 60})), Some(ClaimDefect::Expired));
    assert_eq!(verify(optional, &claims_with(json!({"exp": null}))).unwrap().valid_until(), None);
}

#[test]
fn dates_that_are_none() {
    for wrong in [
        json!("1800000100"),
        json!(-1),
        json!(-0.5),
        json!(1_800_000_000_000_u64),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
        json!([]),
    ] {
        let malformed = |claim| Some(ClaimDefect::Malformed(claim));
        assert_eq!(defect(json!({"exp": wrong})), malformed(Claim::ExpirationTime), "{wrong}");
        assert_eq!(defect(json!({"nbf": wrong})), malformed(Claim::NotBefore), "{wrong}");
        assert_eq!(defect(json!({"iat": wrong})), malformed(Claim::IssuedAt), "{wrong}");
    }
    let token = sign(r#"{"alg":"HS256"}"#, &claims().to_string().replace(&(NOW + 100).to_string(), "null"));
    let malformed = AuthnError::Claim(ClaimDefect::Malformed(Claim::ExpirationTime));
    assert_eq!(verify_at(settings(), &token, UnixTime::default()).err(), Some(malformed));
}

#[test]
fn not_before_and_issued_at_within_the_skew() {
    assert_eq!(defect(json!({"nbf": NOW + 60})), None);
    assert_eq!(defect(json!({"nbf": NOW + 61})), Some(ClaimDefect::NotYetValid));
    assert_eq!(defect(json!({"nbf": NOW as f64 + 60.5})), Some(ClaimDefect::NotYetValid));
    assert_eq!(defect(json!({"iat": NOW + 60})), None);
    assert_eq!(defect(json!({"iat": NOW + 61})), Some(ClaimDefect::IssuedInFuture));
}

#[test]
fn age_is_bounded_when_asked() {
    let aged = JwtSettings { max_token_age: Some(Duration::from_secs(10)), ..settings() };
    assert_eq!(defect_with(aged.clone(), json!({"iat": null})), Some(ClaimDefect::IssuedAtMissing));
    assert_eq!(defect_with(aged.clone(), json!({"iat": NOW - 69})), None);
    assert_eq!(defect_with(aged.clone(), json!({"iat": NOW - 70})), Some(ClaimDefect::TooOld));
    let token = verify(aged, &claims_with(json!({"iat": NOW}))).unwrap();
    assert_eq!(token.valid_until(), UnixTime::from_seconds(NOW + 70));
}

#[test]
fn a_token_must_say_who_its_user_is() {
    assert_eq!(defect(json!({"sub": null})), Some(ClaimDefect::SubjectMissing));
    let long = "u".repeat(257);
    for wrong in [json!(1), json!(""), json!("u\u{0}admin"), json!("u\r\nx: y"), json!(["u1"]), json!(long)] {
        assert_eq!(defect(json!({"sub": wrong})), Some(ClaimDefect::Malformed(Claim::UserId)), "{wrong}");
        assert_eq!(defect(json!({"tenant": wrong})), Some(ClaimDefect::Malformed(Claim::Tenant)), "{wrong}");
        assert_eq!(defect(json!({"jti": wrong})), Some(ClaimDefect::Malformed(Claim::TokenId)), "{wrong}");
    }
}

#[test]
fn a_list_of_the_wrong_type_is_no_empty_list() {
    for wrong in [
        json!(1),
        json!(true),
        json!({"a": 1}),
        json!(["a", 1]),
        json!([["a"]]),
        json!(["a\u{0}"]),
        json!([""]),
    ] {
        assert_eq!(defect(json!({"roles": wrong})), Some(ClaimDefect::Malformed(Claim::Roles)), "{wrong}");
        assert_eq!(defect(json!({"scope": wrong})), Some(ClaimDefect::Malformed(Claim::Scopes)), "{wrong}");
        let permissions = defect(json!({"permissions": wrong}));
        assert_eq!(permissions, Some(ClaimDefect::Malformed(Claim::Permissions)), "{wrong}");
    }
    let many: Vec<_> = (0..257).map(|n| format!("r{n}")).collect();
    assert_eq!(defect(json!({"roles": many})), Some(ClaimDefect::Malformed(Claim::Roles)));
    assert_eq!(defect(json!({"scope": many.join(" ")})), Some(ClaimDefect::Malformed(Claim::Scopes)));
    let token =
        sign(r#"{"alg":"HS256"}"#, &claims_with(json!({"roles": "?"})).to_string().replace("\"?\"", "null"));
    let malformed = AuthnError::Claim(ClaimDefect::Malformed(Claim::Roles));
    assert_eq!(verify_at(settings(), &token, UnixTime::from_seconds(NOW).unwrap()).err(), Some(malformed));
}

#[test]
fn one_string_is_one_role() {
    let token = verify(settings(), &claims_with(json!({"roles": "Global Admin", "scope": ""}))).unwrap();
    assert_eq!(token.roles(), ["Global Admin"]);
    assert!(token.scopes().is_empty());
}

#[test]
fn attributes_are_found_where_the_settings_say() {
    let nested = JwtSettings {
        claims: ClaimPaths {
            user_id: "https://example.com/id".parse().unwrap(),
            roles: Some("/realm_access/roles".parse().unwrap()),
            tenant: Some("/a~1b/1".parse().unwrap()),
            ..ClaimPaths::default()
        },
        ..settings()
    };
    let claims = claims_with(json!({
        "https://example.com/id": "u2", "realm_access": {"roles": ["r"]}, "a/b": ["x", "acme"], "sub": null,
    }));
    let token = verify(nested, &claims).unwrap();
    assert_eq!((token.user_id(), token.tenant()), ("u2", Some("acme")));
    assert_eq!(token.roles(), ["r"]);
}

#[test]
fn the_type_is_demanded_when_asked() {
    let typed = JwtSettings { token_type: Some("at+jwt".to_owned()), ..settings() };
    let now = UnixTime::from_seconds(NOW).unwrap();
    for (header, good) in [
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"application/AT+JWT"}"#, true),
        (r#"{"alg":"HS256","typ":"JWT"}"#, false),
        (r#"{"alg":"HS256"}"#, false),
    ] {
        let outcome = verify_at(typed.clone(), &sign(header, &claims().to_string()), now);
        assert_eq!(outcome.err(), (!good).then_some(AuthnError::TokenTypeNotAllowed), "{header}");
    }
}

#[test]
fn payloads_that_are_no_claims_set() {
    for payload in ["", "[]", "null", "{", r#"{"sub":"a","sub":"b"}"#, "{} {}", "\u{feff}{}"] {
        let outcome = verify_at(settings(), &sign(r#"{"alg":"HS256"}"#, payload), UnixTime::default());
        let expected = AuthnError::Malformed(TokenDefect::PayloadNotJsonObject);
        assert_eq!(outcome.err(), Some(expected), "{payload}");
    }
}

#[test]
fn no_claim_is_judged_before_the_signature() {
    let mut forged = sign(r#"{"alg":"HS256"}"#, r#"{"iss":"evil"}"#);
    let other_end = if forged.ends_with('A') { "E" } else { "A" };
    forged.replace_range(forged.len() - 1.., other_end);
    assert_eq!(
        verify_at(settings(), &forged, UnixTime::default()).err(),
        Some(AuthnError::SignatureMismatch)
    );
}

#[test]
fn settings_that_contradict_themselves() {
    let error = |settings| JwtVerifier::new(settings).err();
    assert_eq!(error(settings()), None);
    let changed = |change: fn(&mut JwtSettings)| {
        let mut settings = settings();
        change(&mut settings);
        error(settings)
    };
    assert_eq!(changed(|s| s.issuer.clear()), Some(JwtSettingsError::IssuerEmpty));
    assert_eq!(changed(|s| s.audience = Audience::OneOf(vec![])), Some(JwtSettingsError::AudienceEmpty));
    let blank = changed(|s| s.audience = Audience::OneOf(vec![String::new()]));
    assert_eq!(blank, Some(JwtSettingsError::AudienceEmpty));
    assert_eq!(changed(|s| s.algorithms.clear()), Some(JwtSettingsError::NoAlgorithms));
    assert_eq!(changed(|s| s.algorithms.push(Algorithm::Rs256)), Some(JwtSettingsError::MixedAlgorithms));
    assert_eq!(
        changed(|s| s.clock_skew = Duration::from_secs(301)),
        Some(JwtSettingsError::ClockSkewTooWide)
    );
    assert_eq!(changed(|s| s.clock_skew = Duration::from_secs(300)), None);
    assert_eq!(changed(|s| s.max_token_age = Some(Duration::ZERO)), Some(JwtSettingsError::MaxTokenAgeZero));
    assert_eq!(changed(|s| s.token_type = Some(String::new())), Some(JwtSettingsError::TokenTypeEmpty));
}

#[test]
fn the_issuer_can_be_peeked_at() {
    let token = sign(r#"{"alg":"HS256"}"#, r#"{"iss":"https://other.example"}"#);
    assert_eq!(peek_issuer(token.as_bytes()), Ok("https://other.example".to_owned()));
    let token = sign(r#"{"alg":"HS256"}"#, "{}");
    assert_eq!(peek_issuer(token.as_bytes()), Err(AuthnError::Claim(ClaimDefect::IssuerMissing)));
    assert_eq!(peek_issuer(b"x"), Err(AuthnError::Malformed(TokenDefect::NotThreeParts)));
}
