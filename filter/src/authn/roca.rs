//! The mark of RSA keys that the Infineon library made (CVE-2017-15361, "ROCA"): they can be factored from the modulus.
//!
//! Such a modulus is a power of 65537 modulo every small prime. Nemec et al., "The Return of Coppersmith's Attack", 2017,
//! section 2.2, give the test; an honest modulus passes all 39 primes with a chance far below 2^-100.

/// Whether the big-endian modulus `n` bears the mark.
pub(super) fn is_fingerprinted(n: &[u8]) -> bool {
    PRIMES
        .into_iter()
        .all(|prime| residue(n, prime).is_some_and(|residue| is_power_of_generator(residue, prime)))
}

/// `n` modulo `prime`. `None` cannot come of the primes below, which keep every step under 2^32.
fn residue(n: &[u8], prime: u32) -> Option<u32> {
    n.iter()
        .try_fold(0_u32, |rest, &byte| rest.checked_mul(256)?.checked_add(byte.into())?.checked_rem(prime))
}

fn is_power_of_generator(residue: u32, prime: u32) -> bool {
    let powers = std::iter::successors(Some(1_u32), |power| power.checked_mul(65537)?.checked_rem(prime));
    powers.take(prime as usize).any(|power| power == residue)
}

const PRIMES: [u32; 39] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_the_generator_bear_the_mark_and_their_neighbours_do_not() {
        // 65537^3 is small, and a power modulo every prime.
        let cube = 65537_u64.pow(3);
        assert!(is_fingerprinted(&cube.to_be_bytes()));
        assert!(!is_fingerprinted(&(cube + 2).to_be_bytes()));
        assert!(!is_fingerprinted(&[]));
    }
}
