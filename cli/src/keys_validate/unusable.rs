//! Why a key is not used, in words, with its member and what to do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_filter::authn::jwk::{PRIVATE_MEMBERS, SkipReason, Unusable};
use portcullis_filter::authn::key::{KeyDefect, MIN_RSA_BITS};
use serde_json::{Map, Value};

use super::key_set::{Finding, Severity, key_pointer};

/// What keeps the key at `index` from being used.
pub(super) fn about_unusable(index: usize, entry: &Value, unusable: Unusable) -> Finding {
    use Severity::{Error, Warning};
    let pointer = key_pointer(index);
    let (severity, member, message, remedy) = match unusable {
        Unusable::NotAnObject => (Error, "", "is no key".to_owned(), "write an object (RFC 7517 section 4)"),
        Unusable::Private => {
            let empty = Map::new();
            let members = entry.as_object().unwrap_or(&empty);
            let member =
                PRIVATE_MEMBERS.into_iter().find(|name| members.contains_key(*name)).unwrap_or_default();
            let kind = if member == "k" { "symmetric" } else { "private" };
            let message =
                format!("has the member `{member}` of a {kind} key, and whoever reads it can sign tokens");
            (Error, member, message, "replace this key at its issuer, and publish public members only")
        }
        Unusable::Skipped(reason) => match reason {
            SkipReason::KeyType => (
                Warning,
                "kty",
                "is of no type that is used here".to_owned(),
                "`RSA`, `EC` and `OKP` are (RFC 7518 section 6.1)",
            ),
            SkipReason::Use => (
                Warning,
                "use",
                "is not for signatures".to_owned(),
                "none, if that is meant: the gate leaves it out",
            ),
            SkipReason::KeyOperations => (
                Warning,
                "key_ops",
                "is not for verifying".to_owned(),
                "none, if that is meant: the gate leaves it out",
            ),
            SkipReason::Algorithm => (
                Warning,
                "alg",
                "has an `alg` that is no signature algorithm of ours".to_owned(),
                "compare it with RFC 7518 section 3.1; case matters",
            ),
            SkipReason::KeyId => (
                Error,
                "kid",
                "has a `kid` that is no text or longer than 256 bytes".to_owned(),
                "give it a short text as its id",
            ),
            SkipReason::Curve => (
                Warning,
                "crv",
                "is on no curve that is used here".to_owned(),
                "`P-256`, `P-384`, `P-521` and `Ed25519` are (RFC 7518 section 6.2, RFC 8037)",
            ),
            SkipReason::Member => (
                Error,
                "",
                "lacks a member that makes up the key, or has one that is not base64url without padding"
                    .to_owned(),
                "compare its members with RFC 7518 section 6",
            ),
            SkipReason::Key(defect) => {
                let (member, message, remedy) = about_defect(defect, entry);
                (Error, member, message, remedy)
            }
        },
    };
    let pointer = if member.is_empty() { pointer } else { pointer.member(member) };
    Finding { severity, pointer, message, remedy }
}

fn about_defect(defect: KeyDefect, entry: &Value) -> (&'static str, String, &'static str) {
    let (member, message, remedy) = match defect {
        KeyDefect::RsaTooShort => {
            let bits = modulus_bits(entry).unwrap_or_default();
            let message =
                format!("has a modulus of {bits} bits, and RFC 7518 section 3.3 demands {MIN_RSA_BITS}");
            return ("n", message, "let the issuer make a new key of 2048 bits or more");
        }
        KeyDefect::RsaTooLong => (
            "n",
            "has a modulus of more than 8192 bits",
            "let the issuer make a shorter key: 4096 bits are plenty",
        ),
        KeyDefect::RsaExponent => (
            "e",
            "has an exponent that is even, 1 or beyond 32 bits",
            "let the issuer make a key with the exponent 65537, `AQAB`",
        ),
        KeyDefect::RsaRoca => {
            ("n", "can be factored (CVE-2017-15361)", "replace it at once: its private half can be computed")
        }
        KeyDefect::NumberEncoding => (
            "n",
            "has a number with leading zero octets, or an even modulus",
            "write numbers as RFC 7518 section 2 says, Base64urlUInt",
        ),
        KeyDefect::CoordinateLength => (
            "x",
            "has a coordinate of another length than its curve",
            "write coordinates in full length, with their leading zero octets (RFC 7518 section 6.2.1)",
        ),
        KeyDefect::NotOnCurve => ("x", "is no point of its curve", "compare it with the issuer's own copy"),
        KeyDefect::SmallOrder => (
            "x",
            "is a point of small order: one signature would fit many tokens",
            "let the issuer make a new key",
        ),
        KeyDefect::AlgorithmContradiction => (
            "alg",
            "has an `alg` that its type or curve cannot have",
            "compare it with RFC 7518 section 3.1: RS and PS go with RSA, ES256 with P-256",
        ),
    };
    (member, message.to_owned(), remedy)
}

/// The bits of an RSA modulus.
pub(super) fn modulus_bits(entry: &Value) -> Option<usize> {
    let octets = URL_SAFE_NO_PAD.decode(entry.get("n")?.as_str()?).ok()?;
    let zeros = octets.iter().position(|octet| *octet != 0)?;
    let top = usize::try_from(octets.get(zeros)?.leading_zeros()).ok()?;
    octets.len().checked_sub(zeros)?.checked_mul(8)?.checked_sub(top)
}
