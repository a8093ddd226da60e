//! One signature, checked by the host's crypto where it is known to be sound, by ours everywhere else.
//!
//! Both paths give the same answers: lengths and ranges are checked here before either is asked. This module does not
//! choose keys or algorithms; it refuses a pair that does not fit.

use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::{Algorithm, Family, HashFunction};
use super::key::{KeyMaterial, VerificationKey};
use super::probe::HostProbe;
use crate::secret::Secret;

/// The host's native signature verification.
///
/// Envoy's `verify_signature` foreign function takes RSA keys with PKCS #1 v1.5 signatures and EC keys with ECDSA
/// signatures in DER, and knows nothing else; callers stay inside that.
pub trait HostCrypto {
    /// Asks the host whether `signature_der` over `text` verifies under `spki_der`.
    ///
    /// `Some(true)` only if the host said so in as many words, `Some(false)` if it said that it does not, `None` if it
    /// cannot say: no such function, an error status, an answer that does not parse.
    fn verify_signature(
        &self,
        hash: HashFunction,
        spki_der: &[u8],
        signature_der: &[u8],
        text: &[u8],
    ) -> Option<bool>;
}

/// A host without native crypto.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHostCrypto;

impl HostCrypto for NoHostCrypto {
    fn verify_signature(&self, _: HashFunction, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
}

/// Checks signatures, by the host for the algorithms its [`HostProbe`] passed, natively otherwise.
#[derive(Debug, Clone, Default)]
pub struct SignatureVerifier {
    probe: HostProbe,
}

impl SignatureVerifier {
    /// A verifier that trusts the host as far as `probe` found it sound. The default trusts it with nothing.
    #[must_use]
    pub const fn new(probe: HostProbe) -> Self {
        Self { probe }
    }

    /// Checks `signature` over `signing_input` (RFC 7515 5.2).
    ///
    /// # Errors
    /// [`SignatureError::KeyNotForAlgorithm`] before any arithmetic when `key` may not be used with `algorithm`;
    /// [`SignatureError::Mismatch`] when the signature is not one that `key` made over `signing_input`.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        key: &VerificationKey,
        signing_input: &[u8],
        signature: &[u8],
        host: &dyn HostCrypto,
    ) -> Result<(), SignatureError> {
        if !key.fits(algorithm) {
            return Err(SignatureError::KeyNotForAlgorithm);
        }
        let by_host = |signature_der: &[u8]| {
            self.probe
                .is_sound(algorithm)
                .then(|| {
                    host.verify_signature(algorithm.hash(), key.spki_der(), signature_der, signing_input)
                })
                .flatten()
        };
        let good = match key.material() {
            KeyMaterial::Hmac(secret) => hmac_matches(algorithm.hash(), secret, signing_input, signature),
            KeyMaterial::Rsa(rsa) => {
                rsa.may_have_made(signature)
                    && by_host(signature)
                        .unwrap_or_else(|| rsa_accepts(algorithm, &rsa.key, signing_input, signature))
            }
            KeyMaterial::P256(key) => p256::ecdsa::Signature::from_slice(signature).is_ok_and(|parsed| {
                by_host(parsed.to_der().as_bytes())
                    .unwrap_or_else(|| key.verify(signing_input, &parsed).is_ok())
            }),
            KeyMaterial::P384(key) => p384::ecdsa::Signature::from_slice(signature).is_ok_and(|parsed| {
                by_host(parsed.to_der().as_bytes())
                    .unwrap_or_else(|| key.verify(signing_input, &parsed).is_ok())
            }),
            KeyMaterial::P521(key) => p521::ecdsa::Signature::from_slice(signature).is_ok_and(|parsed| {
                by_host(parsed.to_der().as_bytes())
                    .unwrap_or_else(|| key.verify(signing_input, &parsed).is_ok())
            }),
            KeyMaterial::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|parsed| key.verify(signing_input, &parsed).is_ok()),
        };
        if good { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// The key may not be used with the algorithm.
    KeyNotForAlgorithm,
    /// The signature does not verify, has the wrong length, or holds a number out of range.
    Mismatch,
}

impl std::fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::KeyNotForAlgorithm => "the key may not be used with this algorithm",
            Self::Mismatch => "the signature does not verify",
        })
    }
}

impl std::error::Error for SignatureError {}

/// The comparison inside is constant in time.
fn hmac_matches(hash: HashFunction, secret: &Secret, text: &[u8], signature: &[u8]) -> bool {
    let secret = secret.expose();
    match hash {
        HashFunction::Sha256 => Hmac::<Sha256>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok()),
        HashFunction::Sha384 => Hmac::<Sha384>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok()),
        HashFunction::Sha512 => Hmac::<Sha512>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok()),
    }
}

/// The salt of PSS is as long as the hash (RFC 7518 3.5).
fn rsa_accepts(algorithm: Algorithm, key: &rsa::PublicKey, text: &[u8], signature: &[u8]) -> bool {
    match (algorithm.family(), algorithm.hash()) {
        (Family::RsaPkcs1, HashFunction::Sha256) => key.pkcs1v15_verify::<Sha256>(text, signature),
        (Family::RsaPkcs1, HashFunction::Sha384) => key.pkcs1v15_verify::<Sha384>(text, signature),
        (Family::RsaPkcs1, HashFunction::Sha512) => key.pkcs1v15_verify::<Sha512>(text, signature),
        (Family::RsaPss, HashFunction::Sha256) => key.pss_verify::<Sha256>(text, signature),
        (Family::RsaPss, HashFunction::Sha384) => key.pss_verify::<Sha384>(text, signature),
        (Family::RsaPss, HashFunction::Sha512) => key.pss_verify::<Sha512>(text, signature),
        // An RSA key fits neither.
        (Family::Hmac | Family::Ecdsa | Family::EdDsa, _) => return false,
    }
    .is_ok()
}
