//! Tokens for any other service are accepted.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{Audience, JsonPointer};

pub(super) const LINT: Lint = Lint {
    code: "any-audience",
    finds: "A method that accepts tokens for every audience: whoever gets a token at another service of the issuer can use it here.",
    remedy: "name the audience that the issuer puts into tokens for this service",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for (index, method) in reading.document.authentication.methods.iter().enumerate() {
        if method.jwt.audience == Audience::Any {
            found.add(
                || {
                    JsonPointer::members(&["authentication", "methods"])
                        .element(index)
                        .member("jwt")
                        .member("audience")
                },
                || "tokens that this issuer made for any other service are accepted".to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_on_any_and_not_on_names() {
        let after =
            |audience| found_after("any-audience", &[("/authentication/methods/0/jwt/audience", audience)]);
        assert_eq!(
            after(json!("any")),
            [
                "/authentication/methods/0/jwt/audience: tokens that this issuer made for any other service are accepted"
            ]
        );
        assert_eq!(after(json!(["anybody"])), [""; 0]);
    }
}
