//! The headers that tell the upstream who called: well named, and nobody else's.

use std::collections::BTreeMap;

use super::headers::well_named;
use crate::document::{Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let headers = &document.identity_headers;
    let named = [
        ("tenant", &headers.tenant),
        ("user", &headers.user),
        ("roles", &headers.roles),
        ("method", &headers.method),
        ("scopes", &headers.scopes),
    ];
    let outer = JsonPointer::members(&["identity_headers"]);
    let mut first = BTreeMap::new();
    for (field, name) in named {
        let Some(name) = name else { continue };
        let pointer = outer.member(field);
        if !well_named(name, &pointer, found) {
            continue;
        }
        if RESERVED.contains(&name.as_str()) {
            found.push(
                Problem::new(pointer, format!("`{name}` has a meaning of its own"))
                    .expected("a header of its own"),
            );
            continue;
        }
        // Servers that turn `-` into `_` see one header where there are two.
        match first.get(&name.replace('_', "-")) {
            Some(earlier) => found.push(
                Problem::new(pointer, format!("the same header as {earlier}"))
                    .expected("a header of its own"),
            ),
            None => {
                first.insert(name.replace('_', "-"), pointer);
            }
        }
    }
}

/// Headers that carry the credential or the identity of the exchange: every copy of an identity header that a client
/// sends is removed, and removing these would break the request.
const RESERVED: &[&str] =
    &["authorization", "cookie", "forwarded", "proxy-authorization", "x-forwarded-for", "x-request-id"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn each_header_is_its_own() {
        assert_eq!(
            problems_after(&[(
                "/identity_headers",
                json!({ "user": "x-tenant-id", "roles": "x_auth_method", "scopes": "authorization", "method": null })
            )]),
            [
                "/identity_headers/scopes: `authorization` has a meaning of its own; expected a header of its own",
                "/identity_headers/user: the same header as /identity_headers/tenant; expected a header of its own",
            ]
        );
        assert_eq!(
            problems_after(&[("/identity_headers", json!({ "roles": "x_auth_method" }))]),
            [
                "/identity_headers/method: the same header as /identity_headers/roles; expected a header of its own"
            ]
        );
        assert_eq!(
            problems_after(&[("/identity_headers", json!({ "roles": "X-Roles" }))]),
            [
                "/identity_headers/roles: a header name in capitals; expected lower case; did you mean `x-roles`?"
            ]
        );
    }
}
