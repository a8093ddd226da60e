//! The headers that tell the upstream who called.
//!
//! They are ours alone: every copy a client sent is removed first, on every route, in every spelling that an upstream
//! could fold into ours. This module decides nothing about the caller.

use portcullis_policy::headers::{Headers, Shape, Shapes};
use portcullis_policy::request::{Subject, is_read_as};

use crate::gate::command::HeaderEdit;

/// The names of the identity headers, in lower case; `None` for one that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// Carries the tenant the request acts in.
    pub tenant: Option<String>,
    /// Carries the user identifier.
    pub user: Option<String>,
    /// Carries the roles, separated by commas.
    pub roles: Option<String>,
    /// Carries the name of the authentication method.
    pub method: Option<String>,
    /// Carries the scopes, separated by spaces.
    pub scopes: Option<String>,
}

/// A verified caller as the upstream is told of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// Who.
    pub(crate) subject: &'a Subject,
    /// The tenant the request acts in.
    pub(crate) tenant: Option<&'a str>,
    /// The name of the method that verified the caller.
    pub(crate) method: &'a str,
}

impl IdentityHeaders {
    /// Removes every client copy, on whatever request.
    pub(crate) fn removals(&self, headers: &Headers) -> Vec<HeaderEdit> {
        let mut edits: Vec<HeaderEdit> = Vec::new();
        let shapes = self.configured().fold(KNOWN, |shapes, name| shapes.with(Shape::of(name.as_bytes())));
        for (name, _value) in headers.of_shapes(shapes) {
            let mut ours = self.configured().chain(WELL_KNOWN).chain(OVERRIDES);
            if ours.any(|ours| is_read_as(name, ours.as_bytes())) {
                let removal = HeaderEdit::Remove(name.into());
                if !edits.contains(&removal) {
                    edits.push(removal);
                }
            }
        }
        edits
    }

    /// Sets what `identity` has to say.
    pub(crate) fn introduction(&self, identity: Identity<'_>) -> Vec<HeaderEdit> {
        let mut edits: Vec<HeaderEdit> = Vec::new();
        let mut set = |name: &Option<String>, value: Option<String>| {
            if let (Some(name), Some(value)) = (name, value) {
                edits.push(HeaderEdit::set(name.as_bytes(), value.as_bytes()));
            }
        };
        set(&self.tenant, identity.tenant.map(|tenant| encoded([tenant], "")));
        set(&self.user, identity.subject.id.as_deref().map(|id| encoded([id], "")));
        set(&self.roles, list(&identity.subject.roles, ","));
        set(&self.method, Some(encoded([identity.method], "")));
        set(&self.scopes, list(&identity.subject.scopes, " "));
        edits
    }

    fn configured(&self) -> impl Iterator<Item = &str> {
        let ours = [&self.tenant, &self.user, &self.roles, &self.method, &self.scopes];
        ours.into_iter().filter_map(Option::as_deref)
    }
}

/// What upstreams take for an identity by convention. A document that renames one of them, or sends none, does not thereby
/// hand the name to clients.
const WELL_KNOWN: [&str; 5] = ["x-tenant-id", "x-user-id", "x-user-roles", "x-auth-method", "x-user-scopes"];

/// What makes an upstream act on another method or path than the one that was decided on. None of them is a standard, and
/// frameworks read all of them.
const OVERRIDES: [&str; 6] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-envoy-original-path",
];

/// The shapes of [`WELL_KNOWN`] and [`OVERRIDES`]: most headers have none of ours, and are not compared with any.
const KNOWN: Shapes = Shapes::of(&WELL_KNOWN).and(Shapes::of(&OVERRIDES));

fn list(values: &[String], separator: &str) -> Option<String> {
    (!values.is_empty()).then(|| encoded(values.iter().map(String::as_str), separator))
}

/// Values as a header can carry them without loss and without forging a boundary: everything outside visible ASCII,
/// and `%` and `,`, is percent-encoded (RFC 3986 section 2.1). `auth0|123` and `user@example.com` stay as they are.
fn encoded<'a>(values: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    let mut text = String::new();
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        for byte in value.bytes() {
            if byte.is_ascii_graphic() && byte != b'%' && byte != b',' {
                text.push(char::from(byte));
            } else {
                text.push('%');
                for nibble in [byte >> 4, byte & 0xf] {
                    text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> IdentityHeaders {
        IdentityHeaders {
            tenant: Some("x-tenant-id".into()),
            user: Some("x-user-id".into()),
            roles: Some("x-user-roles".into()),
            method: Some("x-auth-method".into()),
            scopes: None,
        }
    }

    fn headers(names: &[&str]) -> Headers {
        names.iter().map(|name| (name, "forged")).collect()
    }

    #[test]
    fn every_client_copy_goes_in_every_spelling() {
        let sent = headers(&[
            "x-user-id",
            "x-user_id",
            "x_user_id",
            "x-user-id",
            "x-user-ids",
            "X-Tenant-Id",
            "x.user.id",
            "x-user-scopes",
            "x-http-method-override",
            "X-Original-URL",
            "x-request-id",
            "x-forwarded-for",
        ]);
        let removed: Vec<HeaderEdit> = [
            "x-user-id",
            "x-user_id",
            "x_user_id",
            "X-Tenant-Id",
            "x.user.id",
            "x-user-scopes",
            "x-http-method-override",
            "X-Original-URL",
        ]
        .map(|name| HeaderEdit::Remove(name.as_bytes().into()))
        .into();
        assert_eq!(names().removals(&sent), removed);
    }

    #[test]
    fn what_most_requests_have_is_compared_with_none_of_ours() {
        for name in [
            ":method",
            ":path",
            "accept",
            "authorization",
            "cache-control",
            "x-forwarded-for",
            "x-request-id",
        ] {
            assert!(!KNOWN.has(Shape::of(name.as_bytes())), "{name}");
        }
    }

    /// The same, with a look at each line and at each name of ours.
    fn slowly(names: &IdentityHeaders, headers: &Headers) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        for (name, _value) in headers.iter() {
            let mut ours = names.configured().chain(WELL_KNOWN).chain(OVERRIDES);
            let removal = HeaderEdit::Remove(name.into());
            if ours.any(|ours| is_read_as(name, ours.as_bytes())) && !edits.contains(&removal) {
                edits.push(removal);
            }
        }
        edits
    }

    proptest! {
        #[test]
        fn what_goes_is_what_a_look_at_each_line_finds(
            sent in prop::collection::vec(
                "([xX][-_.~](user|USER|tenant|http|original)[-_ ](id|Id|ids|roles|method|url)|[a-z-]{0,6}|x-auth_method|X-Our-Name)",
                0..8,
            ),
            own in prop::option::of("(x-our-name|[a-z]{1,4})"),
        ) {
            let names = IdentityHeaders { scopes: own, ..names() };
            let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
            prop_assert_eq!(names.removals(&headers(&sent)), slowly(&names, &headers(&sent)));
        }
    }

    #[test]
    fn long_names_are_ours_too() {
        let long = "x-".repeat(40);
        let names = IdentityHeaders { scopes: Some(long.clone()), ..names() };
        let sent = headers(&[&long.to_uppercase(), &"y-".repeat(40)]);
        assert_eq!(names.removals(&sent), [HeaderEdit::Remove(long.to_uppercase().as_bytes().into())]);
    }

    #[test]
    fn a_caller_is_described_and_cannot_forge_a_boundary() {
        let subject = Subject {
            id: Some("josé smith".into()),
            roles: vec!["admin,owner".into(), "viewer".into()],
            scopes: vec!["a".into()],
            ..Subject::default()
        };
        let identity = Identity { subject: &subject, tenant: Some("acme"), method: "people" };
        let set = |name: &str, value: &str| HeaderEdit::set(name.as_bytes(), value.as_bytes());
        assert_eq!(
            names().introduction(identity),
            [
                set("x-tenant-id", "acme"),
                set("x-user-id", "jos%C3%A9%20smith"),
                set("x-user-roles", "admin%2Cowner,viewer"),
                set("x-auth-method", "people"),
            ]
        );
    }
}
