//! Base64url as RFC 7515 2 demands it: no padding, no white space, no stray trailing bits.
//!
//! One value has one spelling. A decoder that forgives gives a token many spellings, and a deny-list keyed on one of
//! them misses the others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes canonical unpadded base64url, or says nothing but `None`.
pub(super) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_decodes() {
        assert_eq!(decode("Zm9v"), Some(b"foo".to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
        assert_eq!(decode("Zg"), Some(b"f".to_vec()));
        for other in ["Zh", "Zg==", "Zg=", "Z", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm?v", "Zm9v.", "Z m9v"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
