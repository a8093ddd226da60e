//! Foreign functions: `verify_signature` for real, over AWS-LC where Envoy has BoringSSL; `clear_route_cache` as a no-op.
//!
//! The matrix is Envoy 1.40's: PKCS#1 v1.5 and DER-encoded ECDSA over SPKI keys, SHA-1 and 1024-bit RSA accepted, PSS,
//! EdDSA, raw `r||s` and every other key encoding refused. `false` is an answer, not an error.

use super::Status;
use aws_lc_rs::signature::{self as sig, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;

/// Calls a foreign function.
///
/// # Errors
/// `NotFound` for a name this host does not have, `BadArgument` for an argument it cannot read.
pub(super) fn call(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    match name {
        "verify_signature" => verify_signature(argument),
        "clear_route_cache" => Ok(Vec::new()),
        _ => Err(Status::NOT_FOUND),
    }
}

fn verify_signature(argument: &[u8]) -> Result<Vec<u8>, Status> {
    let [hash, der, signature, text, pem] = read_fields(argument).ok_or(Status::BAD_ARGUMENT)?;
    let key = match (der, pem) {
        (Some(der), None) => der,
        (None, Some(pem)) => from_pem(&pem).unwrap_or_default(),
        _ => return Err(Status::BAD_ARGUMENT),
    };
    let hash = String::from_utf8_lossy(&hash.unwrap_or_default()).to_ascii_lowercase();
    let result = verify(&hash, &key, &signature.unwrap_or_default(), &text.unwrap_or_default());
    Ok(match result {
        Ok(()) => vec![0x08, 0x01],
        Err(error) => [&[0x12, error.len() as u8], error.as_bytes()].concat(),
    })
}

fn verify(hash: &str, key: &[u8], signature: &[u8], text: &[u8]) -> Result<(), String> {
    if !["sha1", "sha224", "sha256", "sha384", "sha512"].contains(&hash) {
        return Err(format!("{hash} is not supported."));
    }
    let uninitialized = || "Failed to initialize digest verify.".to_owned();
    let algorithm = key_type(key).and_then(|key_type| algorithm(key_type, hash)).ok_or_else(uninitialized)?;
    let key = ParsedPublicKey::new(algorithm, key).map_err(|_| uninitialized())?;
    key.verify_sig(text, signature).map_err(|_| "Failed to verify digest. Error code: 0".to_owned())
}

#[derive(Clone, Copy)]
enum KeyType {
    Rsa,
    P256,
    P384,
    P521,
}

/// The algorithm identifier of a SubjectPublicKeyInfo. Anything else has no key type: a bare PKCS#1 key, a certificate.
fn key_type(spki: &[u8]) -> Option<KeyType> {
    const RSA: &[u8] = &[48, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0];
    const P256: &[u8] = &[48, 19, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 8, 42, 134, 72, 206, 61, 3, 1, 7];
    const P384: &[u8] = &[48, 16, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 5, 43, 129, 4, 0, 34];
    const P521: &[u8] = &[48, 16, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 5, 43, 129, 4, 0, 35];
    let header = match spki.get(..2)? {
        [48, short] if *short < 128 => 2,
        [48, long] => 2 + usize::from(long & 0x7f),
        _ => return None,
    };
    let body = spki.get(header..)?;
    let known = [(RSA, KeyType::Rsa), (P256, KeyType::P256), (P384, KeyType::P384), (P521, KeyType::P521)];
    known.into_iter().find(|(identifier, _)| body.starts_with(identifier)).map(|(_, key_type)| key_type)
}

/// The pairs AWS-LC offers. The others Envoy would take (SHA-224 mostly) are no JWS algorithm and verify nothing here.
fn algorithm(key_type: KeyType, hash: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (key_type, hash) {
        (KeyType::Rsa, "sha1") => &sig::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (KeyType::Rsa, "sha256") => &sig::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (KeyType::Rsa, "sha384") => &sig::RSA_PKCS1_2048_8192_SHA384,
        (KeyType::Rsa, "sha512") => &sig::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (KeyType::P256, "sha1") => &sig::ECDSA_P256_SHA1_ASN1,
        (KeyType::P256, "sha256") => &sig::ECDSA_P256_SHA256_ASN1,
        (KeyType::P256, "sha384") => &sig::ECDSA_P256_SHA384_ASN1,
        (KeyType::P256, "sha512") => &sig::ECDSA_P256_SHA512_ASN1,
        (KeyType::P384, "sha256") => &sig::ECDSA_P384_SHA256_ASN1,
        (KeyType::P384, "sha384") => &sig::ECDSA_P384_SHA384_ASN1,
        (KeyType::P384, "sha512") => &sig::ECDSA_P384_SHA512_ASN1,
        (KeyType::P521, "sha1") => &sig::ECDSA_P521_SHA1_ASN1,
        (KeyType::P521, "sha224") => &sig::ECDSA_P521_SHA224_ASN1,
        (KeyType::P521, "sha256") => &sig::ECDSA_P521_SHA256_ASN1,
        (KeyType::P521, "sha384") => &sig::ECDSA_P521_SHA384_ASN1,
        (KeyType::P521, "sha512") => &sig::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

fn from_pem(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let inside = text.split("-----BEGIN PUBLIC KEY-----").nth(1)?.split("-----END").next()?;
    let base64: String = inside.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(base64).ok()
}

/// The five length-delimited fields of `VerifySignatureArguments`. proto3 leaves empty ones out.
fn read_fields(mut bytes: &[u8]) -> Option<[Option<Vec<u8>>; 5]> {
    let mut fields = <[Option<Vec<u8>>; 5]>::default();
    while !bytes.is_empty() {
        let tag = read_varint(&mut bytes)?;
        let length = usize::try_from(read_varint(&mut bytes)?).ok()?;
        let value = bytes.get(..length)?;
        bytes = &bytes[length..];
        if tag & 7 != 2 {
            return None;
        }
        let field = fields.get_mut(usize::try_from(tag >> 3).ok()?.checked_sub(1)?)?;
        *field = (!value.is_empty()).then(|| value.to_vec());
    }
    Some(fields)
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        encoding::AsDer,
        rand::SystemRandom,
        rsa::KeySize,
        signature::{EcdsaKeyPair, KeyPair, RsaKeyPair},
    };

    const GOOD: &[u8] = &[8, 1];

    fn ask(hash: &str, key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
        let mut argument = Vec::new();
        for (number, value) in [(1, hash.as_bytes()), (2, key), (3, signature), (4, text)] {
            argument.extend([number << 3 | 2, 0x80 | (value.len() & 0x7f) as u8, (value.len() >> 7) as u8]);
            argument.extend(value);
        }
        call("verify_signature", &argument).expect("an answer")
    }

    #[test]
    fn rsa_and_its_matrix() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let spki = pair.public_key().as_der().unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&sig::RSA_PKCS1_SHA256, &SystemRandom::new(), b"text", &mut signature).unwrap();
        assert_eq!(ask("SHA256", spki.as_ref(), &signature, b"text"), GOOD);
        assert_ne!(ask("sha-256", spki.as_ref(), &signature, b"text"), GOOD);
        assert_ne!(ask("sha512", spki.as_ref(), &signature, b"text"), GOOD);
        assert_ne!(ask("sha256", spki.as_ref(), &signature, b"other"), GOOD);
        assert_ne!(ask("sha256", spki.as_ref(), b"", b"text"), GOOD);
        assert_ne!(ask("sha256", pair.public_key().as_ref(), &signature, b"text"), GOOD, "PKCS#1 key");
        pair.sign(&sig::RSA_PSS_SHA256, &SystemRandom::new(), b"text", &mut signature).unwrap();
        assert_ne!(ask("sha256", spki.as_ref(), &signature, b"text"), GOOD, "PSS");
    }

    #[test]
    fn ecdsa_is_der_only() {
        let random = SystemRandom::new();
        for (raw, der, hash) in [
            (&sig::ECDSA_P256_SHA256_FIXED_SIGNING, &sig::ECDSA_P256_SHA256_ASN1_SIGNING, "sha256"),
            (&sig::ECDSA_P384_SHA384_FIXED_SIGNING, &sig::ECDSA_P384_SHA384_ASN1_SIGNING, "sha384"),
            (&sig::ECDSA_P521_SHA512_FIXED_SIGNING, &sig::ECDSA_P521_SHA512_ASN1_SIGNING, "sha512"),
        ] {
            let document = EcdsaKeyPair::generate_pkcs8(der, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(der, document.as_ref()).unwrap();
            let spki = pair.public_key().as_der().unwrap();
            let good = pair.sign(&random, b"text").unwrap();
            assert_eq!(ask(hash, spki.as_ref(), good.as_ref(), b"text"), GOOD);
            let pair = EcdsaKeyPair::from_pkcs8(raw, document.as_ref()).unwrap();
            let fixed = pair.sign(&random, b"text").unwrap();
            assert_ne!(ask(hash, spki.as_ref(), fixed.as_ref(), b"text"), GOOD, "raw r||s");
        }
    }

    #[test]
    fn no_key_two_keys_and_garbage_are_bad_arguments() {
        assert_eq!(call("verify_signature", b"\x0a\x06sha256"), Err(Status::BAD_ARGUMENT));
        assert_eq!(call("verify_signature", b"\x12\x01k\x2a\x01p"), Err(Status::BAD_ARGUMENT));
        assert_eq!(call("verify_signature", b"\xff"), Err(Status::BAD_ARGUMENT));
        assert_eq!(call("no_such_function", b""), Err(Status::NOT_FOUND));
    }
}
