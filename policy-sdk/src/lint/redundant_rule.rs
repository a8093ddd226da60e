//! A rule that another rule of the same effect takes in: it changes nothing.

use super::reading::Reading;
use super::rule_index::RuleIndex;
use super::{Found, Lint};
use crate::document::Effect;

pub(super) const LINT: Lint = Lint {
    code: "redundant-rule",
    finds: "A rule that a broader rule with the same effect takes in, so that it changes nothing.",
    remedy: "remove it, or narrow the broader one",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for list in &reading.rule_lists {
        for effect in [Effect::Allow, Effect::Deny] {
            let index = RuleIndex::of(list, effect);
            for rule in list.rules.iter().filter(|entry| entry.rule.effect == effect) {
                if let Some(broader) = index.covering(rule, &reading.roles) {
                    found.add(
                        || list.place(rule.index),
                        || format!("{} says all of this already", list.place(broader)),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(rules: Value) -> Vec<String> {
        found_after("redundant-rule", &[("/authorization/rules", rules)])
    }

    #[test]
    fn fires() {
        for (broad, narrow) in [
            (("*", "/docs/**", "*"), ("read", "/docs/7", "editor")),
            (("read", "/docs/{id}", "editor"), ("GET", "/docs/*", "editor")),
            (("write", "/docs/**", "viewer"), ("POST", "/docs", "operator")),
            (("*", "*", "editor"), ("delete", "/**", "editor")),
        ] {
            let rule = |(action, resource, role): (&str, &str, &str)| json!({ "effect": "allow", "action": action, "resource": resource, "role": role });
            assert_eq!(
                after(json!([rule(narrow), rule(broad)])),
                ["/authorization/rules/0: /authorization/rules/1 says all of this already"],
                "{broad:?} {narrow:?}"
            );
        }
    }

    #[test]
    fn is_quiet() {
        for (one, other) in [
            (("allow", "*", "/docs/**", "editor"), ("deny", "read", "/docs/7", "editor")),
            (("allow", "read", "/docs/**", "editor"), ("allow", "write", "/docs/7", "editor")),
            (("allow", "write", "/docs/**", "editor"), ("allow", "MOVE", "/docs/7", "editor")),
            (("allow", "read", "/docs/**", "operator"), ("allow", "read", "/docs/7", "viewer")),
            (("allow", "read", "/docs/{id}", "editor"), ("allow", "read", "/docs/", "editor")),
        ] {
            let rule = |(effect, action, resource, role): (&str, &str, &str, &str)| json!({ "effect": effect, "action": action, "resource": resource, "role": role });
            assert_eq!(after(json!([rule(one), rule(other)])), [""; 0], "{one:?} {other:?}");
        }
    }
}
