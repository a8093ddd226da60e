//! Callers who need no permission and no rule, by explicit grant only.

use crate::condition::{Conditions, Facts, Fault, Steps, Truth};
use crate::document;
use crate::explain::{Node, Verdict};

use super::Compiler;
use super::demand::Case;
use super::symbol::Kind;
use super::symbol_set::SymbolSet;
use super::telling;

/// Who is a superuser.
#[derive(Debug, Default)]
pub(super) struct Superusers {
    /// Users and roles.
    named: SymbolSet,
    conditions: Conditions,
}

/// Whether a caller is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Superuser {
    Yes,
    No,
    /// A condition cannot be evaluated: no superuser, and perhaps wrongly so.
    Unknown,
    /// It depends on a fact that is not known.
    NotKnown,
}

impl Superuser {
    /// Whether no role, scope and permission is asked of the caller.
    pub(super) fn is_exempt(self) -> Truth {
        match self {
            Superuser::Yes => Truth::True,
            Superuser::No | Superuser::Unknown => Truth::False,
            Superuser::NotKnown => Truth::Unknown(Fault::NotKnown),
        }
    }
}

impl Superusers {
    pub(super) fn compile(superusers: &document::Superusers, compiler: &mut Compiler<'_>) -> Superusers {
        let subjects = superusers.subjects.iter().map(|name| (Kind::User, name));
        let roles = superusers.roles.iter().map(|name| (Kind::Role, name));
        let named = subjects.chain(roles).map(|(kind, name)| compiler.symbols.intern(kind, name)).collect();
        let place = compiler.place.member("superusers");
        Superusers { named, conditions: compiler.conditions(&superusers.conditions, &place) }
    }

    /// Whether its conditions look at the body.
    pub(super) fn read_body(&self) -> bool {
        self.conditions.read_body()
    }

    /// An anonymous caller is nobody, and so no superuser, whatever conditions say.
    pub(super) fn know(&self, case: Case<'_>, steps: &mut Steps) -> Superuser {
        let is_nobody = case.caller.subject.is_none();
        if is_nobody || self.named.is_empty() && self.conditions.is_empty() {
            return Superuser::No;
        }
        let by_name = case.caller.has_one_of(&self.named);
        if by_name == Truth::True {
            return Superuser::Yes;
        }
        let by_conditions = if self.conditions.is_empty() {
            Truth::False
        } else {
            self.conditions
                .evaluate(&Facts { request: case.request, tenant: case.caller.tenant, captures: None }, steps)
        };
        match Truth::any([by_name, by_conditions]) {
            Truth::True => Superuser::Yes,
            Truth::False => Superuser::No,
            Truth::Unknown(Fault::NotKnown) => Superuser::NotKnown,
            Truth::Unknown(_fault) => Superuser::Unknown,
        }
    }

    /// What a witness is told, where there can be superusers.
    pub(super) fn tell(&self, superuser: Superuser, case: Case<'_>) -> Option<Node> {
        if self.named.is_empty() && self.conditions.is_empty() {
            return None;
        }
        let is_named = case.caller.held.is_one_of(&self.named);
        let (verdict, detail) = match superuser {
            Superuser::Yes if is_named => (Verdict::Permit, "by subject or role"),
            Superuser::Yes => (Verdict::Permit, "by conditions"),
            Superuser::Unknown => (Verdict::Indeterminate, "its conditions cannot be evaluated"),
            Superuser::NotKnown => (Verdict::Unknown, "depends on what is not known"),
            Superuser::No => (Verdict::NotApplicable, "the caller is none"),
        };
        let is_looked_at = case.caller.subject.is_some() && !is_named;
        let facts = Facts { request: case.request, tenant: case.caller.tenant, captures: None };
        let conditions = is_looked_at.then(|| telling::conditions(&self.conditions, &facts));
        Some(Node::new("superuser", verdict, detail).with(conditions.unwrap_or_default()))
    }
}
