//! SHA-256 (FIPS 180-4) of texts that begin alike: blocks that a text begins with as the one before did are not hashed
//! again.
//!
//! Records of one kind have their first members in common: what was asked for, how the caller proved who it is, the
//! outcome, the host, the method; and where the path is the same too, half of all their bytes. A text has the same hash
//! whatever came before it. Nothing here computes a hash: `sha2` does, and its hashers are kept as they were after each block.

use sha2::{Digest as _, Sha256};

/// Bytes of a block.
const BLOCK_BYTES: usize = 64;
/// The most blocks that are kept of a text: 1 KiB of it, which is a usual record.
const MAX_KEPT_BLOCKS: usize = 16;

/// Hashes texts in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct AlikeHash {
    /// The first blocks of the last text, and the hasher after each.
    kept: Vec<([u8; BLOCK_BYTES], Sha256)>,
}

impl AlikeHash {
    /// The SHA-256 of the text.
    pub(super) fn of(&mut self, text: &[u8]) -> [u8; 32] {
        let (blocks, _end) = text.as_chunks::<BLOCK_BYTES>();
        let alike = self.kept.iter().zip(blocks).take_while(|((kept, _), block)| kept == *block).count();
        self.kept.truncate(alike);
        let mut hasher = self.kept.last().map_or_else(Sha256::new, |(_, hasher)| hasher.clone());
        for block in blocks.iter().take(MAX_KEPT_BLOCKS).skip(alike) {
            hasher.update(block);
            self.kept.push((*block, hasher.clone()));
        }
        let hashed = self.kept.len().saturating_mul(BLOCK_BYTES);
        hasher.update(text.get(hashed..).unwrap_or_default());
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `sha2` has it, from the first byte on.
    fn from_the_beginning(text: &[u8]) -> [u8; 32] {
        Sha256::digest(text).into()
    }

    #[test]
    fn texts_of_every_length_have_their_hash() {
        let text = [b'a'; 4 * BLOCK_BYTES];
        let mut growing = AlikeHash::default();
        for length in (0..text.len()).chain((0..text.len()).rev()) {
            let text = &text[..length];
            assert_eq!(growing.of(text), from_the_beginning(text), "{length}");
            assert_eq!(AlikeHash::default().of(text), from_the_beginning(text), "{length}");
        }
    }

    #[test]
    fn a_difference_in_any_byte_is_a_difference() {
        let text: Vec<u8> = (0..=255).cycle().take(20 * BLOCK_BYTES + 7).collect();
        let mut hash = AlikeHash::default();
        for place in 0..text.len() {
            let mut other = text.clone();
            other[place] ^= 1;
            assert_eq!(hash.of(&other), from_the_beginning(&other), "{place}");
            assert_eq!(hash.of(&text), from_the_beginning(&text), "{place}");
        }
        assert_eq!(hash.kept.len(), MAX_KEPT_BLOCKS);
    }

    proptest! {
        #[test]
        fn what_came_before_changes_no_hash(
            texts in prop::collection::vec(("a{0,700}", "[ab]{0,3}", "b{0,700}"), 1..12)
        ) {
            let mut hash = AlikeHash::default();
            for (begin, middle, end) in texts {
                let text = [begin, middle, end].concat();
                prop_assert_eq!(hash.of(text.as_bytes()), from_the_beginning(text.as_bytes()));
            }
        }
    }
}
