//! From bytes to a document, or to everything that is wrong with it.

use super::{Document, JsonPointer, Problem, Problems};

impl Document {
    /// Reads a document from JSON text.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Problems> {
        let value = serde_json::from_slice(bytes).map_err(|error| {
            Problem::new(JsonPointer::root(), format!("not JSON at line {}", error.line()))
        })?;
        Self::from_value(value)
    }

    /// Reads a document from a JSON value.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_value(value: serde_json::Value) -> Result<Self, Problems> {
        deserr::deserialize(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Audience, CredentialSource, KeySource, SignatureAlgorithm};

    fn problems(text: &str) -> Vec<String> {
        let problems = Document::from_json(text.as_bytes()).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn defaults_are_those_of_the_reference() {
        let document = Document::from_json(
            br#"{"version": 1, "authentication": {"methods": [{"name": "people", "jwt": {
                "issuer": "https://auth.example.com", "audience": "api", "algorithms": ["ES256", "EdDSA"],
                "jwks_uri": "https://auth.example.com/jwks", "cluster": "idp"}}]}}"#,
        )
        .unwrap();
        assert_eq!(document.name, "default");
        let jwt = &document.authentication.methods[0].jwt;
        assert_eq!(jwt.audience, Audience::OneOf(vec!["api".to_owned()]));
        assert_eq!(jwt.algorithms, [SignatureAlgorithm::ES256, SignatureAlgorithm::EdDSA]);
        assert_eq!(
            jwt.keys(),
            Some(KeySource::Remote { uri: "https://auth.example.com/jwks", cluster: "idp" })
        );
        assert_eq!(jwt.jwks_cache_ttl.to_string(), "10m");
        let bearer = CredentialSource::Header {
            header: "authorization".to_owned(),
            scheme: Some("Bearer".to_owned()),
        };
        assert_eq!(jwt.from, [bearer]);
        assert!(jwt.forward);
        assert_eq!(document.identity_headers.tenant.as_deref(), Some("x-tenant-id"));
        assert_eq!(document.identity_headers.scopes, None);
        assert_eq!(document.audit, None);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let found = problems(
            r#"{"version": "1", "nmae": "shop", "authentication": {"methods": [
                {"name": "people", "jwt": {"isuer": "https://auth.example.com", "algorithms": ["RS265"],
                 "secret": "hunter2hunter2hunter2hunter2hunter2", "clock_skew_seconds": -1, "jwks_timeout": "2 s",
                 "from": [{"header": "authorization", "cookie": "session"}, {"scheme": "Bearer"}]}}]},
              "tenancy": {"bind": [{"path": "/a", "host": "b"}, 5]},
              "authorization": {"roles": {"viewer": {"permisions": ["objects:read"]}}},
              "audit": []}"#,
        );
        assert_eq!(
            found,
            [
                "/audit: found a list; expected an object",
                "/authentication/methods/0/jwt: `audience` is missing",
                "/authentication/methods/0/jwt: `issuer` is missing",
                "/authentication/methods/0/jwt/algorithms/0: unknown value; expected one of `HS256`, `HS384`, `HS512`, \
                 `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`; \
                 did you mean `RS256`?",
                "/authentication/methods/0/jwt/clock_skew_seconds: found a negative number; expected a whole number",
                "/authentication/methods/0/jwt/from/0: not one place; expected exactly one of `header`, `cookie`, `query`",
                "/authentication/methods/0/jwt/from/1/scheme: no header to stand in; expected `header` beside `scheme`",
                "/authentication/methods/0/jwt/isuer: unknown field; did you mean `issuer`?",
                "/authentication/methods/0/jwt/jwks_timeout: not a duration: no known unit after the number; \
                 expected a whole number and a unit, such as `500ms`, `2s`, `10m`, `1h`, `1d`",
                "/authentication/methods/0/jwt/secret: a literal secret must not stand in a document; \
                 expected exactly `${NAME}`, where NAME is the environment variable that holds the secret",
                "/authorization/roles/viewer/permisions: unknown field; did you mean `permissions`?",
                "/nmae: unknown field; did you mean `name`?",
                "/tenancy/bind/0: not one place; expected exactly one of `path`, `header`, `host`",
                "/tenancy/bind/1: found a whole number; expected an object",
                "/version: found a text; expected a whole number",
            ]
        );
    }

    #[test]
    fn a_secret_is_never_repeated() {
        let found = Document::from_json(
            br#"{"version": 1, "authentication": {"methods": [{"name": "people", "jwt": {
                "issuer": "hunter2", "audience": "any", "algorithms": ["hunter2"], "expiry": "hunter2",
                "secret": "hunter2", "jwks": {"keys": [{"kty": "oct", "k": "hunter2"}, {"kty": "RSA", "d": "hunter2"}]}
            }}]}}"#,
        )
        .unwrap_err();
        assert!(!format!("{found} {found:?}").contains("hunter2"), "{found}");
        let text = found.to_string();
        assert!(
            text.contains("/jwt/jwks/keys/0/k: part of a private key; expected public members only"),
            "{text}"
        );
        assert!(
            text.contains("/jwt/jwks/keys/1/d: part of a private key; expected public members only"),
            "{text}"
        );
    }
}
