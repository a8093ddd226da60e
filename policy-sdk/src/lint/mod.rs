//! What in a document loads but is probably not meant: doors wider, or gates more shut, than their author may think.
//!
//! Each lint is one file and one row of [`LINTS`]. A lint only ever looks: it never changes what a document means, and
//! the gate does not run it. Searches have budgets, and one that exceeds its own finds nothing rather than something wrong.
//!
//! What this module does not do: it says nothing of documents that do not load ([`crate::document`] does), knows no
//! environment and no clock. A lint about time is given it, or stays silent.

mod access;
mod admin_granted;
mod allow_denied;
mod any_audience;
mod audit_loses_records;
mod authentication_off;
mod candidate_decides;
mod candidate_same;
mod condition_always_holds;
mod condition_lists;
mod condition_never_holds;
mod condition_only_errors;
mod credential_nobody_has;
mod deny_under_public;
mod deny_without_rest;
mod everyone_allowed;
mod everything_public;
mod grant_expired;
mod grant_never_counts;
mod grant_without_end;
mod group_nobody_has;
mod no_expiry;
mod no_methods;
mod nothing_allowed;
mod permission_nobody_grants;
mod permission_not_asked;
mod place;
mod policy_never_asked;
mod public_under_protected;
mod reading;
mod redundant_rule;
mod role_graph;
mod role_nobody_has;
mod route_denied;
mod rule_index;
mod strangers;
mod superusers_broad;
mod template_cover;
mod template_shape;
mod token_in_query;
mod trial;
mod unauthenticated_access;
mod unbound_tenant;
mod undefined_role;
mod unreachable_route;
mod unused_role;

#[cfg(test)]
mod remedies;
#[cfg(test)]
mod testing;

use std::fmt;

use crate::document::{Document, JsonPointer};
use reading::Reading;

/// Something in a document that loads but is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about.
    pub pointer: JsonPointer,
    /// The lint that found it: a name that stays the same, to be allowed or looked up by.
    pub code: &'static str,
    /// What it leads to, in a few words, without a value that could be a secret.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// One line: the pointer, then what it leads to.
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.steps().is_empty() {
            formatter.write_str("document")?;
        }
        write!(formatter, "{}: {}", self.pointer, self.message)
    }
}

/// One kind of finding.
#[derive(Clone, Copy, Debug)]
pub struct Lint {
    /// Its name, in kebab case. Part of what the project promises: it stands in other people's scripts.
    pub code: &'static str,
    /// What it finds, as a sentence.
    pub finds: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    look: fn(&Reading<'_>, &mut Found),
}

/// Every lint, ordered by code.
pub const LINTS: &[Lint] = &[
    admin_granted::LINT,
    allow_denied::LINT,
    any_audience::LINT,
    audit_loses_records::LINT,
    authentication_off::LINT,
    candidate_decides::LINT,
    candidate_same::LINT,
    condition_always_holds::LINT,
    condition_never_holds::LINT,
    condition_only_errors::LINT,
    credential_nobody_has::LINT,
    deny_under_public::LINT,
    deny_without_rest::LINT,
    everyone_allowed::LINT,
    everything_public::LINT,
    grant_expired::LINT,
    grant_never_counts::LINT,
    grant_without_end::LINT,
    group_nobody_has::LINT,
    no_expiry::LINT,
    no_methods::LINT,
    nothing_allowed::LINT,
    permission_nobody_grants::LINT,
    permission_not_asked::LINT,
    policy_never_asked::LINT,
    public_under_protected::LINT,
    redundant_rule::LINT,
    role_nobody_has::LINT,
    route_denied::LINT,
    superusers_broad::LINT,
    token_in_query::LINT,
    unauthenticated_access::LINT,
    unbound_tenant::LINT,
    undefined_role::LINT,
    unreachable_route::LINT,
    unused_role::LINT,
];

/// Most findings of one lint that are listed; one more says how many there are beyond. What is wrong a hundred times
/// has one cause, and a report has to be read.
pub const MAX_FINDINGS_PER_LINT: usize = 100;

/// Everything in `document` that is probably not meant, ordered by pointer. Lints about time stay silent.
pub fn findings(document: &Document) -> Vec<Finding> {
    look(document, None)
}

/// The same at a given time, in seconds since 1970-01-01T00:00:00Z: what has expired by then is found too.
pub fn findings_at(document: &Document, unix_seconds: i64) -> Vec<Finding> {
    look(document, Some(unix_seconds))
}

/// What is found in the live part, and what would be found with the candidate in its place.
fn look(document: &Document, now: Option<i64>) -> Vec<Finding> {
    let mut all = look_at(document, now);
    let of_candidate = document.promoted().map(|promoted| look_at(&promoted, now));
    for finding in of_candidate.into_iter().flatten() {
        let finding = Finding { pointer: finding.pointer.of_candidate(), ..finding };
        if !all.contains(&finding) {
            all.push(finding);
        }
    }
    all.sort();
    all
}

fn look_at(document: &Document, now: Option<i64>) -> Vec<Finding> {
    let reading = Reading::of(document, now);
    let mut all = Vec::new();
    for lint in LINTS {
        let mut found = Found { lint, listed: Vec::new(), unlisted: 0 };
        (lint.look)(&reading, &mut found);
        all.append(&mut found.conclude());
    }
    all
}

/// What one lint has found so far.
struct Found {
    lint: &'static Lint,
    listed: Vec<Finding>,
    unlisted: usize,
}

impl Found {
    /// One more finding. The pointer is only made when it is listed: a pointer costs more than most searches.
    fn add(&mut self, pointer: impl FnOnce() -> JsonPointer, message: impl FnOnce() -> String) {
        if self.listed.len() < MAX_FINDINGS_PER_LINT {
            self.list(pointer(), message());
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    fn list(&mut self, pointer: JsonPointer, message: String) {
        self.listed.push(Finding { pointer, code: self.lint.code, message, remedy: self.lint.remedy });
    }

    fn conclude(mut self) -> Vec<Finding> {
        if self.unlisted > 0 {
            let message = format!("`{}` was found {} times more", self.lint.code, self.unlisted);
            self.list(JsonPointer::root(), message);
        }
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn codes_are_in_order_and_well_formed() {
        assert!(LINTS.is_sorted_by(|one, other| one.code < other.code));
        for lint in LINTS {
            assert!(lint.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", lint.code);
            assert!(lint.finds.ends_with('.') && !lint.remedy.ends_with('.'), "{}", lint.code);
        }
    }

    #[test]
    fn a_candidate_is_looked_at_too() {
        let candidate =
            json!({"name": "next", "authorization": {"public": [{"methods": ["*"], "path": "/**"}]}});
        let all = testing::all_after(&[("/candidate", candidate)]);
        assert!(
            all.iter().any(|finding| finding.pointer.to_string() == "/candidate/authorization/public/0"),
            "{all:?}"
        );
        assert!(
            !all.iter().any(|finding| finding.pointer.to_string().starts_with("/authorization")),
            "{all:?}"
        );
    }

    #[test]
    fn what_is_found_too_often_is_counted() {
        let rule = |number: usize| json!({ "effect": "allow", "action": "read", "resource": format!("/a/{number}"), "role": "editor" });
        let rules: Vec<Value> = (0..250).map(rule).collect();
        let all = testing::all_after(&[
            ("/authorization/rules", json!(rules)),
            (
                "/authorization/rules/250",
                json!({ "effect": "allow", "action": "*", "resource": "/a/**", "role": "editor" }),
            ),
        ]);
        let redundant: Vec<&Finding> =
            all.iter().filter(|finding| finding.code == "redundant-rule").collect();
        assert_eq!(redundant.len(), MAX_FINDINGS_PER_LINT + 1);
        assert_eq!(redundant[0].to_string(), "document: `redundant-rule` was found 150 times more");
    }
}
