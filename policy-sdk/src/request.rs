//! What is asked: the four parts of an access request, named as in OpenID AuthZEN 1.0 (subject, action, resource,
//! context).
//!
//! This module does not say where the parts come from: it knows no header map and no token. It parses nothing; the
//! canonical path has been parsed by [`crate::path`] and the subject verified by whoever calls.

use crate::path::CanonicalPath;

/// One question to the decision point.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// Who asks; `None` is an anonymous caller, which is never the same as a caller whose credential failed.
    pub subject: Option<&'a Subject>,
    /// What is to be done.
    pub action: Action<'a>,
    /// What it is to be done to.
    pub resource: Resource<'a>,
    /// What else is known about the request.
    pub context: Context<'a>,
}

/// A caller whose credential has been verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The user identifier (`sub` unless mapped otherwise).
    pub id: Option<String>,
    /// The tenant the credential was issued for.
    pub tenant: Option<String>,
    /// Role names the credential carries, as issued.
    pub roles: Vec<String>,
    /// OAuth scopes (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
    /// Permissions granted to the subject directly, beside those its roles carry.
    pub permissions: Vec<String>,
}

/// What is to be done: an HTTP method, and the name policy rules give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    method: &'a str,
}

impl<'a> Action<'a> {
    /// The action of an HTTP method (RFC 9110 section 9; methods are case-sensitive).
    pub fn of_method(method: &'a str) -> Action<'a> {
        Action { method }
    }

    /// The HTTP method as sent.
    pub fn method(self) -> &'a str {
        self.method
    }

    /// The name that policy rules use: `read` for GET, HEAD and OPTIONS, `create` for POST, `update` for PUT and
    /// PATCH, `delete` for DELETE; any other method has no name and is matched only by itself or by `*`.
    pub fn name(self) -> Option<&'static str> {
        match self.method {
            "GET" | "HEAD" | "OPTIONS" => Some("read"),
            "POST" => Some("create"),
            "PUT" | "PATCH" => Some("update"),
            "DELETE" => Some("delete"),
            _other_method => None,
        }
    }
}

/// What the action is to be done to.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The host the request names, canonical: lower case, no port, no trailing dot.
    pub host: &'a str,
    /// The one path that policy sees.
    pub path: &'a CanonicalPath,
}

/// What else is known: the request's headers, as the tenant bindings need them.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Every header line, name in lower case, value as raw bytes, in the order received.
    pub headers: &'a [(Vec<u8>, Vec<u8>)],
}

impl<'a> Context<'a> {
    /// Every value of the header `name` (lower case), in every spelling that a server could take for it: duplicates and
    /// underscore twins are all returned, so that no rule can be evaded by sending a header twice.
    pub fn header_values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let headers: &'a [(Vec<u8>, Vec<u8>)] = self.headers;
        headers
            .iter()
            .filter(move |(key, _)| is_read_as(key, name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    }
}

/// Whether some server could take the header `name` for `meant`: CGI and its heirs (RFC 3875 section 4.1.18) fold every
/// character of a name that is no letter and no digit into one.
pub fn is_read_as(name: &[u8], meant: &[u8]) -> bool {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    name.iter().map(fold).eq(meant.iter().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_the_names_that_rules_use() {
        for (method, name) in [
            ("GET", Some("read")),
            ("HEAD", Some("read")),
            ("OPTIONS", Some("read")),
            ("POST", Some("create")),
            ("PUT", Some("update")),
            ("PATCH", Some("update")),
            ("DELETE", Some("delete")),
            ("get", None),
            ("PURGE", None),
        ] {
            assert_eq!(Action::of_method(method).name(), name, "{method}");
        }
    }

    #[test]
    fn every_copy_of_a_header_is_seen() {
        let headers = vec![(b"x-org".to_vec(), b"a".to_vec()), (b"x-org".to_vec(), b"b".to_vec())];
        let context = Context { headers: &headers };
        assert_eq!(context.header_values("x-org").collect::<Vec<_>>(), [b"a", b"b"]);
        let headers = vec![(b"x_org".to_vec(), b"c".to_vec()), (b"x-orgs".to_vec(), b"d".to_vec())];
        assert_eq!(Context { headers: &headers }.header_values("x-org").collect::<Vec<_>>(), [b"c"]);
    }
}
