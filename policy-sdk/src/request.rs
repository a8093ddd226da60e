//! What is asked: the four parts of an access request, named as in OpenID AuthZEN 1.0 (subject, action, resource,
//! context).
//!
//! This module does not say where the parts come from: it knows no header map and no token. It parses nothing; the
//! canonical path has been parsed by [`crate::path`] and the subject verified by whoever calls.

use std::fmt;
use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::headers::{Headers, Shape, Shapes};
use crate::path::CanonicalPath;
use crate::unknown::Unknown;

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
    /// What kind of subject it is: AuthZEN's `type`, such as `user` or `service`.
    pub kind: Option<String>,
    /// The tenant the credential was issued for.
    pub tenant: Option<String>,
    /// Role names the credential carries, as issued.
    pub roles: Vec<String>,
    /// Groups the subject is a member of, as issued.
    pub groups: Vec<String>,
    /// OAuth scopes (RFC 6749 section 3.3).
    pub scopes: Vec<String>,
    /// Permissions granted to the subject directly, beside those its roles carry.
    pub permissions: Vec<String>,
    /// Name of the authentication method that verified the credential.
    pub method: Option<String>,
    /// The kind of credential, as the method declares it.
    pub key_type: Option<String>,
    /// What else the credential says of the subject, by the names conditions use. Only what the policy asks for
    /// ([`Policy::subject_attributes`](crate::policy::Policy)) needs to be here.
    pub attributes: Map<String, Value>,
}

/// What is to be done: an HTTP method, or an action of the policy's own by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    verb: Verb<'a>,
    attributes: Option<&'a Map<String, Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb<'a> {
    Method(&'a str),
    Named(&'a str),
}

impl<'a> Action<'a> {
    /// The action of an HTTP method (RFC 9110 section 9; methods are case-sensitive).
    pub fn of_method(method: &'a str) -> Action<'a> {
        Action { verb: Verb::Method(method), attributes: None }
    }

    /// The action that the policy calls `name`, such as `read` or `can_read_user`. It has no method.
    pub fn named(name: &'a str) -> Action<'a> {
        Action { verb: Verb::Named(name), attributes: None }
    }

    /// The same action with the properties that whoever asks gave it (AuthZEN 1.0 section 5.3).
    #[must_use]
    pub fn with_attributes(self, attributes: &'a Map<String, Value>) -> Action<'a> {
        Action { attributes: Some(attributes), ..self }
    }

    /// The HTTP method as sent; `None` for an action that was asked for by name.
    pub fn method(self) -> Option<&'a str> {
        match self.verb {
            Verb::Method(method) => Some(method),
            Verb::Named(_) => None,
        }
    }

    /// The name that policy rules use: `read` for GET, HEAD and OPTIONS, `create` for POST, `update` for PUT and
    /// PATCH, `delete` for DELETE; any other method has no name and is matched only by itself or by `*`. An action that
    /// was asked for by name has that one.
    pub fn name(self) -> Option<&'a str> {
        match self.verb {
            Verb::Named(name) => Some(name),
            Verb::Method("GET" | "HEAD" | "OPTIONS") => Some("read"),
            Verb::Method("POST") => Some("create"),
            Verb::Method("PUT" | "PATCH") => Some("update"),
            Verb::Method("DELETE") => Some("delete"),
            Verb::Method(_) => None,
        }
    }

    /// The action's property `name`, if whoever asks gave one.
    pub fn attribute(self, name: &str) -> Option<&'a Value> {
        self.attributes?.get(name)
    }
}

/// What the action is to be done to.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The host the request names, canonical: lower case, no port, no trailing dot.
    pub host: &'a str,
    /// The one path that policy sees.
    pub path: &'a CanonicalPath,
    /// What kind of resource it is (AuthZEN's `type`), where whoever asks says so.
    pub kind: Option<&'a str>,
    /// The resource's identifier, where whoever asks says so.
    pub id: Option<&'a str>,
    /// The resource's other properties, where whoever asks gives any.
    pub attributes: Option<&'a Map<String, Value>>,
}

impl<'a> Resource<'a> {
    /// A resource known by host and path alone, as a proxy knows it.
    pub fn at(host: &'a str, path: &'a CanonicalPath) -> Resource<'a> {
        Resource { host, path, kind: None, id: None, attributes: None }
    }
}

/// What else is known of the request. By default nothing is, and a condition that asks for it cannot be decided.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Every header line, name in lower case, value as raw bytes, in the order received.
    pub headers: &'a Headers,
    /// The request's query as it came, without the `?`.
    pub query: Option<&'a str>,
    /// The address of the peer, as the proxy has established it.
    pub source: Option<IpAddr>,
    /// When the request came, in seconds since 1970-01-01T00:00:00Z.
    pub time: Option<i64>,
    /// Whether the request goes on behind its headers. HTTP/2 needs no header that says so (RFC 9113 section 8.1.1).
    pub has_body: bool,
    /// The body, if it is there and can be read in one way only: strict JSON, sent as JSON, within the document's bound.
    pub body: Option<&'a Value>,
    /// Other properties, where whoever asks gives any.
    pub attributes: Option<&'a Map<String, Value>>,
    /// What of all this, and of the subject, is not known. Of a request that is here nothing is unknown.
    pub unknown: Unknown<'a>,
}

impl<'a> Context<'a> {
    /// Every value of the header `name` (lower case), in every spelling that a server could take for it: duplicates and
    /// underscore twins are all returned, so that no rule can be evaded by sending a header twice.
    pub fn header_values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let headers: &'a Headers = self.headers;
        let lines = headers.of_shapes(Shapes::default().with(Shape::of(name.as_bytes())));
        lines.filter(move |(key, _)| is_read_as(key, name.as_bytes())).map(|(_, value)| value)
    }

    /// Whether the request asks for another protocol on its connection (RFC 9110 section 7.8).
    pub fn asks_for_upgrade(&self) -> bool {
        let names_upgrade = |value: &[u8]| {
            value.split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
        };
        self.header_values("connection").any(names_upgrade)
            && self.header_values("upgrade").any(|value| !value.trim_ascii().is_empty())
    }
}

/// Headers, queries and bodies carry credentials (RFC 6750 section 2): only their sizes are shown.
impl fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("headers", &self.headers.len())
            .field("query_bytes", &self.query.map(str::len))
            .field("source", &self.source)
            .field("time", &self.time)
            .field("has_body", &self.has_body)
            .field("body_is_known", &self.body.is_some())
            .field("attributes", &self.attributes.map(Map::len))
            .finish()
    }
}

/// Whether some server could take the header `name` for `meant`: CGI and its heirs (RFC 3875 section 4.1.18) fold every
/// character of a name that is no letter and no digit into one.
#[inline]
pub fn is_read_as(name: &[u8], meant: &[u8]) -> bool {
    // Nearly all names differ in length, and are not looked at further.
    name.len() == meant.len() && folds_alike(name, meant)
}

fn folds_alike(name: &[u8], meant: &[u8]) -> bool {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    name.iter().zip(meant).all(|(byte, wanted)| byte == wanted || fold(byte) == fold(wanted))
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
    fn an_action_asked_for_by_name_has_no_method() {
        let action = Action::named("can_read_user");
        assert_eq!((action.name(), action.method()), (Some("can_read_user"), None));
        assert_ne!(Action::named("GET"), Action::of_method("GET"));
    }

    #[test]
    fn every_copy_of_a_header_is_seen() {
        let headers = [("x-org", "a"), ("x-org", "b")].into_iter().collect();
        let context = Context { headers: &headers, ..Context::default() };
        assert_eq!(context.header_values("x-org").collect::<Vec<_>>(), [b"a", b"b"]);
        let headers = [("x_org", "c"), ("x-orgs", "d")].into_iter().collect();
        assert_eq!(
            Context { headers: &headers, ..Context::default() }.header_values("x-org").collect::<Vec<_>>(),
            [b"c"]
        );
    }
}
