//! One key set: each of its keys as the filter reads it, and what is to be said about them.
//!
//! Which keys are used is the filter's word: [`jwk::read_key`] for each and [`JwkSet::parse`] for all. Of a key only what is
//! public and no number is looked at besides, and the length of an RSA modulus.

use portcullis_filter::authn::algorithm::Algorithm;
use portcullis_filter::authn::jwk::{self, JwkSet, JwkSetError, Unusable};
use portcullis_filter::authn::key::VerificationKey;
use portcullis_filter::authn::keyset::{KeySet, KeySetError, MAX_CANDIDATE_KEYS, MAX_KEYS};
use portcullis_policy::document::JsonPointer;
use serde_json::Value;

use super::unusable::{about_unusable, modulus_bits};

/// What was found in a set.
pub(super) struct Examined {
    /// Every key that could be looked at, in the order of the set.
    pub(super) keys: Vec<Key>,
    /// How many of them the gate uses.
    pub(super) used: usize,
    pub(super) findings: Vec<Finding>,
}

/// One key, by what it says of itself.
pub(super) struct Key {
    pub(super) key_id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) algorithm: Option<String>,
    /// Curve, or bits of the modulus.
    pub(super) size: Option<String>,
    /// The JWK Thumbprint (RFC 7638) of one that is used.
    pub(super) thumbprint: Option<String>,
    /// `used`, or the label of what keeps it from being used.
    pub(super) verdict: &'static str,
}

/// Something to be said about a set.
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// Which part of the set.
    pub(super) pointer: JsonPointer,
    pub(super) message: String,
    pub(super) remedy: &'static str,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// Tokens are refused, or should be.
    Error,
    /// The gate copes; somebody may have meant something else.
    Warning,
}

impl Severity {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Looks at the set that `bytes` are, for a method that allows `algorithms`; for no method in particular if none.
pub(super) fn examine(bytes: &[u8], algorithms: Option<&[Algorithm]>) -> Examined {
    let parsed = JwkSet::parse(bytes);
    let value: Value = match &parsed {
        Err(JwkSetError::NotJsonObject | JwkSetError::TooLong) => Value::Null,
        Ok(_) | Err(_) => serde_json::from_slice(bytes).unwrap_or_default(),
    };
    let entries = value.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read: Vec<Result<VerificationKey, Unusable>> =
        entries.iter().take(MAX_KEYS).map(jwk::read_key).collect();
    let mut findings = Vec::new();
    for (index, (entry, read)) in entries.iter().zip(&read).enumerate() {
        if let Err(unusable) = read {
            findings.push(about_unusable(index, entry, *unusable));
        }
    }
    let usable: Vec<(usize, &VerificationKey)> =
        read.iter().enumerate().filter_map(|(index, read)| Some((index, read.as_ref().ok()?))).collect();
    about_pairs(&usable, &mut findings);
    about_nameless(&usable, &mut findings);
    if let Err(error) = &parsed {
        findings.extend(about_set(*error));
    }
    if let (Ok(set), Some(algorithms)) = (&parsed, algorithms) {
        about_algorithms(set.keys(), &usable, algorithms, &mut findings);
    }
    let keys = entries.iter().zip(&read).map(|(entry, read)| Key::new(entry, read, parsed.is_ok())).collect();
    Examined { keys, used: parsed.map_or(0, |set| set.keys().keys().len()), findings }
}

impl Key {
    fn new(entry: &Value, read: &Result<VerificationKey, Unusable>, set_is_good: bool) -> Self {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let (verdict, thumbprint) = match read {
            Ok(key) if set_is_good => ("used", key.thumbprint()),
            Ok(key) => ("set_refused", key.thumbprint()),
            Err(Unusable::NotAnObject) => ("not_an_object", None),
            Err(Unusable::Private) => ("private", None),
            Err(Unusable::Skipped(reason)) => (reason.reason(), None),
        };
        let size = text("crv").or_else(|| Some(format!("{} bits", modulus_bits(entry)?)));
        Self {
            key_id: text("kid"),
            kind: text("kty"),
            purpose: text("use"),
            algorithm: text("alg"),
            size,
            thumbprint,
            verdict,
        }
    }
}

/// The key at `index`.
pub(super) fn key_pointer(index: usize) -> JsonPointer {
    JsonPointer::members(&["keys"]).element(index)
}

/// Two keys that one token could mean, and keys that are there twice.
fn about_pairs(usable: &[(usize, &VerificationKey)], findings: &mut Vec<Finding>) {
    for (place, (index, key)) in usable.iter().enumerate() {
        for (other_index, other) in usable.iter().take(place) {
            let pointer = key_pointer(*index).member("kid");
            match KeySet::new([(*other).clone(), (*key).clone()]) {
                Err(KeySetError::AmbiguousKeyId) => findings.push(Finding {
                    severity: Severity::Error,
                    pointer,
                    message: format!("has the `kid` of key {other_index} and fits the same algorithm, so that a token could mean either"),
                    remedy: "give each key an id of its own (RFC 7517 section 4.5); the set is refused whole",
                }),
                Ok(one) if one.keys().len() == 1 => findings.push(Finding {
                    severity: Severity::Warning,
                    pointer: key_pointer(*index),
                    message: format!("is key {other_index} again"),
                    remedy: "take one of them out",
                }),
                Ok(_) if key.key_id().is_some() && key.key_id() == other.key_id() => findings.push(Finding {
                    severity: Severity::Warning,
                    pointer,
                    message: format!("has the `kid` of key {other_index}, and only the algorithm tells them apart"),
                    remedy: "give each key an id of its own (RFC 7517 section 4.5)",
                }),
                Ok(_) | Err(KeySetError::TooManyKeys) => {}
            }
        }
    }
}

/// A token without `kid` is tried against few keys.
fn about_nameless(usable: &[(usize, &VerificationKey)], findings: &mut Vec<Finding>) {
    let nameless: Vec<usize> =
        usable.iter().filter(|(_, key)| key.key_id().is_none()).map(|(index, _)| *index).collect();
    let Some(first) = nameless.first().filter(|_| usable.len() > 1) else { return };
    let message = format!("has no `kid` in a set of {}: no token can name it", usable.len());
    findings.push(Finding {
        severity: Severity::Warning,
        pointer: key_pointer(*first),
        message,
        remedy: "let the issuer give every key an id",
    });
    let crowded = Algorithm::ALL
        .into_iter()
        .find(|algorithm| usable.iter().filter(|(_, key)| key.fits(*algorithm)).count() > MAX_CANDIDATE_KEYS);
    if let Some(algorithm) = crowded {
        findings.push(Finding {
            severity: Severity::Error,
            pointer: key_pointer(*first),
            message: format!("is never tried: more than {MAX_CANDIDATE_KEYS} keys fit {algorithm}, and a token without `kid` is refused"),
            remedy: "let the issuer give every key an id",
        });
    }
}

fn about_set(error: JwkSetError) -> Option<Finding> {
    let (pointer, remedy) = match error {
        // Said of the key that is to blame.
        JwkSetError::PrivateKey | JwkSetError::KeyNotObject | JwkSetError::AmbiguousKeyId => return None,
        JwkSetError::TooLong => (JsonPointer::root(), "is this the file that the issuer publishes?"),
        JwkSetError::NotJsonObject => (
            JsonPointer::root(),
            "write JSON in which no member occurs twice; is this the file that the issuer publishes?",
        ),
        JwkSetError::KeysMissing => (
            JsonPointer::root(),
            "put the keys in a list: `{\"keys\": [..]}` (RFC 7517 section 5); one key alone is no set",
        ),
        JwkSetError::TooManyKeys => (JsonPointer::members(&["keys"]), "take out keys that are used no more"),
        JwkSetError::NoUsableKey => (JsonPointer::members(&["keys"]), "without one no token is accepted"),
    };
    Some(Finding { severity: Severity::Error, pointer, message: error.to_string(), remedy })
}

/// What the method allows and what the keys can do.
fn about_algorithms(
    keys: &KeySet,
    usable: &[(usize, &VerificationKey)],
    algorithms: &[Algorithm],
    findings: &mut Vec<Finding>,
) {
    let unserved: Vec<&str> =
        algorithms.iter().filter(|it| !keys.serves(**it)).map(|it| it.as_str()).collect();
    if !unserved.is_empty() {
        let all = unserved.len() == algorithms.len();
        findings.push(Finding {
            severity: if all { Severity::Error } else { Severity::Warning },
            pointer: JsonPointer::members(&["keys"]),
            message: format!("no key for {}, which the method allows", unserved.join(", ")),
            remedy: if all {
                "no token can be accepted: compare `algorithms` of the method with the keys"
            } else {
                "take it out of `algorithms`, or let the issuer publish a key for it"
            },
        });
    }
    for (index, key) in usable {
        if !algorithms.iter().any(|algorithm| key.fits(*algorithm)) {
            findings.push(Finding {
                severity: Severity::Warning,
                pointer: key_pointer(*index),
                message: "fits none of the method's `algorithms`".to_owned(),
                remedy: "none, if another method uses it",
            });
        }
    }
}
