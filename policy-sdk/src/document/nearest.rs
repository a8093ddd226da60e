//! The known name that a misspelt one was probably meant to be.

use strsim::damerau_levenshtein;

/// The candidate nearest to `name`, if one is near enough to be what was meant.
///
/// Near enough is one slip of the keyboard for every three characters, at most four: `isuer` finds `issuer`, `foo`
/// finds nothing. Letter case is a slip of nothing, so `Issuer` finds `issuer`.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    let folded = name.to_lowercase();
    let (_, slips) = length_and_slips(name);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_NAME_BYTES && *candidate != name)
        .map(|candidate| (damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= slips && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many characters `name` has, and how many slips in it are forgiven. A name that was meant is at most so much longer or
/// shorter.
pub(super) fn length_and_slips(name: &str) -> (usize, usize) {
    let length = name.chars().flat_map(char::to_lowercase).count();
    (length, (length / 3).min(4))
}

/// Longest name that is compared, in bytes: the distance costs the product of both lengths.
const MAX_NAME_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_forgiven_and_strangers_are_not() {
        let fields = ["issuer", "audience", "algorithms", "jwks", "jwks_uri", "secret"];
        for (name, meant) in [
            ("isuer", Some("issuer")),
            ("isseur", Some("issuer")),
            ("Issuer", Some("issuer")),
            ("algorithm", Some("algorithms")),
            ("jwks_url", Some("jwks_uri")),
            ("jwk", Some("jwks")),
            ("frobnicate", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, fields).as_deref(), meant, "{name:?}");
        }
        assert_eq!(nearest(&"a".repeat(129), fields), None);
    }
}
