//! The small languages inside a document's texts, and the standards that define them.

/// Whether `text` is a name of this document: 1 to 63 of `a-z`, `0-9`, `_`, `-`.
pub(super) fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
}

/// Whether `text` is a `token` (RFC 9110 section 5.6.2) of at most 128 bytes.
pub(super) fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether `text` holds no white space and no control character, and is 1 to 256 bytes long: good as a role, a
/// scope, a tenant or the name of a cluster.
pub(super) fn is_word(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Whether `text` is the host of a route: labels of letters in lower case, digits and `-`, without a port.
pub(super) fn is_host(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether `text` is one label of a host name (RFC 1123 section 2.1), in lower case.
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_one_takes() {
        let long = "a".repeat(300);
        for (takes, good, bad) in [
            (is_name as fn(&str) -> bool, vec!["a", "shop-1_b"], vec!["", "Shop", "a b", "é", &long]),
            (is_token, vec!["X-Org", "a!b"], vec!["", "a b", "a:b", "é", &long]),
            (is_word, vec!["a:b", "https://x/y", "é"], vec!["", "a b", "a\nb", "a\u{a0}b", &long]),
            (is_host, vec!["example.com", "a-1"], vec!["", "a..b", "A.b", "-a", "a-", "a:80", "a.", &long]),
        ] {
            assert!(good.iter().all(|text| takes(text)), "{good:?}");
            assert!(!bad.iter().any(|text| takes(text)), "{bad:?}");
        }
    }
}
