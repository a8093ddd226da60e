//! Where a token is looked for: somewhere, each place once, and never where two methods would fight over it.

use std::collections::BTreeSet;

use super::headers::well_named;
use super::syntax::is_token;
use crate::document::{CredentialSource, Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let methods = JsonPointer::members(&["authentication", "methods"]);
    for (index, method) in document.authentication.methods.iter().enumerate() {
        let from = methods.element(index).member("jwt").member("from");
        if method.jwt.from.is_empty() {
            found
                .push(Problem::new(from.clone(), "empty").expected("at least one place to look for a token"));
        }
        let mut seen = BTreeSet::new();
        for (index, source) in method.jwt.from.iter().enumerate() {
            let pointer = from.element(index);
            well_formed(source, &pointer, found);
            if !seen.insert(place(source)) {
                found.push(Problem::new(pointer, "the same place twice").expected("each place once"));
            }
        }
    }
}

/// A header without a scheme and with one are the same place: only one of them can be there.
fn place(source: &CredentialSource) -> (&'static str, &str) {
    match source {
        CredentialSource::Header { header, .. } => ("header", header),
        CredentialSource::Cookie { cookie } => ("cookie", cookie),
        CredentialSource::Query { query } => ("query", query),
    }
}

fn well_formed(source: &CredentialSource, pointer: &JsonPointer, found: &mut Vec<Problem>) {
    match source {
        CredentialSource::Header { header, scheme } => {
            if header == "cookie" {
                let problem = Problem::new(pointer.member("header"), "`cookie` holds all cookies");
                found.push(problem.expected("`cookie: NAME` instead of `header`"));
            } else {
                well_named(header, &pointer.member("header"), found);
            }
            if scheme.as_deref().is_some_and(|scheme| !is_token(scheme)) {
                let problem = Problem::new(pointer.member("scheme"), "not a scheme");
                found.push(problem.expected("a token such as `Bearer` (RFC 9110 section 11.1)"));
            }
        }
        CredentialSource::Cookie { cookie } if !is_token(cookie) => {
            found.push(
                Problem::new(pointer.member("cookie"), "not a cookie name")
                    .expected("a token (RFC 6265 section 4.1.1)"),
            );
        }
        CredentialSource::Query { query } if !is_unreserved(query) => {
            let problem = Problem::new(pointer.member("query"), "not a parameter name");
            found.push(problem.expected("1 to 128 of letters, digits, `-`, `.`, `_`, `~`"));
        }
        CredentialSource::Cookie { .. } | CredentialSource::Query { .. } => {}
    }
}

/// Only names that need no percent-encoding (RFC 3986 section 2.3), so that there is one way to write them.
fn is_unreserved(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::problems_after;

    fn after(from: Value) -> Vec<String> {
        let all = problems_after(&[("/authentication/methods/0/jwt/from", from)]);
        all.into_iter().map(|problem| problem.replace("/authentication/methods/0/jwt/from", "")).collect()
    }

    #[test]
    fn somewhere_and_each_place_once() {
        assert_eq!(after(json!([])), [": empty; expected at least one place to look for a token"]);
        assert_eq!(
            after(
                json!([{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "authorization" }, { "header": "authorization" }])
            ),
            ["/2: the same place twice; expected each place once"]
        );
    }

    #[test]
    fn every_place_is_well_named() {
        for (source, problem) in [
            (
                json!({ "header": "Authorization" }),
                "/0/header: a header name in capitals; expected lower case; did you mean `authorization`?",
            ),
            (json!({ "header": ":path" }), "/0/header: a pseudo-header field; expected an ordinary header"),
            (
                json!({ "header": "x y" }),
                "/0/header: not a header name; expected a token (RFC 9110 section 5.1)",
            ),
            (
                json!({ "header": "host" }),
                "/0/header: `host` belongs to the connection; expected a header of the request itself",
            ),
            (
                json!({ "header": "cookie" }),
                "/0/header: `cookie` holds all cookies; expected `cookie: NAME` instead of `header`",
            ),
            (
                json!({ "header": "a", "scheme": "" }),
                "/0/scheme: not a scheme; expected a token such as `Bearer` (RFC 9110 section 11.1)",
            ),
            (
                json!({ "cookie": "a b" }),
                "/0/cookie: not a cookie name; expected a token (RFC 6265 section 4.1.1)",
            ),
            (
                json!({ "query": "a%20b" }),
                "/0/query: not a parameter name; expected 1 to 128 of letters, digits, `-`, `.`, `_`, `~`",
            ),
        ] {
            assert_eq!(after(json!([source])), [problem]);
        }
    }
}
