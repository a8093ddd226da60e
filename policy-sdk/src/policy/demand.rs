//! What is demanded of a caller: of everyone, by a route, by a policy. A demand objects or says nothing; it grants nothing.

mod telling;

use std::sync::Arc;

use crate::condition::{Conditions, Facts, Fault, Steps, Truth};
use crate::decision::Refusal;
use crate::document;
use crate::path::CanonicalPath;
use crate::path_tree::PathTemplate;
use crate::request::AccessRequest;
use crate::unknown::Fact;

use super::caller::{Caller, known_or};
use super::carrier::Wanted;
use super::symbol::{Kind, Symbol};
use super::symbol_set::SymbolSet;
use super::{Compiler, Directory};

/// Everything that one place of a document demands.
#[derive(Debug, Default)]
pub(super) struct Demands {
    /// Membership of one of them.
    groups: SymbolSet,
    roles: Selection,
    scopes: Selection,
    /// The scopes that would help, for a challenge (RFC 6750 section 3).
    wanted_scopes: Arc<[String]>,
    in_groups: Selection,
    permission: Option<Arc<Wanted>>,
    key_types: Vec<String>,
    methods: Vec<String>,
    conditions: Conditions,
    /// The path that the conditions' placeholders are of.
    template: Option<PathTemplate>,
    /// Of which kinds there are any.
    parts: Parts,
}

/// Kinds of demands: one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Parts(u8);

/// One kind of demand, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Groups,
    Roles,
    Scopes,
    InGroups,
    Permission,
    Restrictions,
    Conditions,
}

/// What one kind of demand comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    NotDemanded,
    Met,
    Unmet(Refusal),
    /// It cannot be evaluated, and might be unmet.
    Unknown,
    /// It depends on a fact that is not known.
    NotKnown,
}

/// What demands are judged by.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) request: &'a AccessRequest<'a>,
    pub(super) caller: &'a Caller<'a>,
    pub(super) directory: &'a Directory,
}

/// What a set of names must contain.
#[derive(Debug, Default)]
pub(super) struct Selection {
    any_of: SymbolSet,
    all_of: Vec<Symbol>,
    none_of: SymbolSet,
}

impl Part {
    /// All of them, in order.
    pub(super) const ALL: [Part; 7] = [
        Part::Groups,
        Part::Roles,
        Part::Scopes,
        Part::InGroups,
        Part::Permission,
        Part::Restrictions,
        Part::Conditions,
    ];

    /// A place for each: there are seven of them and eight bits.
    const fn bit(self) -> u8 {
        1_u8.wrapping_shl(self as u32)
    }

    /// The field of the document that demands it.
    pub(super) fn field(self) -> &'static str {
        match self {
            Part::Groups => "groups",
            Part::Roles | Part::Scopes | Part::InGroups => "require",
            Part::Permission => "permission",
            Part::Restrictions => "restrictions",
            Part::Conditions => "conditions",
        }
    }
}

impl Parts {
    const fn contain(self, part: Part) -> bool {
        self.0 & part.bit() != 0
    }
}

impl Selection {
    pub(super) fn compile(
        selection: &document::Selection,
        kind: Kind,
        compiler: &mut Compiler<'_>,
    ) -> Selection {
        let mut symbols = |names: &[String]| -> Vec<Symbol> {
            names.iter().map(|name| compiler.symbols.intern(kind, name)).collect()
        };
        Selection {
            any_of: symbols(&selection.any_of).into_iter().collect(),
            all_of: symbols(&selection.all_of),
            none_of: symbols(&selection.none_of).into_iter().collect(),
        }
    }

    fn demands_nothing(&self) -> bool {
        self.any_of.is_empty() && self.all_of.is_empty() && self.none_of.is_empty()
    }

    /// Whether `caller` has what is demanded. Who is exempt needs nothing, and still must not have what is excluded.
    fn is_met(&self, caller: &Caller<'_>, exempt: Truth) -> Truth {
        let any = if self.any_of.is_empty() { Truth::True } else { caller.has_one_of(&self.any_of) };
        let all = self.all_of.iter().map(|symbol| caller.has(*symbol));
        let demanded = Truth::any([exempt, Truth::all(all.chain([any]))]);
        Truth::all([demanded, caller.has_one_of(&self.none_of).negated()])
    }
}

impl Demands {
    /// What `authorization` or a policy demands. `template` is the path that it is attached to.
    pub(super) fn of_policy(
        groups: &[String],
        require: &document::Requirement,
        restrictions: &document::Restrictions,
        conditions: Conditions,
        template: Option<PathTemplate>,
        compiler: &mut Compiler<'_>,
    ) -> Demands {
        compiler.needs_more |= !restrictions.key_types.is_empty() || !restrictions.methods.is_empty();
        Demands {
            groups: groups.iter().map(|group| compiler.symbols.intern(Kind::Group, group)).collect(),
            key_types: restrictions.key_types.clone(),
            methods: restrictions.methods.clone(),
            ..Demands::of_route(require, conditions, template, compiler)
        }
        .noting_parts()
    }

    /// What a route demands. Nothing of it is kept when it demands nothing.
    pub(super) fn of_route(
        require: &document::Requirement,
        conditions: Conditions,
        template: Option<PathTemplate>,
        compiler: &mut Compiler<'_>,
    ) -> Demands {
        let wanted = require.scopes.all_of.iter().chain(&require.scopes.any_of);
        Demands {
            roles: Selection::compile(&require.roles, Kind::Role, compiler),
            scopes: Selection::compile(&require.scopes, Kind::Scope, compiler),
            wanted_scopes: wanted.cloned().collect(),
            in_groups: Selection::compile(&require.groups, Kind::Group, compiler),
            template: template.filter(|_| !conditions.is_empty()),
            conditions,
            ..Demands::default()
        }
        .noting_parts()
    }

    /// The same demands and a permission.
    pub(super) fn and_permission(self, permission: Option<Arc<Wanted>>) -> Demands {
        Demands { permission, ..self }.noting_parts()
    }

    /// Whether anything is demanded at all.
    pub(super) fn demand_nothing(&self) -> bool {
        self.parts == Parts::default()
    }

    /// The kinds of demands that there are, in order.
    pub(super) fn demanded(&self) -> impl Iterator<Item = Part> + use<> {
        let parts = self.parts;
        let all = if self.demand_nothing() { [].as_slice() } else { &Part::ALL };
        all.iter().copied().filter(move |part| parts.contain(*part))
    }

    /// Whether its conditions look at the body.
    pub(super) fn read_body(&self) -> bool {
        self.conditions.read_body()
    }

    pub(super) fn permission(&self) -> Option<&Wanted> {
        self.permission.as_deref()
    }

    /// Judges one kind of demand, for the spelling `path` of the request's path. Who is exempt (a superuser, at a route)
    /// needs no role, no scope and no permission.
    pub(super) fn judge(
        &self,
        part: Part,
        case: Case<'_>,
        path: &CanonicalPath,
        exempt: Truth,
        steps: &mut Steps,
    ) -> Judgement {
        if !self.parts.contain(part) {
            return Judgement::NotDemanded;
        }
        let caller = case.caller;
        match part {
            Part::Groups => met_or(caller.has_one_of(&self.groups), || Refusal::InsufficientGroup),
            Part::Roles => met_or(self.roles.is_met(caller, exempt), || Refusal::InsufficientRole),
            Part::Scopes => met_or(self.scopes.is_met(caller, exempt), || {
                Refusal::InsufficientScope(Arc::clone(&self.wanted_scopes))
            }),
            Part::InGroups => {
                met_or(self.in_groups.is_met(caller, Truth::False), || Refusal::InsufficientGroup)
            }
            Part::Permission => {
                let wanted = self.permission.as_ref();
                let is_held = |wanted: &Arc<Wanted>| wanted.is_held(caller, &case.directory.carriers);
                let held = wanted.map_or(Truth::True, is_held);
                met_or(Truth::any([exempt, held]), || Refusal::InsufficientPermissions)
            }
            Part::Restrictions => met_or(self.allow_credential(case), || Refusal::AccessDenied),
            Part::Conditions => met_or(self.truth(case, path, steps), || Refusal::AccessDenied),
        }
    }

    fn noting_parts(self) -> Demands {
        let bits = Part::ALL.into_iter().filter(|part| self.have(*part)).map(Part::bit);
        Demands { parts: Parts(bits.fold(0, |bits, bit| bits | bit)), ..self }
    }

    fn have(&self, part: Part) -> bool {
        match part {
            Part::Groups => !self.groups.is_empty(),
            Part::Roles => !self.roles.demands_nothing(),
            Part::Scopes => !self.scopes.demands_nothing(),
            Part::InGroups => !self.in_groups.demands_nothing(),
            Part::Permission => self.permission.is_some(),
            Part::Restrictions => !(self.key_types.is_empty() && self.methods.is_empty()),
            Part::Conditions => !self.conditions.is_empty(),
        }
    }

    fn truth(&self, case: Case<'_>, path: &CanonicalPath, steps: &mut Steps) -> Truth {
        let captures = self.template.as_ref().and_then(|template| template.captures(path));
        self.conditions
            .evaluate(&Facts { request: case.request, tenant: case.caller.tenant, captures }, steps)
    }

    /// A kind or a method that is not known is none of those allowed.
    fn allow_credential(&self, case: Case<'_>) -> Truth {
        let (subject, unknown) = (case.caller.subject, case.request.context.unknown);
        let is_one_of = |allowed: &[String], own: Option<&String>, fact| {
            let is_one = allowed.is_empty() || own.is_some_and(|own| allowed.contains(own));
            known_or(is_one, || subject.is_some() && unknown.hides(fact, ""))
        };
        let key_type = subject.and_then(|subject| subject.key_type.as_ref());
        let method = subject.and_then(|subject| subject.method.as_ref());
        Truth::all([
            is_one_of(&self.key_types, key_type, Fact::KeyType),
            is_one_of(&self.methods, method, Fact::Method),
        ])
    }
}

fn met_or(met: Truth, refusal: impl FnOnce() -> Refusal) -> Judgement {
    match met {
        Truth::True => Judgement::Met,
        Truth::False => Judgement::Unmet(refusal()),
        Truth::Unknown(Fault::NotKnown) => Judgement::NotKnown,
        Truth::Unknown(_fault) => Judgement::Unknown,
    }
}
