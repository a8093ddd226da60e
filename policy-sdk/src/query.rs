//! The parameters of a query, read in the one way they can be read, or not at all.
//!
//! No standard says how a query is read. Most servers split it at `&`, some at `;` too; most take `+` for a space, some
//! for itself; some repair broken escapes. What one of them could read differently from us is an error here, never a
//! value. Names are compared byte by byte: this module does not know servers that ignore case, or that take `a[]` for `a`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Every value of the parameter `name`, decoded, in the order sent. A parameter without `=` has an empty value. Empty: the
/// query has no such parameter.
///
/// # Errors
///
/// [`QueryError`] when the query, or a value of this parameter, can be read in two ways.
pub fn values<'a>(query: &'a str, name: &str) -> Result<Vec<Cow<'a, str>>, QueryError> {
    let mut values = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if reads_as(key, name)? {
            if value.contains(';') {
                return Err(QueryError::Semicolon);
            }
            values.push(decode(value)?);
        } else if pair.contains(';') {
            // For a server that splits here too, one of these could be the parameter asked for.
            for part in pair.split(';') {
                let (key, _) = part.split_once('=').unwrap_or((part, ""));
                if reads_as(key, name)? {
                    return Err(QueryError::Semicolon);
                }
            }
        }
    }
    Ok(values)
}

/// Why a query has no one reading. Never repeats the query: queries carry tokens (RFC 6750 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A `%` that two hexadecimal digits do not follow.
    #[error("a `%` in the query begins no escape")]
    BadEscape,
    /// Escapes that stand for no text.
    #[error("the query is not UTF-8")]
    NotUtf8,
    /// A `;` that some servers take for the end of a parameter.
    #[error("a `;` in the query can be read in two ways")]
    Semicolon,
    /// A `+` that some servers take for a space.
    #[error("a `+` in the query can be read in two ways; `%20` and `%2B` cannot")]
    Plus,
}

/// Whether some server takes the written name `key` for `name`.
fn reads_as(key: &str, name: &str) -> Result<bool, QueryError> {
    Ok(unescape(key)? == name || key.contains('+') && unescape(&key.replace('+', "%20"))? == name)
}

fn decode(text: &str) -> Result<Cow<'_, str>, QueryError> {
    if text.contains('+') { Err(QueryError::Plus) } else { unescape(text) }
}

/// Decodes escapes (RFC 3986 section 2.1), every one of which must be whole.
fn unescape(text: &str) -> Result<Cow<'_, str>, QueryError> {
    let broken =
        |after: &str| !after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if text.split('%').skip(1).any(broken) {
        return Err(QueryError::BadEscape);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| QueryError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_seen() {
        for (query, expected) in [
            ("", &[][..]),
            ("a=1", &["1"]),
            ("b=1", &[]),
            ("A=1", &[]),
            ("a", &[""]),
            ("a=", &[""]),
            ("a=1&a=2&b=3&a=1", &["1", "2", "1"]),
            ("%61=1&a=%31", &["1", "1"]),
            ("a=b=c", &["b=c"]),
            ("a=caf%C3%A9%20%2B%3B%26", &["café +;&"]),
            ("&&a=1&&", &["1"]),
            ("b=1;c=2&a=1", &["1"]),
            ("b=x+y&a=1", &["1"]),
            ("a=?/:@", &["?/:@"]),
        ] {
            assert_eq!(values(query, "a").unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_an_error() {
        for (query, error) in [
            ("a=%", QueryError::BadEscape),
            ("a=%2", QueryError::BadEscape),
            ("a=%zz", QueryError::BadEscape),
            ("a=%+1", QueryError::Plus),
            ("a=1&%6=2", QueryError::BadEscape),
            ("a=%é1", QueryError::BadEscape),
            ("a=%FF", QueryError::NotUtf8),
            ("a=%C0%AF", QueryError::NotUtf8),
            ("a=1;b=2", QueryError::Semicolon),
            ("b=2;a=1", QueryError::Semicolon),
            ("b=2;%61", QueryError::Semicolon),
            ("a;b=2", QueryError::Semicolon),
            ("a=1+2", QueryError::Plus),
            ("a=1&a=+", QueryError::Plus),
        ] {
            assert_eq!(values(query, "a"), Err(error), "{query}");
        }
        assert_eq!(values("a+b=1", "a b").unwrap(), ["1"]);
        assert_eq!(values("a%2Bb=1", "a+b").unwrap(), ["1"]);
    }

    proptest::proptest! {
        #[test]
        fn what_was_encoded_is_read_back(name in ".{0,8}", sent in proptest::collection::vec(".{0,8}", 0..4)) {
            use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pairs: Vec<String> = sent.iter().map(|value| format!("{}={}", encode(&name), encode(value))).collect();
            // An empty name is also that of the nothing between two separators.
            proptest::prop_assume!(!name.is_empty());
            let query = pairs.join("&");
            proptest::prop_assert_eq!(values(&query, &name).unwrap(), sent);
        }
    }
}
