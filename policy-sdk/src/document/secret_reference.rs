//! A secret that the document names and the environment holds.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Problem, Problems};

/// A secret held by the environment: written exactly `${NAME}`.
///
/// Anything else does not become a value of this type, so a literal secret never gets past reading and cannot be
/// printed from here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretReference(String);

impl SecretReference {
    /// Reads `${NAME}`; NAME is an ASCII letter or `_`, then letters, digits and `_`, at most 128 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("${")?.strip_suffix('}')?;
        let starts_well =
            name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
        let goes_on_well = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (starts_well && goes_on_well && name.len() <= MAX_NAME_BYTES).then(|| Self(name.to_owned()))
    }

    /// Name of the environment variable that holds the secret.
    pub fn variable(&self) -> &str {
        &self.0
    }
}

impl Deserr<Problems> for SecretReference {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let reference = match value {
            Value::String(text) => Self::parse(&text),
            Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::NegativeInteger(_) => None,
            Value::Float(_) | Value::Sequence(_) | Value::Map(_) => None,
        };
        reference.ok_or_else(|| {
            Problem::new(location, "a literal secret must not stand in a document")
                .expected(A_REFERENCE)
                .into()
        })
    }
}

impl JsonSchema for SecretReference {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecretReference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]{0,127}\}$" })
    }
}

const A_REFERENCE: &str = "exactly `${NAME}`, where NAME is the environment variable that holds the secret";

/// Longest name of an environment variable, in bytes: ten times what people use, and a bound all the same.
const MAX_NAME_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_exactly_a_variable() {
        assert_eq!(SecretReference::parse("${JWT_SECRET}").unwrap().variable(), "JWT_SECRET");
        let long = format!("${{{}}}", "A".repeat(129));
        for text in [
            "",
            "JWT_SECRET",
            "$JWT",
            "${}",
            "${A} ",
            " ${A}",
            "${A}${B}",
            "${1A}",
            "${A-B}",
            "${É}",
            "hunter2",
            &long,
        ] {
            assert_eq!(SecretReference::parse(text), None, "{text:?}");
        }
    }
}
