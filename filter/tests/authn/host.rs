//! A host with native crypto, as Envoy is one: AWS-LC stands in for its sibling BoringSSL.
//!
//! It takes what Envoy's `verify_signature` takes: SubjectPublicKeyInfo in DER, PKCS #1 v1.5 for RSA keys and ECDSA in DER
//! for EC keys; any hash with any key; no PSS, no EdDSA.

use std::cell::Cell;

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use portcullis_filter::authn::algorithm::HashFunction;
use portcullis_filter::authn::signature::HostCrypto;

/// Counts how often it was asked, so that a test can tell that it was.
#[derive(Default)]
pub(crate) struct NativeHost {
    calls: Cell<usize>,
}

impl NativeHost {
    pub(crate) fn calls(&self) -> usize {
        self.calls.get()
    }
}

impl HostCrypto for NativeHost {
    fn verify_signature(
        &self,
        hash: HashFunction,
        spki_der: &[u8],
        signature_der: &[u8],
        text: &[u8],
    ) -> Option<bool> {
        self.calls.set(self.calls.get() + 1);
        let algorithm = algorithm(spki_der, hash)?;
        Some(UnparsedPublicKey::new(algorithm, spki_der).verify(text, signature_der).is_ok())
    }
}

fn algorithm(spki_der: &[u8], hash: HashFunction) -> Option<&'static dyn VerificationAlgorithm> {
    use HashFunction::{Sha256, Sha384, Sha512};
    let holds = |oid: &[u8]| spki_der.windows(oid.len()).take(32).any(|window| window == oid);
    if holds(&RSA_ENCRYPTION) {
        Some(match hash {
            Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        })
    } else if holds(&PRIME256V1) {
        Some(match hash {
            Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
            Sha384 => &signature::ECDSA_P256_SHA384_ASN1,
            Sha512 => &signature::ECDSA_P256_SHA512_ASN1,
        })
    } else if holds(&SECP384R1) {
        Some(match hash {
            Sha256 => &signature::ECDSA_P384_SHA256_ASN1,
            Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
            Sha512 => &signature::ECDSA_P384_SHA512_ASN1,
        })
    } else if holds(&SECP521R1) {
        Some(match hash {
            Sha256 => &signature::ECDSA_P521_SHA256_ASN1,
            Sha384 => &signature::ECDSA_P521_SHA384_ASN1,
            Sha512 => &signature::ECDSA_P521_SHA512_ASN1,
        })
    } else {
        None
    }
}

const RSA_ENCRYPTION: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const PRIME256V1: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const SECP521R1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
