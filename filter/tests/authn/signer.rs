//! An issuer for tests: fresh keys, their JWK, and tokens signed with them.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_filter::authn::algorithm::Algorithm;
use serde_json::{Value, json};

pub(crate) const KEY_ID: &str = "k1";

/// Signs with one algorithm.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    key: Key,
}

enum Key {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// A signer with a key nobody had before.
    pub(crate) fn generate(algorithm: Algorithm) -> Self {
        let key = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let mut secret = vec![0; 64];
                aws_lc_rs::rand::fill(&mut secret).unwrap();
                Key::Secret(secret)
            }
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            Algorithm::Es256 => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => ecdsa(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDsa => Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
        };
        Self { algorithm, key }
    }

    /// The secret of an HMAC signer.
    pub(crate) fn secret(&self) -> Option<&[u8]> {
        match &self.key {
            Key::Secret(secret) => Some(secret),
            Key::Rsa(_) | Key::Ecdsa(_) | Key::Ed25519(_) => None,
        }
    }

    /// The public key, with an id and without an algorithm.
    pub(crate) fn jwk(&self) -> Value {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        match &self.key {
            Key::Secret(_) => panic!("a secret is not published"),
            Key::Rsa(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({"kty": "RSA", "kid": KEY_ID, "n": encode(n), "e": encode(e)})
            }
            Key::Ecdsa(key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "crv": crv, "kid": KEY_ID, "x": encode(x), "y": encode(y)})
            }
            Key::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": KEY_ID, "x": encode(key.public_key().as_ref())})
            }
        }
    }

    /// A set of this one public key.
    pub(crate) fn jwk_set(&self) -> Vec<u8> {
        json!({"keys": [self.jwk()]}).to_string().into_bytes()
    }

    /// A token with the usual header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm.as_str(), "kid": KEY_ID}), claims)
    }

    /// A token with any header: the signature is made with the signer's algorithm whatever it says.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Secret(secret) => {
                let hash = match self.algorithm {
                    Algorithm::Hs256 => hmac::HMAC_SHA256,
                    Algorithm::Hs384 => hmac::HMAC_SHA384,
                    _ => hmac::HMAC_SHA512,
                };
                hmac::sign(&hmac::Key::new(hash, secret), text).as_ref().to_vec()
            }
            Key::Rsa(key) => {
                let padding: &dyn signature::RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    _ => &signature::RSA_PSS_SHA512,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &SystemRandom::new(), text, &mut signature).unwrap();
                signature
            }
            Key::Ecdsa(key) => key.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec(),
            Key::Ed25519(key) => key.sign(text).as_ref().to_vec(),
        }
    }

    /// The same key under another algorithm of its kind.
    pub(crate) fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }
}

fn ecdsa(algorithm: &'static signature::EcdsaSigningAlgorithm) -> Key {
    Key::Ecdsa(EcdsaKeyPair::generate(algorithm).unwrap())
}
