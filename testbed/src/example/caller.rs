//! From a subject to the token that stands for it, by the document's own claim mapping.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::case::Subject;
use crate::client::Request;
use crate::issuer::{Algorithm, Issuer, KeyRing, TokenBuilder};

/// Who can sign: issuers by their identifier, and the secrets of the environment by their name.
#[derive(Debug)]
pub(super) struct Signers<'a> {
    pub(super) issuers: &'a BTreeMap<String, Issuer>,
    pub(super) secrets: &'a [(String, String)],
    /// What a token with a shared secret is built upon; signs nothing.
    pub(super) unused: &'a std::sync::Arc<KeyRing>,
}

/// The authentication method that a subject comes by.
#[derive(Debug)]
pub(super) struct Method<'a> {
    jwt: &'a Value,
}

impl<'a> Method<'a> {
    /// The method a subject names, else the first of the document.
    pub(super) fn of(document: &'a Value, subject: &Subject) -> Result<Self> {
        let methods = document.pointer("/authentication/methods").and_then(Value::as_array);
        let mut methods = methods.into_iter().flatten();
        let found = match &subject.method {
            Some(name) => methods.find(|method| method["name"] == **name),
            None => methods.next(),
        };
        let found = found.with_context(|| format!("no method {:?}", subject.method))?;
        let jwt = found.get("jwt").context("the method takes no tokens")?;
        if let Some(key_type) = &subject.key_type {
            ensure!(jwt["key_type"] == **key_type, "the method's credentials are not of type {key_type}");
        }
        Ok(Self { jwt })
    }

    /// A token for the subject, before it is signed.
    pub(super) fn token(&self, subject: &Subject, signers: &Signers<'_>) -> Result<TokenBuilder> {
        let issuer = self.jwt["issuer"].as_str().context("the method has no issuer")?;
        let algorithm: Algorithm =
            self.jwt["algorithms"][0].as_str().context("the method has no algorithms")?.parse()?;
        let token = match self.jwt["secret"].as_str() {
            Some(reference) => {
                let name = reference.trim_start_matches("${").trim_end_matches('}');
                let secret = signers.secrets.iter().find(|(known, _)| known == name);
                let (_, secret) = secret.with_context(|| format!("nobody says what {name} is"))?;
                TokenBuilder::new(signers.unused.clone(), algorithm).secret(secret)
            }
            None => {
                let signer = signers.issuers.get(issuer);
                signer.with_context(|| format!("no issuer {issuer}"))?.token(algorithm)
            }
        };
        let mut token = token.claim("iss", issuer);
        token = match &self.jwt["audience"] {
            Value::Array(audiences) => token.claim("aud", audiences[0].clone()),
            Value::String(audience) if audience != "any" => token.claim("aud", audience.as_str()),
            _ => token,
        };
        if let Some(kind) = self.jwt["token_type"].as_str() {
            token = token.header("typ", kind);
        }
        Ok(token.claims(&self.claims(subject)?))
    }

    /// Puts a token where the document looks for it first.
    pub(super) fn present(&self, request: Request, token: &str) -> Result<Request> {
        let place = &self.jwt["from"][0];
        let text = |name: &str| place[name].as_str();
        match (text("header"), text("cookie"), text("query")) {
            (None, None, None) => Ok(request.bearer(token)),
            (Some(header), None, None) => Ok(match text("scheme") {
                Some(scheme) => request.header(header, format!("{scheme} {token}")),
                None => request.header(header, token),
            }),
            (None, Some(cookie), None) => Ok(request.header("cookie", format!("{cookie}={token}"))),
            _ => bail!("credentials come from {place}, which cannot be sent here"),
        }
    }

    fn claims(&self, subject: &Subject) -> Result<Map<String, Value>> {
        let mut claims = Value::Object(Map::new());
        let mut put = |what: &str, default: Option<&str>, value: Value| -> Result<()> {
            let place = self.jwt.pointer(&format!("/claims/{what}")).and_then(Value::as_str).or(default);
            put_claim(&mut claims, place.with_context(|| format!("no claim carries {what}"))?, value)
        };
        if let Some(id) = &subject.id {
            put("user_id", Some("sub"), json!(id))?;
        }
        if let Some(tenant) = &subject.tenant {
            put("tenant", Some("tenant"), json!(tenant))?;
        }
        for (what, default, values) in [
            ("roles", Some("roles"), &subject.roles),
            ("groups", Some("groups"), &subject.groups),
            ("permissions", None, &subject.permissions),
        ] {
            if !values.is_empty() {
                put(what, default, json!(values))?;
            }
        }
        if !subject.scopes.is_empty() {
            put("scopes", Some("scope"), json!(subject.scopes.join(" ")))?;
        }
        for (name, value) in &subject.attributes {
            put(&format!("attributes/{name}"), Some(name), value.clone())?;
        }
        match claims {
            Value::Object(claims) => Ok(claims),
            _ => bail!("claims are an object"),
        }
    }
}

/// Puts a value where a claim path leads: the name of one claim, or a JSON Pointer.
fn put_claim(claims: &mut Value, path: &str, value: Value) -> Result<()> {
    let Some(pointer) = path.strip_prefix('/') else {
        claims[path] = value;
        return Ok(());
    };
    let mut place = claims;
    for name in pointer.split('/') {
        let name = name.replace("~1", "/").replace("~0", "~");
        place = place
            .as_object_mut()
            .with_context(|| format!("{path} leads through a value that is no object"))?
            .entry(name)
            .or_insert_with(|| json!({}));
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(claims: Value) -> Value {
        json!({"authentication": {"methods": [
            {"name": "first", "jwt": {"claims": claims}},
            {"name": "second", "jwt": {"key_type": "service"}},
        ]}})
    }

    fn subject(text: &str) -> Subject {
        serde_yaml_ng::from_str(text).unwrap()
    }

    #[test]
    fn claims_stand_where_the_document_looks_for_them() {
        let document = method(json!({
            "user_id": "/user/id", "roles": "https://example.com/roles", "groups": "groups",
            "attributes": {"region": "/user/region"},
        }));
        let alice = subject(
            "{id: alice, roles: [editor], scopes: [a, b], groups: [x], attributes: {region: eu, level: 3}}",
        );
        let claims = Method::of(&document, &alice).unwrap().claims(&alice).unwrap();
        let expected = json!({
            "user": {"id": "alice", "region": "eu"}, "https://example.com/roles": ["editor"],
            "scope": "a b", "groups": ["x"], "level": 3,
        });
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn what_no_claim_can_carry_is_an_error() {
        let document = method(json!({}));
        let alice = subject("{id: alice, permissions: [\"docs:read\"]}");
        assert!(Method::of(&document, &alice).unwrap().claims(&alice).is_err());
        assert!(Method::of(&document, &subject("{method: second, key_type: user}")).is_err());
        assert!(Method::of(&document, &subject("{method: third}")).is_err());
    }
}
