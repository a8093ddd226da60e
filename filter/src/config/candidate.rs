//! A policy on trial, as the gate needs it: for whom it answers, and under which names its differences are counted.
//!
//! The policy itself is [`Policy::candidate`](portcullis_policy::policy::Policy::candidate). Nothing here decides.

use std::collections::BTreeSet;

use portcullis_policy::document::{self, AccessList, Rule};
use portcullis_policy::request::Subject;

use crate::audit::Digest;

/// A policy on trial.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name: a label of metrics, and in records.
    pub name: String,
    /// For whom it answers.
    pub share: Share,
    /// Ids of the rules that are counted one by one: at most [`MAX_COUNTED_RULES`] of them.
    pub rules: Vec<String>,
}

/// A share of subjects.
#[derive(Debug, Clone)]
pub struct Share {
    percentage: u8,
    salt: String,
}

impl Candidate {
    pub(super) fn of(candidate: &document::Candidate) -> Candidate {
        let enforce = &candidate.enforce;
        Candidate {
            name: candidate.name.clone(),
            share: Share::new(enforce.percentage, enforce.salt.as_deref().unwrap_or(&candidate.name)),
            rules: counted_rules(&candidate.authorization),
        }
    }
}

impl Share {
    /// `percentage` of all subjects, as `salt` shuffles them; above 100 is everyone.
    pub fn new(percentage: u8, salt: &str) -> Share {
        Share { percentage, salt: salt.to_owned() }
    }

    /// Whether the subject is in it. Who has no id is only in the share of everyone: it could be anybody, and would be on
    /// another side with each request.
    pub fn holds(&self, subject: Option<&Subject>) -> bool {
        let id = subject.and_then(|subject| subject.id.as_deref());
        let tenant = subject.and_then(|subject| subject.tenant.as_deref()).unwrap_or_default();
        self.percentage >= 100
            || self.percentage > 0 && id.is_some_and(|id| self.place(tenant, id) < u32::from(self.percentage))
    }

    /// Where the subject stands among a hundred, the same everywhere and at any time: the first four bytes of a SHA-256, as
    /// a number, modulo 100. None of the lines has a control character, so no two subjects make the same ones.
    fn place(&self, tenant: &str, id: &str) -> u32 {
        let digest = Digest::of(format!("{DOMAIN}\n{}\n{tenant}\n{id}", self.salt).as_bytes());
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_be_bytes([a, b, c, d]).checked_rem(100).unwrap_or_default()
    }
}

/// The ids of the rules that are counted one by one, routes first, each as answers name it.
fn counted_rules(authorization: &document::Authorization) -> Vec<String> {
    let routes = authorization.routes.iter().enumerate();
    let routes = routes.map(|(index, route)| named(route.name.as_deref(), || format!("routes/{index}")));
    let public = (0..authorization.public.len()).map(|index| format!("public/{index}"));
    let preflight = (0..authorization.preflight.len()).map(|index| format!("preflight/{index}"));
    let policies = authorization.policies.iter().flat_map(|policy| {
        let prefix = format!("{}/", policy.name);
        let parts = POLICY_PARTS.iter().map(|part| format!("{prefix}{part}"));
        let own: Vec<_> = std::iter::once(policy.name.clone()).chain(parts).collect();
        own.into_iter().chain(entries(prefix, &policy.rules, &policy.acl))
    });
    let all = entries(String::new(), &authorization.rules, &authorization.acl);
    let mut seen = BTreeSet::new();
    let all = routes.chain(all).chain(policies).chain(public).chain(preflight);
    all.filter(|id| seen.insert(id.clone())).take(MAX_COUNTED_RULES).collect()
}

fn entries<'a>(
    prefix: String,
    rules: &'a [Rule],
    lists: &'a [AccessList],
) -> impl Iterator<Item = String> + 'a {
    let of_lists = prefix.clone();
    let rules = rules.iter().enumerate();
    let rules =
        rules.map(move |(index, rule)| named(rule.name.as_deref(), || format!("{prefix}rules/{index}")));
    let lists = lists.iter().enumerate().flat_map(move |(list, entries)| {
        let places = (0..entries.entries.len()).map(|entry| format!("{of_lists}acl/{list}/entries/{entry}"));
        let given = entries.name.clone();
        let places: Vec<_> = if given.is_some() { Vec::new() } else { places.collect() };
        given.into_iter().chain(places)
    });
    rules.chain(lists)
}

fn named(name: Option<&str>, otherwise: impl FnOnce() -> String) -> String {
    name.map_or_else(otherwise, str::to_owned)
}

/// Most rules of a candidate that are counted each by its name. Every one is three series in every worker, and a trial with
/// more causes than this is not read rule by rule; the record has them all.
pub const MAX_COUNTED_RULES: usize = 64;

/// What sets these hashes apart from all others.
const DOMAIN: &str = "portcullis candidate v1";

/// What an attached policy objects by besides its rules.
const POLICY_PARTS: [&str; 4] = ["groups", "require", "restrictions", "conditions"];

#[cfg(test)]
mod tests {
    use portcullis_policy::document::Document;
    use serde_json::json;

    use super::*;

    fn subject(tenant: Option<&str>, id: &str) -> Subject {
        Subject { id: Some(id.to_owned()), tenant: tenant.map(str::to_owned), ..Subject::default() }
    }

    /// `printf 'portcullis candidate v1\nnext\nacme\nalice' | sha256sum`
    #[test]
    fn a_place_is_what_sha256sum_says() {
        let share = Share::new(50, "next");
        assert_eq!(share.place("acme", "alice"), PLACE_OF_ALICE);
        assert_eq!(Share::new(0, "again").place("acme", "alice"), PLACE_OF_ALICE_AGAIN);
    }

    const PLACE_OF_ALICE: u32 = 16;
    const PLACE_OF_ALICE_AGAIN: u32 = 69;

    #[test]
    fn a_larger_share_holds_whoever_a_smaller_one_does() {
        let mut shares = [0_usize; 101];
        for number in 0..2000 {
            let subject = subject(None, &format!("user-{number}"));
            let mut before = false;
            for (percentage, count) in shares.iter_mut().enumerate() {
                let holds = Share::new(u8::try_from(percentage).unwrap(), "next").holds(Some(&subject));
                assert!(holds || !before, "user-{number} at {percentage}");
                before = holds;
                *count += usize::from(holds);
            }
        }
        assert_eq!((shares[0], shares[100]), (0, 2000));
        for percentage in [1, 10, 50, 90] {
            let of_2000 = percentage * 20;
            assert!(shares[percentage].abs_diff(of_2000) < 100, "{percentage}: {}", shares[percentage]);
        }
    }

    #[test]
    fn who_is_nobody_is_in_the_share_of_everyone_alone() {
        let nameless = Subject { tenant: Some("acme".to_owned()), ..Subject::default() };
        for subject in [None, Some(&nameless)] {
            assert!(!Share::new(99, "next").holds(subject));
            assert!(Share::new(100, "next").holds(subject));
        }
    }

    #[test]
    fn tenants_are_kept_apart() {
        let share = Share::new(50, "next");
        let sides: BTreeSet<bool> =
            (0..40).map(|tenant| share.holds(Some(&subject(Some(&format!("t{tenant}")), "alice")))).collect();
        assert_eq!(sides.len(), 2);
    }

    #[test]
    fn rules_are_counted_by_name_up_to_a_bound() {
        let rule = |number: usize| json!({"effect": "allow", "action": "read", "resource": format!("/{number}"), "role": "*"});
        let rules: Vec<_> = (0..MAX_COUNTED_RULES).map(rule).collect();
        let document = json!({"version": 1, "authentication": {}, "authorization": {
            "routes": [{"methods": ["GET"], "path": "/x", "name": "the-x"}, {"methods": ["GET"], "path": "/y"}],
            "rules": rules,
        }});
        let document = Document::from_value(document).unwrap();
        let counted = counted_rules(&document.authorization);
        assert_eq!(counted.len(), MAX_COUNTED_RULES);
        assert_eq!(counted[..3], ["the-x", "routes/1", "rules/0"]);
    }
}
