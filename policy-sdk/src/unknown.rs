//! Facts of a request that are not known, told apart from those that are absent.
//!
//! A gate knows every fact: a header that was not sent is known to be absent. A record of a request holds some facts only,
//! and of the others nobody can say whether they were there. [`Policy::foresee`](crate::policy::Policy::foresee) decides such
//! a request as far as it can be decided; whatever looks at a fact must first ask [`Unknown::hides`].
//!
//! Without the feature `replay` nothing is ever unknown: the answer is a constant, and none of this is left in the gate.

#[cfg(feature = "replay")]
use std::cell::{Cell, RefCell};
#[cfg(feature = "replay")]
use std::collections::BTreeSet;

/// What can be unknown of a request. What is not listed here is always known: method, host and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Everything about the caller, even whether there is one.
    Subject,
    /// The subject's id.
    Id,
    /// The tenant that the credential names, or that it names none.
    Tenant,
    /// Roles of the credential.
    Roles,
    /// Groups of the subject.
    Groups,
    /// Scopes of the credential.
    Scopes,
    /// Permissions that the credential itself carries.
    Permissions,
    /// The method that verified the credential.
    Method,
    /// The kind of credential.
    KeyType,
    /// The subject's other attributes, each by its name.
    Attribute,
    /// Header lines, each by its name, besides those that ask for an upgrade.
    Header,
    /// Whether the request asks for another protocol, and for which (RFC 9110 section 7.8).
    Upgrade,
    /// The query.
    Query,
    /// The address of the peer.
    Source,
    /// When the request came.
    Time,
    /// The body.
    Body,
}

impl Fact {
    /// Every one.
    pub const ALL: [Fact; 16] = [
        Fact::Subject,
        Fact::Id,
        Fact::Tenant,
        Fact::Roles,
        Fact::Groups,
        Fact::Scopes,
        Fact::Permissions,
        Fact::Method,
        Fact::KeyType,
        Fact::Attribute,
        Fact::Header,
        Fact::Upgrade,
        Fact::Query,
        Fact::Source,
        Fact::Time,
        Fact::Body,
    ];

    /// As conditions name it; of attributes and headers, what their names begin with.
    pub fn as_str(self) -> &'static str {
        match self {
            Fact::Subject => "subject",
            Fact::Id => "subject.id",
            Fact::Tenant => "subject.tenant",
            Fact::Roles => "subject.roles",
            Fact::Groups => "subject.groups",
            Fact::Scopes => "subject.scopes",
            Fact::Permissions => "subject.permissions",
            Fact::Method => "subject.method",
            Fact::KeyType => "subject.key_type",
            Fact::Attribute => "subject.",
            Fact::Header => "context.header.",
            Fact::Upgrade => "context.header.upgrade",
            Fact::Query => "context.query",
            Fact::Source => "context.source",
            Fact::Time => "context.time",
            Fact::Body => "context.body",
        }
    }
}

/// What is not known of one request. By default, and in a gate, nothing is unknown.
#[derive(Clone, Copy, Default)]
pub struct Unknown<'a> {
    #[cfg(feature = "replay")]
    ignorance: Option<&'a Ignorance>,
    #[cfg(not(feature = "replay"))]
    of_nothing: std::marker::PhantomData<&'a ()>,
}

#[cfg(not(feature = "replay"))]
#[expect(clippy::unused_self, reason = "the same calls as with the feature, which does look")]
impl Unknown<'_> {
    /// Whether `fact` is not known, without having looked at it.
    pub(crate) const fn lacks(self, _fact: Fact) -> bool {
        false
    }

    /// Whether `fact` is not known, where it is looked at. `name` is that of the attribute or header, else empty.
    pub(crate) const fn hides(self, _fact: Fact, _name: &str) -> bool {
        false
    }

    /// Notes that the answer depends on what is not known.
    pub(crate) const fn leaves_open(self) {}

    /// Notes that a condition was to read what is not known, at a cost that nobody knows.
    pub(crate) const fn costs_anything(self) {}

    /// Notes that the budget of steps did not suffice.
    pub(crate) const fn is_exhausted(self) {}
}

#[cfg(feature = "replay")]
impl Unknown<'_> {
    /// Whether `fact` is not known, without having looked at it.
    pub(crate) fn lacks(self, fact: Fact) -> bool {
        self.ignorance.is_some_and(|ignorance| ignorance.facts.contains(&fact))
    }

    /// Whether `fact` is not known, where it is looked at. `name` is that of the attribute or header, else empty.
    pub(crate) fn hides(self, fact: Fact, name: &str) -> bool {
        let Some(ignorance) = self.ignorance.filter(|ignorance| ignorance.facts.contains(&fact)) else {
            return false;
        };
        ignorance.missed.borrow_mut().insert(format!("{}{name}", fact.as_str()));
        true
    }

    /// Notes that the answer depends on what is not known.
    pub(crate) fn leaves_open(self) {
        if let Some(ignorance) = self.ignorance {
            ignorance.open.set(true);
        }
    }

    /// Notes that a condition was to read what is not known, at a cost that nobody knows.
    pub(crate) fn costs_anything(self) {
        if let Some(ignorance) = self.ignorance {
            ignorance.costs_anything.set(true);
        }
    }

    /// Notes that the budget of steps did not suffice. Where something unknown was looked at, another world may have taken
    /// fewer steps: rules were counted that are perhaps not about the caller.
    pub(crate) fn is_exhausted(self) {
        if let Some(ignorance) = self.ignorance.filter(|ignorance| !ignorance.missed.borrow().is_empty()) {
            ignorance.open.set(true);
        }
    }
}

/// What is not known, and what of that was looked at.
#[cfg(feature = "replay")]
#[derive(Debug, Default)]
pub(crate) struct Ignorance {
    facts: BTreeSet<Fact>,
    missed: RefCell<BTreeSet<String>>,
    open: Cell<bool>,
    costs_anything: Cell<bool>,
}

#[cfg(feature = "replay")]
impl Ignorance {
    pub(crate) fn of(facts: &BTreeSet<Fact>) -> Ignorance {
        Ignorance { facts: facts.clone(), ..Ignorance::default() }
    }

    pub(crate) fn as_unknown(&self) -> Unknown<'_> {
        Unknown { ignorance: Some(self) }
    }

    /// Whether the answer depends on what is not known.
    pub(crate) fn is_open(&self) -> bool {
        self.open.get()
    }

    /// Whether a condition was to read what is not known. What it reads may be so long that the budget of the decision does
    /// not suffice, and then the request is refused.
    pub(crate) fn costs_anything(&self) -> bool {
        self.costs_anything.get()
    }

    /// The names of the unknown facts that were looked at.
    pub(crate) fn into_missed(self) -> BTreeSet<String> {
        self.missed.into_inner()
    }
}
