//! Why a decision came out as it did: everything that was looked at, as a tree, in the order of `docs/policy.md`.
//!
//! This module decides nothing: [`Policy::explain`](crate::policy::Policy::explain) decides once, and what it looks at on the
//! way is noted here. A tree names what stands in the document, and says what was true. It never repeats what a credential or
//! a request brought, so it can be shown to whoever may read the policy.

use serde_json::{Value, json};

use crate::decision::Response;

/// An answer with what led to it.
#[derive(Debug)]
pub struct Explanation {
    /// The answer: the same that [`Policy::decide`](crate::policy::Policy::decide) gives.
    pub response: Response,
    /// What was looked at, in order. What is not there was not looked at.
    pub tree: Vec<Node>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is: a step, a field of the document, or the id of a rule.
    pub label: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What it asks for, or why it came to that. Empty where there is nothing to say.
    pub detail: String,
    /// What it consists of.
    pub children: Vec<Node>,
}

/// What one node came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It grants.
    Permit,
    /// It objects.
    Deny,
    /// It says nothing of this request.
    NotApplicable,
    /// It could not be evaluated, and might have decided.
    Indeterminate,
    /// What it demands is so.
    Met,
    /// What it demands is not so.
    Unmet,
    /// Whether it is so cannot be known.
    Unknown,
    /// A fact that others build on.
    Noted,
}

impl Verdict {
    /// The stable name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Permit => "permit",
            Verdict::Deny => "deny",
            Verdict::NotApplicable => "not_applicable",
            Verdict::Indeterminate => "indeterminate",
            Verdict::Met => "met",
            Verdict::Unmet => "unmet",
            Verdict::Unknown => "unknown",
            Verdict::Noted => "noted",
        }
    }
}

impl Explanation {
    /// The answer and the tree as JSON: `decision`, `code` of a refusal, `reasons`, `cross_tenant`, and `tree`, whose nodes
    /// have `label`, `verdict`, and `detail` and `children` where there are any.
    pub fn to_json(&self) -> Value {
        let Response { outcome, decision, reasons, cross_tenant, tenant: _ } = &self.response;
        let reasons: Vec<&str> = reasons.iter().map(|id| id.as_str()).collect();
        let code = outcome.as_ref().err().map(|refusal| refusal.code());
        let tree: Vec<Value> = self.tree.iter().map(Node::to_json).collect();
        json!({ "decision": decision.as_str(), "code": code, "reasons": reasons, "cross_tenant": cross_tenant, "tree": tree })
    }
}

impl Node {
    pub(crate) fn new(label: impl Into<String>, verdict: Verdict, detail: impl Into<String>) -> Node {
        Node { label: label.into(), verdict, detail: detail.into(), children: Vec::new() }
    }

    /// Puts together what belongs together: an objection among `children` counts first, then a doubt, then a grant.
    pub(crate) fn of(label: impl Into<String>, children: Vec<Node>) -> Node {
        let has = |any: &[Verdict]| children.iter().any(|child| any.contains(&child.verdict));
        let verdict = if has(&[Verdict::Deny, Verdict::Unmet]) {
            Verdict::Deny
        } else if has(&[Verdict::Indeterminate, Verdict::Unknown]) {
            Verdict::Indeterminate
        } else if has(&[Verdict::Permit]) {
            Verdict::Permit
        } else if has(&[Verdict::Met]) {
            Verdict::Met
        } else {
            Verdict::NotApplicable
        };
        Node { children, ..Node::new(label, verdict, "") }
    }

    pub(crate) fn with(self, children: Vec<Node>) -> Node {
        Node { children, ..self }
    }

    fn to_json(&self) -> Value {
        let mut node = json!({ "label": self.label, "verdict": self.verdict.as_str() });
        if let Some(members) = node.as_object_mut() {
            if !self.detail.is_empty() {
                members.insert("detail".to_owned(), self.detail.as_str().into());
            }
            if !self.children.is_empty() {
                members.insert("children".to_owned(), self.children.iter().map(Node::to_json).collect());
            }
        }
        node
    }
}
