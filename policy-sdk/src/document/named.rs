//! A mapping from names to values, as the document writes it.

use std::{borrow::Cow, collections::BTreeMap, ops::Deref};

use deserr::{Deserr, IntoValue, Map, Value, ValueKind, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Problem, Problems};

/// A mapping from names to values, in the order of the names.
///
/// Its own type because the implementation that `deserr` 0.6.4 brings for `BTreeMap` forgets the errors of the
/// values: an entry that cannot be read would vanish in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T>(BTreeMap<String, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Deref for Named<T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T: Deserr<Problems>> Deserr<Problems> for Named<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let kind = value.kind();
        let Value::Map(map) = value else {
            return Err(Problem::wrong_kind(kind, &[ValueKind::Map], location).into());
        };
        let mut problems: Option<Problems> = None;
        let mut entries = BTreeMap::new();
        for (name, value) in map.into_iter() {
            match T::deserialize_from_value(value.into_value(), location.push_key(&name)) {
                Ok(value) => {
                    entries.insert(name, value);
                }
                Err(other) => problems = Some(other.after(problems)),
            }
        }
        match problems {
            Some(problems) => Err(problems),
            None => Ok(Self(entries)),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}
