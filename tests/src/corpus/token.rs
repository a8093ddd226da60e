//! Tokens as the cases describe them: signed by AWS-LC, which the module does not use, and broken on purpose.

use super::keys::{Keys, algorithm};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A token to make.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenSpec {
    /// `alg` of the header.
    #[serde(default = "rs256")]
    alg: String,
    /// The algorithm and key it is really signed with; `alg` unless said. `none` signs nothing; `HS256 of the public key`
    /// is the classic mix-up.
    #[serde(default)]
    signed_as: Option<String>,
    /// Whose keys.
    #[serde(default)]
    keys: Owner,
    /// The shared secret of the HS algorithms.
    #[serde(default)]
    secret: String,
    /// Further members of the header, `kid` and `typ` included; null removes.
    #[serde(default)]
    header: Map<String, Value>,
    /// The claims. `exp`, `nbf` and `iat` may be relative: `+300s`, `-5s`.
    #[serde(default)]
    claims: Map<String, Value>,
    /// The claims as text, when they are no JSON object or not quite.
    #[serde(default)]
    claims_text: Option<String>,
    /// The header as text.
    #[serde(default)]
    header_text: Option<String>,
    /// What is done to the finished token.
    #[serde(default)]
    tamper: Option<Tamper>,
    /// This instead of a token.
    #[serde(default)]
    raw: Option<String>,
    /// A claim `padding` of so many bytes, to make it long.
    #[serde(default)]
    padding: usize,
    /// Where the request carries it.
    #[serde(default, rename = "in")]
    pub(super) place: Place,
}

fn rs256() -> String {
    "RS256".to_owned()
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Owner {
    #[default]
    Issuer,
    Forger,
}

/// Damage.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tamper {
    /// One bit of the signature is another.
    Signature,
    /// The claims are changed after signing.
    Payload,
    /// The header is changed after signing.
    Header,
    /// The signature is empty.
    NoSignature,
    /// Only header and payload, one dot.
    TwoParts,
    /// A fourth part.
    FourParts,
    /// `=` at the end.
    Padding,
    /// A space in the middle.
    Space,
    /// The standard alphabet of base64, where it differs.
    StandardAlphabet,
    /// The last character of the signature has bits that encode nothing.
    TrailingBits,
    /// Half of the signature, twice the dots in the claims: cut off in transit.
    Truncated,
    /// All bytes of the signature are zero: the "psychic signature" of ECDSA.
    ZeroSignature,
}

/// Where a token is put.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Place {
    /// `authorization` with this scheme.
    Scheme(String),
    /// A header of its own.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A query parameter.
    Query(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Scheme("Bearer".to_owned())
    }
}

impl TokenSpec {
    /// The token as text, at `now` seconds since 1970.
    pub(super) fn mint(&self, keys: &Keys, now: i64) -> Result<String, String> {
        if let Some(raw) = &self.raw {
            return Ok(raw.clone());
        }
        let ring = match self.keys {
            Owner::Issuer => &keys.issuer,
            Owner::Forger => &keys.forger,
        };
        let signed_as = self.signed_as.as_deref().unwrap_or(&self.alg);
        let header = encode(match &self.header_text {
            Some(text) => text.clone(),
            None => Value::Object(self.header(keys)).to_string(),
        });
        let claims = encode(match &self.claims_text {
            Some(text) => text.clone(),
            None => Value::Object(self.claims(now)?).to_string(),
        });
        let text = format!("{header}.{claims}");
        let signature = match signed_as {
            "none" => Vec::new(),
            "HS256 of the public key" => {
                let pem = ring.rsa_public_pem().map_err(|error| error.to_string())?;
                hmac_sign(hmac::HMAC_SHA256, pem.as_bytes(), &text)
            }
            "HS256" => hmac_sign(hmac::HMAC_SHA256, self.secret.as_bytes(), &text),
            "HS384" => hmac_sign(hmac::HMAC_SHA384, self.secret.as_bytes(), &text),
            "HS512" => hmac_sign(hmac::HMAC_SHA512, self.secret.as_bytes(), &text),
            name => ring.sign(algorithm(name)?, text.as_bytes()).map_err(|error| error.to_string())?,
        };
        Ok(self.tamper.map_or_else(
            || format!("{text}.{}", encode(&signature)),
            |tamper| tamper.apply(&header, &claims, &signature),
        ))
    }

    fn header(&self, keys: &Keys) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.alg.as_str().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Ok(algorithm) = algorithm(&self.alg)
            && !keys.issuer.jwk(algorithm).is_null()
        {
            header.insert("kid".to_owned(), keys.issuer.key_id(algorithm).into());
        }
        match super::patch::merge(Value::Object(header), &Value::Object(self.header.clone())) {
            Value::Object(header) => header,
            _ => Map::new(),
        }
    }

    fn claims(&self, now: i64) -> Result<Map<String, Value>, String> {
        let mut claims = self.claims.clone();
        for (name, claim) in &mut claims {
            if let (true, Value::String(text)) = (matches!(name.as_str(), "exp" | "nbf" | "iat"), &*claim) {
                let relative = text.strip_suffix('s').and_then(|seconds| seconds.parse::<i64>().ok());
                // Anything else is a case of its own: a time that is a text.
                if let Some(seconds) = relative {
                    *claim = (now + seconds).into();
                }
            }
        }
        if self.padding > 0 {
            claims.insert("padding".to_owned(), "x".repeat(self.padding).into());
        }
        Ok(claims)
    }
}

impl Tamper {
    fn apply(self, header: &str, claims: &str, signature: &[u8]) -> String {
        let good = format!("{header}.{claims}.{}", encode(signature));
        match self {
            Self::Signature => {
                let mut signature = signature.to_vec();
                let middle = signature.len() / 2;
                signature[middle] ^= 1;
                format!("{header}.{claims}.{}", encode(signature))
            }
            Self::Payload => {
                let text = URL_SAFE_NO_PAD.decode(claims).expect("our own base64");
                let text =
                    String::from_utf8(text).expect("our own JSON").replacen('{', r#"{"forged":true,"#, 1);
                format!("{header}.{}.{}", encode(text), encode(signature))
            }
            Self::Header => {
                let text = URL_SAFE_NO_PAD.decode(header).expect("our own base64");
                let text = String::from_utf8(text).expect("our own JSON").replacen('{', r#"{"x":1,"#, 1);
                format!("{}.{claims}.{}", encode(text), encode(signature))
            }
            Self::NoSignature => format!("{header}.{claims}."),
            Self::TwoParts => format!("{header}.{claims}"),
            Self::FourParts => format!("{good}.e30"),
            Self::Padding => format!("{good}="),
            Self::Space => format!("{header}. {claims}.{}", encode(signature)),
            Self::StandardAlphabet => {
                // A `-` or `_` is all but certain in 256 bytes, and the tail makes it certain.
                let signature =
                    base64::engine::general_purpose::STANDARD_NO_PAD.encode([signature, &[0xff; 3]].concat());
                format!("{header}.{claims}.{signature}")
            }
            Self::TrailingBits => {
                const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let mut text = good.into_bytes();
                let last = text.last_mut().expect("a signature");
                let value = ALPHABET.iter().position(|letter| letter == last).expect("base64url");
                *last = ALPHABET[value | 1];
                String::from_utf8(text).expect("ASCII")
            }
            Self::Truncated => good[..good.len() - good.len() / 8].to_owned(),
            Self::ZeroSignature => format!("{header}.{claims}.{}", encode(vec![0; signature.len()])),
        }
    }
}

fn hmac_sign(algorithm: hmac::Algorithm, secret: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), text.as_bytes()).as_ref().to_vec()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode, jwk::Jwk};
    use serde_json::json;

    /// Another implementation reads what this one writes, for every algorithm it knows.
    #[test]
    fn tokens_are_good_in_the_eyes_of_others() {
        let keys = Keys::generate();
        for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
            let spec: TokenSpec =
                serde_json::from_value(json!({"alg": alg, "claims": {"aud": "a", "exp": "+60s"}})).unwrap();
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            let token = spec.mint(&keys, now as i64).unwrap();
            let jwk: Jwk = serde_json::from_value(keys.issuer.jwk(algorithm(alg).unwrap())).unwrap();
            let mut validation = Validation::new(alg.parse().unwrap());
            validation.set_audience(&["a"]);
            decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).expect(alg);
        }
    }
}
