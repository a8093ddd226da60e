//! Nobody is asked who they are.

use super::reading::Reading;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "authentication-off",
    finds: "A document that switches authentication off for every route.",
    remedy: "remove `disabled`; keep it for a machine that nobody else can reach",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    if reading.document.authentication.disabled {
        found.add(
            || JsonPointer::members(&["authentication", "disabled"]),
            || {
                "authentication is off: with PORTCULLIS_DISABLE_AUTHENTICATION=true every caller is let through unnamed"
                    .to_owned()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::found_after;

    #[test]
    fn fires_when_disabled_and_not_else() {
        let after = |disabled: bool| {
            found_after("authentication-off", &[("/authentication/disabled", json!(disabled))])
        };
        assert_eq!(
            after(true),
            ["/authentication/disabled: authentication is off: \
              with PORTCULLIS_DISABLE_AUTHENTICATION=true every caller is let through unnamed"]
        );
        assert_eq!(after(false), [""; 0]);
    }
}
