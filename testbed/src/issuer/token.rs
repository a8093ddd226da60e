//! Tokens with any header and any claims, good ones and bad ones.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::{Map, Value};

use super::keys::{base64url, hmac_sign};
use super::{Algorithm, KeyRing};

/// Collects header and claims and signs them as a compact JWS (RFC 7515 section 7.1).
///
/// Starts with `alg` and `kid` in the header and `iat` (now) and `exp` (in five minutes) among the claims. Any of them
/// can be set to something else, or to null, which removes it.
#[derive(Clone, Debug)]
pub struct TokenBuilder {
    keys: Arc<KeyRing>,
    algorithm: Algorithm,
    secret: Option<Vec<u8>>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

/// How long a token lives when nothing else is said, in seconds.
const LIFETIME_SECONDS: i64 = 300;

impl TokenBuilder {
    /// A token signed with the key of `keys` for `algorithm`.
    pub fn new(keys: Arc<KeyRing>, algorithm: Algorithm) -> Self {
        let header = [("alg", algorithm.as_str().into()), ("kid", keys.key_id(algorithm).into())];
        let claims =
            [("iat", seconds_from_now(0).into()), ("exp", seconds_from_now(LIFETIME_SECONDS).into())];
        Self {
            keys,
            algorithm,
            secret: None,
            header: header.map(|(name, value): (&str, Value)| (name.to_owned(), value)).into_iter().collect(),
            claims: claims.map(|(name, value): (&str, Value)| (name.to_owned(), value)).into_iter().collect(),
        }
    }

    /// Sets a claim; null removes it.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Sets several claims; those that are null are removed.
    #[must_use]
    pub fn claims(self, claims: &Map<String, Value>) -> Self {
        claims.iter().fold(self, |token, (name, value)| token.claim(name, value.clone()))
    }

    /// Sets a header parameter; null removes it. `alg` set here changes what is written, not how it is signed.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// Sets `exp` to so many seconds from now, negative for the past.
    #[must_use]
    pub fn expires_in(self, seconds: i64) -> Self {
        self.claim("exp", seconds_from_now(seconds))
    }

    /// Signs with other keys under the same ids: a forgery when they are not the issuer's.
    #[must_use]
    pub fn signed_by(mut self, keys: Arc<KeyRing>) -> Self {
        self.keys = keys;
        self
    }

    /// The shared secret for the HS algorithms; also removes `kid`.
    #[must_use]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(secret.as_ref().to_vec());
        self.header("kid", Value::Null)
    }

    /// Signs.
    ///
    /// # Errors
    /// When an HS algorithm has no secret, or another one has.
    pub fn sign(&self) -> Result<String> {
        let header = base64url(Value::Object(self.header.clone()).to_string());
        let claims = base64url(Value::Object(self.claims.clone()).to_string());
        self.sign_text(&format!("{header}.{claims}"))
    }

    /// Signs any text in place of header and claims, to make tokens that are broken inside.
    ///
    /// # Errors
    /// As [`TokenBuilder::sign`].
    pub fn sign_text(&self, text: &str) -> Result<String> {
        let signature = match &self.secret {
            Some(secret) => hmac_sign(self.algorithm, secret, text.as_bytes())?,
            None => self.keys.sign(self.algorithm, text.as_bytes())?,
        };
        Ok(format!("{text}.{}", base64url(signature)))
    }
}

/// Seconds since 1970, so many from now.
pub(crate) fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(now).unwrap_or(i64::MAX).saturating_add(seconds)
}

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        map.remove(name);
    } else {
        map.insert(name.to_owned(), value);
    }
}
