//! Roles and permissions that a subject or a group is given beside those of its credential, for a time or for good.

use crate::document;
use crate::permission::PermissionPattern;

use super::Compiler;
use super::symbol::{Kind, Symbol};
use super::symbol_set::SymbolSet;

/// One grant.
#[derive(Debug)]
pub(super) struct Grant {
    /// A user or a group.
    holder: Symbol,
    /// Counts for callers of this tenant only.
    tenant: Option<Symbol>,
    /// Seconds since 1970: from then on it counts.
    not_before: Option<i64>,
    /// Seconds since 1970: from then on it counts no more.
    expires: Option<i64>,
    roles: SymbolSet,
    /// Names among its roles that are none of the document's own: a tenant may have roles of these names.
    others: Vec<Box<str>>,
    permissions: Vec<PermissionPattern>,
}

/// All grants of a document, by who holds them.
#[derive(Debug, Default)]
pub(super) struct Grants {
    by_holder: Vec<Grant>,
}

impl Grants {
    /// Takes the grants apart. A grant for nobody and a permission that is none are problems of reading.
    pub(super) fn compile(grants: &[document::Grant], compiler: &mut Compiler<'_>) -> Grants {
        let mut by_holder = Vec::new();
        for (index, grant) in grants.iter().enumerate() {
            let place = compiler.place.member("grants").element(index).member("permissions");
            let permissions = compiler.patterns(&grant.permissions, &place);
            let (kind, name) = match (&grant.subject, &grant.group) {
                (Some(subject), _) => (Kind::User, subject),
                (None, Some(group)) => (Kind::Group, group),
                (None, None) => continue,
            };
            let (mut roles, mut others) = (SymbolSet::default(), Vec::new());
            for role in &grant.roles {
                let symbol = compiler.symbols.intern(Kind::Role, role);
                match compiler.roles.closure(symbol) {
                    Some(closure) => roles.extend(closure),
                    None => {
                        roles.insert(symbol);
                        others.push(role.as_str().into());
                    }
                }
            }
            by_holder.push(Grant {
                holder: compiler.symbols.intern(kind, name),
                tenant: grant.tenant.as_ref().map(|tenant| compiler.symbols.intern(Kind::Tenant, tenant)),
                not_before: grant.not_before.map(document::Timestamp::unix_seconds),
                expires: grant.expires.map(document::Timestamp::unix_seconds),
                roles: roles.compact(),
                others,
                permissions,
            });
        }
        // Stable: the grants of one holder stay in the document's order.
        by_holder.sort_by_key(|grant| grant.holder);
        Grants { by_holder }
    }

    /// Every grant.
    #[cfg(feature = "replay")]
    pub(super) fn all(&self) -> impl Iterator<Item = &Grant> {
        self.by_holder.iter()
    }

    /// The grants that `holder` has, of a caller of `tenant` at the time `now`.
    pub(super) fn counting(
        &self,
        holder: Symbol,
        tenant: Option<Symbol>,
        now: Option<i64>,
    ) -> impl Iterator<Item = &Grant> {
        let first = self.by_holder.partition_point(|grant| grant.holder < holder);
        let of_holder = self.by_holder.iter().skip(first).take_while(move |grant| grant.holder == holder);
        of_holder.filter(move |grant| grant.counts(tenant, now))
    }
}

impl Grant {
    /// The user or the group that it is for.
    pub(super) fn holder(&self) -> Symbol {
        self.holder
    }

    /// The roles it gives, with what they inherit.
    pub(super) fn roles(&self) -> &SymbolSet {
        &self.roles
    }

    /// The names of roles it gives that only tenants can define.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(AsRef::as_ref)
    }

    /// The permissions it gives.
    pub(super) fn permissions(&self) -> &[PermissionPattern] {
        &self.permissions
    }

    /// Whether it has a beginning or an end.
    #[cfg(feature = "replay")]
    pub(super) fn is_bounded(&self) -> bool {
        self.not_before.is_some() || self.expires.is_some()
    }

    /// Whether it is for callers of `tenant`.
    pub(super) fn is_of(&self, tenant: Option<Symbol>) -> bool {
        self.tenant.is_none() || self.tenant == tenant
    }

    /// Without a known time a grant with a beginning or an end counts for nothing.
    pub(super) fn counts(&self, tenant: Option<Symbol>, now: Option<i64>) -> bool {
        let has_begun = self.not_before.is_none_or(|begin| now.is_some_and(|now| begin <= now));
        let goes_on = self.expires.is_none_or(|end| now.is_some_and(|now| now < end));
        self.is_of(tenant) && has_begun && goes_on
    }
}
