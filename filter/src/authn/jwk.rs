//! JSON Web Key sets (RFC 7517), as an issuer publishes them.
//!
//! A set holds public keys. One with any private or symmetric key in it is refused whole: whoever can read it can sign,
//! so nothing signed with any of its keys says anything any more. A key that is public and not usable by us is skipped
//! with its reason, as RFC 7517 5 asks. This module fetches nothing, and knows no shared secrets: those come from the
//! environment only.

use std::fmt;

use portcullis_policy::json;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::base64url;
use super::key::{Curve, KeyDefect, MAX_KEY_ID_BYTES, VerificationKey};
use super::keyset::{KeySet, KeySetError, MAX_KEYS};

/// The most bytes a set may have. Sets with certificate chains reach 30 KiB; the host buffers the whole body.
pub const MAX_JWK_SET_BYTES: usize = 256 * 1024;

/// The usable keys of a set, and what became of the others.
#[derive(Debug, Clone)]
pub struct JwkSet {
    keys: KeySet,
    skipped: Vec<SkippedKey>,
}

impl JwkSet {
    /// Reads a key set.
    ///
    /// # Errors
    /// [`JwkSetError`] when the bytes are no key set, hold a private key, or leave no key or no clear choice to verify
    /// with. Then no key of it is used.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetError> {
        if bytes.len() > MAX_JWK_SET_BYTES {
            return Err(JwkSetError::TooLong);
        }
        let Ok(Value::Object(set)) = json::parse_within(bytes, MAX_JWK_SET_BYTES) else {
            return Err(JwkSetError::NotJsonObject);
        };
        let Some(Value::Array(entries)) = set.get("keys") else {
            return Err(JwkSetError::KeysMissing);
        };
        if entries.len() > MAX_KEYS {
            return Err(JwkSetError::TooManyKeys);
        }
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            match read_key(entry) {
                Ok(key) => keys.push(key),
                Err(Unusable::Skipped(reason)) => skipped.push(SkippedKey { index, reason }),
                Err(Unusable::NotAnObject) => return Err(JwkSetError::KeyNotObject),
                Err(Unusable::Private) => return Err(JwkSetError::PrivateKey),
            }
        }
        if keys.is_empty() {
            return Err(JwkSetError::NoUsableKey);
        }
        let keys = KeySet::new(keys).map_err(|error| match error {
            KeySetError::TooManyKeys => JwkSetError::TooManyKeys,
            KeySetError::AmbiguousKeyId => JwkSetError::AmbiguousKeyId,
        })?;
        Ok(Self { keys, skipped })
    }

    /// The usable keys.
    #[must_use]
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The usable keys, leaving the rest.
    #[must_use]
    pub fn into_keys(self) -> KeySet {
        self.keys
    }

    /// The keys that are not used, each with the reason.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}

/// Reads one entry of a set.
///
/// # Errors
/// [`Unusable`]: why no signature is verified with it.
pub fn read_key(entry: &Value) -> Result<VerificationKey, Unusable> {
    let Value::Object(jwk) = entry else { return Err(Unusable::NotAnObject) };
    if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
        return Err(Unusable::Private);
    }
    verification_key(jwk).map_err(Unusable::Skipped)
}

/// Why an entry of a set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It is no object, and the set is none.
    NotAnObject,
    /// It is private or symmetric, and spoils the set.
    Private,
    /// It is left out, and the others are used.
    Skipped(SkipReason),
}

/// A key of a set that is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its position in `keys`, from zero.
    pub index: usize,
    /// Why it is not used.
    pub reason: SkipReason,
}

/// Why a public key of a set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// `kty` is missing or none of `RSA`, `EC`, `OKP` (RFC 7517 4.1).
    KeyType,
    /// `use` is not `sig` (RFC 7517 4.2).
    Use,
    /// `key_ops` is without `verify`, or malformed (RFC 7517 4.3).
    KeyOperations,
    /// `alg` is no signature algorithm that we know (RFC 7517 4.4).
    Algorithm,
    /// `kid` is no string, or too long.
    KeyId,
    /// `crv` is missing, unknown, or none that this `kty` has (RFC 7518 6.2.1.1, RFC 8037 2).
    Curve,
    /// A member that makes up the key is missing or not canonical base64url.
    Member,
    /// The members make no key that we use.
    Key(KeyDefect),
}

impl SkipReason {
    /// A stable label from a closed set.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::KeyType => "key_type",
            Self::Use => "use",
            Self::KeyOperations => "key_operations",
            Self::Algorithm => "algorithm",
            Self::KeyId => "key_id",
            Self::Curve => "curve",
            Self::Member => "member",
            Self::Key(defect) => defect.reason(),
        }
    }
}

impl From<KeyDefect> for SkipReason {
    fn from(defect: KeyDefect) -> Self {
        Self::Key(defect)
    }
}

/// Why a key set is not used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwkSetError {
    /// More than [`MAX_JWK_SET_BYTES`].
    TooLong,
    /// No strict JSON object; duplicate member names are refused.
    NotJsonObject,
    /// No array `keys` (RFC 7517 5.1).
    KeysMissing,
    /// More than [`MAX_KEYS`] keys.
    TooManyKeys,
    /// A member of `keys` is no object.
    KeyNotObject,
    /// A private or symmetric key is among them.
    PrivateKey,
    /// Two different keys share an id and an algorithm.
    AmbiguousKeyId,
    /// There is no key, or none of them is usable.
    NoUsableKey,
}

impl JwkSetError {
    /// A stable label from a closed set.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "jwks_too_long",
            Self::NotJsonObject => "jwks_not_json_object",
            Self::KeysMissing => "jwks_keys_missing",
            Self::TooManyKeys => "jwks_too_many_keys",
            Self::KeyNotObject => "jwks_key_not_object",
            Self::PrivateKey => "jwks_private_key",
            Self::AmbiguousKeyId => "jwks_ambiguous_key_id",
            Self::NoUsableKey => "jwks_no_usable_key",
        }
    }
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLong => "the key set is longer than 256 KiB",
            Self::NotJsonObject => "the key set is not a strict JSON object",
            Self::KeysMissing => "the key set has no array `keys`",
            Self::TooManyKeys => "the key set has more than 64 keys",
            Self::KeyNotObject => "an entry of `keys` is not an object",
            Self::PrivateKey => "the key set holds a private or symmetric key",
            Self::AmbiguousKeyId => "two different keys share a `kid` and an algorithm",
            Self::NoUsableKey => "the key set has no key to verify signatures with",
        })
    }
}

impl std::error::Error for JwkSetError {}

/// The members that only a private or a symmetric key has (RFC 7518 6.2.2, 6.3.2, 6.4.1; RFC 8037 2).
pub const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn verification_key(jwk: &Map<String, Value>) -> Result<VerificationKey, SkipReason> {
    match jwk.get("use") {
        None => {}
        Some(Value::String(purpose)) if purpose == "sig" => {}
        Some(_) => return Err(SkipReason::Use),
    }
    match jwk.get("key_ops") {
        None => {}
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => {}
        Some(_) => return Err(SkipReason::KeyOperations),
    }
    let mut key = match text(jwk, "kty") {
        Some("RSA") => VerificationKey::rsa(&octets(jwk, "n")?, &octets(jwk, "e")?)?,
        Some("EC") => {
            let curve = match text(jwk, "crv") {
                Some("P-256") => Curve::P256,
                Some("P-384") => Curve::P384,
                Some("P-521") => Curve::P521,
                Some(_) | None => return Err(SkipReason::Curve),
            };
            VerificationKey::elliptic_curve(curve, &octets(jwk, "x")?, &octets(jwk, "y")?)?
        }
        Some("OKP") if text(jwk, "crv") == Some("Ed25519") => VerificationKey::ed25519(&octets(jwk, "x")?)?,
        Some("OKP") => return Err(SkipReason::Curve),
        Some(_) | None => return Err(SkipReason::KeyType),
    };
    match jwk.get("alg") {
        None => {}
        Some(Value::String(name)) => {
            let algorithm: Algorithm = name.parse().map_err(|_| SkipReason::Algorithm)?;
            key = key.pinned_to(algorithm)?;
        }
        Some(_) => return Err(SkipReason::Algorithm),
    }
    match jwk.get("kid") {
        None => Ok(key),
        Some(Value::String(key_id)) if key_id.len() <= MAX_KEY_ID_BYTES => Ok(key.with_key_id(key_id)),
        Some(_) => Err(SkipReason::KeyId),
    }
}

fn text<'j>(jwk: &'j Map<String, Value>, name: &str) -> Option<&'j str> {
    jwk.get(name).and_then(Value::as_str)
}

fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, SkipReason> {
    text(jwk, name).and_then(base64url::decode).ok_or(SkipReason::Member)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn ec(changes: Value) -> Value {
        let mut jwk = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    }

    fn set(keys: &[Value]) -> Result<JwkSet, JwkSetError> {
        JwkSet::parse(json!({"keys": keys}).to_string().as_bytes())
    }

    /// Why the second key of a set is skipped, whose first is good.
    fn skipped(jwk: Value) -> Option<SkipReason> {
        let set = set(&[ec(json!({"kid": "good"})), jwk]).unwrap();
        set.skipped().first().map(|skipped| {
            assert_eq!(skipped.index, 1);
            skipped.reason
        })
    }

    #[test]
    fn what_is_no_key_set() {
        let error = |text: &str| JwkSet::parse(text.as_bytes()).err();
        for text in ["", "[]", "null", "not json", r#"{"keys":[],"keys":[]}"#, "{\"keys\":[]", "<html>"] {
            assert_eq!(error(text), Some(JwkSetError::NotJsonObject), "{text}");
        }
        for text in ["{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"kty":"EC"}"#] {
            assert_eq!(error(text), Some(JwkSetError::KeysMissing), "{text}");
        }
        assert_eq!(error(r#"{"keys":[1]}"#), Some(JwkSetError::KeyNotObject));
        assert_eq!(error(r#"{"keys":[]}"#), Some(JwkSetError::NoUsableKey));
        assert_eq!(error(&" ".repeat(MAX_JWK_SET_BYTES + 1)), Some(JwkSetError::TooLong));
        assert_eq!(set(&vec![ec(json!({})); 65]).err(), Some(JwkSetError::TooManyKeys));
        assert_eq!(JwkSet::parse(&[0xff, 0xfe]).err(), Some(JwkSetError::NotJsonObject));
    }

    #[test]
    fn a_duplicate_member_inside_a_key_is_refused() {
        let text = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{X}","x":"{X}","y":"{Y}"}}]}}"#);
        assert_eq!(JwkSet::parse(text.as_bytes()).err(), Some(JwkSetError::NotJsonObject));
    }

    #[test]
    fn one_private_key_spoils_the_set() {
        for name in PRIVATE_MEMBERS {
            let spoiled = set(&[ec(json!({})), json!({"kty": "?", "use": "enc", name: null})]);
            assert_eq!(spoiled.err(), Some(JwkSetError::PrivateKey), "{name}");
        }
        assert_eq!(set(&[json!({"kty": "oct", "k": "AA"})]).err(), Some(JwkSetError::PrivateKey));
    }

    #[test]
    fn public_keys_that_are_not_for_us_are_skipped_with_the_reason() {
        for (changes, expected) in [
            (json!({"kty": "oct"}), SkipReason::KeyType),
            (json!({"kty": "ec"}), SkipReason::KeyType),
            (json!({"kty": 1}), SkipReason::KeyType),
            (json!({"use": "enc"}), SkipReason::Use),
            (json!({"use": null}), SkipReason::Use),
            (json!({"key_ops": ["sign"]}), SkipReason::KeyOperations),
            (json!({"key_ops": "verify"}), SkipReason::KeyOperations),
            (json!({"key_ops": []}), SkipReason::KeyOperations),
            (json!({"alg": "ES384"}), SkipReason::Key(KeyDefect::AlgorithmContradiction)),
            (json!({"alg": "RS256"}), SkipReason::Key(KeyDefect::AlgorithmContradiction)),
            (json!({"alg": "HS256"}), SkipReason::Key(KeyDefect::AlgorithmContradiction)),
            (json!({"alg": "ES521"}), SkipReason::Algorithm),
            (json!({"alg": "none"}), SkipReason::Algorithm),
            (json!({"alg": null}), SkipReason::Algorithm),
            (json!({"kid": 7}), SkipReason::KeyId),
            (json!({"kid": "k".repeat(257)}), SkipReason::KeyId),
            (json!({"crv": "secp256k1"}), SkipReason::Curve),
            (json!({"crv": "P-384"}), SkipReason::Key(KeyDefect::CoordinateLength)),
            (json!({"kty": "OKP", "crv": "X25519"}), SkipReason::Curve),
            (json!({"kty": "OKP", "crv": "Ed448"}), SkipReason::Curve),
            (json!({"x": Y}), SkipReason::Key(KeyDefect::NotOnCurve)),
            (json!({"x": format!("{X}=")}), SkipReason::Member),
            (json!({"x": null}), SkipReason::Member),
            (json!({"kty": "RSA"}), SkipReason::Member),
        ] {
            assert_eq!(skipped(ec(changes.clone())), Some(expected), "{changes}");
            assert_eq!(set(&[ec(changes)]).err(), Some(JwkSetError::NoUsableKey));
        }
        assert_eq!(
            skipped(ec(json!({"use": "sig", "key_ops": ["verify"], "alg": "ES256", "x5c": [1]}))),
            None
        );
    }

    #[test]
    fn keys_alike_are_one_and_keys_that_clash_refuse_the_set() {
        let one = ec(json!({"kid": "a"}));
        assert_eq!(set(&[one.clone(), one.clone()]).unwrap().keys().keys().len(), 1);
        // The point of RFC 7515 A.3 and its negative: two keys.
        let negative = ec(json!({"kid": "a", "y": "OA67MeRCZIJ40yASRhFGC0yWopJW9NtSdbnc13p3GlI"}));
        assert_eq!(set(&[one.clone(), negative.clone()]).err(), Some(JwkSetError::AmbiguousKeyId));
        let mut renamed = negative;
        renamed["kid"] = json!("b");
        assert_eq!(set(&[one, renamed]).unwrap().keys().keys().len(), 2);
    }

    #[test]
    fn a_key_carries_its_id_and_its_algorithm() {
        let set = set(&[ec(json!({"kid": "a", "alg": "ES256"}))]).unwrap();
        let key = &set.keys().keys()[0];
        assert_eq!((key.key_id(), key.algorithm()), (Some("a"), Some(Algorithm::Es256)));
        assert_eq!(key.spki_der().len(), 91);
    }
}
