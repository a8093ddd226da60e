//! The two ways a signature is checked: by our own crates, or by the host after the probe.

use portcullis_filter::authn::algorithm::Algorithm;
use portcullis_filter::authn::jwk::JwkSet;
use portcullis_filter::authn::jws::CompactJws;
use portcullis_filter::authn::jwt::verify_jws;
use portcullis_filter::authn::key::VerificationKey;
use portcullis_filter::authn::keyset::KeySet;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::SignatureVerifier;
use portcullis_filter::secret::{Secret, SecretEncoding};
use serde_json::{Value, json};

use crate::host::NativeHost;

pub(crate) struct CryptoPath {
    pub(crate) name: &'static str,
    verifier: SignatureVerifier,
    host: NativeHost,
    calls_before: usize,
}

impl CryptoPath {
    pub(crate) fn both() -> [Self; 2] {
        let host = NativeHost::default();
        let probe = HostProbe::run(&host);
        let sound: Vec<_> = probe.algorithms().map(Algorithm::as_str).collect();
        assert_eq!(
            sound,
            ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
            "the host passes its probe"
        );
        let calls_before = host.calls();
        [
            Self {
                name: "native",
                verifier: SignatureVerifier::default(),
                host: NativeHost::default(),
                calls_before: 0,
            },
            Self { name: "host", verifier: SignatureVerifier::new(probe), host, calls_before },
        ]
    }

    pub(crate) fn assert_it_was_taken(&self) {
        assert_eq!(
            self.host.calls() > self.calls_before,
            self.name == "host",
            "the {} path was taken",
            self.name
        );
    }

    /// Whether a token verifies under a key set, by the same functions a request goes through.
    pub(crate) fn accepts_jws(&self, token: &str, keys: Option<&KeySet>) -> bool {
        let Some(keys) = keys else { return false };
        CompactJws::parse(token.as_bytes())
            .is_ok_and(|jws| verify_jws(&jws, &Algorithm::ALL, keys, &self.verifier, &self.host).is_ok())
    }

    /// Whether a bare signature verifies.
    pub(crate) fn accepts(
        &self,
        algorithm: Algorithm,
        keys: Option<&KeySet>,
        text: &[u8],
        signature: &[u8],
    ) -> bool {
        keys.is_some_and(|keys| {
            keys.keys()
                .iter()
                .any(|key| self.verifier.verify(algorithm, key, text, signature, &self.host).is_ok())
        })
    }
}

/// The keys of a published set. Public keys go the way an issuer's do.
///
/// Vectors give shared secrets as JWK, which the product never reads: a set of nothing but `oct` keys is taken here, each
/// as if it had come from the environment. A set that mixes the kinds goes the product's way, and is refused there.
pub(crate) fn key_set(set: &Value) -> Option<KeySet> {
    let keys = set["keys"].as_array().expect("a set has keys");
    if keys.iter().all(|key| key["kty"] == "oct") {
        let secrets: Option<Vec<_>> = keys.iter().map(shared_secret).collect();
        KeySet::new(secrets?).ok()
    } else {
        JwkSet::parse(set.to_string().as_bytes()).ok().map(JwkSet::into_keys)
    }
}

pub(crate) fn single(key: &Value) -> Option<KeySet> {
    key_set(&json!({ "keys": [key] }))
}

fn shared_secret(jwk: &Value) -> Option<VerificationKey> {
    let secret = Secret::parse(jwk["k"].as_str()?, SecretEncoding::Base64Url).ok()?;
    let mut key = VerificationKey::shared_secret(secret);
    if let Some(algorithm) = jwk.get("alg") {
        key = key.pinned_to(algorithm.as_str()?.parse().ok()?).ok()?;
    }
    match jwk.get("kid") {
        Some(key_id) => Some(key.with_key_id(key_id.as_str()?)),
        None => Some(key),
    }
}
