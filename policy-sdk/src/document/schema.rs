//! The JSON Schema of a document: what editors complete by and what the reference is made of.
//!
//! A schema says less than reading does: a document that fits it may still have parts that do not fit together.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Document;

impl Document {
    /// The JSON Schema (draft 2020-12) of a document.
    pub fn schema() -> Value {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Self>().to_value()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::document::Document;

    #[test]
    fn every_field_says_what_it_is() {
        let schema = Document::schema();
        let mut objects: Vec<(&str, &Value)> = vec![("Document", &schema)];
        objects.extend(
            schema["$defs"].as_object().unwrap().iter().map(|(name, schema)| (name.as_str(), schema)),
        );
        let mut fields = 0;
        for (name, object) in objects {
            assert!(object["description"].is_string(), "{name}");
            for (field, schema) in object["properties"].as_object().into_iter().flatten() {
                assert!(schema["description"].is_string(), "{name}.{field}");
                fields += 1;
            }
            if object["type"] == "object" && object["properties"].is_object() {
                assert_eq!(object["additionalProperties"], Value::Bool(false), "{name}");
            }
        }
        assert!(fields > 60, "{fields}");
    }
}
