//! A caller, worked out once a decision: everything that a rule, a list or a demand could be about.

use crate::condition::{Fault, Truth};
use crate::request::{AccessRequest, Subject};

use super::Directory;
use super::grant::Grant;
use super::held::Held;
use super::perhaps::Perhaps;
use super::symbol::{Kind, Symbol};
use super::symbol_set::SymbolSet;

/// Who asks, as the document knows them.
#[derive(Debug, Default)]
pub(super) struct Caller<'a> {
    pub(super) subject: Option<&'a Subject>,
    /// The credential's tenant, or the default.
    pub(super) tenant: Option<&'a str>,
    /// Every symbol that stands for this caller: anyone, its roles with what they inherit, its groups, scopes and user id.
    pub(super) held: Held<'a>,
    /// The grants that count.
    pub(super) grants: Vec<&'a Grant>,
    /// What it might have besides.
    pub(super) perhaps: Perhaps<'a>,
}

impl Caller<'_> {
    /// Whether a rule about `symbol` is about this caller.
    pub(super) fn is(&self, symbol: Symbol) -> bool {
        self.held.contains(symbol)
    }

    /// Whether the caller has `symbol`.
    pub(super) fn has(&self, symbol: Symbol) -> Truth {
        known_or(self.is(symbol), || self.perhaps.is(symbol))
    }

    /// Whether the caller has one of `symbols`.
    pub(super) fn has_one_of(&self, symbols: &SymbolSet) -> Truth {
        known_or(self.held.is_one_of(symbols), || self.perhaps.is_one_of(symbols))
    }
}

impl Directory {
    /// Works out who asks. An anonymous caller is nobody.
    pub(super) fn caller<'a>(&'a self, request: &AccessRequest<'a>, tenant: Option<&'a str>) -> Caller<'a> {
        let Some(subject) = request.subject else {
            return Caller::default();
        };
        let mut caller = Caller { subject: Some(subject), tenant, ..Caller::default() };
        caller.held.insert(self.anyone);
        let tenant = tenant.filter(|_| self.symbols.has(Kind::Tenant));
        let tenant = tenant.and_then(|tenant| self.symbols.get(Kind::Tenant, tenant));
        let of_tenant = |name: &str| tenant.and_then(|tenant| self.symbols.get(Kind::RoleOf(tenant), name));
        for name in &subject.roles {
            if let Some(role) = self.symbols.get(Kind::Role, name) {
                match self.roles.closure(role) {
                    Some(closure) => caller.held.extend(closure),
                    None => caller.held.insert(role),
                }
            }
            of_tenant(name).into_iter().for_each(|role| caller.held.insert(role));
        }
        let user = self.known(Kind::User, subject.id.as_slice());
        let groups = self.known(Kind::Group, &subject.groups);
        for holder in user.into_iter().chain(groups) {
            caller.held.insert(holder);
            for grant in self.grants.counting(holder, tenant, request.context.time) {
                caller.held.extend(grant.roles());
                grant.others().filter_map(of_tenant).for_each(|role| caller.held.insert(role));
                caller.grants.push(grant);
            }
        }
        self.known(Kind::Scope, &subject.scopes).for_each(|scope| caller.held.insert(scope));
        caller.perhaps = Perhaps::of(self, request, &caller.held, tenant);
        caller
    }

    /// The symbols of those of `names` that the document knows.
    fn known<'a>(&'a self, kind: Kind, names: &'a [String]) -> impl Iterator<Item = Symbol> + use<'a> {
        let names = if self.symbols.has(kind) { names } else { &[] };
        names.iter().filter_map(move |name| self.symbols.get(kind, name))
    }
}

/// What is so for all that is known, else what is perhaps so.
pub(super) fn known_or(is_so: bool, perhaps: impl FnOnce() -> bool) -> Truth {
    match is_so {
        true => Truth::True,
        false if perhaps() => Truth::Unknown(Fault::NotKnown),
        false => Truth::False,
    }
}
