//! Shared secrets: bytes that may be used and never shown.
//!
//! This module does not read the environment; whoever does hands the value over and keeps no copy.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// The fewest bytes a shared secret may have: the output of SHA-256 (RFC 7518 3.2, "a key of the same size as the
/// hash output or larger MUST be used").
pub const MIN_SECRET_BYTES: usize = 32;

/// The most bytes a shared secret may have. HMAC hashes anything longer than a block, so more adds no strength; the
/// bound keeps a mistaken file out of memory.
pub const MAX_SECRET_BYTES: usize = 4096;

/// A shared secret. It has no `Display` and no serialisation, its `Debug` is redacted, its bytes are erased on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes over the bytes of a secret.
    ///
    /// # Errors
    /// [`SecretError`] when there are fewer than [`MIN_SECRET_BYTES`] or more than [`MAX_SECRET_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let secret = Self(Zeroizing::new(bytes));
        match secret.0.len() {
            0..MIN_SECRET_BYTES => Err(SecretError::TooShort),
            MIN_SECRET_BYTES..=MAX_SECRET_BYTES => Ok(secret),
            _ => Err(SecretError::TooLong),
        }
    }

    /// Reads a secret from its textual form. Nothing is trimmed: a stray line feed is part of the secret, or an error.
    ///
    /// # Errors
    /// [`SecretError`] when the text is not in `encoding`, or the bytes are out of bounds.
    pub fn parse(text: &str, encoding: SecretEncoding) -> Result<Self, SecretError> {
        match encoding {
            SecretEncoding::Utf8 => Self::new(text.as_bytes().to_vec()),
            SecretEncoding::Base64Url => {
                Self::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| SecretError::NotBase64Url)?)
            }
        }
    }

    /// The bytes, for the primitive that needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// How the text of a secret stands for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretEncoding {
    /// The text's own UTF-8 bytes.
    #[default]
    Utf8,
    /// Unpadded base64url (RFC 4648 5).
    Base64Url,
}

/// Why a secret was not taken. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretError {
    /// Fewer than [`MIN_SECRET_BYTES`].
    TooShort,
    /// More than [`MAX_SECRET_BYTES`].
    TooLong,
    /// Declared as base64url and is not.
    NotBase64Url,
}

impl fmt::Display for SecretError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(formatter, "shorter than {MIN_SECRET_BYTES} bytes"),
            Self::TooLong => write!(formatter, "longer than {MAX_SECRET_BYTES} bytes"),
            Self::NotBase64Url => formatter.write_str("not unpadded base64url"),
        }
    }
}

impl std::error::Error for SecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_bounded_on_both_sides() {
        assert_eq!(Secret::new(vec![7; 31]).err(), Some(SecretError::TooShort));
        assert_eq!(Secret::new(Vec::new()).err(), Some(SecretError::TooShort));
        assert!(Secret::new(vec![7; 32]).is_ok());
        assert!(Secret::new(vec![7; 4096]).is_ok());
        assert_eq!(Secret::new(vec![7; 4097]).err(), Some(SecretError::TooLong));
    }

    #[test]
    fn the_length_that_counts_is_the_decoded_one() {
        let text = "A".repeat(32);
        assert!(Secret::parse(&text, SecretEncoding::Utf8).is_ok());
        assert_eq!(Secret::parse(&text, SecretEncoding::Base64Url).err(), Some(SecretError::TooShort));
        let secret = Secret::parse(&"A".repeat(44), SecretEncoding::Base64Url).unwrap();
        assert_eq!(secret.expose(), [0; 33]);
    }

    #[test]
    fn a_trailing_line_feed_is_not_forgiven_in_base64url() {
        let text = format!("{}\n", "A".repeat(44));
        assert_eq!(Secret::parse(&text, SecretEncoding::Base64Url).err(), Some(SecretError::NotBase64Url));
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new(b"canary-canary-canary-canary-canary".to_vec()).unwrap();
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
