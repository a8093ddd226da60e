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
    let text = std::str::from_utf8(authority).ok()?;
    let host = match text.strip_prefix('[') {
        Some(rest) => {
            let (literal, port) = rest.split_once(']')?;
            port_is_well_formed(port.strip_prefix(':'), port.is_empty())?;
            return literal.parse::<std::net::Ipv6Addr>().ok().map(|address| format!("[{address}]"));
        }
        None => match text.split_once(':') {
            Some((host, port)) => {
                port_is_well_formed(Some(port), false)?;
                host
            }
            None => text,
        },
    };
    is_well_formed(host).then(|| host.to_ascii_lowercase())
}

/// Labels of letters, digits, hyphens and underscores, none of them empty.
fn is_well_formed(host: &str) -> bool {
    let mut label_is_empty = true;
    host.len() <= MAX_HOST_BYTES
        && host.bytes().all(|byte| {
            let ends_label = byte == b'.';
            let fits = if ends_label {
                !label_is_empty
            } else {
                byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
            };
            label_is_empty = ends_label;
            fits
        })
        && !label_is_empty
}

fn port_is_well_formed(port: Option<&str>, absent: bool) -> Option<()> {
    match port {
        // A sign or more digits would parse as a number, and be another text to whoever compares texts.
        Some(digits) if digits.len() > 5 || !digits.bytes().all(|digit| digit.is_ascii_digit()) => None,
        Some(digits) => digits.parse::<u16>().ok().map(|_port| ()),
        None => absent.then_some(()),
    }
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
    use super::*;

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
