//! From the bytes of `:path` to the canonical path: one look where that suffices, else one pass over the segments.

use percent_encoding::{percent_decode_str, percent_encode_byte};

use super::PathAmbiguity::{self, *};
use super::{CanonicalPath, MalformedTarget, PathAmbiguities, PathError, PathMode, RequestTarget, plain};
use crate::limits::{MAX_PATH_BYTES, MAX_QUERY_BYTES};

/// Reads the target of a request, the bytes of `:path`, in the one way it can be read.
///
/// Idempotent: the canonical text, read again in either mode, is itself.
///
/// # Errors
///
/// [`PathError`] when the target is not in origin-form (RFC 9112 section 3.2.1), is too long, or holds what two
/// servers could read differently and `mode` does not mend.
#[inline]
pub fn canonicalize(target: &[u8], mode: PathMode) -> Result<RequestTarget, PathError> {
    match plain::as_it_is(target) {
        Some(target) => Ok(target),
        None => read(target, mode),
    }
}

/// Reads any target, plain or not.
pub(super) fn read(target: &[u8], mode: PathMode) -> Result<RequestTarget, PathError> {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    let path = parts.next().unwrap_or_default();
    let query = parts.next();
    if path.len() > MAX_PATH_BYTES || query.is_some_and(|query| query.len() > MAX_QUERY_BYTES) {
        return Err(PathError::TooLong);
    }
    let relative = path.strip_prefix(b"/").ok_or_else(|| PathError::Malformed(form_of(target)))?;

    let (canonical, normalized) = canonical_path(relative, mode).map_err(PathError::Ambiguous)?;
    // Escaping what RFC 3986 has no place for makes a path longer.
    if canonical.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    let query = query.map(query_text).transpose().map_err(PathError::Ambiguous)?;
    let rewritten = canonical.as_bytes() != path;
    Ok(RequestTarget { path: CanonicalPath::from_canonical_text(canonical), query, rewritten, normalized })
}

/// Appends the canonical spelling of one segment, the bytes between two slashes.
///
/// # Errors
///
/// The first ambiguity inside the segment. Whether the segment may be empty or made of dots is for the caller.
pub(crate) fn canonicalize_segment(
    segment: &[u8],
    mode: PathMode,
    canonical: &mut String,
) -> Result<(), PathAmbiguity> {
    let start = canonical.len();
    let (mut escapes_percent, mut escapes_non_ascii) = (false, false);
    let plain = segment.iter().take_while(|byte| is_unreserved(**byte)).count();
    let (plain, rest) = segment.split_at_checked(plain).unwrap_or((&[], segment));
    canonical.push_str(std::str::from_utf8(plain).map_err(|_| InvalidUtf8)?);
    if rest.is_empty() {
        return Ok(());
    }
    let mut bytes = rest.iter().copied();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%';
        let byte = if escaped { escaped_byte(&mut bytes)? } else { byte };
        match Role::of(byte) {
            Role::Unreserved => canonical.push(char::from(byte)),
            Role::Reserved if !escaped => canonical.push(char::from(byte)),
            Role::Refused(kind) => return Err(kind),
            Role::Foreign if !escaped && mode == PathMode::Refuse => return Err(NonUriCharacter),
            Role::Reserved | Role::Foreign => {
                escapes_percent |= byte == b'%';
                escapes_non_ascii |= !byte.is_ascii();
                canonical.push_str(percent_encode_byte(byte));
            }
        }
    }

    let written = canonical.get(start..).unwrap_or_default();
    if escapes_percent && hides_an_escape(written) {
        return Err(DoubleEncoding);
    }
    if escapes_non_ascii {
        let text = percent_decode_str(written).decode_utf8().map_err(|_| InvalidUtf8)?;
        if text.contains(char::is_control) {
            return Err(ControlCharacter);
        }
    }
    Ok(())
}

/// Whether a byte is written raw, and never escaped (RFC 3986 section 2.3).
const fn is_unreserved(byte: u8) -> bool {
    matches!(Role::of(byte), Role::Unreserved)
}

/// What a byte means inside a segment, raw or decoded.
pub(super) enum Role {
    /// RFC 3986 section 2.3: written raw, and never escaped.
    Unreserved,
    /// The rest of `pchar` (RFC 3986 section 3.3): raw and escaped are kept apart.
    Reserved,
    /// A delimiter to somebody, raw or escaped.
    Refused(PathAmbiguity),
    /// Allowed when escaped only.
    Foreign,
}

impl Role {
    pub(super) const fn of(byte: u8) -> Self {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => Self::Unreserved,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' => {
                Self::Reserved
            }
            b'/' => Self::Refused(EncodedSlash),
            b'\\' => Self::Refused(Backslash),
            b';' => Self::Refused(PathParameter),
            b'#' => Self::Refused(Fragment),
            b'?' => Self::Refused(EncodedQuestionMark),
            0..=0x1F | 0x7F => Self::Refused(ControlCharacter),
            b' ' | b'"' | b'%' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                Self::Foreign
            }
        }
    }
}

fn escaped_byte(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, PathAmbiguity> {
    let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
    let (high, low) = (digit().ok_or(BadEscape)?, digit().ok_or(BadEscape)?);
    u8::try_from(high << 4 | low).map_err(|_| BadEscape)
}

/// Whether decoding `segment` gives a text that could be decoded again. Looks at the canonical spelling, so digits
/// that were themselves escaped (`%25%32%66`) do not hide.
fn hides_an_escape(segment: &str) -> bool {
    segment.as_bytes().windows(5).any(|window| match window {
        [b'%', b'2', b'5', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    })
}

fn canonical_path(relative: &[u8], mode: PathMode) -> Result<(String, PathAmbiguities), PathAmbiguity> {
    let mut canonical = String::with_capacity(relative.len().saturating_add(1));
    let mut mended = PathAmbiguities::default();
    let mut has_empty = false;
    let mut segments = relative.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let start = canonical.len();
        canonical.push('/');
        canonicalize_segment(segment, mode, &mut canonical)?;
        let dots = match canonical.get(start..).unwrap_or_default() {
            "/" if !last => {
                has_empty = true;
                continue;
            }
            "/." => 1,
            "/.." => 2,
            _ => continue,
        };
        if mode == PathMode::Refuse {
            return Err(DotSegment);
        }
        mended = mended.with(DotSegment);
        canonical.truncate(start);
        if dots == 2 {
            remove_last_segment(&mut canonical)?;
        }
        if last {
            canonical.push('/');
        }
    }
    // Only a mode that mends gets here with one.
    if relative.iter().any(|byte| matches!(Role::of(*byte), Role::Foreign) && *byte != b'%') {
        mended = mended.with(NonUriCharacter);
    }
    match (has_empty, mode) {
        (false, _) => Ok((canonical, mended)),
        (true, PathMode::Refuse) => Err(DoubleSlash),
        (true, PathMode::Normalize) => Ok((merge_slashes(&canonical), mended.with(DoubleSlash))),
    }
}

/// RFC 3986 section 5.2.4, step 2C, without its leniency: there must be a segment to remove, and one that a server
/// which merges slashes first would remove as well.
fn remove_last_segment(canonical: &mut String) -> Result<(), PathAmbiguity> {
    let slash = canonical.rfind('/').ok_or(DotSegment)?;
    if canonical.ends_with('/') {
        return Err(DotSegment);
    }
    canonical.truncate(slash);
    Ok(())
}

fn merge_slashes(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    merged
}

fn query_text(query: &[u8]) -> Result<String, PathAmbiguity> {
    query
        .iter()
        .map(|byte| match byte {
            b'#' => Err(Fragment),
            0..=0x1F | 0x7F => Err(ControlCharacter),
            b' ' | 0x80.. => Err(NonUriCharacter),
            _ => Ok(char::from(*byte)),
        })
        .collect()
}

/// What a target is that does not begin with a slash (RFC 9112 section 3.2).
fn form_of(target: &[u8]) -> MalformedTarget {
    let has_port = |authority: &[u8]| {
        let mut parts = authority.rsplitn(2, |byte| *byte == b':');
        let port = parts.next().unwrap_or_default();
        parts.next().is_some_and(|host| !host.is_empty())
            && !port.is_empty()
            && port.iter().all(u8::is_ascii_digit)
    };
    match target {
        [] => MalformedTarget::Empty,
        b"*" => MalformedTarget::AsteriskForm,
        _ if target.windows(3).any(|window| window == b"://") => MalformedTarget::AbsoluteForm,
        _ if !target.contains(&b'/') && has_port(target) => MalformedTarget::AuthorityForm,
        _ => MalformedTarget::NoLeadingSlash,
    }
}

#[cfg(test)]
mod tests;
