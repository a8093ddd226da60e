//! Keys that verify signatures, built once and used for many tokens.
//!
//! A key knows which algorithms it may be used with; nobody else decides that. This module does not read JSON: see
//! [`super::jwk`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::pkcs8::EncodePublicKey;
use rsa::BoxedUint;
use rsa::traits::PublicKeyParts as _;
use sha2::{Digest as _, Sha256};

use super::algorithm::{Algorithm, Family};
use super::roca;
use crate::secret::Secret;

/// The smallest RSA modulus taken, in bits (RFC 7518 3.3 and 3.5: "2048 bits or larger MUST be used").
pub const MIN_RSA_BITS: usize = 2048;

/// The largest RSA modulus taken, in bits: what BoringSSL takes too, so that both crypto paths agree, and a bound on the
/// work one signature can ask for.
pub const MAX_RSA_BITS: usize = 8192;

/// The largest RSA public exponent taken: 65537 is the rule, and the cost of a verification grows with its length.
pub const MAX_RSA_EXPONENT: u64 = u32::MAX as u64;

/// The most bytes a key id may have: thumbprints and UUIDs are shorter by far.
pub const MAX_KEY_ID_BYTES: usize = 256;

/// A key that can verify, and never sign, unless it is a shared secret.
///
/// `Debug` names the kind of key and never its bytes.
#[derive(Clone)]
pub struct VerificationKey {
    key_id: Option<String>,
    algorithm: Option<Algorithm>,
    material: KeyMaterial,
    spki_der: Vec<u8>,
}

impl VerificationKey {
    /// A shared secret for HMAC. It has no key id: a token's `kid` does not choose among secrets.
    #[must_use]
    pub const fn shared_secret(secret: Secret) -> Self {
        Self { key_id: None, algorithm: None, material: KeyMaterial::Hmac(secret), spki_der: Vec::new() }
    }

    /// An RSA key of modulus `n` and public exponent `e`, both big-endian without leading zero octets (RFC 7518 6.3.1).
    ///
    /// # Errors
    /// [`KeyDefect`] when a number is not minimally encoded, or out of the bounds this module names.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyDefect> {
        if n.first().is_none_or(|&first| first == 0) || e.first().is_none_or(|&first| first == 0) {
            return Err(KeyDefect::NumberEncoding);
        }
        // Bounded before any arithmetic is done with it.
        if n.len() > MAX_RSA_BITS / 8 {
            return Err(KeyDefect::RsaTooLong);
        }
        if e.len() > size_of::<u64>() {
            return Err(KeyDefect::RsaExponent);
        }
        let modulus = BoxedUint::from_be_slice_vartime(n);
        let exponent = e.iter().fold(0_u64, |number, &octet| number << 8 | u64::from(octet));
        let bits = modulus.bit_width_vartime() as usize;
        if bits < MIN_RSA_BITS {
            return Err(KeyDefect::RsaTooShort);
        }
        // An even modulus or exponent is no RSA key; exponent 1 lets any text be its own signature.
        if n.last().is_none_or(|last| last & 1 == 0) {
            return Err(KeyDefect::NumberEncoding);
        }
        if exponent & 1 == 0 || exponent == 1 || exponent > MAX_RSA_EXPONENT {
            return Err(KeyDefect::RsaExponent);
        }
        if roca::is_fingerprinted(n) {
            return Err(KeyDefect::RsaRoca);
        }
        let bounds = MIN_RSA_BITS..=MAX_RSA_BITS;
        let key = rsa::PublicKey::new_with_size_limits(modulus, BoxedUint::from(exponent), bounds)
            .map_err(|_| KeyDefect::NumberEncoding)?;
        let spki_der = spki_der(&key)?;
        Ok(Self {
            key_id: None,
            algorithm: None,
            material: KeyMaterial::Rsa(Box::new(RsaKey { key, modulus: n.into() })),
            spki_der,
        })
    }

    /// A point on a NIST curve, both coordinates big-endian in the full length of the field (RFC 7518 6.2.1).
    ///
    /// # Errors
    /// [`KeyDefect`] when a coordinate has another length or the point is not on the curve.
    pub fn elliptic_curve(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyDefect> {
        if x.len() != curve.coordinate_bytes() || y.len() != curve.coordinate_bytes() {
            return Err(KeyDefect::CoordinateLength);
        }
        let point = [&[SEC1_UNCOMPRESSED], x, y].concat();
        let (material, spki_der) = match curve {
            Curve::P256 => {
                let key = p256::PublicKey::from_sec1_bytes(&point).map_err(|_| KeyDefect::NotOnCurve)?;
                (KeyMaterial::P256(key.into()), spki_der(&key)?)
            }
            Curve::P384 => {
                let key = p384::PublicKey::from_sec1_bytes(&point).map_err(|_| KeyDefect::NotOnCurve)?;
                (KeyMaterial::P384(key.into()), spki_der(&key)?)
            }
            Curve::P521 => {
                let key = p521::PublicKey::from_sec1_bytes(&point).map_err(|_| KeyDefect::NotOnCurve)?;
                (KeyMaterial::P521(Box::new(key.into())), spki_der(&key)?)
            }
        };
        Ok(Self { key_id: None, algorithm: None, material, spki_der })
    }

    /// An Ed25519 public key (RFC 8037 2).
    ///
    /// # Errors
    /// [`KeyDefect`] when it is not 32 bytes, no point, or a point of small order, for which one signature would fit
    /// many texts.
    pub fn ed25519(x: &[u8]) -> Result<Self, KeyDefect> {
        let x: &[u8; ED25519_KEY_BYTES] = x.try_into().map_err(|_| KeyDefect::CoordinateLength)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| KeyDefect::NotOnCurve)?;
        if key.is_weak() {
            return Err(KeyDefect::SmallOrder);
        }
        let spki_der = [ED25519_SPKI_PREFIX.as_slice(), x].concat();
        Ok(Self { key_id: None, algorithm: None, material: KeyMaterial::Ed25519(Box::new(key)), spki_der })
    }

    /// The same key under a key id (RFC 7517 4.5).
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// The same key, pinned to one algorithm (RFC 7517 4.4).
    ///
    /// # Errors
    /// [`KeyDefect::AlgorithmContradiction`] when this kind of key cannot be used with `algorithm`.
    pub fn pinned_to(mut self, algorithm: Algorithm) -> Result<Self, KeyDefect> {
        if !self.material.fits(algorithm) {
            return Err(KeyDefect::AlgorithmContradiction);
        }
        self.algorithm = Some(algorithm);
        Ok(self)
    }

    /// The key id, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The one algorithm this key is pinned to, if it is.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Whether this key may verify a signature made with `algorithm`: its kind and curve fit, it is pinned to no other
    /// algorithm, and a secret is as long as the hash output (RFC 7518 3.2).
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|pinned| pinned == algorithm) && self.material.fits(algorithm)
    }

    /// The public key as SubjectPublicKeyInfo in DER (RFC 5280 4.1.2.7); empty for a shared secret.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// The JWK Thumbprint with SHA-256, in base64url (RFC 7638 3): names a public key that has no id. `None` for a shared
    /// secret, whose hash is nobody's business.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        // The last octets of a SubjectPublicKeyInfo on a curve are the point itself.
        let tail = |length: usize| self.spki_der.get(self.spki_der.len().checked_sub(length)?..);
        let elliptic_curve = |curve: Curve, name: &str| {
            let (x, y) =
                tail(curve.coordinate_bytes().checked_mul(2)?)?.split_at_checked(curve.coordinate_bytes())?;
            Some(format!(r#"{{"crv":"{name}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y)))
        };
        let members = match &self.material {
            KeyMaterial::Hmac(_) => None,
            KeyMaterial::Rsa(rsa) => {
                let (e, n) = (encode(&rsa.key.e_bytes()), encode(&rsa.modulus));
                Some(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
            }
            KeyMaterial::P256(_) => elliptic_curve(Curve::P256, "P-256"),
            KeyMaterial::P384(_) => elliptic_curve(Curve::P384, "P-384"),
            KeyMaterial::P521(_) => elliptic_curve(Curve::P521, "P-521"),
            KeyMaterial::Ed25519(_) => {
                Some(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(tail(ED25519_KEY_BYTES)?)))
            }
        };
        members.map(|members| encode(&Sha256::digest(members)))
    }

    /// Whether this key is a shared secret.
    #[must_use]
    pub const fn is_shared_secret(&self) -> bool {
        matches!(self.material, KeyMaterial::Hmac(_))
    }

    pub(super) const fn material(&self) -> &KeyMaterial {
        &self.material
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerificationKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm)
            .field("kind", &self.material.kind())
            .finish_non_exhaustive()
    }
}

/// A curve of RFC 7518 6.2.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// The length of one coordinate, in bytes.
    #[must_use]
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// Why numbers make no key that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyDefect {
    /// An RSA number is empty, has leading zero octets, or the modulus is even.
    NumberEncoding,
    /// The modulus is shorter than [`MIN_RSA_BITS`].
    RsaTooShort,
    /// The modulus is longer than [`MAX_RSA_BITS`].
    RsaTooLong,
    /// The exponent is even, 1, or above [`MAX_RSA_EXPONENT`].
    RsaExponent,
    /// The modulus bears the mark of a generator whose keys can be factored (CVE-2017-15361).
    RsaRoca,
    /// A coordinate does not have the length of its field.
    CoordinateLength,
    /// The coordinates name no point of the curve.
    NotOnCurve,
    /// The point is of small order.
    SmallOrder,
    /// The declared algorithm cannot be used with this kind of key.
    AlgorithmContradiction,
}

impl KeyDefect {
    /// A stable label from a closed set.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NumberEncoding => "number_encoding",
            Self::RsaTooShort => "rsa_too_short",
            Self::RsaTooLong => "rsa_too_long",
            Self::RsaExponent => "rsa_exponent",
            Self::RsaRoca => "rsa_roca",
            Self::CoordinateLength => "coordinate_length",
            Self::NotOnCurve => "not_on_curve",
            Self::SmallOrder => "small_order",
            Self::AlgorithmContradiction => "algorithm_contradiction",
        }
    }
}

impl fmt::Display for KeyDefect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason())
    }
}

impl std::error::Error for KeyDefect {}

/// What a signature is checked against. Large kinds are boxed.
#[derive(Clone)]
pub(super) enum KeyMaterial {
    Hmac(Secret),
    Rsa(Box<RsaKey>),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(Box<p521::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl KeyMaterial {
    fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Hmac(secret) => {
                algorithm.is_symmetric() && secret.expose().len() >= algorithm.hash().output_bytes()
            }
            Self::Rsa(_) => matches!(algorithm.family(), Family::RsaPkcs1 | Family::RsaPss),
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::P384(_) => algorithm == Algorithm::Es384,
            Self::P521(_) => algorithm == Algorithm::Es512,
            Self::Ed25519(_) => algorithm == Algorithm::EdDsa,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "shared secret",
            Self::Rsa(_) => "RSA",
            Self::P256(_) => "P-256",
            Self::P384(_) => "P-384",
            Self::P521(_) => "P-521",
            Self::Ed25519(_) => "Ed25519",
        }
    }
}

/// An RSA key, and its modulus as a signature is written.
#[derive(Clone)]
pub(super) struct RsaKey {
    pub(super) key: rsa::PublicKey,
    modulus: Box<[u8]>,
}

impl RsaKey {
    /// Whether `signature` is a number the key can have produced: as long as the modulus, and below it (RFC 8017 8.1.2,
    /// 8.2.2 and 5.2.2). A verifier that reduces instead gives one signature two spellings.
    pub(super) fn may_have_made(&self, signature: &[u8]) -> bool {
        // Of equal length and big-endian, octets compare as the numbers do.
        signature.len() == self.modulus.len() && *signature < *self.modulus
    }
}

fn spki_der(key: &impl EncodePublicKey) -> Result<Vec<u8>, KeyDefect> {
    // Cannot fail for a key that was parsed; if it does, the key is not used.
    Ok(key.to_public_key_der().map_err(|_| KeyDefect::NumberEncoding)?.into_vec())
}

/// The tag of an uncompressed point (SEC 1 2.3.3).
const SEC1_UNCOMPRESSED: u8 = 4;

const ED25519_KEY_BYTES: usize = 32;

/// SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING } up to the key (RFC 8410 4).
const ED25519_SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xff; bits / 8];
        n[0] = 0x80;
        n
    }

    #[test]
    fn rsa_bounds() {
        let e = [1, 0, 1];
        let defect = |n: &[u8], e: &[u8]| VerificationKey::rsa(n, e).err();
        assert_eq!(defect(&modulus(2048), &e), None);
        assert_eq!(defect(&modulus(8192), &e), None);
        assert_eq!(defect(&modulus(1024), &e), Some(KeyDefect::RsaTooShort));
        let mut just_short = modulus(2048);
        just_short[0] = 0x7f;
        assert_eq!(defect(&just_short, &e), Some(KeyDefect::RsaTooShort));
        assert_eq!(defect(&modulus(8200), &e), Some(KeyDefect::RsaTooLong));
        let mut padded = modulus(2048);
        padded.insert(0, 0);
        assert_eq!(defect(&padded, &e), Some(KeyDefect::NumberEncoding));
        assert_eq!(defect(&[], &e), Some(KeyDefect::NumberEncoding));
        let mut even = modulus(2048);
        even[255] = 0xfe;
        assert_eq!(defect(&even, &e), Some(KeyDefect::NumberEncoding));
    }

    #[test]
    fn rsa_exponent_is_odd_above_one_and_short() {
        let defect = |e: &[u8]| VerificationKey::rsa(&modulus(2048), e).err();
        assert_eq!(defect(&[3]), None);
        assert_eq!(defect(&[0xff, 0xff, 0xff, 0xff]), None);
        for e in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1], &[1; 9]] {
            assert_eq!(defect(e), Some(KeyDefect::RsaExponent), "{e:?}");
        }
        assert_eq!(defect(&[]), Some(KeyDefect::NumberEncoding));
        assert_eq!(defect(&[0, 1, 0, 1]), Some(KeyDefect::NumberEncoding));
    }

    #[test]
    fn points_off_the_curve_and_short_coordinates_are_no_keys() {
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let full = vec![1; curve.coordinate_bytes()];
            assert_eq!(
                VerificationKey::elliptic_curve(curve, &full, &full).err(),
                Some(KeyDefect::NotOnCurve)
            );
            assert_eq!(
                VerificationKey::elliptic_curve(curve, &full[1..], &full).err(),
                Some(KeyDefect::CoordinateLength)
            );
        }
    }

    #[test]
    fn small_order_edwards_points_are_no_keys() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerificationKey::ed25519(&identity).err(), Some(KeyDefect::SmallOrder));
        assert_eq!(VerificationKey::ed25519(&[0; 32]).err(), Some(KeyDefect::SmallOrder));
        assert_eq!(VerificationKey::ed25519(&[0; 31]).err(), Some(KeyDefect::CoordinateLength));
    }

    #[test]
    fn a_secret_fits_hmac_only_and_only_when_as_long_as_the_hash() {
        let key = VerificationKey::shared_secret(Secret::new(vec![1; 48]).unwrap());
        let fitting: Vec<_> = Algorithm::ALL.into_iter().filter(|&algorithm| key.fits(algorithm)).collect();
        assert_eq!(fitting, [Algorithm::Hs256, Algorithm::Hs384]);
    }

    #[test]
    fn an_rsa_key_never_fits_hmac() {
        let key = VerificationKey::rsa(&modulus(2048), &[1, 0, 1]).unwrap();
        assert!(!Algorithm::ALL.into_iter().any(|algorithm| algorithm.is_symmetric() && key.fits(algorithm)));
        assert!(key.clone().pinned_to(Algorithm::Hs256).is_err());
        let pinned = key.pinned_to(Algorithm::Rs256).unwrap();
        assert!(pinned.fits(Algorithm::Rs256) && !pinned.fits(Algorithm::Ps256));
    }

    #[test]
    fn debug_does_not_show_a_secret() {
        let key = VerificationKey::shared_secret(
            Secret::new(b"canary-canary-canary-canary-canary".to_vec()).unwrap(),
        );
        assert!(!format!("{key:?}").contains("canary"));
    }
}
