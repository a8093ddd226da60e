//! The messages of `verify_signature`, the foreign function by which Envoy lends its cryptography
//! (`ext/verify_signature.proto`).
//!
//! It verifies nothing and calls nobody. The question is written straight into one buffer, for every token that is new
//! asks it; a test compares with prost.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`: the name of the hash function, a public key as
/// SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7), a signature (DER for ECDSA, as is for RSA PKCS #1 v1.5), and the
/// text that was signed.
#[must_use]
pub fn question(hash_function: &str, public_key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
    let fields = [hash_function.as_bytes(), public_key, signature, text];
    let bytes = fields.iter().map(|field| field.len()).fold(0, usize::saturating_add);
    let mut question = Vec::with_capacity(bytes.saturating_add(MAX_PREFIXES_BYTES));
    for (number, field) in (1..).zip(fields) {
        // What is empty is not written: it is the value of a field that is not there.
        if !field.is_empty() {
            encode_key(number, WireType::LengthDelimited, &mut question);
            encode_varint(field.len() as u64, &mut question);
            question.extend_from_slice(field);
        }
    }
    question
}

/// What an answer says, or `None` if it says nothing: Envoy says why when it says no, so a host with an empty answer has not
/// looked.
#[must_use]
pub fn answer(answer: &[u8]) -> Option<bool> {
    if answer.is_empty() {
        return None;
    }
    VerifySignatureResult::decode(answer).ok().map(|verified| verified.result)
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`. Its `error` is not read: a failure is a failure.
#[derive(Clone, PartialEq, Message)]
struct VerifySignatureResult {
    #[prost(bool, tag = "1")]
    result: bool,
}

/// Before each of four fields: its number in one byte, its length in five at most.
const MAX_PREFIXES_BYTES: usize = 4 * 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct VerifySignatureArguments {
        #[prost(string, tag = "1")]
        hash_function: String,
        #[prost(bytes = "vec", tag = "2")]
        public_key: Vec<u8>,
        #[prost(bytes = "vec", tag = "3")]
        signature: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")]
        text: Vec<u8>,
    }

    #[test]
    fn a_question_is_what_prost_makes_of_it() {
        let lengths = [0, 1, 127, 128, 294, 16_383, 16_384];
        for (first, second) in lengths.into_iter().flat_map(|one| lengths.map(|other| (one, other))) {
            for hash in ["sha256", ""] {
                let bytes = |byte, length| vec![byte; length];
                let (key, signature, text) = (bytes(1, first), bytes(2, second), bytes(3, first));
                let asked = question(hash, &key, &signature, &text);
                let oracle = VerifySignatureArguments {
                    hash_function: hash.to_owned(),
                    public_key: key,
                    signature,
                    text,
                };
                assert_eq!(asked, oracle.encode_to_vec(), "{first} and {second} bytes");
            }
        }
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for (bytes, said) in [
            (&[8, 1][..], Some(true)),
            (&[8, 0], Some(false)),
            (&[18, 1, b'x'], Some(false)),
            (&[8, 1, 18, 1, b'x'], Some(true)),
            (&[], None),
            (&[8], None),
            (&[0xff, 0xff], None),
            (&[10, 1, b'1'], None),
        ] {
            assert_eq!(answer(bytes), said, "{bytes:?}");
        }
    }
}
