//! Keys of every kind, made at start: one RSA key for RS* and PS*, one for each curve. Never written anywhere.

use anyhow::{Result, anyhow};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Algorithm;

/// One private key for each asymmetric algorithm, with the public key set that goes with them.
#[derive(Debug)]
pub struct KeyRing {
    generation: String,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl KeyRing {
    /// New keys. Their ids are `<algorithm>-<generation>`, such as `ES256-1`: two rings of one generation have the same
    /// ids and different keys, which is what a forger has.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(generation: &str) -> Result<Self> {
        let refused = |_| anyhow!("cannot make keys");
        Ok(Self {
            generation: generation.to_owned(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).map_err(refused)?,
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(refused)?,
            p384: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(refused)?,
            p521: EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).map_err(refused)?,
            ed25519: Ed25519KeyPair::generate().map_err(refused)?,
        })
    }

    /// The id of the key for an algorithm.
    pub fn key_id(&self, algorithm: Algorithm) -> String {
        format!("{}-{}", algorithm.as_str(), self.generation)
    }

    /// The public key set (RFC 7517 section 5), one key for each algorithm.
    pub fn jwks(&self) -> Value {
        json!({"keys": Algorithm::ASYMMETRIC.map(|algorithm| self.jwk(algorithm))})
    }

    /// The public key for an algorithm (RFC 7518 section 6, RFC 8037 section 2); null for the HS algorithms.
    pub fn jwk(&self, algorithm: Algorithm) -> Value {
        let mut key = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => return Value::Null,
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => self.rsa_jwk(),
            Algorithm::ES256 => elliptic_jwk("P-256", &self.p256),
            Algorithm::ES384 => elliptic_jwk("P-384", &self.p384),
            Algorithm::ES512 => elliptic_jwk("P-521", &self.p521),
            Algorithm::EdDSA => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(self.ed25519.public_key())})
            }
        };
        key["kid"] = self.key_id(algorithm).into();
        key["alg"] = algorithm.as_str().into();
        key["use"] = "sig".into();
        key
    }

    /// The RSA public key as SubjectPublicKeyInfo in PEM: what a forger signs with in the classic RS256/HS256 mix-up.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn rsa_public_pem(&self) -> Result<String> {
        let der: PublicKeyX509Der =
            self.rsa.public_key().as_der().map_err(|_| anyhow!("cannot encode the key"))?;
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
    }

    /// Signs with the private key for an algorithm, in the form RFC 7518 section 3 asks for.
    ///
    /// # Errors
    /// For the HS algorithms, which need a secret, and when the system has no randomness.
    pub fn sign(&self, algorithm: Algorithm, text: &[u8]) -> Result<Vec<u8>> {
        match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                Err(anyhow!("{} needs a shared secret: see TokenBuilder::secret", algorithm.as_str()))
            }
            Algorithm::RS256 => self.rsa_sign(&signature::RSA_PKCS1_SHA256, text),
            Algorithm::RS384 => self.rsa_sign(&signature::RSA_PKCS1_SHA384, text),
            Algorithm::RS512 => self.rsa_sign(&signature::RSA_PKCS1_SHA512, text),
            Algorithm::PS256 => self.rsa_sign(&signature::RSA_PSS_SHA256, text),
            Algorithm::PS384 => self.rsa_sign(&signature::RSA_PSS_SHA384, text),
            Algorithm::PS512 => self.rsa_sign(&signature::RSA_PSS_SHA512, text),
            Algorithm::ES256 => elliptic_sign(&self.p256, text),
            Algorithm::ES384 => elliptic_sign(&self.p384, text),
            Algorithm::ES512 => elliptic_sign(&self.p521, text),
            Algorithm::EdDSA => Ok(self.ed25519.sign(text).as_ref().to_vec()),
        }
    }

    fn rsa_sign(&self, padding: &'static dyn RsaEncoding, text: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa
            .sign(padding, &SystemRandom::new(), text, &mut signature)
            .map_err(|_| anyhow!("cannot sign with RSA"))?;
        Ok(signature)
    }

    fn rsa_jwk(&self) -> Value {
        let public = self.rsa.public_key();
        json!({
            "kty": "RSA",
            "n": base64url(public.modulus().big_endian_without_leading_zero()),
            "e": base64url(public.exponent().big_endian_without_leading_zero()),
        })
    }
}

/// HMAC (RFC 7518 section 3.2) of `text`.
///
/// # Errors
/// For algorithms that are no HMAC.
pub(super) fn hmac_sign(algorithm: Algorithm, secret: &[u8], text: &[u8]) -> Result<Vec<u8>> {
    let hash = match algorithm {
        Algorithm::HS256 => aws_lc_rs::hmac::HMAC_SHA256,
        Algorithm::HS384 => aws_lc_rs::hmac::HMAC_SHA384,
        Algorithm::HS512 => aws_lc_rs::hmac::HMAC_SHA512,
        other => return Err(anyhow!("{} has no shared secret", other.as_str())),
    };
    Ok(aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(hash, secret), text).as_ref().to_vec())
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn elliptic_jwk(curve: &str, pair: &EcdsaKeyPair) -> Value {
    // An uncompressed point: 0x04, x, y.
    let coordinates = &pair.public_key().as_ref()[1..];
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
}

fn elliptic_sign(pair: &EcdsaKeyPair, text: &[u8]) -> Result<Vec<u8>> {
    let signature = pair.sign(&SystemRandom::new(), text).map_err(|_| anyhow!("cannot sign with ECDSA"))?;
    Ok(signature.as_ref().to_vec())
}
