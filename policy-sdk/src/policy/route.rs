//! Routes: which request asks for what. Found by a radix tree over the path, not by a scan.

use std::sync::Arc;

use crate::decision::RuleId;
use crate::document::{self, Authorization, JsonPointer, Problem, RecordKeeping, RequiredAuthentication};
use crate::host::HostPattern;
use crate::path_tree::{Match, PathTree, Spellings};
use crate::permission::PermissionPattern;
use crate::request::{Action, Context, Resource};
use crate::unknown::Fact;

use super::carrier::Wanted;
use super::demand::Demands;
use super::matching::{Fit, Matching, preflight_origin};
use super::{Access, Compiler};

/// One route of a document.
#[derive(Debug)]
pub struct Route {
    id: RuleId,
    methods: Methods,
    host: Option<HostPattern>,
    matching: Option<Box<Matching>>,
    access: Access,
    /// Absent where nothing is demanded.
    demands: Option<Box<Demands>>,
    acknowledged: bool,
    /// Its path has no `**`, so it is about one spelling of a path and not the other.
    exact: bool,
}

#[derive(Debug)]
enum Methods {
    Any,
    Named(Box<[String]>),
}

impl Methods {
    fn of(methods: &[String]) -> Methods {
        if methods.iter().any(|method| method == "*") { Methods::Any } else { Methods::Named(methods.into()) }
    }

    /// An action that was asked for by name has no method, and is the matter of routes for every method only.
    fn contain(&self, method: Option<&str>) -> bool {
        match self {
            Methods::Any => true,
            Methods::Named(names) => names.iter().any(|name| Some(name.as_str()) == method),
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
        self.demands().and_then(Demands::permission).map(Wanted::pattern)
    }

    /// Whether it is about one spelling of a path, with or without a slash at the end, and not the other.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether a request may go on only when its record is acknowledged.
    pub fn waits_for_record(&self) -> bool {
        self.acknowledged
    }

    /// What it demands.
    pub(super) fn demands(&self) -> Option<&Demands> {
        self.demands.as_deref()
    }

    /// An exact host says more than a suffix, a longer suffix more than a shorter one, and any of them more than no host.
    /// Of the same host, who looks at more says more.
    fn specificity(&self) -> (usize, usize) {
        let host = self.host.as_ref().map_or(0, HostPattern::specificity);
        (host, self.matching.as_ref().map_or(0, |matching| matching.specificity()))
    }

    /// Whether the route is about a request. One that does not speak of upgrades is about no request that asks for one.
    fn fit(&self, action: Action<'_>, host: &str, context: &Context<'_>, asks_for_upgrade: bool) -> Fit {
        let upgrades = self.matching.as_ref().is_some_and(|matching| matching.websocket);
        let by_head = self.methods.contain(action.method())
            && self.host.as_ref().is_none_or(|pattern| pattern.matches(host))
            && upgrades == asks_for_upgrade;
        match &self.matching {
            Some(matching) if by_head => matching.fit(action, context),
            None if by_head => Fit::Yes,
            Some(_) | None => Fit::No,
        }
    }
}

/// Every route of a document, public ones included.
#[derive(Debug, Default)]
pub(super) struct Routes {
    tree: PathTree<Vec<Route>>,
    preflights: PathTree<Vec<Preflight>>,
}

/// A place that preflights may ask about.
#[derive(Debug)]
struct Preflight {
    id: RuleId,
    host: Option<HostPattern>,
    /// Absent: every origin.
    origins: Option<Vec<String>>,
}

/// What was found for a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'a> {
    Nothing,
    /// Which one depends on facts that are not known.
    NotKnown,
    /// The request half fits this one, and nothing that is more specific.
    Half(&'a Route),
    Route(&'a Route),
}

impl Found<'_> {
    const fn is_nothing(&self) -> bool {
        matches!(self, Found::Nothing)
    }
}

impl Routes {
    pub(super) fn compile(authorization: &Authorization, compiler: &mut Compiler<'_>) -> Routes {
        let mut routes = Routes::default();
        for (index, public) in authorization.public.iter().enumerate() {
            let place = compiler.place.member("public").element(index);
            let host = host_pattern(public.host.as_deref(), &place, compiler.problems);
            let route = Route {
                id: RuleId::new(None, &format!("public/{index}")),
                methods: Methods::of(&public.methods),
                host,
                matching: None,
                access: Access::Public,
                demands: None,
                acknowledged: false,
                exact: false,
            };
            routes.insert(&public.path, route, &place, compiler);
        }
        for (index, route) in authorization.routes.iter().enumerate() {
            let place = compiler.place.member("routes").element(index);
            let compiled = compile_route(route, index, &place, compiler);
            routes.insert(&route.path_template(), compiled, &place, compiler);
        }
        for (index, preflight) in authorization.preflight.iter().enumerate() {
            let place = compiler.place.member("preflight").element(index);
            let host = host_pattern(preflight.host.as_deref(), &place, compiler.problems);
            let Some(template) = compiler.template(&preflight.path, &place.member("path")) else { continue };
            let any = preflight.origins.iter().any(|origin| origin == "*");
            let preflight = Preflight {
                id: RuleId::new(None, &format!("preflight/{index}")),
                host,
                origins: (!any).then(|| preflight.origins.clone()),
            };
            let there = routes.preflights.get_or_insert_with(&(&template).into(), Vec::new);
            if let Some(there) = there {
                there.push(preflight);
            }
        }
        for (tree_steps, member) in
            [(routes.tree.worst_case_steps(), "routes"), (routes.preflights.worst_case_steps(), "preflight")]
        {
            if tree_steps > crate::limits::MAX_SEARCH_STEPS {
                compiler.problems.push(Problem::new(compiler.place.member(member), super::TOO_MANY_CHOICES));
            }
        }
        routes.tree.shrink_to_fit();
        routes
    }

    fn insert(&mut self, path: &str, mut route: Route, place: &JsonPointer, compiler: &mut Compiler<'_>) {
        let Some(template) = compiler.template(path, &place.member("path")) else { return };
        route.exact = !path.ends_with("/**");
        // A tree without room for it refuses the whole document, at the end.
        let Some(there) = self.tree.get_or_insert_with(&(&template).into(), Vec::new) else { return };
        let at = there.partition_point(|other| other.specificity() >= route.specificity());
        there.insert(at, route);
    }

    /// What is found for the path as it came, and for its other spelling: for each the most specific path first; among
    /// routes for one path, the most specific host first, then who looks at more, then the document's order.
    pub(super) fn find(
        &self,
        action: Action<'_>,
        resource: Resource<'_>,
        context: &Context<'_>,
        asks_for_upgrade: bool,
    ) -> (Found<'_>, Found<'_>) {
        let (mut own, mut twin) = (Found::Nothing, Found::Nothing);
        if self.tree.is_empty() {
            return (own, twin);
        }
        let paths = Spellings::of(resource.path);
        for found in self.tree.all(&paths) {
            for route in found.value {
                let is_own = found.is_own() && own.is_nothing();
                let is_twin = found.is_twin() && twin.is_nothing();
                if !(is_own || is_twin) {
                    break;
                }
                let found = match route.fit(action, resource.host, context, asks_for_upgrade) {
                    Fit::Yes => Found::Route(route),
                    Fit::Half => Found::Half(route),
                    Fit::NotKnown => Found::NotKnown,
                    Fit::No => continue,
                };
                if is_own {
                    own = found;
                }
                if is_twin {
                    twin = found;
                }
            }
        }
        (own, twin)
    }

    /// The entry that lets this request pass as a preflight, if it is a true one.
    pub(super) fn preflight(
        &self,
        action: Action<'_>,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> Option<&RuleId> {
        if self.preflights.is_empty() {
            return None;
        }
        let origin = preflight_origin(action, context)?;
        let allows = |preflight: &&Preflight| {
            let origins = preflight.origins.as_ref();
            origins.is_none_or(|origins| origins.iter().any(|allowed| allowed.as_bytes() == origin))
        };
        let paths = Spellings::of(resource.path);
        self.preflights_of(resource, &paths).find(allows).map(|preflight| &preflight.id)
    }

    /// Whether it is not known if the request is a preflight that is listed.
    pub(super) fn is_perhaps_preflight(
        &self,
        action: Action<'_>,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> bool {
        context.unknown.lacks(Fact::Header)
            && action.method() == Some("OPTIONS")
            && self.preflights_of(resource, &Spellings::of(resource.path)).next().is_some()
            && context.unknown.hides(Fact::Header, "origin")
    }

    fn preflights_of<'a, 'p>(
        &'a self,
        resource: Resource<'p>,
        paths: &'p Spellings<'p>,
    ) -> impl Iterator<Item = &'a Preflight> + use<'a, 'p> {
        let listed = self.preflights.all(paths).filter(Match::is_own).flat_map(|found| found.value);
        listed.filter(move |preflight| preflight.host.as_ref().is_none_or(|host| host.matches(resource.host)))
    }
}

fn compile_route(
    route: &document::Route,
    index: usize,
    place: &JsonPointer,
    compiler: &mut Compiler<'_>,
) -> Route {
    let permission = route.permission.as_ref().and_then(|text| match text.parse::<PermissionPattern>() {
        Ok(wanted) => Some(Arc::new(compiler.carriers.wanted(wanted))),
        Err(error) => {
            let problem = Problem::new(place.member("permission"), "not a permission");
            compiler.problems.push(problem.expected(error.to_string()));
            None
        }
    });
    let conditions = compiler.conditions(&route.conditions, place);
    let template = route.path_template().parse().ok();
    let demands =
        Demands::of_route(&route.require, conditions, template, compiler).and_permission(permission);
    if demands.read_body() && route.has_endless_body() {
        compiler.problems.push(endless_body(place.member("conditions")));
    }
    Route {
        id: RuleId::new(route.name.as_deref(), &format!("routes/{index}")),
        methods: Methods::of(&route.request_methods()),
        host: host_pattern(route.host.as_deref(), place, compiler.problems),
        matching: Matching::of(route.grpc.is_some(), route.upgrade.is_some(), &route.matches),
        access: match route.authentication {
            RequiredAuthentication::Required => Access::Required,
            RequiredAuthentication::Optional => Access::Optional,
        },
        demands: (!demands.demand_nothing()).then(|| Box::new(demands)),
        acknowledged: route.audit == RecordKeeping::Acknowledged,
        exact: false,
    }
}

/// What is said of a condition that would wait for the end of what does not end.
pub(super) fn endless_body(place: JsonPointer) -> Problem {
    let message = "`context.body` of a gRPC call or an upgrade, whose body is no JSON and need not end";
    Problem::new(place, message)
        .expected("conditions on other attributes, or a route without `grpc` and `upgrade`")
}

pub(super) fn host_pattern(
    host: Option<&str>,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Option<HostPattern> {
    match host?.parse() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let error: crate::host::InvalidHost = error;
            problems.push(Problem::new(place.member("host"), "not a host").expected(error.to_string()));
            None
        }
    }
}
