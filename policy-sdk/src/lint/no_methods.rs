//! Nobody can say who they are.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "no-methods",
    finds: "A document without an authentication method: only public requests can ever succeed.",
    remedy: "add a method under `authentication.methods`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authentication = &reading.document.authentication;
    if authentication.methods.is_empty() && !authentication.disabled {
        found.add(
            || JsonPointer::members(&["authentication", "methods"]),
            || "empty: only public requests can ever succeed".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_without_methods_and_not_where_nobody_is_asked() {
        let none = ("/authentication/methods", json!([]));
        assert_eq!(
            found_after("no-methods", std::slice::from_ref(&none)),
            ["/authentication/methods: empty: only public requests can ever succeed"]
        );
        assert_eq!(found_after("no-methods", &[none, ("/authentication/disabled", json!(true))]), [""; 0]);
        assert_eq!(found_after("no-methods", &[]), [""; 0]);
    }
}
