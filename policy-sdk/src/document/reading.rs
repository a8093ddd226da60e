//! From bytes to a document, or to everything that is wrong with it.
//!
//! Two kinds of problem are found: a value that does not have the document's shape, and parts that do not fit
//! together. So that a slip of the first kind does not hide all of the second, the parts that could not be read are
//! set aside and the rest is looked at without them; what they alone explain is then left out.

use serde_json::Value;

use super::{Document, JsonPointer, Problem, Problems, Step, plain_rules, semantics};
use crate::json::{self, JsonError, Tree};
use crate::limits::MAX_JSON_BYTES;

impl Document {
    /// Reads a document from JSON text, strictly: no duplicate members, bounded in size and depth.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Problems> {
        let refused = |error: JsonError| Problem::new(JsonPointer::root(), error.to_string());
        Self::from_tree(&mut json::read(bytes, MAX_JSON_BYTES).map_err(refused)?)
    }

    /// Reads a document from a JSON tree, which is afterwards as it was.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_tree(tree: &mut Tree<'_>) -> Result<Self, Problems> {
        Self::read(tree, |_| None)
    }

    /// Reads a document from a JSON value.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_value(value: Value) -> Result<Self, Problems> {
        Self::from_value_with(value, |_| None)
    }

    /// Reads a document from a JSON value, and has `further` look at whatever of it could be read when something is wrong:
    /// what does not compile is then found in the same pass. It is not asked about a document that reads.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_value_with(
        value: Value,
        further: impl FnOnce(&Document) -> Option<Problems>,
    ) -> Result<Self, Problems> {
        Self::read(&mut Tree::of(&value), further)
    }

    fn read(
        tree: &mut Tree<'_>,
        further: impl FnOnce(&Document) -> Option<Problems>,
    ) -> Result<Self, Problems> {
        let shape = match shaped(tree) {
            Ok(mut document) => {
                return match Problems::from_list(semantics::problems(&mut document)) {
                    Some(problems) => Err(problems.and_unexplained(further(&document))),
                    None => Ok(document),
                };
            }
            Err(problems) => problems,
        };
        // A copy of a large document costs as much as reading it, and is made only where something is wrong.
        let mut value = tree.clone().into_value();
        Err(match set_aside(&mut value, &shape) {
            Some(mut rest) => {
                let sense = Problems::from_list(semantics::problems(&mut rest));
                shape.and_unexplained(sense).and_unexplained(further(&rest)).folded()
            }
            None => shape.folded(),
        })
    }
}

/// What has the shape of a document. The rules of a large one are read by themselves, as long as each is a plain one.
fn shaped(tree: &mut Tree<'_>) -> Result<Document, Problems> {
    let taken = plain_rules::take(tree);
    let mut read = deserr::deserialize::<Document, &Tree<'_>, Problems>(tree);
    if let Some((list, rules)) = taken {
        plain_rules::put_back(tree, list);
        if let Ok(document) = &mut read {
            document.authorization.rules = rules;
        }
    }
    read
}

/// The document without the parts that could not be read; `None` if too little is left.
///
/// First the parts themselves are removed. Where something required is missing then, more goes: the list around it,
/// such as `/authorization/routes`, and at last the section, such as `/audit`.
fn set_aside(value: &mut Value, shape: &Problems) -> Option<Document> {
    let mut places: Vec<JsonPointer> = shape.iter().map(|problem| problem.pointer.clone()).collect();
    for steps in [usize::MAX, 2, 1] {
        for place in &places {
            remove(value, &place.truncated(steps));
        }
        let members = value.as_object_mut()?;
        members.entry("version").or_insert(Value::from(1));
        members.entry("authentication").or_insert_with(|| Value::Object(serde_json::Map::new()));
        match deserr::deserialize::<Document, _, Problems>(&Tree::of(value)) {
            Ok(document) => return Some(document),
            Err(problems) => places = problems.iter().map(|problem| problem.pointer.clone()).collect(),
        }
    }
    None
}

/// Removes a member. An element stays: the ones behind it would move up and be reported in the wrong place.
fn remove(value: &mut Value, place: &JsonPointer) {
    let Some((outer, Step::Member(name))) = place.split_last() else { return };
    let outer = outer.steps().iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Element(index) => value.get_mut(index),
    });
    if let Some(Value::Object(members)) = outer {
        members.remove(name);
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
                "/authentication/methods/0/jwt: `audience` is missing; expected the names that the issuer has for this service, or `any`",
                "/authentication/methods/0/jwt: `issuer` is missing; expected the `iss` of the tokens",
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
                "/tenancy/bind/0: not one place; expected exactly one of `path`, `header`, `host`, `query`",
                "/tenancy/bind/1: found a whole number; expected an object",
                "/version: found a text; expected a whole number",
            ]
        );
    }

    #[test]
    fn a_slip_does_not_hide_what_does_not_fit() {
        let found = problems(
            r#"{"authentication": {"methods": [{"name": "people", "jwt": {
                "issuer": "a", "audience": "b", "algorithms": ["HS256"], "jwks_url": "https://a/jwks", "cluster": "c"}}]},
              "tenancy": {"bind": [{"path": "/a"}]},
              "authorization": {"roles": {"viewer": {"permissions": "objects:read"}, "boss": {"inherits": ["viewer", "king"]}},
                "routes": [{"methods": ["get"], "path": "/a"}]},
              "audit": {"sink": {"cluster": "audit", "pathh": "/"}, "max_batch": 0}}"#,
        );
        assert_eq!(
            found,
            [
                "document: `version` is missing; expected `version: 1`",
                "/audit/sink: `path` is missing",
                "/audit/sink/pathh: unknown field; did you mean `path`?",
                "/authentication/methods/0/jwt/jwks_url: unknown field; did you mean `jwks_uri`?",
                "/authorization/roles/viewer/permissions: found a text; expected a list",
                "/authorization/routes/0/methods/0: not a request method; \
                 expected a token in capitals (RFC 9110 section 9.1); did you mean `GET`?",
                "/tenancy/bind/0/path: names the tenant 0 times; expected `{tenant}` exactly once",
            ]
        );
    }

    #[test]
    fn what_hinges_on_a_slip_is_left_out() {
        let found = problems(
            r#"{"version": 1, "authentication": {}, "audit": {"sink": 5},
              "authorization": {"routes": [{"methods": ["GET"], "path": "/", "audit": "acknowledged"}]}}"#,
        );
        assert_eq!(found, ["/audit/sink: found a whole number; expected an object"]);
    }

    #[test]
    fn text_that_is_not_strict_json() {
        for (text, problem) in [
            ("", "document: the text ends too early, at line 1, column 0"),
            (
                r#"{"version": 1, "version": 1}"#,
                "document: the member \"version\" occurs twice, at \"/version\"",
            ),
            ("[]", "document: found a list; expected an object"),
        ] {
            assert_eq!(problems(text), [problem]);
        }
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

    /// Pointers to every part of `value`.
    fn parts(value: &Value, pointer: &str, found: &mut Vec<String>) {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(name, part)| (name.clone(), part)).collect(),
            Value::Array(list) => {
                list.iter().enumerate().map(|(index, part)| (index.to_string(), part)).collect()
            }
            _ => Vec::new(),
        };
        for (name, part) in inner {
            let pointer = format!("{pointer}/{name}");
            parts(part, &pointer, found);
            found.push(pointer);
        }
    }

    #[test]
    fn any_two_parts_replaced_by_anything_read_or_are_explained_in_single_lines() {
        let shop = crate::document::semantics::testing::shop();
        let mut pointers = Vec::new();
        parts(&shop, "", &mut pointers);
        let replacements = [
            Value::Null,
            Value::from(-1),
            Value::from(1e300),
            Value::from("*"),
            Value::from("{a}\n\u{0}"),
            Value::from(vec![Value::Null]),
            serde_json::json!({ "a\nb": {}, "path": "/", "header": "x" }),
        ];
        let mut explained = 0;
        for (number, first) in pointers.iter().enumerate() {
            for (step, replacement) in replacements.iter().enumerate() {
                let second = &pointers[(number * 7 + step * 13) % pointers.len()];
                let mut document = shop.clone();
                for (pointer, replacement) in
                    [(first, replacement), (second, &replacements[(step + number) % replacements.len()])]
                {
                    if let Some(part) = document.pointer_mut(pointer) {
                        *part = replacement.clone();
                    }
                }
                if let Err(problems) = Document::from_value(document) {
                    explained += 1;
                    assert!(problems.iter().all(|problem| !problem.to_string().contains('\n')), "{problems}");
                }
            }
        }
        assert!(explained > 300, "{explained}");
    }
}
