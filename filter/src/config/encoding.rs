//! The bytes of a plugin configuration, as JSON text or as a protobuf `Struct`, read into one JSON tree.
//!
//! Envoy unwraps `StringValue` and `BytesValue`, which hold JSON text here; Istio and Envoy Gateway send those. A
//! `Struct`, which lets Envoy's own YAML hold the document, arrives in protobuf wire form. This module does not know
//! what a document means.

use portcullis_policy::json::{self, JsonError, Tree};
use portcullis_policy::limits::MAX_JSON_BYTES;

use super::protobuf_struct::{self, StructError};

/// Tag of `Struct.fields` (field 1, length-delimited): the first byte of every `Struct` that is not empty.
const STRUCT_FIELDS_TAG: u8 = 0x0a;

/// Tag of the value of an entry of `Struct.fields` (field 2, length-delimited).
const STRUCT_ENTRY_VALUE_TAG: u8 = 0x12;

/// Why a configuration holds no JSON value.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// There is no configuration: a gate without a document does not open.
    #[error("the plugin configuration is empty")]
    Empty,
    /// More than [`MAX_JSON_BYTES`] bytes.
    #[error("the plugin configuration exceeds {MAX_JSON_BYTES} bytes")]
    TooLarge,
    /// Begins like neither JSON text nor a `Struct`.
    #[error(
        "the plugin configuration is neither a JSON object (in a google.protobuf.StringValue or BytesValue) \
         nor a google.protobuf.Struct"
    )]
    Unrecognized,
    /// JSON text, and not well formed.
    #[error("the plugin configuration is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// A `Struct`, and not well formed.
    #[error("the plugin configuration is not a google.protobuf.Struct: {0}")]
    Struct(#[from] StructError),
}

/// Reads a configuration in either encoding.
///
/// The first byte tells them apart, except for `0x0a`: the tag that begins a `Struct` is also a line feed, which may
/// stand before JSON text. Then the byte `0x12` decides. Every `Struct` that has a field has it, as the tag of the
/// value; JSON text never has it, for a control character in a string is escaped (RFC 8259 section 7).
///
/// # Errors
///
/// See [`EncodingError`].
pub fn read(configuration: &[u8]) -> Result<Tree<'_>, EncodingError> {
    if configuration.len() > MAX_JSON_BYTES {
        return Err(EncodingError::TooLarge);
    }
    match configuration.first() {
        None => Err(EncodingError::Empty),
        Some(&STRUCT_FIELDS_TAG) if configuration.contains(&STRUCT_ENTRY_VALUE_TAG) => {
            Ok(protobuf_struct::decode(configuration)?)
        }
        Some(b'{' | b' ' | b'\t' | b'\n' | b'\r') => Ok(json::read(configuration, MAX_JSON_BYTES)?),
        Some(_) => Err(EncodingError::Unrecognized),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_json_text_with_or_without_space_before_it() {
        for text in ["{\"a\":1}", " {\"a\":1}", "\n{\"a\":1}", "\n{\n  \"a\": 1\n}\n", "\r\n\t{\"a\":1}"] {
            assert_eq!(read(text.as_bytes()).unwrap().into_value(), json!({"a": 1}), "{text:?}");
        }
    }

    #[test]
    fn a_line_feed_before_text_that_measures_like_a_struct_is_json() {
        // As a Struct: an entry of 0x7b bytes whose key has 0x20 bytes. As text: pretty JSON after a blank line.
        let text = format!("\n{{\n {:60}\"a\": {:60}1 }}", "", "");
        assert_eq!(read(text.as_bytes()).unwrap().into_value(), json!({"a": 1}));
    }

    #[test]
    fn reads_a_struct() {
        assert_eq!(read(b"\n\x07\n\x01n\x12\x02 \x01").unwrap().into_value(), json!({"n": true}));
    }

    #[test]
    fn refuses_what_is_neither() {
        assert!(matches!(read(b""), Err(EncodingError::Empty)));
        for bytes in [&b"version: 1\n"[..], b"[]", b"\"{}\"", b"\xef\xbb\xbf{}", b"\0", b"\x12\x00"] {
            assert!(matches!(read(bytes), Err(EncodingError::Unrecognized)), "{bytes:?}");
        }
        assert!(matches!(read(&vec![b' '; MAX_JSON_BYTES + 1]), Err(EncodingError::TooLarge)));
    }

    #[test]
    fn refuses_broken_bytes_of_either() {
        assert!(matches!(read(b"{\"a\":"), Err(EncodingError::Json(_))));
        assert!(matches!(read(b"\n"), Err(EncodingError::Json(_))));
        assert!(matches!(read(b"{\"a\":1,\"a\":2}"), Err(EncodingError::Json(_))));
        assert!(matches!(read(b"\n\x07\n\x01n\x12\x02 "), Err(EncodingError::Struct(_))));
    }
}
