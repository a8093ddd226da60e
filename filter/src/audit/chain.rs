//! The chain: sequence, link and hash around each record.
//!
//! `hash` is SHA-256 over a line that names the purpose and then the canonical record without `hash`; `previous`
//! is the `hash` before, and for sequence 0 a hash of the stream id, so that no stream can be passed off as
//! another. It keeps no record: what is sealed is handed back.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::alike_hash::AlikeHash;
use super::canonical::SafeInteger;
use super::members::{Canonical, Members, name};
use super::record::Record;
use super::seconds::Seconds;
use crate::time::UnixTime;

/// Names the purpose of a record's hash; version 1 of the format.
const RECORD_DOMAIN: &str = "portcullis audit record v1\n";
/// Names the purpose of the hash a stream starts from.
const GENESIS_DOMAIN: &[u8] = b"portcullis audit stream v1\n";

/// The most bytes that a line has and its hashed text has not: the hash with its name, and a line feed.
const HASH_BYTES: usize = 80;

/// A SHA-256 hash; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The identity of a stream: 128 random bits from the host, so that two workers never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId([u8; 16]);

/// The place of a record in its stream, from 0, at most 2^53 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

/// The text is not lower-case hexadecimal of the right length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected lower-case hexadecimal digits: 32 for a stream, 64 for a hash")]
pub struct NotHex;

/// All 2^53 sequence numbers are used: at a million records a second, after 285 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number is at most 2^53 - 1")]
pub struct Exhausted;

/// The head of a stream: where the next record links to.
#[derive(Clone, Debug)]
pub struct Chain {
    stream: StreamId,
    next: Option<Sequence>,
    head: Digest,
    hash: AlikeHash,
    /// What was hashed last: its room is used again.
    hashed: String,
    seconds: Seconds,
}

/// A record with its place in the chain: one line of NDJSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its place.
    pub sequence: Sequence,
    /// Its hash, which the next record links to.
    pub hash: Digest,
    /// When it was sealed.
    pub time: UnixTime,
    /// The line, with its line feed.
    pub line: String,
}

impl Chain {
    /// A chain with nothing in it.
    pub fn new(stream: StreamId) -> Self {
        Self {
            stream,
            next: Some(Sequence::FIRST),
            head: stream.genesis(),
            hash: AlikeHash::default(),
            hashed: String::new(),
            seconds: Seconds::default(),
        }
    }

    /// The stream this chain belongs to.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Gives the record its place and moves the head.
    ///
    /// # Errors
    /// When no sequence number is left.
    pub fn seal(&mut self, record: &Record<'_>, now: UnixTime) -> Result<Sealed, Exhausted> {
        let sequence = self.next.ok_or(Exhausted)?;
        // Members in canonical order: event, hash, previous, sequence, stream, time. All but the hash are hashed.
        let hashed = &mut self.hashed;
        hashed.clear();
        hashed.push_str(RECORD_DOMAIN);
        hashed.push('{');
        hashed.push_str(name!("event"));
        record.write(hashed);
        let event_end = hashed.len();
        Members::further(hashed)
            .with(name!("previous"), self.head)
            .with(name!("sequence"), SafeInteger::saturating(sequence.0))
            .with(name!("stream"), self.stream)
            .with(name!("time"), self.seconds.moment(now))
            .end();
        let hash = Digest(self.hash.of(hashed.as_bytes()));
        let (event, rest) = hashed.split_at_checked(event_end).unwrap_or_default();
        let mut line = String::with_capacity(hashed.len().saturating_add(HASH_BYTES));
        line.push_str(event.strip_prefix(RECORD_DOMAIN).unwrap_or_default());
        Members::further(&mut line).with(name!("hash"), hash);
        line.push_str(rest);
        line.push('\n');
        self.next = sequence.next();
        self.head = hash;
        Ok(Sealed { sequence, hash, time: now, line })
    }
}

impl Digest {
    /// A hash computed elsewhere, such as that of the policy document.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash as bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl StreamId {
    /// An id from 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id as bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// What the first record of the stream links to.
    pub fn genesis(&self) -> Digest {
        let hash = Sha256::new().chain_update(GENESIS_DOMAIN).chain_update(self.to_string());
        Digest(hash.finalize().into())
    }
}

impl Sequence {
    /// The place of `open`.
    pub const FIRST: Self = Self(0);

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place after this one, if there is one.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).and_then(|next| Self::try_from(next).ok())
    }
}

impl TryFrom<u64> for Sequence {
    type Error = Exhausted;

    fn try_from(number: u64) -> Result<Self, Exhausted> {
        if number <= SafeInteger::MAX.get().unsigned_abs() { Ok(Self(number)) } else { Err(Exhausted) }
    }
}

/// The hash of a record whose canonical form without `hash` this is.
pub(super) fn record_hash(canonical: &[u8]) -> Digest {
    let hash = Sha256::new_with_prefix(RECORD_DOMAIN).chain_update(canonical);
    Digest(hash.finalize().into())
}

/// Bytes, a multiple of four, as lower-case hexadecimal digits, for which there is room.
#[inline(never)]
fn hexadecimal<'d>(bytes: &[u8], digits: &'d mut [u8]) -> &'d str {
    for (eight, four) in digits.as_chunks_mut().0.iter_mut().zip(bytes.as_chunks().0) {
        *eight = eight_digits(*four);
    }
    // Digits are ASCII.
    str::from_utf8(digits).unwrap_or_default()
}

/// Four bytes as hexadecimal digits, all at once. Each is brought into a byte of its own, and those beyond nine are told by
/// the carry of adding six.
const fn eight_digits(bytes: [u8; 4]) -> [u8; 8] {
    const ONES: u64 = u64::from_be_bytes([1; 8]);
    const FROM_TEN_ON: u64 = (b'a' - b'0' - 10) as u64;
    let digits = u32::from_be_bytes(bytes) as u64;
    let digits = (digits << 16 | digits) & 0x0000_ffff_0000_ffff;
    let digits = (digits << 8 | digits) & 0x00ff_00ff_00ff_00ff;
    let digits = (digits << 4 | digits) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = digits.wrapping_add(6 * ONES) >> 4 & ONES;
    let zeros = u64::from_be_bytes([b'0'; 8]);
    digits.wrapping_add(letters.wrapping_mul(FROM_TEN_ON)).wrapping_add(zeros).to_be_bytes()
}

macro_rules! hexadecimal {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 2 * size_of::<Self>()];
                f.write_str(hexadecimal(&self.0, &mut digits))
            }
        }

        impl Canonical for $type {
            fn write(&self, out: &mut String) {
                let mut digits = [0; 2 * size_of::<Self>()];
                // Digits are never escaped.
                out.push('"');
                out.push_str(hexadecimal(&self.0, &mut digits));
                out.push('"');
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $type {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, NotHex> {
                base16ct::lower::decode_vec(text)
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or(NotHex)
            }
        }
    };
}
hexadecimal!(Digest);
hexadecimal!(StreamId);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_hashes_are_read_in_one_spelling() {
        let id = StreamId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string(), "ab".repeat(16));
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "ab", &"AB".repeat(16), &"ab".repeat(17), &"zz".repeat(16)] {
            assert_eq!(wrong.parse::<StreamId>(), Err(NotHex), "{wrong}");
        }
    }

    #[test]
    fn every_byte_has_its_two_digits() {
        for byte in 0..=255_u8 {
            let bytes = [byte, !byte, byte.rotate_left(4), byte ^ 0x5a];
            assert_eq!(eight_digits(bytes).as_slice(), base16ct::lower::encode_string(&bytes).as_bytes());
        }
    }

    #[test]
    fn the_last_number_is_used_once() {
        let last = Sequence::try_from(9_007_199_254_740_991).expect("2^53 - 1 is a sequence number");
        assert_eq!(Sequence::try_from(9_007_199_254_740_992), Err(Exhausted));
        let mut chain = Chain::new(StreamId::from_bytes([0; 16]));
        chain.next = Some(last);
        assert_eq!(chain.seal(&Record::Close, UnixTime::default()).map(|sealed| sealed.sequence), Ok(last));
        assert_eq!(chain.seal(&Record::Close, UnixTime::default()), Err(Exhausted));
    }
}
