//! What loads but is probably not meant: doors wider, or gates more shut, than their author may think.

use std::collections::BTreeSet;

use crate::document::{Audience, CredentialSource, Document, Expiry, JsonPointer, Warning, WhenFull};

pub(super) fn of(document: &Document) -> Vec<Warning> {
    let mut found = Vec::new();
    authentication(document, &mut found);
    methods(document, &mut found);
    authorization(document, &mut found);
    if let Some(audit) = &document.audit
        && audit.when_full == WhenFull::Drop
    {
        found.push(Warning::new(
            JsonPointer::members(&["audit", "when_full"]),
            "a sink that is down loses records",
        ));
    }
    found.sort();
    found
}

fn authentication(document: &Document, found: &mut Vec<Warning>) {
    let pointer = JsonPointer::members(&["authentication"]);
    if document.authentication.disabled {
        let message = "authentication is off: with PORTCULLIS_DISABLE_AUTHENTICATION=true every caller is let through unnamed";
        found.push(Warning::new(pointer.member("disabled"), message));
    } else if document.authentication.methods.is_empty() {
        found.push(Warning::new(pointer.member("methods"), "empty: only public requests can ever succeed"));
    }
}

fn methods(document: &Document, found: &mut Vec<Warning>) {
    let methods = JsonPointer::members(&["authentication", "methods"]);
    for (index, method) in document.authentication.methods.iter().enumerate() {
        let jwt = methods.element(index).member("jwt");
        if method.jwt.audience == Audience::Any {
            found.push(Warning::new(
                jwt.member("audience"),
                "tokens that this issuer made for any other service are accepted",
            ));
        }
        if method.jwt.expiry == Expiry::Optional && method.jwt.max_token_age.is_none() {
            found.push(Warning::new(jwt.member("expiry"), "a token without `exp` is accepted for ever"));
        }
        for (index, source) in method.jwt.from.iter().enumerate() {
            if matches!(source, CredentialSource::Query { .. }) {
                let message = "tokens in URLs end up in logs and histories (RFC 6750 section 2.3)";
                found.push(Warning::new(jwt.member("from").element(index), message));
            }
        }
    }
}

fn authorization(document: &Document, found: &mut Vec<Warning>) {
    let pointer = JsonPointer::members(&["authorization"]);
    let authorization = &document.authorization;
    if authorization.public.is_empty() && authorization.routes.is_empty() && authorization.rules.is_empty() {
        found.push(Warning::new(pointer.clone(), "nothing is allowed: every request is refused"));
    }
    for (index, public) in authorization.public.iter().enumerate() {
        if public.path == "/**" && public.host.is_none() {
            found.push(Warning::new(pointer.member("public").element(index), "everything is public"));
        }
    }
    if document.authentication.methods.iter().any(|method| method.jwt.claims.permissions.is_some()) {
        return;
    }
    let carried: BTreeSet<&str> =
        authorization.roles.values().flat_map(|role| &role.permissions).map(String::as_str).collect();
    for (index, route) in authorization.routes.iter().enumerate() {
        let Some(wanted) = &route.permission else { continue };
        let is_carried = carried.iter().any(|held| *held == "*" || *held == wanted || covers(held, wanted));
        if !is_carried {
            let message = "no role carries this permission, and no token can: nobody will pass";
            found.push(Warning::new(pointer.member("routes").element(index).member("permission"), message));
        }
    }
}

/// Whether `held` has a wildcard in one of its two parts that takes in `wanted`.
fn covers(held: &str, wanted: &str) -> bool {
    let (Some(held), Some(wanted)) = (held.rsplit_once(':'), wanted.rsplit_once(':')) else { return false };
    (held.0 == "*" || held.0 == wanted.0) && (held.1 == "*" || held.1 == wanted.1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::warnings_after;

    #[test]
    fn an_open_door_is_named() {
        assert_eq!(
            warnings_after(&[
                ("/authentication/disabled", json!(true)),
                ("/authentication/methods/0/jwt/audience", json!("any")),
                ("/authentication/methods/0/jwt/expiry", json!("optional")),
                ("/authentication/methods/0/jwt/from", json!([{ "query": "access_token" }])),
                ("/authorization/public/1", json!({ "methods": ["*"], "path": "/**" })),
                ("/audit/when_full", json!("drop")),
            ]),
            [
                "/audit/when_full: a sink that is down loses records",
                "/authentication/disabled: authentication is off: \
                 with PORTCULLIS_DISABLE_AUTHENTICATION=true every caller is let through unnamed",
                "/authentication/methods/0/jwt/audience: tokens that this issuer made for any other service are accepted",
                "/authentication/methods/0/jwt/expiry: a token without `exp` is accepted for ever",
                "/authentication/methods/0/jwt/from/0: tokens in URLs end up in logs and histories (RFC 6750 section 2.3)",
                "/authorization/public/1: everything is public",
            ]
        );
    }

    #[test]
    fn a_gate_that_never_opens_is_named() {
        assert_eq!(
            warnings_after(&[("/authentication/methods", json!([])), ("/authorization", json!({}))]),
            [
                "/authentication/methods: empty: only public requests can ever succeed",
                "/authorization: nothing is allowed: every request is refused",
            ]
        );
        let nobody = "/authorization/routes/0/permission: no role carries this permission, and no token can: nobody will pass";
        let without_admin = ("/authorization/roles/admin", json!({ "permissions": ["orders:*"] }));
        let wanted = |permission: &str| ("/authorization/routes/0/permission", json!(permission));
        assert_eq!(warnings_after(&[without_admin.clone(), wanted("objects:destroy")]), [nobody]);
        assert_eq!(warnings_after(&[without_admin.clone(), wanted("orders:read")]), [""; 0]);
        assert_eq!(
            warnings_after(&[
                without_admin,
                wanted("objects:destroy"),
                ("/authentication/methods/0/jwt/claims", json!({ "permissions": "permissions" })),
            ]),
            [""; 0]
        );
    }
}
