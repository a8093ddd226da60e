//! What a set of names must contain: any of, all of, none of.

use crate::document::Selection;

/// A selection that demands something.
#[derive(Debug, Default)]
pub(super) struct Requirement {
    any_of: Vec<String>,
    all_of: Vec<String>,
    none_of: Vec<String>,
}

impl Requirement {
    pub(super) fn of(selection: &Selection) -> Requirement {
        Requirement {
            any_of: selection.any_of.clone(),
            all_of: selection.all_of.clone(),
            none_of: selection.none_of.clone(),
        }
    }

    /// Whether a holder of the names that `holds` knows meets every demand.
    pub(super) fn is_met(&self, holds: impl Fn(&str) -> bool) -> bool {
        let any = self.any_of.is_empty() || self.any_of.iter().any(|name| holds(name));
        let all = self.all_of.iter().all(|name| holds(name));
        let none = !self.none_of.iter().any(|name| holds(name));
        any && all && none
    }

    /// The names that would help, for a challenge.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &String> {
        self.all_of.iter().chain(&self.any_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demand_must_be_met() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (any_of, all_of, none_of, held, met) in [
            ("", "", "", "", true),
            ("a b", "", "", "b", true),
            ("a b", "", "", "c", false),
            ("", "a b", "", "a b c", true),
            ("", "a b", "", "a", false),
            ("", "", "x", "a", true),
            ("", "", "x", "a x", false),
            ("a", "b", "x", "a b", true),
            ("a", "b", "x", "a b x", false),
            ("a", "", "", "", false),
        ] {
            let selection =
                Selection { any_of: names(any_of), all_of: names(all_of), none_of: names(none_of) };
            let held = names(held);
            let requirement = Requirement::of(&selection);
            assert_eq!(
                requirement.is_met(|name| held.iter().any(|h| h == name)),
                met,
                "{selection:?} {held:?}"
            );
        }
    }
}
