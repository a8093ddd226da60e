//! Finding the one credential a request carries.
//!
//! This module verifies nothing: what it finds is an untrusted text and the place it was found in.

mod cookie;
mod query;

use std::borrow::Cow;
use std::fmt;

use portcullis_policy::bytes::is_same;
use portcullis_policy::headers::Headers;

pub use cookie::{has_cookie, without_cookies};
pub use query::without_parameter;

/// A place a document allows a credential in (RFC 6750 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A header whose value is a scheme and a token (RFC 9110 section 11.4); without a scheme the whole value is the
    /// token.
    Header {
        /// Header name in lower case.
        name: String,
        /// Scheme, compared without regard to case.
        scheme: Option<String>,
    },
    /// A cookie (RFC 6265 section 4.2).
    Cookie {
        /// Cookie name; case-sensitive.
        name: String,
    },
    /// A query parameter (RFC 6750 section 2.3).
    Query {
        /// Parameter name; case-sensitive.
        name: String,
    },
}

/// A credential as found: left where it stands in the request, where it stands there as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential<'a> {
    token: Cow<'a, [u8]>,
}

impl Credential<'_> {
    /// The token's bytes. The one exit; nothing prints them.
    pub fn expose(&self) -> &[u8] {
        &self.token
    }

    /// The same, to be kept when the request is not at hand.
    pub fn into_owned(self) -> Credential<'static> {
        Credential { token: Cow::Owned(self.token.into_owned()) }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credential({} bytes)", self.token.len())
    }
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// No credential in any of the places.
    Nothing,
    /// One, and the places that it stands in.
    One(Credential<'a>, Places),
    /// Two that differ, or one place used twice.
    Ambiguous,
}

/// Places by index, at least one. Nearly always that is all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    first: usize,
    others: Vec<usize>,
}

impl Places {
    /// From the first to the last.
    pub fn iter(&self) -> impl Iterator<Item = usize> + Clone {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

/// Looks into every place and reports what is there.
///
/// Two header lines of the same name are ambiguous whatever they hold: servers differ in which of them they read. Some
/// hosts join them with a comma before we see them (RFC 9110 section 5.3; Envoy does so with `Authorization`), and no
/// token holds a comma (RFC 6750 section 2.1), so a joined value is ambiguous as well. The same token in two different places is one credential. A scheme that no place asks for is somebody else's credential
/// and is not counted; a scheme without a token is a credential that is present and empty.
pub fn find<'a, 'h>(
    locations: impl Iterator<Item = (usize, &'a Location)>,
    headers: &'h Headers,
    query: Option<&str>,
) -> Found<'h> {
    let mut one: Option<(Cow<'h, [u8]>, Places)> = None;
    for (index, location) in locations {
        let here = match location {
            Location::Header { name, scheme } => {
                in_header(headers, name, scheme.as_deref()).map(|found| found.map(Cow::Borrowed))
            }
            Location::Cookie { name } => {
                cookie::find(headers, name.as_bytes()).map(|found| found.map(Cow::Borrowed))
            }
            Location::Query { name } => {
                let found = query.map_or(Ok(None), |query| query::find(query, name));
                found.map(|found| found.map(Cow::Owned))
            }
        };
        match (here, &mut one) {
            (Err(Twice), _) => return Found::Ambiguous,
            (Ok(None), _) => {}
            (Ok(Some(found)), Some((token, _))) if found != *token => return Found::Ambiguous,
            (Ok(Some(_same)), Some((_, places))) => places.others.push(index),
            (Ok(Some(found)), None) => one = Some((found, Places { first: index, others: Vec::new() })),
        }
    }
    match one {
        Some((token, places)) => Found::One(Credential { token }, places),
        None => Found::Nothing,
    }
}

/// Whether a header holds a credential of this scheme, in any of its lines.
pub fn is_present(headers: &Headers, name: &str, scheme: Option<&str>) -> bool {
    let mut values = headers.values(name.as_bytes()).map(<[u8]>::trim_ascii);
    values.any(|value| scheme.is_none_or(|scheme| after_scheme(value, scheme.as_bytes()).is_some()))
}

/// One place holds two values.
#[derive(Debug, PartialEq, Eq)]
struct Twice;

fn in_header<'h>(headers: &'h Headers, name: &str, scheme: Option<&str>) -> Result<Option<&'h [u8]>, Twice> {
    let mut values = headers.values(name.as_bytes());
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Twice);
    }
    let value = value.trim_ascii();
    // No scheme holds a comma: where ours is the first of several, the comma stands in what follows it.
    let (token, joined) = match scheme.map(str::as_bytes) {
        None => (Some(value), holds_comma(value)),
        Some(scheme) => match after_scheme(value, scheme) {
            Some(token) => (Some(token), holds_comma(token)),
            None => (None, is_joined(value, scheme)),
        },
    };
    if joined { Err(Twice) } else { Ok(token) }
}

/// Whether a value is several lines joined, one of them ours. Credentials of another scheme alone may hold commas, such
/// as those of `Digest`.
fn is_joined(value: &[u8], scheme: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    holds_comma(value) && parts.any(|part| after_scheme(part, scheme).is_some())
}

/// A block of 32 bytes at a time: a token is most of what a request's headers hold.
fn holds_comma(value: &[u8]) -> bool {
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    const BEHIND_COMMA: u64 = u64::from_le_bytes([b',' + 1; 8]);
    let (blocks, rest) = value.as_chunks::<32>();
    let in_eight = |found, eight: &[u8; 8]| {
        // Where no byte of eight is a comma or below, none borrows and gets a high bit that was not there. No byte of a token
        // is (RFC 7515 section 7.1).
        let eight = u64::from_le_bytes(*eight);
        found | (eight.wrapping_sub(BEHIND_COMMA) & !eight)
    };
    // The last block covers what is left behind the whole ones, and perhaps some of them once more.
    let Some(last) = value.last_chunk() else { return rest.contains(&b',') };
    let in_block = |found, block: &[u8; 32]| block.as_chunks().0.iter().fold(found, in_eight);
    blocks.iter().chain([last]).fold(0, in_block) & HIGH_BITS != 0 && value.contains(&b',')
}

/// The credentials after `scheme`; `None` when the value is of another scheme. What follows one or more spaces is taken
/// whole, so that `Bearer a b` is a credential that is no token, and not two.
fn after_scheme<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (word, rest) = value.split_at_checked(scheme.len())?;
    // Any byte that no scheme can have ends it, so that no other white space makes a credential look absent.
    let is_token = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
    };
    // Nearly all write it as the document does.
    let is_ours = is_same(word, scheme) || word.eq_ignore_ascii_case(scheme);
    (is_ours && !rest.first().is_some_and(is_token)).then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer() -> Location {
        Location::Header { name: "authorization".into(), scheme: Some("Bearer".into()) }
    }

    fn find_in(locations: &[Location], headers: &[(&str, &[u8])], query: Option<&str>) -> Found<'static> {
        let headers = headers.iter().copied().collect();
        match find(locations.iter().enumerate(), &headers, query) {
            Found::One(credential, places) => Found::One(credential.into_owned(), places),
            Found::Nothing => Found::Nothing,
            Found::Ambiguous => Found::Ambiguous,
        }
    }

    fn one(token: &'static [u8], places: &[usize]) -> Found<'static> {
        let [first, others @ ..] = places else { panic!("a credential without a place") };
        Found::One(Credential { token: token.into() }, Places { first: *first, others: others.to_vec() })
    }

    #[test]
    fn a_comma_is_found_wherever_it_stands_and_nothing_else_is_taken_for_one() {
        for byte in 0..=u8::MAX {
            for length in 0..=70 {
                let mut value = vec![byte; length];
                assert_eq!(holds_comma(&value), byte == b',' && length > 0, "{length} times {byte}");
                for at in 0..length {
                    value[at] = b',';
                    assert!(holds_comma(&value), "{length} times {byte}, and a comma at {at}");
                    value[at] = byte;
                }
            }
        }
    }

    #[test]
    fn the_scheme_is_compared_without_regard_to_case_and_wholly() {
        for (value, found) in [
            (b"Bearer abc".as_slice(), one(b"abc", &[0])),
            (b"bearer abc", one(b"abc", &[0])),
            (b"BEARER   abc ", one(b"abc", &[0])),
            (b"Bearerabc", Found::Nothing),
            (b"Basic abc", Found::Nothing),
            (b"Bearer", one(b"", &[0])),
            (b"Bearer ", one(b"", &[0])),
            (b"Bearer a b", one(b"a b", &[0])),
            (b"Bearer\tabc", one(b"abc", &[0])),
            (b"Bearer,abc", Found::Ambiguous),
            (b"Bearer\x0babc", one(b"\x0babc", &[0])),
            (b"Bearer \xff\xfe", one(b"\xff\xfe", &[0])),
            (b"", Found::Nothing),
        ] {
            assert_eq!(find_in(&[bearer()], &[("authorization", value)], None), found, "{value:?}");
        }
    }

    /// The same in the order of the sentences: is it several lines, and if not, is it ours?
    fn slowly<'a>(value: &'a [u8], scheme: Option<&str>) -> Result<Option<&'a [u8]>, Twice> {
        let value = value.trim_ascii();
        let ours = |part: &[u8]| scheme.is_none_or(|scheme| after_scheme(part, scheme.as_bytes()).is_some());
        let mut parts = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if value.contains(&b',') && parts.any(ours) {
            return Err(Twice);
        }
        Ok(match scheme {
            None => Some(value),
            Some(scheme) => after_scheme(value, scheme.as_bytes()),
        })
    }

    proptest! {
        #[test]
        fn a_header_is_read_as_by_one_who_takes_his_time(
            value in "((B|b)earer|Basic|Digest|[a-zA-Z])?[ ,\t]{0,2}[a-z,=. \"]{0,40}(,? ?[Bb]earer[ ,]?[a-z]{0,3})?",
            scheme in prop::option::of(prop::sample::select(vec!["Bearer", "Basic", "x"])),
        ) {
            let headers = [("x-any", &value)].into_iter().collect();
            prop_assert_eq!(in_header(&headers, "x-any", scheme), slowly(value.as_bytes(), scheme));
        }
    }

    #[test]
    fn two_authorization_lines_are_ambiguous_even_if_equal() {
        for second in [b"Bearer a".as_slice(), b"Bearer b", b"Basic x"] {
            let headers = [("authorization", b"Bearer a".as_slice()), ("authorization", second)];
            assert_eq!(find_in(&[bearer()], &headers, None), Found::Ambiguous);
        }
    }

    #[test]
    fn lines_joined_by_the_host_are_ambiguous_and_commas_of_another_scheme_are_not() {
        for value in
            [b"Bearer a,Bearer b".as_slice(), b"Bearer a, bearer a", b"Basic x,Bearer a", b"Bearer a,"]
        {
            assert_eq!(
                find_in(&[bearer()], &[("authorization", value)], None),
                Found::Ambiguous,
                "{value:?}"
            );
        }
        let digest = b"Digest username=\"ann\", realm=\"x\"".as_slice();
        assert_eq!(find_in(&[bearer()], &[("authorization", digest)], None), Found::Nothing);
        let plain = Location::Header { name: "x-token".into(), scheme: None };
        assert_eq!(find_in(&[plain], &[("x-token", b"a,b")], None), Found::Ambiguous);
    }

    #[test]
    fn the_same_token_in_two_places_is_one_and_another_token_is_ambiguous() {
        let locations =
            [bearer(), Location::Cookie { name: "session".into() }, Location::Query { name: "t".into() }];
        let with = |cookie: &'static [u8]| [("authorization", b"Bearer a".as_slice()), ("cookie", cookie)];
        assert_eq!(find_in(&locations, &with(b"session=a"), None), one(b"a", &[0, 1]));
        assert_eq!(find_in(&locations, &with(b"session=b"), None), Found::Ambiguous);
        assert_eq!(find_in(&locations, &with(b"other=b"), Some("t=a")), one(b"a", &[0, 2]));
        assert_eq!(find_in(&locations, &with(b"other=b"), Some("t=b")), Found::Ambiguous);
        assert_eq!(find_in(&locations, &[], None), Found::Nothing);
    }

    #[test]
    fn a_credential_is_never_printed() {
        assert_eq!(format!("{:?}", Credential { token: b"secret".into() }), "Credential(6 bytes)");
    }
}
