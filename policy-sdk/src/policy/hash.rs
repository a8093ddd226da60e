//! One hash, the same in every process, for tables that a document fills.
//!
//! It withstands nobody who chooses what is put into a table: keys come from the document, a request only looks them up.

/// FNV-1a over `parts`, each closed by a byte that occurs in no UTF-8 text, with its bits mixed afterwards (the finaliser
/// of MurmurHash3), because tables look at the highest and the lowest of them.
pub(super) fn hash(parts: &[&[u8]]) -> u64 {
    let mut state = OFFSET_BASIS;
    for part in parts {
        for byte in part.iter().chain(&[0xFF]) {
            state = (state ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    mixed(state)
}

/// The same for numbers.
pub(super) fn hash_numbers(numbers: [u32; 3]) -> u64 {
    let [first, second, third] = numbers.map(u64::from);
    mixed(mixed(first << 32 | second).wrapping_add(third.wrapping_mul(PRIME)))
}

fn mixed(mut state: u64) -> u64 {
    state = (state ^ (state >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    state = (state ^ (state >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    state ^ (state >> 33)
}

const OFFSET_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b"a"]), hash(&[b"a", b""]));
        assert_ne!(hash_numbers([1, 2, 3]), hash_numbers([3, 2, 1]));
    }
}
