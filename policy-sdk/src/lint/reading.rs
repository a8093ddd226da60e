//! A document taken apart for the lints: what they have in common is worked out once.

use super::access::Methods;
use super::condition_lists::{self, ConditionList, full_name, texts};
use super::place::{Place, below};
use super::role_graph::RoleGraph;
use super::template_shape::Shape;
use crate::document::{
    AccessList, Document, JsonPointer, Public, Requirement, Route, Rule, Selection, Superusers,
};

/// A document, and what is asked of it more than once.
pub(super) struct Reading<'d> {
    pub(super) document: &'d Document,
    pub(super) public: Vec<Entry<'d, Public>>,
    pub(super) routes: Vec<Entry<'d, Route>>,
    /// Every list of rules: that of everyone first, then those of the attached policies.
    pub(super) rule_lists: Vec<RuleList<'d>>,
    pub(super) roles: RoleGraph<'d>,
    /// Every list of conditions that is not empty.
    pub(super) conditions: Vec<ConditionList<'d>>,
    /// Seconds since 1970, where whoever asks says what time it is.
    pub(super) now: Option<i64>,
}

/// A public entry or a route.
pub(super) struct Entry<'d, T> {
    pub(super) index: usize,
    pub(super) entry: &'d T,
    pub(super) shape: Shape,
    pub(super) methods: Methods,
}

/// Rules that stand in one list and are weighed together.
pub(super) struct RuleList<'d> {
    pub(super) pointer: JsonPointer,
    pub(super) rules: Vec<RuleEntry<'d>>,
}

/// One rule of a list.
pub(super) struct RuleEntry<'d> {
    pub(super) index: usize,
    pub(super) rule: &'d Rule,
    pub(super) shape: Shape,
}

impl<'d> Reading<'d> {
    pub(super) fn of(document: &'d Document, now: Option<i64>) -> Reading<'d> {
        let authorization = &document.authorization;
        let public = authorization.public.iter().enumerate().filter_map(|(index, entry)| {
            let shape = Shape::of(&entry.path)?;
            Some(Entry { index, entry, shape, methods: Methods::listed(&entry.methods) })
        });
        let routes = authorization.routes.iter().enumerate().filter_map(|(index, entry)| {
            let shape = Shape::of(&entry.path_template())?;
            Some(Entry { index, entry, shape, methods: Methods::listed(&entry.request_methods()) })
        });
        let (place, rules) = document.rules();
        let policies = authorization.policies.iter().enumerate();
        let attached =
            policies.map(|(index, policy)| RuleList::of(policy_place(index).member("rules"), &policy.rules));
        Reading {
            document,
            public: public.collect(),
            routes: routes.collect(),
            rule_lists: std::iter::once(RuleList::of(place, rules)).chain(attached).collect(),
            roles: RoleGraph::of(&authorization.roles),
            conditions: condition_lists::of(document),
            now,
        }
    }

    /// Whether a token can bring permissions beyond those of its roles.
    pub(super) fn tokens_bring_permissions(&self) -> bool {
        self.document.authentication.methods.iter().any(|method| method.jwt.claims.permissions.is_some())
    }

    /// Every permission that a role carries, of the document or of one tenant, or that is granted.
    pub(super) fn carried_permissions(&self) -> impl Iterator<Item = &'d str> {
        let authorization = &self.document.authorization;
        let roles = authorization.roles.values().flat_map(|role| &role.permissions);
        let of_tenants = self.document.tenancy.tenants.values().flat_map(|tenant| tenant.roles.values());
        let granted = authorization.grants.iter().flat_map(|grant| &grant.permissions);
        roles.chain(of_tenants.flat_map(|role| &role.permissions)).chain(granted).map(String::as_str)
    }

    /// Whether there are callers who need no permission.
    pub(super) fn has_superusers(&self) -> bool {
        self.document.authorization.superusers != Superusers::default()
    }

    /// The rules that are weighed for every request.
    pub(super) fn rules_of_everyone(&self) -> impl Iterator<Item = (&RuleList<'d>, &RuleEntry<'d>)> {
        self.rule_lists.iter().take(1).flat_map(|list| list.rules.iter().map(move |rule| (list, rule)))
    }

    /// Every permission that a route asks for, or a condition looks for.
    pub(super) fn asked_permissions(&self) -> impl Iterator<Item = &'d str> {
        let routes =
            self.document.authorization.routes.iter().filter_map(|route| route.permission.as_deref());
        routes.chain(self.texts_tested("subject.permissions").into_iter().map(|(text, _)| text))
    }

    /// Every role that the document asks whether a caller has, with its place. `*` is none.
    pub(super) fn named_roles(&self) -> impl Iterator<Item = (&'d str, Place)> {
        let rules = self.rules().filter(|(_, entry)| entry.rule.role != "*").map(|(list, entry)| {
            (entry.rule.role.as_str(), Place::new(&list.pointer).element(entry.index).member("role"))
        });
        let routes = JsonPointer::members(&["authorization", "routes"]);
        let demanded =
            self.document.authorization.routes.iter().enumerate().flat_map(move |(index, route)| {
                let require = Place::new(&routes).element(index).member("require").member("roles");
                selected(&route.require.roles, require)
            });
        let cross = Place::new(&JsonPointer::members(&["tenancy", "cross_tenant", "roles"]));
        let across = self.document.tenancy.cross_tenant.roles.iter().enumerate();
        let across = across.map(move |(index, role)| (role.as_str(), cross.clone().element(index)));
        let tested = self.texts_tested("subject.roles");
        rules.chain(demanded).chain(across).chain(self.named_roles_of_policies()).chain(tested)
    }

    /// Every text that a condition holds `attribute` against, with its place.
    pub(super) fn texts_tested(&self, attribute: &str) -> Vec<(&'d str, Place)> {
        let mut all = Vec::new();
        for list in &self.conditions {
            for (test, steps) in list.tests() {
                if full_name(&test.attribute) != attribute {
                    continue;
                }
                let place = list.pointer(&steps);
                let found = texts(test).into_iter();
                all.extend(found.map(|(text, steps)| (text, Place::new(&below(place.clone(), &steps)))));
            }
        }
        all
    }

    /// The same, of what a document says beyond rules and routes.
    fn named_roles_of_policies(&self) -> impl Iterator<Item = (&'d str, Place)> {
        let authorization = &self.document.authorization;
        let outer = JsonPointer::members(&["authorization"]);
        let superusers = Place::new(&outer).member("superusers").member("roles");
        let superusers = listed(&authorization.superusers.roles, superusers);
        let everyone = Place::new(&outer).member("require").member("roles");
        let everyone = selected(&authorization.require.roles, everyone);
        let lists = in_access_lists(&authorization.acl, outer.member("acl"));
        let policies = authorization.policies.iter().enumerate().flat_map(|(index, policy)| {
            let outer = policy_place(index);
            let require = Place::new(&outer).member("require").member("roles");
            selected(&policy.require.roles, require).chain(in_access_lists(&policy.acl, outer.member("acl")))
        });
        superusers.chain(everyone).chain(lists).chain(policies)
    }

    /// Every group that the document asks for or grants something to, with its place.
    pub(super) fn named_groups(&self) -> impl Iterator<Item = (&'d str, Place)> {
        let authorization = &self.document.authorization;
        let outer = JsonPointer::members(&["authorization"]);
        let (groups_place, groups) = self.document.groups();
        let mut all: Vec<(&str, Place)> = listed(groups, Place::new(&groups_place)).collect();
        let in_require = |requirement: &'d Requirement, place: &JsonPointer| {
            selected(&requirement.groups, Place::new(place).member("require").member("groups"))
        };
        all.extend(in_require(&authorization.require, &outer));
        all.extend(groups_in_access_lists(&authorization.acl, &outer.member("acl")));
        for route in &self.routes {
            all.extend(in_require(&route.entry.require, &route_place(route.index)));
        }
        let grants = Place::new(&outer.member("grants"));
        for (index, grant) in authorization.grants.iter().enumerate() {
            let place = grants.clone().element(index).member("group");
            all.extend(grant.group.as_deref().map(|group| (group, place)));
        }
        for (index, policy) in authorization.policies.iter().enumerate() {
            let place = policy_place(index);
            all.extend(listed(&policy.groups, Place::new(&place).member("groups")));
            all.extend(in_require(&policy.require, &place));
            all.extend(groups_in_access_lists(&policy.acl, &place.member("acl")));
        }
        all.extend(self.texts_tested("subject.groups"));
        all.into_iter()
    }

    /// Every rule of every list.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&RuleList<'d>, &RuleEntry<'d>)> {
        self.rule_lists.iter().flat_map(|list| list.rules.iter().map(move |rule| (list, rule)))
    }
}

impl<'d> RuleList<'d> {
    fn of(pointer: JsonPointer, rules: &'d [Rule]) -> RuleList<'d> {
        let rules = rules.iter().enumerate().filter_map(|(index, rule)| {
            Some(RuleEntry { index, rule, shape: Shape::of_resource(&rule.resource)? })
        });
        RuleList { pointer, rules: rules.collect() }
    }

    /// Where its rule number `index` stands.
    pub(super) fn place(&self, index: usize) -> JsonPointer {
        self.pointer.element(index)
    }
}

impl RuleEntry<'_> {
    /// Whether it holds for every request that it is about.
    pub(super) fn is_unconditional(&self) -> bool {
        self.rule.conditions.is_empty()
    }
}

/// Every name of a selection that stands at `place`.
fn selected(selection: &Selection, place: Place) -> impl Iterator<Item = (&str, Place)> {
    let lists =
        [("any_of", &selection.any_of), ("all_of", &selection.all_of), ("none_of", &selection.none_of)];
    lists.into_iter().flat_map(move |(field, names)| listed(names, place.clone().member(field)))
}

/// Every name of a list that stands at `place`.
fn listed(names: &[String], place: Place) -> impl Iterator<Item = (&str, Place)> {
    names.iter().enumerate().map(move |(index, name)| (name.as_str(), place.clone().element(index)))
}

/// Every role that access lists name; `*` is none. The lists stand at `place`.
fn in_access_lists(lists: &[AccessList], place: JsonPointer) -> impl Iterator<Item = (&str, Place)> {
    let place = Place::new(&place);
    let roles = lists.iter().enumerate().flat_map(move |(list, access)| {
        let entries = place.clone().element(list).member("entries");
        access.entries.iter().enumerate().flat_map(move |(index, entry)| {
            listed(&entry.roles, entries.clone().element(index).member("roles"))
        })
    });
    roles.filter(|(role, _)| *role != "*")
}

/// Every group that access lists name. The lists stand at `place`.
fn groups_in_access_lists<'d>(
    lists: &'d [AccessList],
    place: &JsonPointer,
) -> impl Iterator<Item = (&'d str, Place)> {
    let place = Place::new(place);
    lists.iter().enumerate().flat_map(move |(list, access)| {
        let entries = place.clone().element(list).member("entries");
        access.entries.iter().enumerate().flat_map(move |(index, entry)| {
            listed(&entry.groups, entries.clone().element(index).member("groups"))
        })
    })
}

/// Where the attached policy number `index` stands.
pub(super) fn policy_place(index: usize) -> JsonPointer {
    JsonPointer::members(&["authorization", "policies"]).element(index)
}

/// Where the grant number `index` stands.
pub(super) fn grant_place(index: usize) -> JsonPointer {
    JsonPointer::members(&["authorization", "grants"]).element(index)
}

/// Where the public entry number `index` stands.
pub(super) fn public_place(index: usize) -> JsonPointer {
    JsonPointer::members(&["authorization", "public"]).element(index)
}

/// Where the route number `index` stands.
pub(super) fn route_place(index: usize) -> JsonPointer {
    JsonPointer::members(&["authorization", "routes"]).element(index)
}
