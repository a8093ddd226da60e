//! The keys of one run: an issuer's, and a forger's under the same ids.

use portcullis_testbed::issuer::{Algorithm, KeyRing};
use serde_json::{Value, json};
use std::sync::Arc;

/// Who signs.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The keys the document and the key set endpoint publish.
    pub issuer: Arc<KeyRing>,
    /// Other keys with the same ids.
    pub forger: Arc<KeyRing>,
}

impl Keys {
    /// New keys for this run.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn generate() -> Self {
        Self::with_issuer(Arc::new(KeyRing::generate("corpus").expect("keys")), "corpus")
    }

    /// A forger for an issuer whose keys carry this generation in their ids.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn with_issuer(issuer: Arc<KeyRing>, generation: &str) -> Self {
        Self { issuer, forger: Arc::new(KeyRing::generate(generation).expect("keys")) }
    }

    /// The issuer's public keys for algorithms such as `RS256,ES256`.
    ///
    /// # Errors
    /// When a name is no algorithm.
    pub fn jwks(&self, names: &str) -> Result<Value, String> {
        let key = |name: &str| Ok(self.issuer.jwk(algorithm(name.trim())?));
        Ok(json!({"keys": names.split(',').map(key).collect::<Result<Vec<_>, String>>()?}))
    }

    /// Puts keys where a document has placeholders: `"${jwks:RS256}"` is a set, and an object with a member `$key` is
    /// that key with the object's other members merged into it (RFC 7396).
    ///
    /// # Errors
    /// When a name is no algorithm.
    pub fn resolve(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => match text.strip_prefix("${jwks:").and_then(|rest| rest.strip_suffix('}'))
            {
                Some(names) => self.jwks(names),
                None => Ok(value.clone()),
            },
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(members) => match members.get("$key").and_then(Value::as_str) {
                Some(name) => {
                    let mut patch = members.clone();
                    patch.remove("$key");
                    Ok(super::patch::merge(self.issuer.jwk(algorithm(name)?), &Value::Object(patch)))
                }
                None => {
                    let resolve =
                        |(name, member): (&String, &Value)| Ok((name.clone(), self.resolve(member)?));
                    members.iter().map(resolve).collect::<Result<_, String>>().map(Value::Object)
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        }
    }
}

pub(super) fn algorithm(name: &str) -> Result<Algorithm, String> {
    name.parse().map_err(|error| format!("{error}"))
}
