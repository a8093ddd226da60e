//! SHA-256 (FIPS 180-4) of texts that begin alike: blocks that a text begins with as the one before did are not hashed
//! again.
//!
//! Records of one kind have their first members in common: what was asked for, how the caller proved who it is, the
//! outcome, the host, the method; and where the path is the same too, half of all their bytes. The compression of blocks is
//! that of `sha2`. A text has the same hash whatever came before it.

use sha2::block_api::compress256;

/// Bytes of a block.
const BLOCK_BYTES: usize = 64;
/// Bytes at the end of the last block that say how many bits were hashed.
const LENGTH_BYTES: usize = 8;
/// The most blocks that are kept of a text: 1 KiB of it, which is a usual record.
const MAX_KEPT_BLOCKS: usize = 16;

/// The hash value before the first block, FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Hashes texts in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct AlikeHash {
    /// The first blocks of the last text, and the hash value after each.
    kept: Vec<([u8; BLOCK_BYTES], [u32; 8])>,
}

impl AlikeHash {
    /// The SHA-256 of the text.
    pub(super) fn of(&mut self, text: &[u8]) -> [u8; 32] {
        let (blocks, end) = text.as_chunks::<BLOCK_BYTES>();
        let alike = self.kept.iter().zip(blocks).take_while(|((kept, _), block)| kept == *block).count();
        self.kept.truncate(alike);
        let mut state = self.kept.last().map_or(INITIAL, |(_, state)| *state);
        for block in blocks.get(alike..).unwrap_or_default() {
            compress256(&mut state, std::slice::from_ref(block));
            if self.kept.len() < MAX_KEPT_BLOCKS {
                self.kept.push((*block, state));
            }
        }
        compress_end(&mut state, end, text.len());
        let mut hash = [0; 32];
        for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        hash
    }
}

/// What is hashed last, FIPS 180-4 section 5.1.1: the end of the text, a bit, zeros, and how many bits there were.
fn compress_end(state: &mut [u32; 8], end: &[u8], text_bytes: usize) {
    let mut padded = [[0; BLOCK_BYTES]; 2];
    for (room, byte) in padded.as_flattened_mut().iter_mut().zip(end.iter().chain(&[0x80])) {
        *room = *byte;
    }
    let bits = u64::try_from(text_bytes).unwrap_or(u64::MAX).saturating_mul(8);
    let blocks = if end.len() < BLOCK_BYTES.saturating_sub(LENGTH_BYTES) { 1 } else { 2 };
    let blocks = padded.get_mut(..blocks).unwrap_or_default();
    if let Some(length) = blocks.as_flattened_mut().last_chunk_mut() {
        *length = bits.to_be_bytes();
    }
    compress256(state, blocks);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

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
