//! Keys that stand in the document itself: a JWK set of public keys (RFC 7517 section 5).

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{JsonPointer, Problem, Problems};

/// A JWK set in which no key has a private member: safe to print and to keep in the document.
///
/// It is public and nothing more: whether each key can be used is for the filter to say, which reads it as it would
/// read a fetched set.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicJwks(serde_json::Value);

impl PublicJwks {
    /// The set as it stands in the document: an object with a list of `keys`.
    pub fn as_value(&self) -> &serde_json::Value {
        &self.0
    }
}

impl Deserr<Problems> for PublicJwks {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        if value.kind() != ValueKind::Map {
            return Err(Problem::wrong_kind(value.kind(), &[ValueKind::Map], location).into());
        }
        let set: serde_json::Value = Deserr::<Problems>::deserialize_from_value(value, location)?;
        let problems = match set.get("keys").and_then(serde_json::Value::as_array) {
            Some(keys) => key_problems(keys, &JsonPointer::from(location).member("keys")),
            None => vec![Problem::new(location, "not a JWK set").expected("an object with a list of `keys`")],
        };
        match Problems::from_list(problems) {
            Some(problems) => Err(problems),
            None => Ok(Self(set)),
        }
    }
}

impl JsonSchema for PublicJwks {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PublicJwks".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": { "keys": { "type": "array", "items": { "type": "object" }, "minItems": 1 } },
            "required": ["keys"],
        })
    }
}

fn key_problems(keys: &[serde_json::Value], pointer: &JsonPointer) -> Vec<Problem> {
    let mut problems = Vec::new();
    if keys.is_empty() {
        problems.push(Problem::new(pointer.clone(), "empty").expected("at least one key"));
    }
    for (index, key) in keys.iter().enumerate() {
        let pointer = pointer.element(index);
        let Some(members) = key.as_object() else {
            problems.push(Problem::new(pointer, "not a key").expected("an object (RFC 7517 section 4)"));
            continue;
        };
        if members.get("kty").and_then(serde_json::Value::as_str) == Some("oct") {
            problems.push(
                Problem::new(pointer.member("kty"), "a shared secret")
                    .expected("a public key; use `secret` for HS256, HS384, HS512"),
            );
        }
        for member in PRIVATE_MEMBERS.iter().filter(|member| members.contains_key(**member)) {
            problems.push(
                Problem::new(pointer.member(member), "part of a private key").expected("public members only"),
            );
        }
    }
    problems
}

/// Members that make a key private or symmetric (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2).
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
