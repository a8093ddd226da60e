//! A signed token in JWS Compact Serialization (RFC 7515 7.1), read and not yet believed.
//!
//! This module verifies nothing. It refuses what no signature could make right: other serialisations, several
//! signatures, detached or unencoded payloads, extensions, nested tokens, a second spelling of the same bytes. The header
//! parameters `jwk`, `jku`, `x5u` and `x5c` are read past: a token does not say which key to believe (RFC 8725 3.10).

use std::fmt;
use std::sync::Arc;

use portcullis_policy::json::{self, Tree};

use super::base64url;
use super::error::TokenDefect;
use super::key::MAX_KEY_ID_BYTES;
use super::known_headers::KnownHeaders;

/// The most bytes a token may have. Envoy takes 60 KiB of headers by default and cookies are commonly cut at 8 KiB;
/// tokens with a few hundred groups stay below 16 KiB, and the work of decoding one is bounded with it.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The most bytes `alg`, `typ` and `cty` may have: the registered names are shorter than 32.
const MAX_HEADER_NAME_BYTES: usize = 128;

/// A compact JWS whose parts are canonical base64url and whose header is one we understand.
///
/// `Debug` shows lengths, never content.
#[derive(Clone)]
pub struct CompactJws<'t> {
    encoded_header: &'t [u8],
    header: Arc<JoseHeader>,
    payload: Vec<u8>,
    signing_input: &'t [u8],
    signature: Vec<u8>,
}

impl<'t> CompactJws<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// [`TokenDefect`] for anything but three parts of canonical unpadded base64url with an acceptable header. An empty
    /// payload is not refused here; it is no claims set, and fails as one.
    pub fn parse(token: &'t [u8]) -> Result<Self, TokenDefect> {
        Self::parse_knowing(&KnownHeaders::default(), token)
    }

    /// Reads a token whose header may be `known`.
    ///
    /// # Errors
    /// As [`CompactJws::parse`].
    pub fn parse_knowing(known: &KnownHeaders, token: &'t [u8]) -> Result<Self, TokenDefect> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenDefect::TooLong);
        }
        Self::read(known, token).map_err(|defect| {
            // Another number of parts is what is wrong, whatever else is.
            let other_parts = || token.iter().filter(|&&byte| byte == b'.').count() != 2;
            let miscounted = defect == TokenDefect::NotBase64Url && other_parts();
            if miscounted { TokenDefect::NotThreeParts } else { defect }
        })
    }

    /// The same, but of a token of more than three parts that one is not base64url: the signature is the longest part, and
    /// not looked through for a dot before it is decoded.
    fn read(known: &KnownHeaders, token: &'t [u8]) -> Result<Self, TokenDefect> {
        let (encoded_header, rest) = split(token).ok_or(TokenDefect::NotThreeParts)?;
        let (payload, signature) = split(rest).ok_or(TokenDefect::NotThreeParts)?;
        let signing_input =
            token.get(..token.len().saturating_sub(signature.len()).saturating_sub(1)).unwrap_or_default();
        let unread = match known.find(encoded_header) {
            Some(header) => Ok(header),
            None => Err(base64url::decode(encoded_header).ok_or(TokenDefect::NotBase64Url)?),
        };
        let payload = base64url::decode(payload).ok_or(TokenDefect::NotBase64Url)?;
        let signature = base64url::decode(signature).ok_or(TokenDefect::NotBase64Url)?;
        let header = match unread {
            Ok(header) => header,
            Err(unread) => {
                let header = Arc::new(JoseHeader::parse(&unread)?);
                known.note(encoded_header, &header);
                header
            }
        };
        Ok(Self { encoded_header, header, payload, signing_input, signature })
    }

    /// Remembers the header: for a token whose signature was found good.
    pub(super) fn remember_header(&self, known: &KnownHeaders) {
        known.remember(self.encoded_header, &self.header);
    }

    /// The protected header.
    #[must_use]
    pub fn header(&self) -> &JoseHeader {
        &self.header
    }

    /// The decoded payload. Untrusted until the signature is verified.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes that were signed (RFC 7515 5.1, step 5).
    #[must_use]
    pub const fn signing_input(&self) -> &'t [u8] {
        self.signing_input
    }

    /// The decoded signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Debug for CompactJws<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CompactJws")
            .field("payload_bytes", &self.payload.len())
            .field("signature_bytes", &self.signature.len())
            .finish_non_exhaustive()
    }
}

/// The parameters of a JOSE header that we act on (RFC 7515 4.1). The client wrote them: none is trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct JoseHeader {
    algorithm: String,
    key_id: Option<String>,
    token_type: Option<String>,
}

impl JoseHeader {
    /// Reads a decoded header.
    ///
    /// # Errors
    /// [`TokenDefect`] when it is no strict JSON object, lacks `alg`, or asks for something we do not do.
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenDefect> {
        let Ok(Tree::Object(members)) = json::read(bytes, MAX_TOKEN_BYTES) else {
            return Err(TokenDefect::HeaderNotJsonObject);
        };
        let value = |name| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        // Presence is enough for these three: each changes what the other parts mean.
        if value("crit").is_some() {
            return Err(TokenDefect::CriticalExtension);
        }
        if value("b64").is_some() {
            return Err(TokenDefect::UnencodedPayload);
        }
        if value("zip").is_some() {
            return Err(TokenDefect::Compressed);
        }
        let algorithm =
            string(value("alg"), MAX_HEADER_NAME_BYTES)?.ok_or(TokenDefect::AlgorithmMissing)?.to_owned();
        let content_type = string(value("cty"), MAX_HEADER_NAME_BYTES)?;
        if content_type.is_some_and(|content_type| is_media_type(content_type, "jwt")) {
            return Err(TokenDefect::Nested);
        }
        Ok(Self {
            algorithm,
            key_id: string(value("kid"), MAX_KEY_ID_BYTES)?.map(str::to_owned),
            token_type: string(value("typ"), MAX_HEADER_NAME_BYTES)?.map(str::to_owned),
        })
    }

    /// `alg`, as the client wrote it (RFC 7515 4.1.1).
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// `kid` (RFC 7515 4.1.4).
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `typ`, as the client wrote it (RFC 7515 4.1.9).
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    /// Whether `typ` is the media type `expected`: compared without regard to case, with or without the prefix
    /// `application/` on either side (RFC 7515 4.1.9, RFC 9068 4).
    #[must_use]
    pub fn has_token_type(&self, expected: &str) -> bool {
        self.token_type().is_some_and(|token_type| is_media_type(token_type, expected))
    }
}

impl fmt::Debug for JoseHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JoseHeader(redacted)")
    }
}

/// What stands before and behind the first dot.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, from) = text.split_at_checked(text.iter().position(|&byte| byte == b'.')?)?;
    Some((before, from.get(1..)?))
}

fn string<'m>(value: Option<&'m Tree<'_>>, max_bytes: usize) -> Result<Option<&'m str>, TokenDefect> {
    let Some(value) = value else { return Ok(None) };
    match value.as_str().filter(|text| text.len() <= max_bytes) {
        Some(text) => Ok(Some(text)),
        None => Err(TokenDefect::HeaderParameter),
    }
}

fn is_media_type(actual: &str, expected: &str) -> bool {
    without_application(actual).eq_ignore_ascii_case(without_application(expected))
}

/// RFC 7515 4.1.9: a value without a slash stands for the one with `application/` before it.
fn without_application(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        Some(_) | None => media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn defect(token: impl AsRef<[u8]>) -> Option<TokenDefect> {
        CompactJws::parse(token.as_ref()).err()
    }

    fn with_header(header: &str) -> String {
        format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn the_parts_of_a_good_token() {
        let token = with_header(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#);
        let jws = CompactJws::parse(token.as_bytes()).unwrap();
        assert_eq!(jws.header().algorithm(), "RS256");
        assert_eq!(jws.header().key_id(), Some("k1"));
        assert_eq!(jws.payload(), b"{}");
        assert_eq!(jws.signature(), b"sig");
        assert_eq!(jws.signing_input(), token.rsplit_once('.').unwrap().0.as_bytes());
    }

    #[test]
    fn not_three_parts() {
        let good = with_header(r#"{"alg":"RS256"}"#);
        for token in [
            "",
            ".",
            "a.b",
            "e30.e30",
            "e30.e30.e30.e30",
            "a.b.c.d.e",
            "...",
            r#"{"payload":"e30","signatures":[]}"#,
        ] {
            assert_eq!(defect(token), Some(TokenDefect::NotThreeParts), "{token:?}");
        }
        assert_eq!(defect(good + "."), Some(TokenDefect::NotThreeParts));
    }

    proptest::proptest! {
        /// The slow twin looks for all dots first.
        #[test]
        fn parts_are_counted_before_all_else(token in r"(e30|eyJhbGciOiJIUzI1NiJ9|A|=|\.){0,8}") {
            let parts: Vec<&str> = token.split('.').collect();
            let expected = match parts.as_slice() {
                [header, payload, signature] => {
                    match (base64url::decode(header), base64url::decode(payload), base64url::decode(signature)) {
                        (Some(header), Some(_), Some(_)) => JoseHeader::parse(&header).err(),
                        _ => Some(TokenDefect::NotBase64Url),
                    }
                }
                _ => Some(TokenDefect::NotThreeParts),
            };
            proptest::prop_assert_eq!(defect(&token), expected);
        }
    }

    #[test]
    fn too_long() {
        let token = "A".repeat(60 * 1024);
        assert_eq!(defect(&token), Some(TokenDefect::TooLong));
        let head = with_header(r#"{"alg":"RS256"}"#);
        let room = MAX_TOKEN_BYTES - head.len();
        assert_eq!(defect(format!("{head}{}", "A".repeat(room / 4 * 4))), None);
        assert_eq!(defect(format!("{head}{}", "A".repeat(room + 1))), Some(TokenDefect::TooLong));
    }

    #[test]
    fn a_second_spelling_of_the_same_bytes() {
        let good = with_header(r#"{"alg":"RS256"}"#);
        for token in [
            format!("{good}="),
            format!("{good}\n"),
            format!(" {good}"),
            good.replace(".e30.", ".e31."),
            good.replace(".e30.", ".e30=."),
            good.replace(".c2ln", ".c2l+"),
            good.replace(".e30.", ".e?30."),
        ] {
            assert_eq!(defect(&token), Some(TokenDefect::NotBase64Url), "{token}");
        }
        assert_eq!(defect(b"e30.e30.\xff\xfe"), Some(TokenDefect::NotBase64Url));
        assert_eq!(defect(b"e30.e30.\0"), Some(TokenDefect::NotBase64Url));
    }

    #[test]
    fn headers_that_are_no_strict_json_object() {
        for header in
            ["", "[]", "null", "\"x\"", "{", "{}x", r#"{"alg":"RS256","alg":"RS256"}"#, r#"{"alg":"RS256",}"#]
        {
            assert_eq!(defect(with_header(header)), Some(TokenDefect::HeaderNotJsonObject), "{header}");
        }
        let deep = format!(r#"{{"alg":"RS256","x":{}{}}}"#, "[".repeat(4000), "]".repeat(4000));
        assert_eq!(defect(with_header(&deep)), Some(TokenDefect::HeaderNotJsonObject));
    }

    #[test]
    fn headers_that_ask_for_what_we_do_not_do() {
        for (header, expected) in [
            (r#"{}"#, TokenDefect::AlgorithmMissing),
            (r#"{"alg":1}"#, TokenDefect::HeaderParameter),
            (r#"{"alg":null}"#, TokenDefect::HeaderParameter),
            (r#"{"alg":["RS256"]}"#, TokenDefect::HeaderParameter),
            (r#"{"alg":"RS256","kid":1}"#, TokenDefect::HeaderParameter),
            (r#"{"alg":"RS256","typ":{}}"#, TokenDefect::HeaderParameter),
            (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, TokenDefect::CriticalExtension),
            (r#"{"alg":"RS256","crit":[]}"#, TokenDefect::CriticalExtension),
            (r#"{"alg":"RS256","crit":null}"#, TokenDefect::CriticalExtension),
            (r#"{"alg":"RS256","b64":false}"#, TokenDefect::UnencodedPayload),
            (r#"{"alg":"RS256","b64":true}"#, TokenDefect::UnencodedPayload),
            (r#"{"alg":"RS256","zip":"DEF"}"#, TokenDefect::Compressed),
            (r#"{"alg":"RS256","cty":"JWT"}"#, TokenDefect::Nested),
            (r#"{"alg":"RS256","cty":"application/jwt"}"#, TokenDefect::Nested),
        ] {
            assert_eq!(defect(with_header(header)), Some(expected), "{header}");
        }
        let long_kid = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
        assert_eq!(defect(with_header(&long_kid)), Some(TokenDefect::HeaderParameter));
    }

    #[test]
    fn keys_in_the_header_are_read_past() {
        let header = r#"{"alg":"RS256","jwk":{"kty":"oct"},"jku":"https://e","x5u":"https://e","x5c":[1]}"#;
        assert_eq!(defect(with_header(header)), None);
    }

    #[test]
    fn token_types_compare_as_media_types() {
        let typed =
            |typ: &str| JoseHeader::parse(format!(r#"{{"alg":"RS256","typ":"{typ}"}}"#).as_bytes()).unwrap();
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(typed(typ).has_token_type("at+jwt"), "{typ}");
            assert!(typed(typ).has_token_type("application/at+jwt"), "{typ}");
        }
        for typ in ["JWT", "at+jwt ", "x/at+jwt", "application/x/at+jwt", ""] {
            assert!(!typed(typ).has_token_type("at+jwt"), "{typ}");
        }
        assert!(!JoseHeader::parse(br#"{"alg":"RS256"}"#).unwrap().has_token_type("at+jwt"));
    }
}
