//! Headers that were read before: all tokens of one key have the same, and reading it is a good part of reading a token.
//!
//! A header is found again by its whole bytes, so that it says what it said. One of a token that nobody has verified takes
//! a free place at most; one of a token whose signature was good gets a place in any case, so that nobody else can keep it
//! from one. It holds no claim and no signature.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use super::jws::JoseHeader;

/// A few headers, in base64url and read.
#[derive(Default)]
pub struct KnownHeaders(RefCell<Places>);

#[derive(Default)]
struct Places {
    headers: [Option<Known>; PLACES],
    /// The place that a good token's header got last.
    last: usize,
}

struct Known {
    encoded: Box<[u8]>,
    header: Arc<JoseHeader>,
}

impl KnownHeaders {
    /// The header that these bytes were read as.
    pub(super) fn find(&self, encoded: &[u8]) -> Option<Arc<JoseHeader>> {
        let places = self.0.try_borrow().ok()?;
        let found = places.headers.iter().flatten().find(|known| *known.encoded == *encoded)?;
        Some(Arc::clone(&found.header))
    }

    /// Remembers that these bytes are read as `header`, of a token that nobody has verified, if there is a free place.
    pub(super) fn note(&self, encoded: &[u8], header: &Arc<JoseHeader>) {
        self.put(encoded, header, |places| places.headers.iter().position(Option::is_none));
    }

    /// Remembers that these bytes are read as `header`, of a good token, in place of the one that has its place longest.
    pub(super) fn remember(&self, encoded: &[u8], header: &Arc<JoseHeader>) {
        self.put(encoded, header, |places| {
            places.last = places.last.wrapping_add(1) % PLACES;
            Some(places.last)
        });
    }

    fn put(
        &self,
        encoded: &[u8],
        header: &Arc<JoseHeader>,
        choose: impl FnOnce(&mut Places) -> Option<usize>,
    ) {
        if encoded.len() > MAX_HEADER_BYTES || self.find(encoded).is_some() {
            return;
        }
        let Ok(mut places) = self.0.try_borrow_mut() else { return };
        let chosen = choose(&mut places);
        if let Some(place) = chosen.and_then(|place| places.headers.get_mut(place)) {
            *place = Some(Known { encoded: encoded.into(), header: Arc::clone(header) });
        }
    }
}

impl fmt::Debug for KnownHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KnownHeaders(redacted)")
    }
}

/// Headers that are remembered: two keys at each of a few issuers.
const PLACES: usize = 8;

/// The longest header that is remembered, in bytes of base64url: usual ones have 50 to 120.
const MAX_HEADER_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(key_id: usize) -> Arc<JoseHeader> {
        Arc::new(JoseHeader::parse(format!(r#"{{"alg":"RS256","kid":"{key_id}"}}"#).as_bytes()).unwrap())
    }

    #[test]
    fn a_header_is_found_by_all_its_bytes() {
        let known = KnownHeaders::default();
        known.remember(b"abc", &header(1));
        assert!(known.find(b"abc").is_some_and(|found| found.key_id() == Some("1")));
        for other in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(known.find(other.as_bytes()).is_none(), "{other}");
        }
        // The same bytes are never read otherwise.
        known.remember(b"abc", &header(2));
        assert!(known.find(b"abc").is_some_and(|found| found.key_id() == Some("1")));
    }

    #[test]
    fn the_first_goes_when_there_are_too_many_and_long_ones_never_come() {
        let known = KnownHeaders::default();
        for key in 0..PLACES + 1 {
            known.remember(key.to_string().as_bytes(), &header(key));
        }
        assert!(known.find(b"0").is_none());
        assert!((1..PLACES + 1).all(|key| known.find(key.to_string().as_bytes()).is_some()));
        let long = vec![b'a'; MAX_HEADER_BYTES + 1];
        known.remember(&long, &header(0));
        assert!(known.find(&long).is_none());
    }

    #[test]
    fn what_nobody_has_verified_takes_free_places_and_keeps_none_from_good_tokens() {
        let known = KnownHeaders::default();
        known.remember(b"good", &header(0));
        for key in 0..100 {
            known.note(format!("forged {key}").as_bytes(), &header(key));
        }
        assert!(known.find(b"good").is_some());
        assert_eq!(
            (0..100).filter(|key| known.find(format!("forged {key}").as_bytes()).is_some()).count(),
            PLACES - 1
        );
        for key in 1..PLACES {
            known.remember(key.to_string().as_bytes(), &header(key));
        }
        assert!(known.find(b"good").is_some());
        assert!((1..PLACES).all(|key| known.find(key.to_string().as_bytes()).is_some()));
    }
}
