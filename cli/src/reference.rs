//! The reference of the document, in Markdown, made from its JSON Schema: one table for each object.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The reference of the document that `schema` describes. Objects stand in the order in which they are met.
pub(crate) fn of(schema: &Value) -> String {
    let mut text = HEAD.to_owned();
    let mut met = BTreeSet::new();
    let mut next = VecDeque::from([("Document".to_owned(), schema)]);
    while let Some((name, object)) = next.pop_front() {
        section(&mut text, &name, object);
        for found in references(object) {
            if met.insert(found.clone())
                && let Some(definition) = schema.get("$defs").and_then(|definitions| definitions.get(&found))
            {
                next.push_back((found, definition));
            }
        }
    }
    text
}

fn section(text: &mut String, name: &str, schema: &Value) {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    append(text, format_args!("\n## {name}\n\n{}\n", one_line(description)));
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    if choices.into_iter().flatten().any(|choice| choice.get("properties").is_some()) {
        text.push_str("\nOne of these forms.\n");
    }
    for choice in choices.into_iter().flatten() {
        let description = choice.get("description").and_then(Value::as_str).unwrap_or_default();
        match (choice.get("const"), choice.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => {
                append(text, format_args!("\n- `{}`: {}", plain(value), one_line(description)))
            }
            (None, Some(values)) => {
                for value in values {
                    append(text, format_args!("\n- `{}`", plain(value)));
                }
            }
            (None, None) => append(text, format_args!("\n{}\n", one_line(description))),
        }
        fields(text, choice);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<String> = values.iter().map(|value| format!("`{}`", plain(value))).collect();
        append(text, format_args!("\nOne of {}.\n", values.join(", ")));
    }
    if choices.is_some() && !text.ends_with("\n\n") && !text.ends_with("|\n") {
        text.push('\n');
    }
    fields(text, schema);
}

fn fields(text: &mut String, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required: BTreeSet<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    text.push_str("\n| field | type | default | description |\n| --- | --- | --- | --- |\n");
    for (field, property) in properties {
        let default = match (required.contains(field.as_str()), property.get("default")) {
            (true, _) => "required".to_owned(),
            (false, Some(default)) => format!("`{default}`"),
            (false, None) => String::new(),
        };
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
        append(
            text,
            format_args!("| `{field}` | {} | {default} | {} |\n", kind(property), cell(description)),
        );
    }
}

/// The type of a field, in a word or a link.
fn kind(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let alternatives =
        ["anyOf", "oneOf", "allOf"].iter().find_map(|word| schema.get(word)).and_then(Value::as_array);
    if let Some(alternatives) = alternatives {
        let kinds: BTreeSet<String> = alternatives.iter().map(kind).filter(|kind| kind != "null").collect();
        return kinds.into_iter().collect::<Vec<_>>().join(" or ");
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", plain(value));
    }
    let name = match schema.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default()
        }
        Some(_) | None => "",
    };
    match (name, schema.get("items"), schema.get("additionalProperties")) {
        ("array", Some(items), _) => format!("list of {}", kind(items)),
        ("object", _, Some(values @ Value::Object(_))) => format!("names to {}", kind(values)),
        ("integer", _, _) => format!("whole number{}", bounds(schema)),
        ("boolean", _, _) => "`true` or `false`".to_owned(),
        ("string", _, _) => match schema.get("pattern").and_then(Value::as_str) {
            Some(DURATION) => "duration".to_owned(),
            Some(_) | None => "text".to_owned(),
        },
        (other, _, _) => other.to_owned(),
    }
}

fn bounds(schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) if least == most => format!(" {least}"),
        (Some(least), Some(most)) => format!(" {least} to {most}"),
        (Some(_) | None, Some(_) | None) => String::new(),
    }
}

/// Names of all definitions that `schema` refers to, in order.
fn references(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = VecDeque::from([schema]);
    while let Some(value) = next.pop_front() {
        found.extend(reference(value));
        match value {
            Value::Object(members) => next.extend(without_definitions(members)),
            Value::Array(elements) => next.extend(elements),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn without_definitions(members: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    members.iter().filter(|(name, _)| *name != "$defs").map(|(_, value)| value)
}

fn reference(schema: &Value) -> Option<String> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/").map(str::to_owned)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _written = text.write_fmt(arguments);
}

const HEAD: &str = "\
# The policy document

<!-- Made by `portcullis schema --format markdown`. Change the doc comments of policy-sdk/src/document, then make it anew. -->

One document configures everything. People write it as YAML, the proxy reads it as JSON; `portcullis check` says
everything that is wrong with it. Unknown fields are errors. A field with a default may be left out; one without a
default that is not required is off when it is left out.

A *duration* is a whole number and its unit, one of `ms`, `s`, `m`, `h`, `d`: `500ms`, `2s`, `10m`, `1h`.
";

/// The pattern of a duration in the schema.
const DURATION: &str = "^[0-9]+(ms|s|m|h|d)$";
