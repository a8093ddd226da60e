//! The keys of one method, and which of them a token may be checked with.
//!
//! A key set belongs to one issuer: the caller chooses the method first, and looks for the key inside it, so that the
//! same `kid` at two issuers never meets. This module does not fetch or cache.

use std::fmt;

use super::algorithm::Algorithm;
use super::error::AuthnError;
use super::key::VerificationKey;

/// The most keys one set may hold: issuers publish two to ten, the largest known a few dozen.
pub const MAX_KEYS: usize = 64;

/// The most keys a token without a `kid` is tried against: each try may cost a signature verification, and the client
/// chooses how often.
pub const MAX_CANDIDATE_KEYS: usize = 4;

/// Keys of one issuer, or one shared secret.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
}

impl KeySet {
    /// Gathers keys. Two equal keys are kept once.
    ///
    /// Keys that share a `kid` are kept together only while no algorithm fits two of them (RFC 7517 4.5 asks for
    /// distinct ids except for equivalents of different type): otherwise the token would not say which is meant.
    ///
    /// # Errors
    /// [`KeySetError`] for more than [`MAX_KEYS`] keys, or two that one token could mean.
    pub fn new(keys: impl IntoIterator<Item = VerificationKey>) -> Result<Self, KeySetError> {
        let mut set = Self::default();
        for key in keys {
            if set.keys.iter().any(|other| is_same_key(other, &key)) {
                continue;
            }
            if set.keys.iter().any(|other| is_ambiguous(other, &key)) {
                return Err(KeySetError::AmbiguousKeyId);
            }
            if set.keys.len() >= MAX_KEYS {
                return Err(KeySetError::TooManyKeys);
            }
            set.keys.push(key);
        }
        Ok(set)
    }

    /// The keys that a token with this header may be checked with; one at least, [`MAX_CANDIDATE_KEYS`] at most.
    ///
    /// With a `kid` only keys of exactly that id count; a shared secret has none and answers to every `kid`. Without,
    /// every key that fits the algorithm does.
    ///
    /// # Errors
    /// [`AuthnError::NoKeys`] when the set is empty, [`AuthnError::UnknownKey`] when no key answers,
    /// [`AuthnError::KeyNotForAlgorithm`] when the named key does not fit, [`AuthnError::KeyIdRequired`] when too many do.
    pub fn candidates(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<&VerificationKey>, AuthnError> {
        if self.keys.is_empty() {
            return Err(AuthnError::NoKeys);
        }
        let answers_to = |key: &&VerificationKey| match key_id {
            Some(wanted) => key.key_id().map_or(key.is_shared_secret(), |key_id| key_id == wanted),
            None => true,
        };
        let mut answering = self.keys.iter().filter(answers_to).peekable();
        if answering.peek().is_none() {
            return Err(AuthnError::UnknownKey);
        }
        let fitting: Vec<_> =
            answering.filter(|key| key.fits(algorithm)).take(MAX_CANDIDATE_KEYS + 1).collect();
        match (fitting.len(), key_id) {
            (0, Some(_)) => Err(AuthnError::KeyNotForAlgorithm),
            (0, None) => Err(AuthnError::UnknownKey),
            (1..=MAX_CANDIDATE_KEYS, _) => Ok(fitting),
            _ => Err(AuthnError::KeyIdRequired),
        }
    }

    /// Whether any key fits `algorithm`: a method that allows only algorithms which none of its keys serves lets nobody in.
    #[must_use]
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    /// The keys, in the order they were given.
    #[must_use]
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// Whether there is no key: every token fails with [`AuthnError::NoKeys`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Why keys do not make a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySetError {
    /// More than [`MAX_KEYS`].
    TooManyKeys,
    /// Two different keys share an id and an algorithm.
    AmbiguousKeyId,
}

impl fmt::Display for KeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyKeys => write!(formatter, "more than {MAX_KEYS} keys"),
            Self::AmbiguousKeyId => formatter.write_str("two different keys share a key id and an algorithm"),
        }
    }
}

impl std::error::Error for KeySetError {}

/// Shared secrets are never compared: they are never in a set with another key that has no id.
fn is_same_key(one: &VerificationKey, other: &VerificationKey) -> bool {
    !one.is_shared_secret()
        && one.spki_der() == other.spki_der()
        && one.key_id() == other.key_id()
        && one.algorithm() == other.algorithm()
}

fn is_ambiguous(one: &VerificationKey, other: &VerificationKey) -> bool {
    let differ = one.is_shared_secret() || one.spki_der() != other.spki_der();
    differ
        && one.key_id().is_some()
        && one.key_id() == other.key_id()
        && Algorithm::ALL.into_iter().any(|algorithm| one.fits(algorithm) && other.fits(algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn secret(byte: u8) -> VerificationKey {
        VerificationKey::shared_secret(Secret::new(vec![byte; 32]).unwrap())
    }

    fn rsa(last: u8) -> VerificationKey {
        let mut n = vec![0xff; 256];
        n[254] = last;
        VerificationKey::rsa(&n, &[1, 0, 1]).unwrap()
    }

    #[test]
    fn an_empty_set_is_our_fault_and_never_a_panic() {
        let empty = KeySet::default();
        assert_eq!(empty.candidates(None, Algorithm::Rs256).err(), Some(AuthnError::NoKeys));
        assert_eq!(empty.candidates(Some("k"), Algorithm::Rs256).err(), Some(AuthnError::NoKeys));
    }

    #[test]
    fn an_unknown_key_id_never_falls_back_to_another_key() {
        let set = KeySet::new([rsa(1).with_key_id("a"), rsa(2)]).unwrap();
        assert_eq!(set.candidates(Some("b"), Algorithm::Rs256).err(), Some(AuthnError::UnknownKey));
        assert_eq!(set.candidates(Some(""), Algorithm::Rs256).err(), Some(AuthnError::UnknownKey));
        assert_eq!(set.candidates(Some("a"), Algorithm::Rs256).unwrap().len(), 1);
    }

    #[test]
    fn a_named_key_that_does_not_fit_is_no_reason_to_fetch() {
        let set = KeySet::new([rsa(1).with_key_id("a")]).unwrap();
        assert_eq!(set.candidates(Some("a"), Algorithm::Es256).err(), Some(AuthnError::KeyNotForAlgorithm));
        assert_eq!(set.candidates(None, Algorithm::Es256).err(), Some(AuthnError::UnknownKey));
    }

    #[test]
    fn two_keys_alike() {
        let clash = [rsa(1).with_key_id("a"), rsa(2).with_key_id("a")];
        assert_eq!(KeySet::new(clash).err(), Some(KeySetError::AmbiguousKeyId));
        let pinned = rsa(2).with_key_id("a").pinned_to(Algorithm::Ps256).unwrap();
        assert_eq!(
            KeySet::new([rsa(1).with_key_id("a"), pinned.clone()]).err(),
            Some(KeySetError::AmbiguousKeyId)
        );
        let apart = rsa(1).with_key_id("a").pinned_to(Algorithm::Rs256).unwrap();
        let set = KeySet::new([apart, pinned]).unwrap();
        assert_eq!(set.candidates(Some("a"), Algorithm::Ps256).unwrap().len(), 1);
        assert_eq!(KeySet::new([rsa(1).with_key_id("a"), rsa(1).with_key_id("a")]).unwrap().keys().len(), 1);
    }

    #[test]
    fn without_a_key_id_the_work_is_bounded() {
        let few = KeySet::new((1..=4).map(rsa)).unwrap();
        assert_eq!(few.candidates(None, Algorithm::Rs256).unwrap().len(), 4);
        let many = KeySet::new((1..=5).map(rsa)).unwrap();
        assert_eq!(many.candidates(None, Algorithm::Rs256).err(), Some(AuthnError::KeyIdRequired));
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        assert!(KeySet::new((1..=64).map(rsa)).is_ok());
        assert_eq!(KeySet::new((1..=65).map(rsa)).err(), Some(KeySetError::TooManyKeys));
    }

    #[test]
    fn a_set_serves_what_one_of_its_keys_fits() {
        let set = KeySet::new([rsa(1).pinned_to(Algorithm::Rs256).unwrap()]).unwrap();
        let served: Vec<_> = Algorithm::ALL.into_iter().filter(|&algorithm| set.serves(algorithm)).collect();
        assert_eq!(served, [Algorithm::Rs256]);
    }

    #[test]
    fn a_shared_secret_answers_to_every_key_id() {
        let set = KeySet::new([secret(1)]).unwrap();
        assert_eq!(set.candidates(Some("any"), Algorithm::Hs256).unwrap().len(), 1);
        assert_eq!(set.candidates(None, Algorithm::Rs256).err(), Some(AuthnError::UnknownKey));
    }
}
