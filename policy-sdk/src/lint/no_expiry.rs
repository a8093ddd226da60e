//! Tokens that never end.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::{Expiry, JsonPointer};

pub(super) const LINT: Lint = Lint {
    code: "no-expiry",
    finds: "A method that accepts tokens without `exp`, however old they are.",
    remedy: "leave `expiry` at `required`, or bound the age of tokens with `max_token_age`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for (index, method) in reading.document.authentication.methods.iter().enumerate() {
        if method.jwt.expiry == Expiry::Optional && method.jwt.max_token_age.is_none() {
            found.add(
                || {
                    JsonPointer::members(&["authentication", "methods"])
                        .element(index)
                        .member("jwt")
                        .member("expiry")
                },
                || "a token without `exp` is accepted for ever".to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_without_any_bound_and_not_with_one() {
        let optional = ("/authentication/methods/0/jwt/expiry", json!("optional"));
        assert_eq!(
            found_after("no-expiry", std::slice::from_ref(&optional)),
            ["/authentication/methods/0/jwt/expiry: a token without `exp` is accepted for ever"]
        );
        let bounded = ("/authentication/methods/0/jwt/max_token_age", json!("1h"));
        assert_eq!(found_after("no-expiry", &[optional, bounded]), [""; 0]);
    }
}
