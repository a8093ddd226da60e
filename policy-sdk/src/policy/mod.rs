//! The engine: a document compiled once, and decisions made from it.
//!
//! A decision has two steps, because the gate must know what a route asks for before it looks at a credential:
//! [`Policy::locate`] finds the route, [`Policy::decide`] answers for it. Both are total, deterministic and without
//! side effects.
//!
//! What it combines, and how, is in `docs/policy.md`: every part says Permit, Deny or nothing (NotApplicable), or cannot say
//! (Indeterminate). A Deny overrides (XACML 3.0 appendix C.2); without one, a single Permit suffices; silence is a denial.
//!
//! All names are numbers from loading on ([`symbol`]); a caller is a set of them, worked out once a decision ([`caller`]).
//!
//! The engine does not verify who a caller is, and does not read the network, the clock or the environment.

mod action;
mod body;
mod caller;
mod carrier;
mod cascade;
mod coherence;
mod compiler;
mod demand;
mod entry;
#[cfg(feature = "replay")]
mod foresight;
mod grant;
mod hash;
mod held;
mod matching;
mod perhaps;
mod role;
mod route;
mod source;
mod superuser;
mod symbol;
mod symbol_set;
mod telling;
mod tenancy;
mod vote;
mod witness;

use std::collections::BTreeSet;

use crate::condition::{Steps, Truth};
use crate::decision::{Basis, Decision, Permit, Refusal, Response, RuleId};
use crate::document::{Document, Intent, Problem, Problems};
use crate::explain::{Explanation, Node, Verdict as Told};
use crate::path_tree::Spellings;
use crate::request::{AccessRequest, Action, Context, Resource, Subject};
use crate::unknown::Fact;
use action::Actions;
use cascade::{Cascade, Situation};
use compiler::{Compiler, Directory, TOO_MANY_CHOICES};
use demand::{Case, Demands, Judgement, Part};
use entry::{Asked, Entries};
use route::{Found, Routes};
use source::Source;
use superuser::{Superuser, Superusers};
use symbol::Kind;
use tenancy::Tenants;
use vote::{Verdict, Votes};
use witness::{Nobody, Witness};

#[cfg(feature = "replay")]
pub use foresight::Foresight;
pub use route::Route;

/// A document's authorization and tenancy, ready to decide.
#[derive(Debug)]
pub struct Policy {
    authentication_disabled: bool,
    directory: Directory,
    tenants: Tenants,
    routes: Routes,
    demands: Demands,
    /// Whether the conditions among the demands grant.
    is_abac: bool,
    entries: Entries,
    superusers: Superusers,
    cascade: Cascade,
    attributes: BTreeSet<String>,
    needs_more: bool,
    candidate: Option<Box<Policy>>,
    reads_body: bool,
    reads_source: bool,
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
    /// The entry that lets the request pass as a CORS preflight.
    preflight: Option<&'a RuleId>,
    obstacle: Option<Obstacle<'a>>,
}

/// What makes a request one that no route can decide.
#[derive(Debug, Clone, Copy)]
enum Obstacle<'a> {
    /// It is what this route is about to one reader, and is not to another.
    HalfMatch(&'a Route),
    /// It asks for another protocol, and no route is about that.
    Upgrade,
    /// It depends on facts that are not known which route decides.
    NotKnown,
}

impl<'a> Located<'a> {
    const NOTHING: Located<'static> =
        Located { access: Access::Required, route: None, twin: None, preflight: None, obstacle: None };

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
    /// Compiles what `document` says of tenants, roles, routes, rules and policies, and its [candidate](Policy::candidate).
    ///
    /// Whether the second lock on a switched-off authentication is open is for the caller to check: this crate knows no
    /// environment.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once, each with its JSON Pointer.
    pub fn compile(document: &Document) -> Result<Policy, Problems> {
        let mut problems = Vec::new();
        let mut policy = Policy::of(Source::live(document), &mut problems);
        policy.candidate =
            Source::candidate(document).map(|source| Box::new(Policy::of(source, &mut problems)));
        match Problems::from_list(problems) {
            Some(problems) => Err(problems),
            None => Ok(policy),
        }
    }

    /// Compiles one of the policies that a document holds. It decides right only if no problem was added.
    fn of(source: Source<'_>, problems: &mut Vec<Problem>) -> Policy {
        let Source { document, authorization, place, .. } = &source;
        let (mut compiler, grants) = Compiler::new(&source, problems);
        let routes = Routes::compile(authorization, &mut compiler);
        let conditions = compiler.conditions(&authorization.conditions, place);
        let (require, restrictions) = (&authorization.require, &authorization.restrictions);
        let demands =
            Demands::of_policy(source.groups, require, restrictions, conditions, None, &mut compiler);
        let (rules_place, rules) = &source.rules;
        let acl = (&place.member("acl"), authorization.acl.as_slice());
        let entries = Entries::compile((rules_place, rules), acl, String::new(), &mut compiler);
        let superusers = Superusers::compile(&authorization.superusers, &mut compiler);
        let cascade = Cascade::compile(&authorization.policies, &mut compiler);
        let tenants = Tenants::compile(&document.tenancy, &mut compiler);
        coherence::problems(&source, compiler.problems);
        body::refuse_endless(authorization, &demands, &cascade, &mut compiler);
        let (needs_more, reads_body) = (compiler.needs_more(), compiler.reads_body);
        let reads_source = compiler.reads_source;
        let (directory, attributes) = compiler.finish(grants);
        Policy {
            authentication_disabled: document.authentication.disabled,
            directory,
            tenants,
            routes,
            demands,
            is_abac: authorization.intent == Some(Intent::Abac),
            entries,
            superusers,
            cascade,
            attributes,
            needs_more,
            reads_body,
            reads_source,
            candidate: None,
        }
    }

    /// The policy on trial, if the document has one. It is asked on its own; this policy never looks at it.
    pub fn candidate(&self) -> Option<&Policy> {
        self.candidate.as_deref()
    }

    /// The names of the subject's own attributes that conditions look at: what has to be taken from a credential.
    pub fn subject_attributes(&self) -> &BTreeSet<String> {
        &self.attributes
    }

    /// Whether anything depends on what a subject has besides its id, tenant, roles, scopes and permissions: groups, a kind, a
    /// method, or attributes of its own. Who cannot tell these must not ask this policy.
    pub fn needs_more_of_subjects(&self) -> bool {
        self.needs_more
    }

    /// Finds the most specific route for a request that matches its path, method and host, and what else the route is
    /// about.
    ///
    /// A request that no route matches asks for a caller: its answer may still come from the rules, and an anonymous
    /// caller must not learn which paths exist.
    ///
    /// Many servers answer `/a` and `/a/` alike. Where only a `**` route is about a request's own spelling and a route of
    /// its own about the other, both must permit; a route for the other spelling alone permits nothing.
    pub fn locate<'a>(
        &'a self,
        action: Action<'_>,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> Located<'a> {
        if self.authentication_disabled {
            return Located { access: Access::Public, ..Located::NOTHING };
        }
        let open = Located { obstacle: Some(Obstacle::NotKnown), ..Located::NOTHING };
        if self.routes.is_perhaps_preflight(action, resource, context)
            || context.unknown.hides(Fact::Upgrade, "")
        {
            return open;
        }
        if let Some(preflight) = self.routes.preflight(action, resource, context) {
            return Located { access: Access::Public, preflight: Some(preflight), ..Located::NOTHING };
        }
        let upgrade = context.asks_for_upgrade();
        let (found, twin) = self.routes.find(action, resource, context, upgrade);
        let half = |route| Located { obstacle: Some(Obstacle::HalfMatch(route)), ..Located::NOTHING };
        let route = match found {
            Found::Half(route) => return half(route),
            Found::NotKnown => return open,
            Found::Route(route) => Some(route),
            Found::Nothing if upgrade => {
                return Located { obstacle: Some(Obstacle::Upgrade), ..Located::NOTHING };
            }
            Found::Nothing => None,
        };
        let counts = |twin: &Route| twin.is_exact() && route.is_none_or(|route| !route.is_exact());
        let twin = match twin {
            Found::Half(twin) if counts(twin) => return half(twin),
            Found::Route(twin) if counts(twin) => Some(twin),
            Found::NotKnown => return open,
            Found::Half(_) | Found::Route(_) | Found::Nothing => None,
        };
        let asked = route.map_or(Access::Required, Route::access);
        let access = twin.map_or(asked, |twin| asked.max(twin.access()));
        Located { access, route, twin, preflight: None, obstacle: None }
    }

    /// Decides.
    #[inline]
    pub fn decide(&self, located: &Located<'_>, request: &AccessRequest<'_>) -> Response {
        self.decide_before(located, request, &mut Nobody)
    }

    /// Finds the route, decides, and says what was looked at on the way.
    pub fn explain(&self, request: &AccessRequest<'_>) -> Explanation {
        let located = self.locate(request.action, request.resource, &request.context);
        let mut tree: Vec<Node> = Vec::new();
        let response = self.decide_before(&located, request, &mut tree);
        Explanation { response, tree }
    }

    fn decide_before<W: Witness>(
        &self,
        located: &Located<'_>,
        request: &AccessRequest<'_>,
        witness: &mut W,
    ) -> Response {
        if self.authentication_disabled {
            witness.note(|| Some(Node::new("authentication", Told::Permit, "is switched off")));
            return permitted(Basis::AuthenticationDisabled, Vec::new(), None, false);
        }
        witness.note(|| Some(telling::route(located)));
        if let Some(Obstacle::NotKnown) = located.obstacle {
            return open(request);
        }
        if let Some(preflight) = located.preflight {
            return permitted(Basis::CorsPreflight, vec![preflight.clone()], None, false);
        }
        if let (Access::Public, Some(route)) = (located.access, located.route) {
            return permitted(Basis::PublicRoute, vec![route.id().clone()], None, false);
        }
        if request.context.unknown.hides(Fact::Subject, "") {
            return open(request);
        }
        if located.access == Access::Required && request.subject.is_none() {
            witness.note(|| Some(Node::new("caller", Told::Deny, "nobody, and one is needed")));
            let reasons = located.routes().map(|route| route.id().clone()).collect();
            return refused(Refusal::AuthenticationRequired, Decision::Deny, reasons, None);
        }
        match located.obstacle {
            Some(Obstacle::HalfMatch(route)) => {
                return refused(
                    Refusal::AccessDenied,
                    Decision::Deny,
                    vec![route.id().clone()],
                    request.subject,
                );
            }
            Some(Obstacle::Upgrade) => {
                let reasons = vec![RuleId::new(Some("upgrade"), "")];
                return refused(Refusal::AccessDenied, Decision::Deny, reasons, request.subject);
            }
            Some(Obstacle::NotKnown) | None => {}
        }
        if self.needs_unknown_tenant(request) {
            return open(request);
        }
        let own_tenant = self.tenants.own(request.subject);
        let caller = self.directory.caller(request, own_tenant);
        witness.note(|| Some(telling::caller(&caller, own_tenant, &self.directory)));
        let paths = Spellings::of(request.resource.path);
        let tenancy = self.tenants.decide(request, &caller, &paths);
        witness.note(|| Some(telling::tenancy(&tenancy)));
        if tenancy.is_open {
            return open(request);
        }
        if let Some((refusal, reason)) = tenancy.refusal {
            let response = refused(refusal, Decision::Deny, reason.into_iter().collect(), request.subject);
            return Response { tenant: own_tenant.map(str::to_owned), ..response };
        }
        let case = Case { request, caller: &caller, directory: &self.directory };
        let symbols = &self.directory.symbols;
        let actions = Actions::of(request.action, &self.directory.words, symbols);
        let asked = Asked { request, actions, caller: &caller, paths: &paths, symbols };
        let tenant = tenancy.tenant.as_deref();
        let mut steps = Steps::default();
        let verdict = self.weigh(located, case, asked, tenant, &mut steps, witness);
        let subject = request.subject;
        if steps.are_exhausted() {
            request.context.unknown.is_exhausted();
            witness
                .note(|| Some(Node::new("budget", Told::Indeterminate, "the decision took too many steps")));
            let reasons = vec![RuleId::new(Some("budget"), "")];
            let response = refused(Refusal::AccessDenied, Decision::Indeterminate, reasons, subject);
            return tenancy.of(response);
        }
        let response = match verdict {
            Verdict::Permit(reasons) => permitted(Basis::Rules, reasons, None, false),
            Verdict::Deny(refusal, reasons) => refused(refusal, Decision::Deny, reasons, subject),
            Verdict::Indeterminate(reasons) => {
                refused(Refusal::AccessDenied, Decision::Indeterminate, reasons, subject)
            }
            Verdict::NotKnown => return open(request),
            Verdict::NotApplicable => {
                let others = self.entries.for_other_roles(asked);
                let refusal =
                    if others.is_empty() { Refusal::AccessDenied } else { Refusal::InsufficientRole };
                refused(refusal, Decision::NotApplicable, self.entries.ids(&others).collect(), subject)
            }
        };
        tenancy.of(response)
    }

    /// Whether the tenant of the caller is not known, and matters.
    fn needs_unknown_tenant(&self, request: &AccessRequest<'_>) -> bool {
        let unknown = request.context.unknown;
        unknown.lacks(Fact::Tenant)
            && request.subject.is_some()
            && (self.tenants.matter()
                || self.directory.symbols.has(Kind::Tenant)
                || self.cascade.knows_tenants())
            && unknown.hides(Fact::Tenant, "")
    }

    /// Everything that says something of a request whose caller and tenant are known, in the order of `docs/policy.md`.
    fn weigh<W: Witness>(
        &self,
        located: &Located<'_>,
        case: Case<'_>,
        asked: Asked<'_>,
        tenant: Option<&str>,
        steps: &mut Steps,
        witness: &mut W,
    ) -> Verdict {
        let mut votes = Votes::default();
        let path = case.request.resource.path;
        let mut told = W::default();
        for part in self.demands.demanded() {
            let id = || [RuleId::new(Some(part.field()), "")];
            let judgement = self.demands.judge(part, case, path, Truth::False, steps);
            let grants = self.is_abac && part == Part::Conditions;
            told.note(|| self.demands.tell(part, &judgement, grants, case, path));
            match judgement {
                Judgement::Met if grants => votes.permit(id()),
                Judgement::NotDemanded | Judgement::Met => {}
                Judgement::Unmet(refusal) => votes.deny(id(), refusal),
                Judgement::Unknown => votes.may_deny(id()),
                Judgement::NotKnown => {
                    votes.perhaps_deny();
                    if grants {
                        votes.perhaps_permit();
                    }
                }
            }
        }
        witness.note(|| told.into_group("demands of everyone"));
        let superuser = self.superusers.know(case, steps);
        let exempt = superuser.is_exempt();
        let other_path = located.twin.and_then(|_| asked.paths.twin());
        let spellings = [(located.route, Some(path)), (located.twin, other_path)];
        for (place, (route, path)) in spellings.into_iter().enumerate() {
            let Some((route, path)) = route.zip(path) else { continue };
            let id = || [route.id().clone()];
            let (mut met, mut perhaps_met) = (true, true);
            let mut told = W::default();
            let demands = route.demands();
            let demanded =
                demands.into_iter().flat_map(|demands| demands.demanded().map(move |part| (demands, part)));
            for (demands, part) in demanded {
                let judgement = demands.judge(part, case, path, exempt, steps);
                told.note(|| demands.tell(part, &judgement, false, case, path));
                match judgement {
                    Judgement::NotDemanded | Judgement::Met => continue,
                    Judgement::Unmet(refusal) => votes.deny(id(), refusal),
                    Judgement::Unknown => votes.may_deny(id()),
                    Judgement::NotKnown => {
                        votes.perhaps_deny();
                        met = false;
                        continue;
                    }
                }
                (met, perhaps_met) = (false, false);
            }
            // The route of the other spelling can object and grants nothing.
            let grants = met && place == 0;
            if grants {
                votes.permit(id());
            } else if perhaps_met && place == 0 {
                votes.perhaps_permit();
            }
            witness.note(|| Some(telling::route_demands(route, grants, told.into_nodes())));
        }
        let tally = self.entries.decide(asked, steps);
        self.entries.vote(&tally, &mut votes);
        witness.note(|| self.entries.tell(asked).into_group("rules and acl"));
        witness.note(|| self.superusers.tell(superuser, case));
        match superuser {
            Superuser::Yes => votes.permit([RuleId::new(Some("superuser"), "")]),
            Superuser::Unknown => votes.may_permit([RuleId::new(Some("superuser"), "")]),
            Superuser::NotKnown => votes.perhaps_permit(),
            Superuser::No => {}
        }
        let situation = Situation { located, case, asked, tenant, exempt };
        self.cascade.decide(situation, steps, &mut votes, witness);
        votes.conclude()
    }
}

/// Refuses what cannot be decided without facts that are not known, and says so to who asked for that.
fn open(request: &AccessRequest<'_>) -> Response {
    request.context.unknown.leaves_open();
    refused(Refusal::AccessDenied, Decision::Indeterminate, Vec::new(), request.subject)
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
