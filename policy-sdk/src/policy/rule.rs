//! Rules of role-based access control: effect, action, resource, role.

use crate::decision::{Refusal, RuleId};
use crate::document::{self, Effect, Problem};
use crate::path_tree::{PathTemplate, PathTree};
use crate::policy::role::Held;
use crate::policy::{Vote, Votes, in_document};
use crate::request::{AccessRequest, Action};

/// Every rule of a document, found by the resource it is about.
#[derive(Debug, Default)]
pub(super) struct Rules {
    tree: PathTree<Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    id: RuleId,
    effect: Effect,
    action: RuleAction,
    role: RuleRole,
}

#[derive(Debug)]
enum RuleAction {
    Any,
    /// `create`, `update` or `delete`.
    Write,
    /// A name, or a method in capitals.
    Named(String),
}

#[derive(Debug)]
enum RuleRole {
    AnyAuthenticated,
    Named(String),
}

impl Rules {
    pub(super) fn compile(rules: &[document::Rule], problems: &mut Vec<Problem>) -> Rules {
        let mut compiled = Rules::default();
        for (index, rule) in rules.iter().enumerate() {
            let resource = if rule.resource == "*" { "/**" } else { rule.resource.as_str() };
            match resource.parse::<PathTemplate>() {
                Ok(template) => compiled.tree.get_or_insert_with(&template, Vec::new).push(Rule {
                    id: RuleId::new(rule.name.as_deref(), &format!("rules/{index}")),
                    effect: rule.effect,
                    action: RuleAction::of(&rule.action),
                    role: RuleRole::of(&rule.role),
                }),
                Err(error) => {
                    let pointer = in_document("rules").element(index).member("resource");
                    problems.push(Problem::new(pointer, "not a path template").expected(error.to_string()));
                }
            }
        }
        compiled
    }

    /// The most steps that a search for one path could take.
    pub(super) fn worst_case_steps(&self) -> usize {
        self.tree.worst_case_steps()
    }

    /// Adds the vote of every rule that is about this request.
    ///
    /// A rule that denies is about both spellings of a path, with and without a slash at its end; one that allows is
    /// about the spelling it was written for.
    pub(super) fn decide(&self, request: &AccessRequest<'_>, held: &Held<'_>, votes: &mut Votes) {
        for rule in self.tree.all(request.resource.path).flat_map(|found| found.value) {
            match (rule.effect, rule.is_about(request, held)) {
                (Effect::Allow, About::Caller) => votes.add(&rule.id, Vote::Permit),
                (Effect::Allow, About::OtherRoles) => votes.add(&rule.id, Vote::NotThisRole),
                (Effect::Deny, About::Caller) => votes.add(&rule.id, Vote::Deny(Refusal::AccessDenied)),
                (Effect::Deny, About::OtherRoles) | (Effect::Allow | Effect::Deny, About::OtherActions) => {}
            }
        }
        let Some(twin) = request.resource.path.slash_twin() else { return };
        for rule in self.tree.all(&twin).flat_map(|found| found.value) {
            if rule.effect == Effect::Deny && rule.is_about(request, held) == About::Caller {
                votes.add(&rule.id, Vote::Deny(Refusal::AccessDenied));
            }
        }
    }
}

/// Whom a rule for this path is about.
#[derive(Debug, PartialEq, Eq)]
enum About {
    Caller,
    OtherRoles,
    OtherActions,
}

impl Rule {
    fn is_about(&self, request: &AccessRequest<'_>, held: &Held<'_>) -> About {
        if !self.action.matches(request.action, self.effect) {
            return About::OtherActions;
        }
        let of_this_role = match &self.role {
            RuleRole::AnyAuthenticated => request.subject.is_some(),
            RuleRole::Named(role) => held.contains(role),
        };
        if of_this_role { About::Caller } else { About::OtherRoles }
    }
}

impl RuleAction {
    fn of(text: &str) -> RuleAction {
        match text {
            "*" => RuleAction::Any,
            "write" => RuleAction::Write,
            name => RuleAction::Named(name.to_owned()),
        }
    }

    /// A method without a name, such as `MOVE`, is no write that could be allowed by that word, and may well be one that
    /// was to be denied.
    fn matches(&self, action: Action<'_>, effect: Effect) -> bool {
        match self {
            RuleAction::Any => true,
            RuleAction::Write => match effect {
                Effect::Allow => matches!(action.name(), Some("create" | "update" | "delete")),
                Effect::Deny => action.name() != Some("read"),
            },
            RuleAction::Named(name) => [action.name(), action.method()].contains(&Some(name.as_str())),
        }
    }
}

impl RuleRole {
    fn of(text: &str) -> RuleRole {
        if text == "*" { RuleRole::AnyAuthenticated } else { RuleRole::Named(text.to_owned()) }
    }
}
