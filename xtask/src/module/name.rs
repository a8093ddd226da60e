//! Names of functions, as short as they can be and still say where.

/// The name of a function of ours without type arguments, traits and `portcullis_`, or of the language's runtime. Several may
/// share a short name: what it is for is to lead a reader of a trap to our line. `None` for those of other crates: under which
/// of our functions one of them trapped says more than in which of its own.
pub(super) fn short_name(name: &str) -> Option<String> {
    let plain = without_brackets(name);
    let parts: Vec<&str> = plain.split("::").filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [first, _, ..] if !first.starts_with(OURS) => None,
        parts => Some(parts.join("::").replace(OURS, "")),
    }
}

/// What the names of our own crates begin with.
const OURS: &str = "portcullis_";

/// `<Type as Trait>::method` becomes `Type::method`; all else in angle brackets goes.
fn without_brackets(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('<') {
        let (inner, after) = after.split_at(length_to_closing(after));
        plain.push_str(before);
        if plain.is_empty() || inner.starts_with("impl ") {
            let inner = inner.strip_prefix("impl ").unwrap_or(inner);
            let type_ = match (inner.split_once(" for "), inner.split_once(" as ")) {
                (Some((_trait, type_)), _) | (None, Some((type_, _trait))) => type_,
                (None, None) => inner,
            };
            plain = without_brackets(type_);
        }
        rest = after.strip_prefix('>').unwrap_or(after);
    }
    plain.push_str(rest);
    plain
}

/// Bytes before the bracket that closes the one just opened. The `>` of `->` closes nothing.
fn length_to_closing(text: &str) -> usize {
    let mut depth = 1_usize;
    let mut previous = ' ';
    for (position, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return position;
        }
        previous = character;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_still_a_place() {
        for (name, short) in [
            ("dlmalloc", "dlmalloc"),
            ("portcullis_filter::gate::Gate::handle", "filter::gate::Gate::handle"),
            (
                "portcullis_filter::gate::callout::<impl portcullis_filter::gate::Gate>::callout_ended",
                "filter::gate::Gate::callout_ended",
            ),
            (
                "<portcullis_policy::document::Jwt as deserr::Deserr<portcullis_policy::Problems>>::deserialize::{{closure}}",
                "policy::document::Jwt::deserialize::{{closure}}",
            ),
            ("<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop", ""),
            ("core::ptr::drop_in_place<alloc::vec::Vec<fn(u8) -> Vec<u8>>>", ""),
            ("<&T as core::fmt::Debug>::fmt", ""),
            ("core::num::bignum::Big32x40::mul_small<", ""),
            ("<impl deserr::Deserr<E> for alloc::string::String>::read", ""),
            ("rsa::algorithms::rsa::public", ""),
        ] {
            assert_eq!(short_name(name).unwrap_or_default(), short);
        }
    }
}
