//! Compares bytes. Where nothing is secret.

/// Whether both are the same, eight bytes at a time: the comparison of the language goes byte by byte in WebAssembly.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // The last eight cover what is left behind the whole ones, and perhaps some of them once more.
    let (Some(last), Some(other_last)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) else {
        return is_same_short(one, other);
    };
    let mut eights = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    u64::from_le_bytes(*last) == u64::from_le_bytes(*other_last)
        && eights.all(|(eight, other)| u64::from_le_bytes(*eight) == u64::from_le_bytes(*other))
}

/// The same of less than eight bytes, as many of one as of the other: of the first four and the last four, or one by one.
fn is_same_short(one: &[u8], other: &[u8]) -> bool {
    let ends = |bytes: &[u8]| {
        let (first, last) = (bytes.first_chunk::<4>()?, bytes.last_chunk::<4>()?);
        Some((u32::from_le_bytes(*first), u32::from_le_bytes(*last)))
    };
    match (ends(one), ends(other)) {
        (Some(ends), Some(other_ends)) => ends == other_ends,
        _shorter => one.iter().eq(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_only_if_every_byte_is() {
        for length in 0..40_u8 {
            let one: Vec<u8> = (0..length).collect();
            assert!(is_same(&one, &one.clone()));
            assert!(!is_same(&one, &[one.as_slice(), b"0"].concat()));
            for (place, bit) in (0..one.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
                let mut other = one.clone();
                other[place] ^= 1 << bit;
                assert!(!is_same(&one, &other) && one != other, "byte {place} of {length}");
            }
        }
    }
}
