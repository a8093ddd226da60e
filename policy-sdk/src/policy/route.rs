//! Routes: which request asks for what. Found by a radix tree over the path, not by a scan.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::decision::{Refusal, RuleId};
use crate::document::{self, Authorization, JsonPointer, Problem, RecordKeeping, RequiredAuthentication};
use crate::host::HostPattern;
use crate::path_tree::{PathTemplate, PathTree};
use crate::permission::PermissionPattern;
use crate::policy::requirement::Requirement;
use crate::policy::role::{Held, Roles};
use crate::policy::{Access, Vote, in_document};
use crate::request::{Action, Resource, Subject};

/// One route of a document.
#[derive(Debug)]
pub struct Route {
    id: RuleId,
    methods: Methods,
    host: Option<HostPattern>,
    access: Access,
    permission: Option<Permission>,
    roles: Requirement,
    scopes: Requirement,
    acknowledged: bool,
    /// Its path has no `**`, so it is about one spelling of a path and not the other.
    exact: bool,
}

/// A permission that a route asks for, with the roles that carry it worked out beforehand.
#[derive(Debug)]
struct Permission {
    wanted: PermissionPattern,
    granted_by: BTreeSet<String>,
}

#[derive(Debug)]
enum Methods {
    Any,
    Named(Vec<String>),
}

impl Methods {
    fn of(methods: &[String]) -> Methods {
        if methods.iter().any(|method| method == "*") {
            Methods::Any
        } else {
            Methods::Named(methods.to_vec())
        }
    }

    fn contain(&self, method: &str) -> bool {
        match self {
            Methods::Any => true,
            Methods::Named(names) => names.iter().any(|name| name == method),
        }
    }
}

impl Route {
    /// Its name, or its place in the document.
    pub fn id(&self) -> &RuleId {
        &self.id
    }

    /// What it asks of a caller before anything else.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The permission it asks for.
    pub fn permission(&self) -> Option<&PermissionPattern> {
        self.permission.as_ref().map(|permission| &permission.wanted)
    }

    /// Whether it is about one spelling of a path, with or without a slash at the end, and not the other.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether a request may go on only when its record is acknowledged.
    pub fn waits_for_record(&self) -> bool {
        self.acknowledged
    }

    /// An exact host says more than a suffix, a longer suffix more than a shorter one, and any of them more than no host.
    fn host_specificity(&self) -> usize {
        self.host.as_ref().map_or(0, HostPattern::specificity)
    }

    fn matches(&self, method: &str, host: &str) -> bool {
        self.methods.contain(method) && self.host.as_ref().is_none_or(|pattern| pattern.matches(host))
    }

    /// Says Permit when everything asked for is there, else Deny with what is lacking first.
    pub(super) fn decide(&self, subject: Option<&Subject>, held: &Held<'_>) -> Vote {
        let scopes: &[String] = subject.map_or(&[], |subject| &subject.scopes);
        if !self.roles.is_met(|role| held.contains(role)) {
            return Vote::Deny(Refusal::InsufficientRole);
        }
        if !self.scopes.is_met(|scope| scopes.iter().any(|held| held == scope)) {
            let wanted: Arc<[String]> = self.scopes.wanted().cloned().collect();
            return Vote::Deny(Refusal::InsufficientScope(wanted));
        }
        match &self.permission {
            Some(permission) if !permission.is_held(subject, held) => {
                Vote::Deny(Refusal::InsufficientPermissions)
            }
            Some(_) | None => Vote::Permit,
        }
    }
}

impl Permission {
    fn is_held(&self, subject: Option<&Subject>, held: &Held<'_>) -> bool {
        let directly = |subject: &Subject| {
            subject
                .permissions
                .iter()
                .filter_map(|text| text.parse::<PermissionPattern>().ok())
                .any(|pattern| pattern.covers(&self.wanted))
        };
        self.granted_by.iter().any(|role| held.contains(role)) || subject.is_some_and(directly)
    }
}

/// Every route of a document, public ones included.
#[derive(Debug, Default)]
pub(super) struct Routes {
    tree: PathTree<Vec<Route>>,
}

impl Routes {
    pub(super) fn compile(
        authorization: &Authorization,
        roles: &Roles,
        problems: &mut Vec<Problem>,
    ) -> Routes {
        let mut routes = Routes::default();
        for (index, public) in authorization.public.iter().enumerate() {
            let place = in_document("public").element(index);
            let host = host_pattern(public.host.as_deref(), &place, problems);
            let route = Route {
                id: RuleId::new(None, &format!("public/{index}")),
                methods: Methods::of(&public.methods),
                host,
                access: Access::Public,
                permission: None,
                roles: Requirement::default(),
                scopes: Requirement::default(),
                acknowledged: false,
                exact: false,
            };
            routes.insert(&public.path, route, &place, problems);
        }
        for (index, route) in authorization.routes.iter().enumerate() {
            let place = in_document("routes").element(index);
            let compiled = compile_route(route, index, roles, &place, problems);
            routes.insert(&route.path_template(), compiled, &place, problems);
        }
        routes
    }

    fn insert(&mut self, path: &str, mut route: Route, place: &JsonPointer, problems: &mut Vec<Problem>) {
        match path.parse::<PathTemplate>() {
            Ok(template) => {
                route.exact = !path.ends_with("/**");
                let there = self.tree.get_or_insert_with(&template, Vec::new);
                let at = there.iter().position(|other| route.host_specificity() > other.host_specificity());
                there.insert(at.unwrap_or(there.len()), route);
            }
            Err(error) => {
                problems.push(
                    Problem::new(place.member("path"), "not a path template").expected(error.to_string()),
                );
            }
        }
    }

    /// The most steps that a search for one path could take.
    pub(super) fn worst_case_steps(&self) -> usize {
        self.tree.worst_case_steps()
    }

    /// The most specific path first; among routes for one path, the most specific host first, then the document's order.
    ///
    /// An action that was asked for by name has no method, and is the matter of routes for every method only.
    pub(super) fn find(&self, action: Action<'_>, resource: Resource<'_>) -> Option<&Route> {
        self.tree
            .all(resource.path)
            .flat_map(|found| found.value)
            .find(|route| route.matches(action.method().unwrap_or_default(), resource.host))
    }
}

fn compile_route(
    route: &document::Route,
    index: usize,
    roles: &Roles,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Route {
    let permission = route.permission.as_ref().and_then(|text| match text.parse::<PermissionPattern>() {
        Ok(wanted) => Some(Permission { granted_by: roles.granting(&wanted), wanted }),
        Err(error) => {
            let problem = Problem::new(place.member("permission"), "not a permission");
            problems.push(problem.expected(error.to_string()));
            None
        }
    });
    Route {
        id: RuleId::new(route.name.as_deref(), &format!("routes/{index}")),
        methods: Methods::of(&route.request_methods()),
        host: host_pattern(route.host.as_deref(), place, problems),
        access: match route.authentication {
            RequiredAuthentication::Required => Access::Required,
            RequiredAuthentication::Optional => Access::Optional,
        },
        permission,
        roles: Requirement::of(&route.require.roles),
        scopes: Requirement::of(&route.require.scopes),
        acknowledged: route.audit == RecordKeeping::Acknowledged,
        exact: false,
    }
}

fn host_pattern(host: Option<&str>, place: &JsonPointer, problems: &mut Vec<Problem>) -> Option<HostPattern> {
    match host?.parse() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let error: crate::host::InvalidHost = error;
            problems.push(Problem::new(place.member("host"), "not a host").expected(error.to_string()));
            None
        }
    }
}
