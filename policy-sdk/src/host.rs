//! The host a request names, in one canonical form, and the patterns that match it.
//!
//! This module resolves nothing and knows no ports.

use std::fmt;
use std::str::FromStr;

/// The host of an authority (RFC 9110 section 7.2) in canonical form: lower case and without port, so that
/// `API.Example.com:443` and `api.example.com` are one host.
///
/// Returns `None` for an authority that holds anything but the characters of a host name, an IP literal and a port,
/// and for a name with a dot at its end: proxies differ in whether that is the same host, and then a route for one
/// would be reached by the other.
pub fn canonical_host(authority: &[u8]) -> Option<String> {
    if let Some(rest) = authority.strip_prefix(b"[") {
        return canonical_literal(std::str::from_utf8(rest).ok()?);
    }
    let mut parts = authority.splitn(2, |byte| *byte == b':');
    let host = canonical_name(parts.next()?)?;
    match parts.next() {
        Some(port) => is_port(port).then_some(host),
        None => Some(host),
    }
}

/// An IPv6 address (RFC 3986 section 3.2.2) behind its opening bracket, and perhaps a port.
fn canonical_literal(rest: &str) -> Option<String> {
    let (literal, port) = rest.split_once(']')?;
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(|port| is_port(port.as_bytes())) {
        return None;
    }
    literal.parse::<std::net::Ipv6Addr>().ok().map(|address| format!("[{address}]"))
}

/// Labels of letters, digits, hyphens and underscores, none of them empty; in lower case.
fn canonical_name(host: &[u8]) -> Option<String> {
    if host.len() > MAX_HOST_BYTES {
        return None;
    }
    let mut last = b'.';
    let mut name = Vec::with_capacity(host.len());
    for byte in host {
        let canonical = *CANONICAL.get(usize::from(*byte))?;
        if canonical == 0 || (canonical == b'.' && last == b'.') {
            return None;
        }
        name.push(canonical);
        last = canonical;
    }
    // All of them are ASCII.
    if last == b'.' { None } else { String::from_utf8(name).ok() }
}

/// A sign or more digits would parse as a number, and be another text to whoever compares texts.
fn is_port(digits: &[u8]) -> bool {
    let value = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u16>().ok();
    digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit) && value(digits).is_some()
}

/// What each byte of a host name is in canonical form; 0 for one that stands in no name.
static CANONICAL: [u8; 256] = canonical_bytes();

const fn canonical_bytes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let [first, others @ ..] = rest {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            *first = byte.to_ascii_lowercase();
        }
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
}

/// A host that a document names: exact, or `*.example.com` for every name below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// This host alone.
    Exact(String),
    /// Every host that ends with this text, which starts with a dot.
    Below(String),
}

impl HostPattern {
    /// How much is said, for choosing between two patterns that match: an exact host says most, then the longest suffix.
    pub fn specificity(&self) -> usize {
        match self {
            HostPattern::Exact(_name) => usize::MAX,
            HostPattern::Below(suffix) => suffix.len(),
        }
    }

    /// Whether the canonical host `host` is meant.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            HostPattern::Exact(name) => name == host,
            HostPattern::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }
}

/// The text is neither a host name nor `*.` and a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidHost;

impl fmt::Display for InvalidHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("expected a host name without port, such as `api.example.com` or `*.example.com`")
    }
}

impl FromStr for HostPattern {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let host = canonical_host(name.as_bytes()).ok_or(InvalidHost)?;
        // A port in a pattern would never match, because no canonical host has one.
        if host.len() != name.len() {
            return Err(InvalidHost);
        }
        Ok(if below { HostPattern::Below(format!(".{host}")) } else { HostPattern::Exact(host) })
    }
}

/// Bytes of a host name (RFC 1035 section 2.3.4).
const MAX_HOST_BYTES: usize = 253;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, said of text and one rule at a time.
    fn slowly(authority: &str) -> Option<String> {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let port_fits = |port: &str| {
            (1..=5).contains(&port.len())
                && port.chars().all(|digit| digit.is_ascii_digit())
                && port.parse::<u32>().unwrap() <= 65_535
        };
        let label_fits = |label: &str| {
            !label.is_empty() && label.chars().all(|one| one.is_ascii_alphanumeric() || "-_".contains(one))
        };
        let fits =
            host.len() <= MAX_HOST_BYTES && host.split('.').all(label_fits) && port.is_none_or(port_fits);
        fits.then(|| host.to_lowercase())
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_by_one_who_takes_his_time(
            authority in prop_oneof!["[a-cA-C0-9._:-]{0,12}", "[a-zA-Z.]{1,9}(:[0-9+]{0,6})?", "[^\\[]{0,4}", "(a{60}\\.){4}b{8,12}"],
        ) {
            prop_assert_eq!(canonical_host(authority.as_bytes()), slowly(&authority), "{}", authority);
        }
    }

    #[test]
    fn one_host_has_one_form() {
        for (authority, host) in [
            ("api.example.com", Some("api.example.com")),
            ("API.Example.COM", Some("api.example.com")),
            ("api.example.com.", None),
            ("api.example.com.:443", None),
            ("a:+443", None),
            ("a:0000443", None),
            ("a:", None),
            ("api.example.com:443", Some("api.example.com")),
            ("127.0.0.1:10000", Some("127.0.0.1")),
            ("[::1]:80", Some("[::1]")),
            ("[0:0::1]", Some("[::1]")),
            ("", None),
            (".", None),
            ("a..b", None),
            ("a:b", None),
            ("a:99999", None),
            ("user@host", None),
            ("a b", None),
            ("[::1", None),
            ("[::1]x", None),
        ] {
            assert_eq!(canonical_host(authority.as_bytes()).as_deref(), host, "{authority}");
        }
        assert_eq!(canonical_host(b"\xff.example.com"), None);
    }

    #[test]
    fn a_star_covers_what_is_below_and_not_the_name_itself() {
        let pattern = "*.Example.com".parse::<HostPattern>().unwrap();
        assert!(pattern.matches("a.example.com") && pattern.matches("a.b.example.com"));
        assert!(!pattern.matches("example.com") && !pattern.matches("badexample.com"));
        assert_eq!("a.example.com:80".parse::<HostPattern>(), Err(InvalidHost));
        assert_eq!("*".parse::<HostPattern>(), Err(InvalidHost));
    }
}
