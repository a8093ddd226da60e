//! Targets that are their own reading, as one look at each byte tells. Nearly all are, and they are copied and no more.
//!
//! What this says nothing of may be fine nevertheless: it is for [`super::canonical`] to read, which also has the errors.

use super::canonical::Role;
use super::slashes::Slashes;
use super::{CanonicalPath, PathAmbiguities, RequestTarget};
use crate::limits::{MAX_PATH_BYTES, MAX_QUERY_BYTES};

/// The target, if it has no escape, no segment that begins with a dot, none that is empty other than the last, and no byte
/// that has a meaning to some server only. In both modes it is then read alike.
#[inline]
pub(super) fn as_it_is(target: &[u8]) -> Option<RequestTarget> {
    let mut slashes = Slashes::default();
    let path_len = path_len(target, &mut slashes)?;
    if path_len > MAX_PATH_BYTES || target.len().saturating_sub(path_len) > MAX_QUERY_BYTES.saturating_add(1)
    {
        return None;
    }
    let (path, query) = std::str::from_utf8(target).ok()?.split_at_checked(path_len)?;
    let query = query.strip_prefix('?');
    if !query.unwrap_or_default().bytes().all(|byte| look(byte) & IN_QUERY != 0) {
        return None;
    }
    let path = CanonicalPath::from_plain_text(path.to_owned(), slashes);
    let query = query.map(str::to_owned);
    Some(RequestTarget { path, query, rewritten: false, normalized: PathAmbiguities::default() })
}

/// How many bytes there are before the query, if all of them stand for themselves.
#[inline]
fn path_len(target: &[u8], slashes: &mut Slashes) -> Option<usize> {
    let mut rest = target.strip_prefix(b"/")?;
    loop {
        slashes.add(target.len().saturating_sub(rest.len()).saturating_sub(1));
        let len = rest.iter().position(|byte| look(*byte) & IN_SEGMENT == 0).unwrap_or(rest.len());
        let (segment, behind) = rest.split_at_checked(len)?;
        if segment.first() == Some(&b'.') {
            return None;
        }
        match behind {
            [b'/', next @ ..] if !segment.is_empty() => rest = next,
            [] | [b'?', ..] => return target.len().checked_sub(behind.len()),
            _not_plain => return None,
        }
    }
}

/// A byte of a segment.
const IN_SEGMENT: u8 = 1;
/// A byte of a query.
const IN_QUERY: u8 = 2;

#[inline]
fn look(byte: u8) -> u8 {
    LOOKS.get(usize::from(byte)).copied().unwrap_or_default()
}

static LOOKS: [u8; 256] = looks();

#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which would not get past the end")]
const fn looks() -> [u8; 256] {
    let mut looks = [0; 256];
    let mut byte = 0_u8;
    loop {
        let in_segment = match Role::of(byte) {
            Role::Unreserved | Role::Reserved => IN_SEGMENT,
            Role::Refused(_) | Role::Foreign => 0,
        };
        let in_query = if byte.is_ascii_graphic() && byte != b'#' { IN_QUERY } else { 0 };
        looks[byte as usize] = in_segment | in_query;
        let Some(next) = byte.checked_add(1) else { return looks };
        byte = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{PathMode, read};

    #[test]
    fn what_most_requests_are_for_is_plain() {
        for target in
            ["/", "/a", "/a/", "/a.b/c..d/e.", "/a,b=c:d@e!$&'()*+~-_", "/a?", "/a/b?x=%zz//../;&y=\\?"]
        {
            let read = as_it_is(target.as_bytes()).unwrap_or_else(|| panic!("{target}"));
            assert_eq!(read.origin_form(), target);
        }
    }

    #[test]
    fn everything_else_is_left_to_who_reads_it() {
        for target in [
            "", "a", "*", "?", "//", "/a//", "/.", "/.a", "/a/../b", "/%61", "/a;b", "/a#", "/a b", "/a?#",
            "/a? ",
        ] {
            assert_eq!(as_it_is(target.as_bytes()), None, "{target}");
        }
        for byte in (0..b'!').chain(0x7F..=0xFF) {
            assert_eq!(as_it_is(&[b'/', byte]), None, "{byte}");
            assert_eq!(as_it_is(&[b'/', b'?', byte]), None, "{byte}");
        }
        for (path, query) in [(MAX_PATH_BYTES, MAX_QUERY_BYTES + 1), (MAX_PATH_BYTES + 1, 0)] {
            let target = ["/", &"a".repeat(path - 1), "?", &"q".repeat(query)].concat();
            assert_eq!(as_it_is(target.as_bytes()), None, "{path} {query}");
        }
    }

    /// Every target of three bytes behind its slash, of the bytes that mean something to somebody.
    #[test]
    fn it_says_what_the_reading_says() {
        let bytes: Vec<u8> =
            (0..=u8::MAX).filter(|byte| !byte.is_ascii_alphanumeric()).chain(*b"a25eF").collect();
        for one in &bytes {
            for two in &bytes {
                for three in &bytes {
                    let target = [b'/', *one, *two, *three];
                    let Some(plain) = as_it_is(&target) else { continue };
                    for mode in [PathMode::Refuse, PathMode::Normalize] {
                        assert_eq!(read(&target, mode).as_ref(), Ok(&plain), "{target:?}");
                    }
                }
            }
        }
    }
}
