//! Tokens in URLs.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{CredentialSource, JsonPointer};

pub(super) const LINT: Lint = Lint {
    code: "token-in-query",
    finds: "A method that takes tokens from the query: URLs are written into logs and histories (RFC 6750 section 2.3).",
    remedy: "take the token from a header or a cookie",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for (index, method) in reading.document.authentication.methods.iter().enumerate() {
        for (source_index, source) in method.jwt.from.iter().enumerate() {
            if matches!(source, CredentialSource::Query { .. }) {
                found.add(
                    || {
                        let method = JsonPointer::members(&["authentication", "methods"]).element(index);
                        method.member("jwt").member("from").element(source_index)
                    },
                    || "tokens in URLs end up in logs and histories (RFC 6750 section 2.3)".to_owned(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_on_query_and_not_on_cookie() {
        let after = |from| found_after("token-in-query", &[("/authentication/methods/0/jwt/from", from)]);
        assert_eq!(
            after(json!([{ "query": "access_token" }])),
            [
                "/authentication/methods/0/jwt/from/0: tokens in URLs end up in logs and histories (RFC 6750 section 2.3)"
            ]
        );
        assert_eq!(after(json!([{ "cookie": "session" }])), [""; 0]);
    }
}
