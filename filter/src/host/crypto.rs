//! Signatures verified by the host's own cryptography, where it has the foreign function `verify_signature`.

use super::abi;
use crate::authn::algorithm::HashFunction;
use crate::authn::signature::HostCrypto;
use crate::verify_signature;

/// Envoy's BoringSSL, by way of its foreign function.
pub(crate) struct ForeignCrypto;

impl HostCrypto for ForeignCrypto {
    fn verify_signature(
        &self,
        hash: HashFunction,
        spki_der: &[u8],
        signature_der: &[u8],
        text: &[u8],
    ) -> Option<bool> {
        let question = verify_signature::question(hash_name(hash), spki_der, signature_der, text);
        let answer = abi::call_foreign_function(b"verify_signature", &question).ok()?;
        verify_signature::answer(&answer)
    }
}

/// As Envoy spells it: `sha-256` is not known there.
fn hash_name(hash: HashFunction) -> &'static str {
    match hash {
        HashFunction::Sha256 => "sha256",
        HashFunction::Sha384 => "sha384",
        HashFunction::Sha512 => "sha512",
    }
}
