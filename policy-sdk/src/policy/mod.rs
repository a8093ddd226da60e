//! The engine: a document compiled once, and decisions made from it.
//!
//! A decision has two steps, because the gate must know what a route asks for before it looks at a credential:
//! [`Policy::locate`] finds the route, [`Policy::decide`] answers for it. Both are total, deterministic and without
//! side effects.
//!
//! What it combines, and how: the tenant's binding, the route and the rules each say Permit, Deny or nothing
//! (NotApplicable). A Deny overrides (XACML 3.0 appendix C.2); without one, a single Permit suffices; silence is a
//! denial.
//!
//! The engine does not verify who a caller is, and does not read the network, the clock or the environment.

mod requirement;
mod role;
mod route;
mod rule;
mod tenancy;

use crate::decision::{Basis, Decision, Permit, Refusal, Response, RuleId};
use crate::document::{Document, JsonPointer, Problem, Problems};
use crate::limits::MAX_SEARCH_STEPS;
use crate::request::{AccessRequest, Action, Resource, Subject};
use role::Roles;
use route::Routes;
use rule::Rules;
use tenancy::Tenants;

pub use route::Route;

/// A document's authorization and tenancy, ready to decide.
#[derive(Debug)]
pub struct Policy {
    authentication_disabled: bool,
    roles: Roles,
    routes: Routes,
    rules: Rules,
    tenants: Tenants,
}

/// What a route asks of a caller before anything else.
///
/// In the order of strictness: of two, the greater is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing: no credential is looked at.
    Public,
    /// A credential is verified if there is one.
    Optional,
    /// A credential is needed.
    Required,
}

/// What [`Policy::locate`] found, to be handed to [`Policy::decide`].
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    access: Access,
    route: Option<&'a Route>,
    /// The route that is about the same path with the slash at its end taken away or put there, where none is about this
    /// spelling.
    twin: Option<&'a Route>,
}

impl<'a> Located<'a> {
    /// What is asked of the caller.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The route that decides, if the document has one for this request.
    pub fn route(&self) -> Option<&'a Route> {
        self.route
    }

    /// Whether the request may go on only when its record is acknowledged.
    pub fn waits_for_record(&self) -> bool {
        self.routes().any(Route::waits_for_record)
    }

    fn routes(&self) -> impl Iterator<Item = &'a Route> {
        self.route.into_iter().chain(self.twin)
    }
}

impl Policy {
    /// Compiles what `document` says of tenants, roles, routes and rules.
    ///
    /// Whether the second lock on a switched-off authentication is open is for the caller to check: this crate knows no
    /// environment.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once, each with its JSON Pointer.
    pub fn compile(document: &Document) -> Result<Policy, Problems> {
        let mut problems = Vec::new();
        let roles = Roles::compile(&document.authorization.roles, &mut problems);
        let routes = Routes::compile(&document.authorization, &roles, &mut problems);
        let rules = Rules::compile(&document.authorization.rules, &mut problems);
        let tenants = Tenants::compile(&document.tenancy, &mut problems);
        bounded(routes.worst_case_steps(), in_document("routes"), &mut problems);
        bounded(rules.worst_case_steps(), in_document("rules"), &mut problems);
        match Problems::from_list(problems) {
            Some(problems) => Err(problems),
            None => Ok(Policy {
                authentication_disabled: document.authentication.disabled,
                roles,
                routes,
                rules,
                tenants,
            }),
        }
    }

    /// Finds the most specific route for a request that matches its path, method and host.
    ///
    /// A request that no route matches asks for a caller: its answer may still come from the rules, and an anonymous
    /// caller must not learn which paths exist.
    ///
    /// Many servers answer `/a` and `/a/` alike. Where only a `**` route is about a request's own spelling and a route of
    /// its own about the other, both must permit; a route for the other spelling alone permits nothing.
    pub fn locate(&self, action: Action<'_>, resource: Resource<'_>) -> Located<'_> {
        if self.authentication_disabled {
            return Located { access: Access::Public, route: None, twin: None };
        }
        let route = self.routes.find(action, resource);
        let other_spelling = resource.path.slash_twin();
        let twin =
            other_spelling.as_ref().and_then(|path| self.routes.find(action, Resource { path, ..resource }));
        let twin = twin.filter(|twin| twin.is_exact() && route.is_none_or(|route| !route.is_exact()));
        let asked = route.map_or(Access::Required, Route::access);
        let access = twin.map_or(asked, |twin| asked.max(twin.access()));
        Located { access, route, twin }
    }

    /// Decides.
    pub fn decide(&self, located: &Located<'_>, request: &AccessRequest<'_>) -> Response {
        if self.authentication_disabled {
            return permitted(Basis::AuthenticationDisabled, Vec::new(), None, false);
        }
        if let (Access::Public, Some(route)) = (located.access, located.route) {
            return permitted(Basis::PublicRoute, vec![route.id().clone()], None, false);
        }
        if located.access == Access::Required && request.subject.is_none() {
            let reasons = located.routes().map(|route| route.id().clone()).collect();
            return refused(Refusal::AuthenticationRequired, Decision::Deny, reasons, None);
        }
        let tenancy = self.tenants.decide(request, &self.roles);
        if let Some((refusal, reason)) = tenancy.refusal {
            return refused(refusal, Decision::Deny, reason.into_iter().collect(), request.subject);
        }
        let held = self.roles.held_by(request.subject);
        let mut votes = Votes::default();
        if let Some(route) = located.route {
            votes.add(route.id(), route.decide(request.subject, &held));
        }
        if let Some(twin) = located.twin
            && let denial @ Vote::Deny(_) = twin.decide(request.subject, &held)
        {
            votes.add(twin.id(), denial);
        }
        self.rules.decide(request, &held, &mut votes);
        votes.conclude(tenancy.tenant, tenancy.cross_tenant, request.subject)
    }
}

/// Refuses templates among which some path could not be searched for to the end: at a request that would be too late.
fn bounded(steps: usize, pointer: JsonPointer, problems: &mut Vec<Problem>) {
    if steps > MAX_SEARCH_STEPS {
        let problem = Problem::new(pointer, "too many paths differ only in which segments are wildcards");
        problems.push(problem.expected(format!("at most {MAX_SEARCH_STEPS} places to look at for one path")));
    }
}

fn in_document(part: &str) -> JsonPointer {
    JsonPointer::root().member("authorization").member(part)
}

/// What one route or rule says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Vote {
    Permit,
    Deny(Refusal),
    /// It would have permitted a caller with another role.
    NotThisRole,
}

/// The votes so far, combined with deny-overrides.
#[derive(Debug, Default)]
struct Votes {
    permits: Vec<RuleId>,
    denials: Vec<(RuleId, Refusal)>,
    not_this_role: Vec<RuleId>,
}

impl Votes {
    fn add(&mut self, id: &RuleId, vote: Vote) {
        match vote {
            Vote::Permit => self.permits.push(id.clone()),
            Vote::Deny(refusal) => self.denials.push((id.clone(), refusal)),
            Vote::NotThisRole => self.not_this_role.push(id.clone()),
        }
    }

    fn conclude(self, tenant: Option<String>, cross_tenant: bool, subject: Option<&Subject>) -> Response {
        if let Some((_id, refusal)) = self.denials.first() {
            let refusal = refusal.clone();
            let reasons = self.denials.into_iter().map(|(id, _)| id).collect();
            return refused(refusal, Decision::Deny, reasons, subject);
        }
        if !self.permits.is_empty() {
            return permitted(Basis::Rules, self.permits, tenant, cross_tenant);
        }
        let refusal =
            if self.not_this_role.is_empty() { Refusal::AccessDenied } else { Refusal::InsufficientRole };
        refused(refusal, Decision::NotApplicable, self.not_this_role, subject)
    }
}

fn permitted(basis: Basis, reasons: Vec<RuleId>, tenant: Option<String>, cross_tenant: bool) -> Response {
    let outcome = Ok(Permit::new(basis));
    Response { outcome, decision: Decision::Permit, reasons, tenant, cross_tenant }
}

/// Whatever an anonymous caller lacks, it is told to say who it is: anything more would describe the policy to strangers.
fn refused(
    refusal: Refusal,
    decision: Decision,
    reasons: Vec<RuleId>,
    subject: Option<&Subject>,
) -> Response {
    let refusal = if subject.is_none() { Refusal::AuthenticationRequired } else { refusal };
    let tenant = subject.and_then(|subject| subject.tenant.clone());
    Response { outcome: Err(refusal), decision, reasons, tenant, cross_tenant: false }
}
