//! Signatures verified by the host's own cryptography, where it has the foreign function `verify_signature`.

use prost::Message;

use super::abi;
use crate::authn::algorithm::HashFunction;
use crate::authn::signature::HostCrypto;

/// Envoy's BoringSSL, by way of its foreign function (`ext/verify_signature.proto`).
pub(crate) struct ForeignCrypto;

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`.
#[derive(Clone, PartialEq, Message)]
struct VerifySignatureArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    /// SPKI DER (RFC 5280 section 4.1.2.7).
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    /// DER for ECDSA, as is for RSA PKCS#1 v1.5.
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`. Its `error` is not read: a failure is a failure.
#[derive(Clone, PartialEq, Message)]
struct VerifySignatureResult {
    #[prost(bool, tag = "1")]
    result: bool,
}

impl HostCrypto for ForeignCrypto {
    fn verify_signature(
        &self,
        hash: HashFunction,
        spki_der: &[u8],
        signature_der: &[u8],
        text: &[u8],
    ) -> Option<bool> {
        let arguments = VerifySignatureArguments {
            hash_function: hash_name(hash).to_owned(),
            public_key: spki_der.to_owned(),
            signature: signature_der.to_owned(),
            text: text.to_owned(),
        };
        let result = abi::call_foreign_function(b"verify_signature", &arguments.encode_to_vec()).ok()?;
        if result.is_empty() {
            // Envoy says why when it says no: a host that says nothing has not looked.
            return None;
        }
        VerifySignatureResult::decode(result.as_slice()).ok().map(|verified| verified.result)
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
