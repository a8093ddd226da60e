//! What a witness is told of attached policies: what each came to, and why the others are not attached.

use std::collections::BTreeMap;

use crate::explain::{Node, Verdict};
use crate::limits::MAX_EXPLAINED_ENTRIES;
use crate::policy::symbol::Kind;

use super::{Attached, Cascade, Level, Situation};

impl Cascade {
    /// The policies that are not attached to the request, each with what differs, at most [`MAX_EXPLAINED_ENTRIES`]; more are counted.
    pub(super) fn tell_others(
        &self,
        situation: Situation<'_>,
        candidates: &BTreeMap<usize, bool>,
    ) -> Option<Node> {
        let mut nodes = Vec::new();
        let mut more = 0_usize;
        for (number, policy) in self.policies.iter().enumerate() {
            let by_path = candidates.contains_key(&number) || !self.is_by_path(number, policy, situation);
            let differing = policy.differing(situation, by_path);
            if differing.is_empty() {
                continue;
            }
            if nodes.len() < MAX_EXPLAINED_ENTRIES {
                let detail = format!("attached to another {}", differing.join(" and another "));
                nodes.push(Node::new(format!("policy `{}`", policy.name), Verdict::NotApplicable, detail));
            } else {
                more = more.saturating_add(1);
            }
        }
        if more > 0 {
            nodes.push(Node::new("more", Verdict::NotApplicable, format!("{more} that are not listed")));
        }
        let group = Node::new("policies that are not attached", Verdict::NotApplicable, "");
        (!nodes.is_empty()).then(|| group.with(nodes))
    }

    /// Whether the policy is attached to a path: it stands in none of the other places.
    fn is_by_path(&self, number: usize, policy: &Attached, situation: Situation<'_>) -> bool {
        let symbols = situation.asked.symbols;
        let routes = policy.routes.iter().map(|route| symbols.get(Kind::Route, route));
        let tenants = policy.tenants.iter().map(|tenant| symbols.get(Kind::Tenant, tenant));
        let mut named = routes.chain(tenants).flatten().filter_map(|name| self.by_name.get(&name));
        !self.others.contains(&number) && !named.any(|numbers| numbers.contains(&number))
    }
}

impl Attached {
    /// What a witness is told of it as a whole.
    pub(super) fn tell(&self, may_grant: bool, parts: Vec<Node>) -> Node {
        let level = match self.level {
            Level::Gateway => "attached to the gateway",
            Level::Host => "attached to a host",
            Level::Path => "attached to a path",
            Level::Route => "attached to a route",
            Level::Method => "attached to a method",
            Level::Tenant => "attached to a tenant",
        };
        let node = Node::of(format!("policy `{}`", self.name), parts);
        // By the other spelling it can object and grants nothing.
        let is_mute = node.verdict == Verdict::Permit && !may_grant;
        let verdict = if is_mute { Verdict::NotApplicable } else { node.verdict };
        Node { verdict, detail: level.to_owned(), ..node }
    }

    /// What of the request differs from what the policy is attached to; empty where it is attached.
    fn differing(&self, situation: Situation<'_>, by_path: bool) -> Vec<&'static str> {
        let fits = self.fits(situation);
        [
            ("host", fits.host),
            ("path", by_path),
            ("route", fits.route),
            ("method", fits.method),
            ("tenant", fits.tenant),
        ]
        .into_iter()
        .filter_map(|(what, fits)| (!fits).then_some(what))
        .collect()
    }
}
