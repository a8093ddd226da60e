//! Which parts of a policy no case depends on.

use std::collections::BTreeSet;

use portcullis_policy::document::{AccessList, Rule};

use crate::policy_file::PolicyFile;

/// What a policy consists of, and what of it was seen to decide.
pub(super) struct Coverage {
    parts: BTreeSet<String>,
    decided: BTreeSet<String>,
}

impl Coverage {
    /// Routes, rules, entries of access lists, policies, grants, superusers and public entries, by the ids that answers name.
    pub(super) fn of(policy: &PolicyFile) -> Self {
        let authorization = &policy.document.authorization;
        let mut parts = BTreeSet::new();
        for (index, route) in authorization.routes.iter().enumerate() {
            parts.insert(route.name.clone().unwrap_or_else(|| format!("routes/{index}")));
        }
        entries("", &authorization.rules, &authorization.acl, &mut parts);
        parts.extend((0..authorization.public.len()).map(|index| format!("public/{index}")));
        parts.extend((0..authorization.preflight.len()).map(|index| format!("preflight/{index}")));
        for policy in &authorization.policies {
            parts.insert(policy.name.clone());
            entries(&format!("{}/", policy.name), &policy.rules, &policy.acl, &mut parts);
        }
        for (index, grant) in authorization.grants.iter().enumerate() {
            parts.insert(grant_id(index, grant.name.as_deref()));
        }
        let superusers = &authorization.superusers;
        if !(superusers.subjects.is_empty()
            && superusers.roles.is_empty()
            && superusers.conditions.is_empty())
        {
            parts.insert("superuser".to_owned());
        }
        Self { parts, decided: BTreeSet::new() }
    }

    /// These rules decided a case. With a rule its policy did.
    pub(super) fn decided<'r>(&mut self, policy: &PolicyFile, rules: impl IntoIterator<Item = &'r String>) {
        for id in rules {
            self.decided.insert(id.clone());
            for policy in &policy.document.authorization.policies {
                let is_of = |name: &Option<String>| name.as_ref() == Some(id);
                let stands_in =
                    |whole: &str| id.strip_prefix(whole).is_some_and(|rest| rest.starts_with('/'));
                if stands_in(&policy.name)
                    || policy.rules.iter().any(|rule| is_of(&rule.name))
                    || policy.acl.iter().filter_map(|list| list.name.as_deref()).any(stands_in)
                {
                    self.decided.insert(policy.name.clone());
                }
            }
        }
    }

    /// What decided no case.
    pub(super) fn missing(&self) -> impl Iterator<Item = &String> {
        self.parts.difference(&self.decided)
    }

    /// The share that decided one; all of nothing is all.
    pub(super) fn percent(&self) -> usize {
        let hit = self.parts.intersection(&self.decided).count();
        hit.saturating_mul(100).checked_div(self.parts.len()).unwrap_or(100)
    }
}

/// The name of a grant: answers do not name grants, so a grant has decided where its absence changes an answer.
pub(super) fn grant_id(index: usize, name: Option<&str>) -> String {
    name.map_or_else(|| format!("grants/{index}"), str::to_owned)
}

fn entries(prefix: &str, rules: &[Rule], lists: &[AccessList], parts: &mut BTreeSet<String>) {
    for (index, rule) in rules.iter().enumerate() {
        parts.insert(rule.name.clone().unwrap_or_else(|| format!("{prefix}rules/{index}")));
    }
    for (index, list) in lists.iter().enumerate() {
        let list_id = list.name.clone().unwrap_or_else(|| format!("{prefix}acl/{index}"));
        parts.extend((0..list.entries.len()).map(|entry| format!("{list_id}/entries/{entry}")));
    }
}
