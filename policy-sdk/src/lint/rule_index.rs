//! The rules of one list by what they are about, to find one that takes in another entirely.

use std::collections::BTreeMap;

use super::access::broader;
use super::reading::{RuleEntry, RuleList};
use super::role_graph::RoleGraph;
use super::template_cover::CoverTree;
use super::template_shape::Shape;
use crate::document::Effect;

/// The rules of one effect that hold without further conditions.
pub(super) struct RuleIndex<'l> {
    effect: Effect,
    /// The first rule for each action and role, by resource.
    tree: CoverTree<BTreeMap<(&'l str, &'l str), usize>>,
}

impl<'l> RuleIndex<'l> {
    pub(super) fn of(list: &'l RuleList<'_>, effect: Effect) -> RuleIndex<'l> {
        let mut tree = CoverTree::<BTreeMap<_, _>>::new();
        for entry in list.rules.iter().filter(|entry| entry.rule.effect == effect && entry.is_unconditional())
        {
            if let Some(first) = tree.value_at(&entry.shape) {
                let about = (entry.rule.action.as_str(), entry.rule.role.as_str());
                first.entry(about).or_insert(entry.index);
            }
        }
        RuleIndex { effect, tree }
    }

    /// The number of a rule, other than `rule` itself, that is about everything that `rule` is about.
    pub(super) fn covering(&self, rule: &RuleEntry<'_>, roles: &RoleGraph<'_>) -> Option<usize> {
        let mut names = roles.is_also(&rule.rule.role);
        if rule.rule.role != "*" {
            names.push("*");
        }
        self.about(&rule.shape, &rule.rule.action, &names, rule.index)
    }

    /// The same for a rule that has an effect on both spellings of a path.
    pub(super) fn covering_either_spelling(
        &self,
        rule: &RuleEntry<'_>,
        roles: &RoleGraph<'_>,
    ) -> Option<usize> {
        self.covering(rule, roles).or_else(|| {
            let twin = rule.shape.slash_twin()?;
            self.covering(&RuleEntry { index: rule.index, rule: rule.rule, shape: twin }, roles)
        })
    }

    /// The number of a rule about every caller that covers `action` on `shape`.
    pub(super) fn about_everyone(&self, shape: &Shape, action: &str) -> Option<usize> {
        self.about(shape, action, &["*"], usize::MAX)
    }

    fn about(&self, shape: &Shape, action: &str, roles: &[&str], but: usize) -> Option<usize> {
        self.tree.covering(shape, |covering| {
            broader(action, self.effect)
                .flat_map(|action| roles.iter().map(move |role| (action, *role)))
                .find_map(|about| covering.value.get(&about).copied().filter(|index| *index != but))
        })
    }
}
