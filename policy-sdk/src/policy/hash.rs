//! One hash, the same in every process, for tables that a document fills.
//!
//! It withstands nobody who chooses what is put into a table: keys come from the document, a request only looks them up.

/// Numbers, with their bits mixed (the finaliser of MurmurHash3), because tables look at the highest and the lowest of them.
pub(super) fn hash_numbers(numbers: [u32; 3]) -> u64 {
    let [first, second, third] = numbers.map(u64::from);
    mixed(mixed(first << 32 | second).wrapping_add(third.wrapping_mul(PRIME)))
}

fn mixed(mut state: u64) -> u64 {
    state = (state ^ (state >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    state = (state ^ (state >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    state ^ (state >> 33)
}

const PRIME: u64 = 0x0000_0100_0000_01B3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(hash_numbers([1, 2, 3]), hash_numbers([3, 2, 1]));
    }
}
