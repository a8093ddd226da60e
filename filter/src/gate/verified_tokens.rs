//! Tokens that were verified before, so that a client that sends its token with every request has it verified once.
//!
//! A token is found again only if the same bytes were verified by the same method with the very keys that are in force,
//! and only between that moment and the first at which it would be refused: when keys change, a token expires or the
//! clock is set back, it is verified anew. Nothing here verifies anything. Of what fails only one thing is remembered: that
//! a token whose signature is good has expired, for no later moment makes it good again, and clients send such tokens
//! until somebody looks. What was never signed is not remembered, or anybody could fill the places.
//!
//! It is a table of sets of a few places each, and a token belongs to one set. A newcomer to a full set takes the place
//! of a token that is over, or wears down the one least used: only when that has no use left does the newcomer get its
//! place. Uses of long ago are forgotten by and by. A flood of tokens that come once does not drive out those that come
//! again and again.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::authn::keyset::KeySet;
use crate::gate::conclusion::Caller;
use crate::time::UnixTime;

/// Tokens verified before, of all methods of one gate.
#[derive(Debug)]
pub(super) struct VerifiedTokens {
    sets: Vec<Set>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Set {
    places: [Option<Remembered>; WAYS],
    /// Newcomers since uses were last halved.
    newcomers: u8,
}

/// What verifying a token came to.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// It speaks for this caller.
    Caller(Arc<Caller>),
    /// It was signed as it should be, and has expired.
    Expired,
}

/// What is remembered of a token.
struct Remembered {
    token: Zeroizing<Box<[u8]>>,
    /// What [`tail_of`] says of it: most others are told apart by that, without a look at the rest.
    tail: u64,
    /// Held, so that no other set of keys can come to lie at its address.
    keys: Arc<KeySet>,
    method: usize,
    outcome: Known,
    verified_at: UnixTime,
    valid_until: Option<UnixTime>,
    /// How often it was used lately, up to [`MAX_USES`].
    uses: u8,
}

/// The token is not shown.
impl fmt::Debug for Remembered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remembered").field("uses", &self.uses).finish_non_exhaustive()
    }
}

impl VerifiedTokens {
    pub(super) fn new() -> VerifiedTokens {
        VerifiedTokens { sets: (0..SETS).map(|_| Set::default()).collect(), bytes: 0 }
    }

    /// What verifying `token` by `method` came to, if that was found out with `keys` and still holds at `now`.
    pub(super) fn find(
        &mut self,
        method: usize,
        token: &[u8],
        keys: &Arc<KeySet>,
        now: UnixTime,
    ) -> Option<Known> {
        let set = self.sets.get_mut(set_of(token))?;
        let known = set.places.iter_mut().flatten().find(|known| known.is(method, token))?;
        if !Arc::ptr_eq(&known.keys, keys) || !known.holds(now) {
            return None;
        }
        known.uses = known.uses.saturating_add(1).min(MAX_USES);
        Some(known.outcome.clone())
    }

    /// Remembers what verifying `token` by `method` with `keys` came to at `now`, and will come to until `valid_until`.
    pub(super) fn remember(
        &mut self,
        method: usize,
        token: &[u8],
        keys: &Arc<KeySet>,
        outcome: Known,
        now: UnixTime,
        valid_until: Option<UnixTime>,
    ) {
        if token.len() > MAX_TOKEN_BYTES {
            return;
        }
        let Some(set) = self.sets.get_mut(set_of(token)) else { return };
        let Some(place) = set.place_for(method, token, keys, now) else { return };
        let freed = place.as_ref().map_or(0, |old| old.token.len());
        let bytes = self.bytes.saturating_sub(freed).saturating_add(token.len());
        if bytes > MAX_BYTES {
            return;
        }
        self.bytes = bytes;
        *place = Some(Remembered {
            token: Zeroizing::new(token.into()),
            tail: tail_of(token),
            keys: Arc::clone(keys),
            method,
            outcome,
            verified_at: now,
            valid_until,
            uses: 0,
        });
    }

    /// Forgets everything that `method` verified: its keys are others now.
    pub(super) fn forget(&mut self, method: usize) {
        for place in self.sets.iter_mut().flat_map(|set| &mut set.places) {
            if place.as_ref().is_some_and(|known| known.method == method) {
                self.bytes = self.bytes.saturating_sub(place.take().map_or(0, |old| old.token.len()));
            }
        }
    }
}

impl Remembered {
    /// Whole tokens are compared, in a time that does not tell how much of them is alike: the end at once, and if that is
    /// the same, everything.
    fn is(&self, method: usize, token: &[u8]) -> bool {
        self.method == method && self.tail == tail_of(token) && is_same(&self.token, token)
    }

    /// Whether verifying anew would come to the same. Everything that a token says of time has a first moment from which
    /// it is refused, or one from which it is accepted, and that one had come when it was verified.
    fn holds(&self, now: UnixTime) -> bool {
        self.verified_at <= now && self.valid_until.is_none_or(|until| now < until)
    }
}

impl Set {
    /// The place for a newcomer: its own from before, an empty one, that of a token that is over, or that of the least
    /// used one, if it has no use left. Else that one has one use less, and there is none.
    fn place_for(
        &mut self,
        method: usize,
        token: &[u8],
        keys: &Arc<KeySet>,
        now: UnixTime,
    ) -> Option<&mut Option<Remembered>> {
        self.age();
        let claim = |place: &Option<Remembered>| match place {
            Some(known) if known.is(method, token) => Claim::Own,
            None => Claim::Free,
            Some(known) if !known.holds(now) => Claim::Free,
            // Keys that the newcomer's method has no more.
            Some(known) if known.method == method && !Arc::ptr_eq(&known.keys, keys) => Claim::Free,
            Some(known) => Claim::Used(known.uses),
        };
        let place = self.places.iter_mut().min_by_key(|place| claim(place))?;
        match (claim(place), place.as_mut()) {
            (Claim::Used(1..), Some(known)) => {
                known.uses = known.uses.saturating_sub(1);
                None
            }
            (Claim::Own | Claim::Free | Claim::Used(_), _) => Some(place),
        }
    }

    fn age(&mut self) {
        self.newcomers = self.newcomers.saturating_add(1);
        if self.newcomers >= NEWCOMERS_PER_AGE {
            self.newcomers = 0;
            self.places.iter_mut().flatten().for_each(|known| known.uses /= 2);
        }
    }
}

/// What speaks for giving a place to a newcomer, the strongest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Own,
    Free,
    Used(u8),
}

/// The set of a token, by its last bytes: those of a signature, which nobody can choose.
fn set_of(token: &[u8]) -> usize {
    let tail = token.iter().rev().take(8);
    tail.fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte))) % SETS
}

/// The last eight bytes of a token as one number; of a shorter one nothing.
fn tail_of(token: &[u8]) -> u64 {
    token.last_chunk().map_or(0, |tail| u64::from_le_bytes(*tail))
}

/// Compares all bytes, 64 at a time: one by one they cost more than everything else that is done for a token that is known.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    // The last block covers what is left behind the whole ones, and perhaps some of them once more.
    let (Some(last), Some(other_last)) = (one.last_chunk(), other.last_chunk()) else {
        return one.ct_eq(other).into();
    };
    // What differs so far is no business of the optimiser's, which would leave off at the first block that does.
    let differ = |difference, (block, other)| black_box(difference | difference_of(block, other));
    let (blocks, other_blocks) = (one.as_chunks().0.iter(), other.as_chunks().0.iter());
    let difference = blocks.zip(other_blocks).chain([(last, other_last)]).fold(0_u64, differ);
    one.len() == other.len() && difference.ct_eq(&0).into()
}

/// The bits that are not the same in two blocks, all eights in one.
fn difference_of(block: &[u8; 64], other: &[u8; 64]) -> u64 {
    let eights = block.as_chunks().0.iter().zip(other.as_chunks().0);
    eights.fold(0, |all, (eight, other)| all | (u64::from_le_bytes(*eight) ^ u64::from_le_bytes(*other)))
}

/// Sets in the table.
const SETS: usize = 128;

/// Places in a set.
const WAYS: usize = 4;

/// The longest token that is remembered, in bytes: longer ones are verified each time.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

/// The most bytes of tokens that are remembered in one worker. What is kept of their callers is about as much again.
const MAX_BYTES: usize = 512 * 1024;

/// The most uses that count.
const MAX_USES: u8 = 15;

/// Newcomers to a set after which its uses are halved: a token that is used once while so many come stays, and one that is
/// used no more goes after a few times as many.
const NEWCOMERS_PER_AGE: u8 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Arc<KeySet> {
        Arc::new(KeySet::new([]).unwrap())
    }

    fn caller(method: usize) -> Arc<Caller> {
        Arc::new(Caller::unknown(method))
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    /// Tokens of one set: they end alike.
    fn token(number: usize) -> Vec<u8> {
        format!("{number:08}.same-tail").into_bytes()
    }

    #[test]
    fn a_token_is_found_by_its_method_its_keys_and_its_time_alone() {
        let (mut tokens, keys, others) = (VerifiedTokens::new(), keys(), self::keys());
        tokens.remember(0, &token(1), &keys, Known::Caller(caller(0)), at(100), Some(at(200)));
        for (found, method, name, keys, now) in [
            (true, 0, 1, &keys, at(100)),
            (true, 0, 1, &keys, UnixTime::from_nanos(at(200).as_nanos() - 1)),
            (false, 0, 1, &keys, at(200)),
            (false, 0, 1, &keys, UnixTime::from_nanos(at(100).as_nanos() - 1)),
            (false, 1, 1, &keys, at(150)),
            (false, 0, 2, &keys, at(150)),
            (false, 0, 1, &others, at(150)),
        ] {
            let known = tokens.find(method, &token(name), keys, now);
            assert_eq!(known.is_some(), found, "method {method}, token {name}, {now:?}");
        }
        assert!(tokens.find(0, b"", &keys, at(150)).is_none());
        tokens.forget(1);
        assert!(tokens.find(0, &token(1), &keys, at(150)).is_some());
        tokens.forget(0);
        assert!(tokens.find(0, &token(1), &keys, at(150)).is_none());
        assert_eq!(tokens.bytes, 0);
    }

    #[test]
    fn tokens_are_the_same_only_if_every_byte_is() {
        for length in (0..70).chain(125..135_u8) {
            let one: Vec<u8> = (0..length).collect();
            let longer = [one.as_slice(), b"0"].concat();
            assert!(is_same(&one, &one.clone()));
            assert!(!is_same(&one, &longer) && !is_same(&longer, &one), "{length}");
            for place in 0..one.len() {
                for bit in 0..8 {
                    let mut other = one.clone();
                    other[place] ^= 1 << bit;
                    assert!(!is_same(&one, &other), "byte {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn tokens_that_come_once_do_not_drive_out_one_that_comes_again() {
        let (mut tokens, keys) = (VerifiedTokens::new(), keys());
        tokens.remember(0, &token(0), &keys, Known::Caller(caller(0)), at(100), None);
        for number in 1..10_000 {
            tokens.remember(0, &token(number), &keys, Known::Caller(caller(0)), at(100), None);
            assert!(tokens.find(0, &token(0), &keys, at(100)).is_some(), "after {number} others");
        }
        // Used no more, it goes.
        for number in 10_000..10_000 + 6 * usize::from(NEWCOMERS_PER_AGE) {
            tokens.remember(0, &token(number), &keys, Known::Caller(caller(0)), at(100), None);
        }
        assert!(tokens.find(0, &token(0), &keys, at(100)).is_none());
        assert_eq!(tokens.bytes, WAYS * token(0).len());
    }

    #[test]
    fn what_has_expired_stays_so_unless_the_clock_goes_back_or_the_keys_go() {
        let (mut tokens, keys, others) = (VerifiedTokens::new(), keys(), self::keys());
        tokens.remember(0, &token(1), &keys, Known::Expired, at(100), None);
        assert!(matches!(tokens.find(0, &token(1), &keys, at(100)), Some(Known::Expired)));
        assert!(matches!(tokens.find(0, &token(1), &keys, at(100_000)), Some(Known::Expired)));
        assert!(tokens.find(0, &token(1), &keys, at(99)).is_none());
        assert!(tokens.find(0, &token(1), &others, at(100)).is_none());
        assert!(tokens.find(1, &token(1), &keys, at(100)).is_none());
        tokens.forget(0);
        assert!(tokens.find(0, &token(1), &keys, at(100)).is_none());
    }

    #[test]
    fn what_is_over_makes_room_at_once() {
        let (mut tokens, keys) = (VerifiedTokens::new(), keys());
        for number in 0..WAYS {
            tokens.remember(0, &token(number), &keys, Known::Caller(caller(0)), at(100), Some(at(200)));
            for _ in 0..3 {
                assert!(tokens.find(0, &token(number), &keys, at(100)).is_some());
            }
        }
        tokens.remember(0, &token(7), &keys, Known::Caller(caller(0)), at(200), None);
        assert!(tokens.find(0, &token(7), &keys, at(200)).is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut tokens, keys) = (VerifiedTokens::new(), keys());
        for number in 0..10_000_usize {
            let token = format!("{:>length$}", number.wrapping_mul(2_654_435_761), length = MAX_TOKEN_BYTES);
            tokens.remember(0, token.as_bytes(), &keys, Known::Caller(caller(0)), at(100), None);
            assert!(tokens.bytes <= MAX_BYTES);
        }
        assert!(tokens.bytes > MAX_BYTES - MAX_TOKEN_BYTES, "{} bytes", tokens.bytes);
        let long = vec![b'x'; MAX_TOKEN_BYTES + 1];
        tokens.remember(0, &long, &keys, Known::Caller(caller(0)), at(100), None);
        assert!(tokens.find(0, &long, &keys, at(100)).is_none());
    }

    #[test]
    fn debug_shows_no_token() {
        let mut tokens = VerifiedTokens::new();
        tokens.remember(0, b"canary", &keys(), Known::Caller(caller(0)), at(100), None);
        let shown = format!("{tokens:?}");
        assert!(!shown.contains("canary") && !shown.contains("99, 97, 110"), "{shown}");
    }
}
