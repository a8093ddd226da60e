//! Each issuer has one method, so that a token's `iss` leads to one set of keys and no other (RFC 8725 section 3.8).

use std::collections::BTreeMap;

use super::syntax::is_word;
use crate::document::{Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let methods = JsonPointer::members(&["authentication", "methods"]);
    let mut first = BTreeMap::new();
    for (index, method) in document.authentication.methods.iter().enumerate() {
        let pointer = methods.element(index).member("jwt").member("issuer");
        if !is_word(&method.jwt.issuer) {
            found.push(Problem::new(pointer, "not an issuer").expected("1 to 256 bytes without spaces"));
            continue;
        }
        match first.get(&method.jwt.issuer) {
            Some(earlier) => {
                found.push(
                    Problem::new(pointer, format!("the same issuer as {earlier}"))
                        .expected("one method per issuer"),
                );
            }
            None => {
                first.insert(&method.jwt.issuer, methods.element(index));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn one_method_per_issuer() {
        assert_eq!(
            problems_after(&[("/authentication/methods/1/jwt/issuer", json!("https://auth.example.com"))]),
            [
                "/authentication/methods/1/jwt/issuer: the same issuer as /authentication/methods/0; expected one method per issuer"
            ]
        );
        assert_eq!(
            problems_after(&[("/authentication/methods/1/jwt/issuer", json!(""))]),
            ["/authentication/methods/1/jwt/issuer: not an issuer; expected 1 to 256 bytes without spaces"]
        );
    }
}
