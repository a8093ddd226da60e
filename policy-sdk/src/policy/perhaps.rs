//! What facts that are not known might make of a caller: roles, groups, scopes and permissions it perhaps has.
//!
//! In a gate everything is known, and nothing of this is left: see [`crate::unknown`].

#[cfg(not(feature = "replay"))]
pub(super) use in_a_gate::Perhaps;
#[cfg(feature = "replay")]
pub(super) use replayed::Perhaps;

#[cfg(not(feature = "replay"))]
mod in_a_gate {
    use crate::permission::PermissionPattern;
    use crate::policy::Directory;
    use crate::policy::held::Held;
    use crate::policy::symbol::Symbol;
    use crate::policy::symbol_set::SymbolSet;
    use crate::request::AccessRequest;

    /// Nothing.
    #[derive(Debug, Default)]
    pub(in crate::policy) struct Perhaps<'a>(std::marker::PhantomData<&'a ()>);

    #[expect(clippy::unused_self, reason = "the same calls as with the feature, which does look")]
    impl<'a> Perhaps<'a> {
        pub(in crate::policy) const fn of(
            _directory: &Directory,
            _request: &AccessRequest<'a>,
            _held: &Held<'_>,
            _tenant: Option<Symbol>,
        ) -> Perhaps<'a> {
            Perhaps(std::marker::PhantomData)
        }

        pub(in crate::policy) const fn is(&self, _symbol: Symbol) -> bool {
            false
        }

        pub(in crate::policy) const fn is_one_of(&self, _symbols: &SymbolSet) -> bool {
            false
        }

        pub(in crate::policy) const fn may(&self, _wanted: &PermissionPattern) -> bool {
            false
        }

        pub(in crate::policy) fn any(&self, _test: impl FnMut(Symbol) -> bool) -> bool {
            false
        }
    }
}

#[cfg(feature = "replay")]
mod replayed {
    use crate::permission::PermissionPattern;
    use crate::policy::Directory;
    use crate::policy::held::Held;
    use crate::policy::symbol::{Kind, Symbol};
    use crate::policy::symbol_set::SymbolSet;
    use crate::request::AccessRequest;
    use crate::unknown::{Fact, Unknown};

    /// What a caller perhaps has, each with the fact that would tell.
    #[derive(Default)]
    pub(in crate::policy) struct Perhaps<'a> {
        unknown: Unknown<'a>,
        symbols: Vec<(Fact, SymbolSet)>,
        permissions: Vec<(Fact, Vec<PermissionPattern>)>,
    }

    impl<'a> Perhaps<'a> {
        /// What a caller perhaps has that is known to have `held`.
        pub(in crate::policy) fn of(
            directory: &Directory,
            request: &AccessRequest<'a>,
            held: &Held<'_>,
            tenant: Option<Symbol>,
        ) -> Perhaps<'a> {
            let unknown = request.context.unknown;
            let mut perhaps = Perhaps { unknown, ..Perhaps::default() };
            let names = &directory.symbols;
            for (fact, kind) in [
                (Fact::Roles, Some(Kind::Role)),
                (Fact::Roles, tenant.map(Kind::RoleOf)),
                (Fact::Groups, Some(Kind::Group)),
                (Fact::Scopes, Some(Kind::Scope)),
                (Fact::Id, Some(Kind::User)),
            ] {
                if let Some(kind) = kind.filter(|_| unknown.lacks(fact)) {
                    perhaps.symbols.push((fact, names.of_kind(kind).collect()));
                }
            }
            let now = request.context.time;
            for grant in directory.grants.all() {
                let holder = grant.holder();
                let hidden = perhaps.symbols.iter().find(|(_, symbols)| symbols.contains(holder));
                let by_time = unknown.lacks(Fact::Time) && grant.is_bounded();
                let fact = match (held.contains(holder), hidden) {
                    (true, _) if by_time => Fact::Time,
                    (false, Some((fact, _))) => *fact,
                    (true | false, _) => continue,
                };
                if !grant.is_of(tenant) || !(by_time || grant.counts(tenant, now)) {
                    continue;
                }
                let of_tenant = |name| names.get(Kind::RoleOf(tenant?), name);
                let mut roles = grant.roles().clone();
                grant.others().filter_map(of_tenant).for_each(|role| roles.insert(role));
                perhaps.symbols.push((fact, roles));
                perhaps.permissions.push((fact, grant.permissions().to_vec()));
            }
            perhaps
        }

        /// Whether a rule about `symbol` is perhaps about this caller.
        pub(in crate::policy) fn is(&self, symbol: Symbol) -> bool {
            self.by(|symbols| symbols.contains(symbol))
        }

        /// Whether the caller perhaps is one of `symbols`.
        pub(in crate::policy) fn is_one_of(&self, symbols: &SymbolSet) -> bool {
            self.by(|perhaps| perhaps.intersects(symbols))
        }

        /// Whether the caller perhaps was given a permission that covers `wanted`, by a grant or by its credential.
        pub(in crate::policy) fn may(&self, wanted: &PermissionPattern) -> bool {
            let covering = self
                .permissions
                .iter()
                .filter(|(_, permissions)| permissions.iter().any(|permission| permission.covers(wanted)));
            let by_grant = covering.filter(|(fact, _)| self.unknown.hides(*fact, "")).count() > 0;
            self.unknown.hides(Fact::Permissions, "") || by_grant
        }

        /// Whether `test` says yes to one of the symbols that the caller perhaps is.
        pub(in crate::policy) fn any(&self, mut test: impl FnMut(Symbol) -> bool) -> bool {
            self.by(|symbols| symbols.any(&mut test))
        }

        /// All are asked, for all that is looked at is to be named.
        fn by(&self, mut test: impl FnMut(&SymbolSet) -> bool) -> bool {
            let found = self.symbols.iter().filter(|(_, symbols)| test(symbols));
            found.filter(|(fact, _)| self.unknown.hides(*fact, "")).count() > 0
        }
    }

    impl std::fmt::Debug for Perhaps<'_> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.debug_struct("Perhaps").field("symbols", &self.symbols).finish_non_exhaustive()
        }
    }
}
