//! An allowing rule that a denying one takes in: deny overrides, so it can never allow anything.

use super::reading::Reading;
use super::rule_index::RuleIndex;
use super::{Found, Lint};
use crate::document::Effect;

pub(super) const LINT: Lint = Lint {
    code: "allow-denied",
    finds: "A rule that allows what another rule denies entirely: deny overrides, so it can never allow anything.",
    remedy: "remove it, or narrow the rule that denies",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for list in &reading.rule_lists {
        let denies = RuleIndex::of(list, Effect::Deny);
        for rule in list.rules.iter().filter(|entry| entry.rule.effect == Effect::Allow) {
            if let Some(deny) = denies.covering_either_spelling(rule, &reading.roles) {
                found.add(
                    || list.place(rule.index),
                    || format!("never allows anything: {} denies all of it", list.place(deny)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(deny: (&str, &str, &str), allow: (&str, &str, &str)) -> Vec<String> {
        let rule = |effect: &str, (action, resource, role): (&str, &str, &str)| -> Value {
            json!({ "effect": effect, "action": action, "resource": resource, "role": role })
        };
        found_after(
            "allow-denied",
            &[("/authorization/rules", json!([rule("allow", allow), rule("deny", deny)]))],
        )
    }

    #[test]
    fn fires() {
        for (deny, allow) in [
            (("*", "*", "*"), ("read", "/docs/7", "editor")),
            (("write", "/docs/**", "viewer"), ("POST", "/docs/{id}", "operator")),
            (("write", "/docs/**", "*"), ("MOVE", "/docs/{id}", "operator")),
            (("read", "/docs", "editor"), ("read", "/docs/", "editor")),
        ] {
            assert_eq!(
                after(deny, allow),
                ["/authorization/rules/0: never allows anything: /authorization/rules/1 denies all of it"],
                "{deny:?} {allow:?}"
            );
        }
    }

    #[test]
    fn is_quiet() {
        for (deny, allow) in [
            (("read", "/docs/secret/**", "*"), ("read", "/docs/**", "editor")),
            (("write", "/docs/**", "*"), ("read", "/docs/**", "editor")),
            (("read", "/docs/**", "operator"), ("read", "/docs/**", "viewer")),
        ] {
            assert_eq!(after(deny, allow), [""; 0], "{deny:?} {allow:?}");
        }
    }
}
