//! The wire form in which a proxy-wasm host passes a map of headers: decoded strictly, encoded safely.
//!
//! Little-endian `u32` count, then a `u32` name length and a `u32` value length for each pair, then every name and
//! every value, each followed by one NUL. The count and the lengths come from outside, so they are bounds to be
//! checked before anything is reserved or read. Bytes only: a header value need not be UTF-8.
//!
//! This module calls no host and knows no header by name.

use std::fmt;

use portcullis_policy::headers::Headers;

/// Most pairs in one map, both ways.
///
/// Envoy treats a larger map that a module hands over as *empty*, so a reply would lose every header it has. What
/// arrives is bounded alike: Envoy's own default is 100 headers.
pub const MAX_PAIRS: usize = 1024;

/// Most bytes in one encoded map, both ways. Envoy's own limit for maps that a module hands over.
pub const MAX_ENCODED_BYTES: usize = 1024 * 1024;

/// Bytes of the count, and of each of the two lengths of a pair.
const WORD_BYTES: usize = 4;

/// Bytes of the two lengths of one pair.
const LENGTHS_BYTES: usize = 2 * WORD_BYTES;

/// Why a map of headers was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderPairsError {
    /// More than [`MAX_PAIRS`] pairs.
    #[error("more than {MAX_PAIRS} headers")]
    TooManyPairs,
    /// More than [`MAX_ENCODED_BYTES`] bytes.
    #[error("more than {MAX_ENCODED_BYTES} bytes of headers")]
    TooManyBytes,
    /// The bytes end before what the count and the lengths announce, go on behind it, or lack the NUL after a name or value.
    #[error("the header map is not what its count and lengths say")]
    Misshapen,
    /// A name is not a token of RFC 9110 section 5.6.2, with an optional leading `:`.
    #[error("a header name is not a token")]
    ForbiddenNameByte,
    /// A value holds CR, LF or NUL (RFC 9110 section 5.5).
    #[error("a header value holds CR, LF or NUL")]
    ForbiddenValueByte,
}

/// Reads an encoded map: names and values in the order of the message, duplicates kept, left where they are in `encoded`.
///
/// No bytes at all are an empty map, for that is how a host returns one.
///
/// # Errors
///
/// Everything but the exact encoding of at most [`MAX_PAIRS`] pairs in at most [`MAX_ENCODED_BYTES`] bytes. What is
/// reserved is bounded by `encoded.len()`, whatever the count says.
pub fn decode(encoded: Vec<u8>) -> Result<Headers, HeaderPairsError> {
    if encoded.is_empty() {
        return Ok(Headers::new());
    }
    if encoded.len() > MAX_ENCODED_BYTES {
        return Err(HeaderPairsError::TooManyBytes);
    }
    let (count, _rest) = encoded.split_first_chunk().ok_or(HeaderPairsError::Misshapen)?;
    let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| HeaderPairsError::TooManyPairs)?;
    if count > MAX_PAIRS {
        return Err(HeaderPairsError::TooManyPairs);
    }
    let lengths_bytes = count.checked_mul(LENGTHS_BYTES).ok_or(HeaderPairsError::TooManyPairs)?;
    let start = lengths_bytes.checked_add(WORD_BYTES).ok_or(HeaderPairsError::TooManyPairs)?;
    Headers::over(encoded, WORD_BYTES..start).ok_or(HeaderPairsError::Misshapen)
}

/// Writes a map for the host, in the order given.
///
/// # Errors
///
/// A name that is not a token, or a value with CR, LF or NUL: Envoy writes the headers of a local reply to the
/// connection as they are, so a stray line break would be a second header or a second response. More than
/// [`MAX_PAIRS`] pairs or [`MAX_ENCODED_BYTES`] bytes.
pub fn encode<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(N, V)]) -> Result<Vec<u8>, HeaderPairsError> {
    if pairs.len() > MAX_PAIRS {
        return Err(HeaderPairsError::TooManyPairs);
    }
    let mut lengths = Vec::new();
    let mut text = Vec::new();
    put_word(&mut lengths, pairs.len())?;
    for (name, value) in pairs {
        let (name, value) = (name.as_ref(), value.as_ref());
        sendable(name, value)?;
        put_word(&mut lengths, name.len())?;
        put_word(&mut lengths, value.len())?;
        for part in [name, value] {
            text.extend_from_slice(part);
            text.push(0);
        }
        if lengths.len().saturating_add(text.len()) > MAX_ENCODED_BYTES {
            return Err(HeaderPairsError::TooManyBytes);
        }
    }
    lengths.append(&mut text);
    Ok(lengths)
}

/// One header, and whether it may be written to a connection: found out once, for the same is sent again and again.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderLine {
    name: Box<[u8]>,
    value: Box<[u8]>,
    sendable: Result<(), HeaderPairsError>,
}

impl HeaderLine {
    /// The header of this name and value, whatever they are.
    pub fn new(name: &[u8], value: &[u8]) -> HeaderLine {
        HeaderLine { name: name.into(), value: value.into(), sendable: sendable(name, value) }
    }

    /// Its name and its value, to be written to a connection.
    ///
    /// # Errors
    ///
    /// What [`sendable`] says.
    pub fn to_send(&self) -> Result<(&[u8], &[u8]), HeaderPairsError> {
        self.sendable.map(|()| (&*self.name, &*self.value))
    }
}

/// The value is left out: it may be the rest of a `cookie` header.
impl fmt::Debug for HeaderLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, ..", String::from_utf8_lossy(&self.name))
    }
}

/// Accepts one header that may be written to a connection as it stands.
///
/// # Errors
///
/// [`HeaderPairsError::ForbiddenNameByte`] unless the name is a token of RFC 9110 section 5.6.2, or a `:` and a token
/// (a pseudo-header field, RFC 9113 section 8.3); [`HeaderPairsError::ForbiddenValueByte`] for CR, LF or NUL in the
/// value, which section 5.5 calls dangerous and has a recipient reject.
pub fn sendable(name: &[u8], value: &[u8]) -> Result<(), HeaderPairsError> {
    let token = name.strip_prefix(b":").unwrap_or(name);
    let is_token = |byte: &u8| TOKEN_BYTES.get(usize::from(*byte)).is_some_and(|is| *is);
    if token.is_empty() || !token.iter().all(is_token) {
        return Err(HeaderPairsError::ForbiddenNameByte);
    }
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
        return Err(HeaderPairsError::ForbiddenValueByte);
    }
    Ok(())
}

/// Whether a byte is a `tchar`, for every byte.
static TOKEN_BYTES: [bool; 256] = token_bytes();

const fn token_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut rest: &mut [bool] = &mut table;
    let mut byte = 0_u8;
    while let [first, others @ ..] = rest {
        *first = is_token_byte(byte);
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
}

/// `tchar` of RFC 9110 section 5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    // Letters, digits and the hyphen are what names are made of.
    byte.is_ascii_alphanumeric()
        || byte == b'-'
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

fn put_word(into: &mut Vec<u8>, word: usize) -> Result<(), HeaderPairsError> {
    let word = u32::try_from(word).map_err(|_| HeaderPairsError::TooManyBytes)?;
    into.extend_from_slice(&word.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Envoy 1.40 wrote it for `a: 1` and `b:`.
    const TWO: &[u8] = b"\x02\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0a\x001\0b\0\0";

    type Pair = (Vec<u8>, Vec<u8>);

    fn read(encoded: &[u8]) -> Result<Vec<Pair>, HeaderPairsError> {
        let headers = decode(encoded.to_vec())?;
        Ok(headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
    }

    fn pair(name: &str, value: &[u8]) -> Pair {
        (name.into(), value.into())
    }

    #[test]
    fn reads_what_a_host_writes() {
        assert_eq!(read(TWO), Ok(vec![pair("a", b"1"), pair("b", b"")]));
        assert_eq!(encode(&[("a", "1"), ("b", "")]).as_deref(), Ok(TWO));
    }

    #[test]
    fn a_line_that_must_not_be_sent_is_not_given_out() {
        assert_eq!(HeaderLine::new(b"x-a", b"1").to_send(), Ok((&b"x-a"[..], &b"1"[..])));
        for (name, value) in
            [("x a", "1"), ("", "1"), (":", "1"), ("x-a", "1\r"), ("x-a", "1\nb: 2"), ("x-a", "\0")]
        {
            let line = HeaderLine::new(name.as_bytes(), value.as_bytes());
            assert_eq!(line.to_send().err(), sendable(name.as_bytes(), value.as_bytes()).err(), "{name:?}");
            assert!(line.to_send().is_err(), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn an_empty_map_has_two_spellings() {
        assert_eq!(read(b""), Ok(vec![]));
        assert_eq!(read(b"\0\0\0\0"), Ok(vec![]));
        assert_eq!(encode::<&str, &str>(&[]).as_deref(), Ok(&b"\0\0\0\0"[..]));
    }

    #[test]
    fn keeps_duplicates_order_and_bytes_that_are_not_utf_8() {
        let encoded = encode(&[("x", &b"\xff"[..]), ("y", b"2"), ("x", b"3")]).unwrap();
        assert_eq!(read(&encoded), Ok(vec![pair("x", b"\xff"), pair("y", b"2"), pair("x", b"3")]));
    }

    #[test]
    fn refuses_every_truncation() {
        for length in 1..TWO.len() {
            assert!(read(&TWO[..length]).is_err(), "the first {length} bytes were accepted");
        }
    }

    #[test]
    fn refuses_lengths_that_are_not_true() {
        let cases: &[(&str, &[u8], HeaderPairsError)] = &[
            ("count beyond the bound", b"\xff\xff\xff\xff", HeaderPairsError::TooManyPairs),
            ("count beyond the bytes", b"\x00\x04\0\0\0\0", HeaderPairsError::Misshapen),
            (
                "name beyond the bytes",
                b"\x01\0\0\0\xff\xff\xff\xff\0\0\0\0a\0\0",
                HeaderPairsError::Misshapen,
            ),
            (
                "value beyond the bytes",
                b"\x01\0\0\0\x01\0\0\0\xff\xff\xff\xffa\0\0",
                HeaderPairsError::Misshapen,
            ),
            (
                "lengths that add up to 2^32",
                b"\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0a\0\0",
                HeaderPairsError::Misshapen,
            ),
            ("name too short", b"\x01\0\0\0\x01\0\0\0\0\0\0\0ab\0\0", HeaderPairsError::Misshapen),
            ("value too short", b"\x01\0\0\0\x01\0\0\0\x01\0\0\0a\0bc\0", HeaderPairsError::Misshapen),
            (
                "a byte after the last pair",
                b"\x01\0\0\0\x01\0\0\0\0\0\0\0a\0\0!",
                HeaderPairsError::Misshapen,
            ),
            ("a byte after no pair", b"\0\0\0\0\0", HeaderPairsError::Misshapen),
        ];
        for (name, encoded, want) in cases {
            assert_eq!(read(encoded), Err(*want), "{name}");
        }
    }

    #[test]
    fn refuses_more_than_the_bounds() {
        let pair = ("a", "");
        assert!(encode(&[pair; MAX_PAIRS]).is_ok_and(|encoded| read(&encoded).is_ok()));
        assert_eq!(encode(&[pair; MAX_PAIRS + 1]), Err(HeaderPairsError::TooManyPairs));
        let big = "v".repeat(MAX_ENCODED_BYTES);
        assert_eq!(encode(&[("a", big.as_str())]), Err(HeaderPairsError::TooManyBytes));
        assert_eq!(read(&vec![0; MAX_ENCODED_BYTES + 1]), Err(HeaderPairsError::TooManyBytes));
    }

    #[test]
    fn refuses_to_split_a_response() {
        for value in ["a\r\nset-cookie: x", "a\rb", "a\nb", "a\0b", "\n"] {
            assert_eq!(encode(&[("x", value)]), Err(HeaderPairsError::ForbiddenValueByte), "{value:?}");
        }
        for name in ["", ":", "a b", "a:b", "::a", "a\r\n", "a\0", "é"] {
            assert_eq!(encode(&[(name, "v")]), Err(HeaderPairsError::ForbiddenNameByte), "{name:?}");
        }
        assert!(encode(&[(":status", "403"), ("www-authenticate", "Bearer realm=\"a\", x=1\t")]).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(
            pairs in prop::collection::vec(("[a-z0-9-]{1,20}", prop::collection::vec(0x20u8.., 0..40)), 0..40)
        ) {
            let encoded = encode(&pairs).unwrap();
            let wrote: Vec<_> = pairs.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
            prop_assert_eq!(read(&encoded), Ok(wrote));
        }

        #[test]
        fn bytes_from_anywhere_never_panic_and_have_one_reading(
            encoded in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            if let Ok(pairs) = read(&encoded) {
                let read: usize = pairs.iter().map(|(name, value)| name.len() + value.len() + 10).sum();
                prop_assert_eq!(encoded.len(), if encoded.is_empty() { 0 } else { read + 4 });
            }
        }

        #[test]
        fn one_changed_byte_never_panics(at in 0..TWO.len(), byte in any::<u8>()) {
            let mut encoded = TWO.to_vec();
            encoded[at] = byte;
            let _ = read(&encoded);
        }
    }
}
