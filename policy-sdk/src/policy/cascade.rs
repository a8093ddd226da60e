//! Policies that are attached to parts of the gateway: which of them a request has, and what they say.

mod body;
mod telling;

use std::collections::BTreeMap;

use crate::condition::{Steps, Truth};
use crate::decision::{Refusal, RuleId};
use crate::document::{AttachedPolicy, Intent, Problem};
use crate::explain::{Node, Verdict};
use crate::host::HostPattern;
use crate::path::CanonicalPath;
use crate::path_tree::PathTree;
use crate::request::Action;

use super::demand::{Case, Demands, Judgement, Part};
use super::entry::{Asked, Entries};
use super::route::host_pattern;
use super::symbol::{Kind, Symbol};
use super::vote::Votes;
use super::witness::Witness;
use super::{Compiler, Located, Route};

/// All attached policies, in the order in which they are looked at.
#[derive(Debug, Default)]
pub(super) struct Cascade {
    policies: Vec<Attached>,
    by_path: PathTree<Vec<usize>>,
    /// Those without a path, by route, else by tenant.
    by_name: BTreeMap<Symbol, Vec<usize>>,
    /// Those without any of these.
    others: Vec<usize>,
}

/// Where a policy is attached, by the narrowest of what it names: the order in which policies are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Gateway,
    Host,
    Path,
    Route,
    Method,
    Tenant,
}

#[derive(Debug)]
struct Attached {
    name: String,
    level: Level,
    host: Option<HostPattern>,
    has_path: bool,
    routes: Vec<String>,
    methods: Vec<String>,
    tenants: Vec<String>,
    demands: Demands,
    entries: Entries,
    /// Whether it must itself permit, and whether its conditions do.
    must_permit: bool,
    is_abac: bool,
}

/// Which of what a policy is attached to besides a path is so of a request. What it does not name is.
struct Fits {
    /// The route of the path's own spelling.
    own_route: bool,
    /// The route of either spelling.
    route: bool,
    host: bool,
    method: bool,
    tenant: bool,
}

/// What is asked of attached policies.
#[derive(Clone, Copy)]
pub(super) struct Situation<'a> {
    pub(super) located: &'a Located<'a>,
    pub(super) case: Case<'a>,
    pub(super) asked: Asked<'a>,
    /// The tenant that the request acts in.
    pub(super) tenant: Option<&'a str>,
    /// Whether the caller is a superuser.
    pub(super) exempt: Truth,
}

impl Cascade {
    pub(super) fn compile(policies: &[AttachedPolicy], compiler: &mut Compiler<'_>) -> Cascade {
        let mut ordered: Vec<(Level, usize, &AttachedPolicy)> =
            policies.iter().enumerate().map(|(index, policy)| (Level::of(policy), index, policy)).collect();
        ordered.sort_by_key(|(level, index, _)| (*level, *index));
        let mut cascade = Cascade::default();
        for (level, index, policy) in ordered {
            let number = cascade.policies.len();
            let place = compiler.place.member("policies").element(index);
            let path = policy.attach.path.as_ref();
            let template =
                path.and_then(|path| compiler.template(path, &place.member("attach").member("path")));
            if let Some(template) = &template {
                let there = cascade.by_path.get_or_insert_with(&template.into(), Vec::new);
                there.into_iter().for_each(|there| there.push(number));
            } else if !policy.attach.routes.is_empty() {
                for route in &policy.attach.routes {
                    let route = compiler.symbols.intern(Kind::Route, route);
                    cascade.by_name.entry(route).or_default().push(number);
                }
            } else if !policy.attach.tenants.is_empty() {
                for tenant in &policy.attach.tenants {
                    let tenant = compiler.symbols.intern(Kind::Tenant, tenant);
                    cascade.by_name.entry(tenant).or_default().push(number);
                }
            } else {
                cascade.others.push(number);
            }
            let has_path = template.is_some();
            let conditions = compiler.conditions(&policy.conditions, &place);
            let demands = Demands::of_policy(
                &policy.groups,
                &policy.require,
                &policy.restrictions,
                conditions,
                template,
                compiler,
            );
            let entries = Entries::compile(
                (&place.member("rules"), &policy.rules),
                (&place.member("acl"), &policy.acl),
                format!("{}/", policy.name),
                compiler,
            );
            let is_abac = policy.intent == Some(Intent::Abac);
            cascade.policies.push(Attached {
                name: policy.name.clone(),
                level,
                host: host_pattern(policy.attach.host.as_deref(), &place.member("attach"), compiler.problems),
                has_path,
                routes: policy.attach.routes.clone(),
                methods: policy.attach.methods.clone(),
                tenants: policy.attach.tenants.clone(),
                demands,
                must_permit: is_abac || !policy.rules.is_empty() || !policy.acl.is_empty(),
                entries,
                is_abac,
            });
        }
        if cascade.by_path.worst_case_steps() > crate::limits::MAX_SEARCH_STEPS {
            compiler.problems.push(Problem::new(compiler.place.member("policies"), super::TOO_MANY_CHOICES));
        }
        cascade.by_path.shrink_to_fit();
        cascade
    }

    /// Whether a policy is attached to a tenant.
    pub(super) fn knows_tenants(&self) -> bool {
        self.policies.iter().any(|policy| !policy.tenants.is_empty())
    }

    /// Adds what every policy says that is attached to the request.
    pub(super) fn decide<W: Witness>(
        &self,
        situation: Situation<'_>,
        steps: &mut Steps,
        votes: &mut Votes,
        witness: &mut W,
    ) {
        if self.policies.is_empty() {
            return;
        }
        let candidates = self.candidates(situation);
        for (&number, &by_own_path) in &candidates {
            let Some(policy) = self.policies.get(number) else { continue };
            if let Some(by_own_route) = policy.is_attached(situation) {
                let own = situation.case.request.resource.path;
                let path = if by_own_path { own } else { situation.asked.paths.twin().unwrap_or(own) };
                let may_grant = by_own_path && by_own_route;
                let mut told = W::default();
                policy.decide(situation, path, may_grant, steps, votes, &mut told);
                witness.note(|| Some(policy.tell(may_grant, told.into_nodes())));
            }
        }
        witness.note(|| self.tell_others(situation, &candidates));
    }

    /// The policies that may be attached, in order, each with whether it is by the path's own spelling.
    fn candidates(&self, situation: Situation<'_>) -> BTreeMap<usize, bool> {
        let mut found: BTreeMap<usize, bool> = self.others.iter().map(|number| (*number, true)).collect();
        if !self.by_name.is_empty() {
            let symbols = situation.asked.symbols;
            let routes =
                situation.located.routes().map(|route| symbols.get(Kind::Route, route.id().as_str()));
            let tenant = situation.tenant.map(|tenant| symbols.get(Kind::Tenant, tenant));
            let named = routes.chain(tenant).flatten().filter_map(|name| self.by_name.get(&name));
            found.extend(named.flatten().map(|number| (*number, true)));
        }
        for matching in self.by_path.all(situation.asked.paths) {
            for number in matching.value {
                let by_own_path = found.entry(*number).or_default();
                *by_own_path |= matching.is_own();
            }
        }
        found
    }
}

impl Level {
    fn of(policy: &AttachedPolicy) -> Level {
        let attach = &policy.attach;
        if !attach.tenants.is_empty() {
            Level::Tenant
        } else if !attach.methods.is_empty() {
            Level::Method
        } else if !attach.routes.is_empty() {
            Level::Route
        } else if attach.path.is_some() {
            Level::Path
        } else if attach.host.is_some() {
            Level::Host
        } else {
            Level::Gateway
        }
    }
}

impl Attached {
    /// Whether route, method and host fit.
    fn is_about(&self, located: &Located<'_>, action: Action<'_>, host: &str) -> bool {
        let Fits { route, host, method, .. } = self.fits_of(located, action, host, None);
        route && host && method
    }

    /// Whether everything fits that it is attached to besides the path; and whether the route of the path's own spelling does.
    fn is_attached(&self, situation: Situation<'_>) -> Option<bool> {
        let Fits { own_route, route, host, method, tenant } = self.fits(situation);
        (route && host && method && tenant).then_some(own_route)
    }

    fn fits(&self, situation: Situation<'_>) -> Fits {
        let request = situation.case.request;
        self.fits_of(situation.located, request.action, request.resource.host, situation.tenant)
    }

    fn fits_of(&self, located: &Located<'_>, action: Action<'_>, host: &str, tenant: Option<&str>) -> Fits {
        let is_named = |route: Option<&Route>| {
            route.is_some_and(|route| self.routes.iter().any(|name| name == route.id().as_str()))
        };
        let own_route = self.routes.is_empty() || is_named(located.route);
        let method = action.method();
        Fits {
            own_route,
            route: own_route || is_named(located.twin),
            host: self.host.as_ref().is_none_or(|pattern| pattern.matches(host)),
            method: self.methods.is_empty()
                || self.methods.iter().any(|name| name == "*" || Some(name.as_str()) == method),
            tenant: self.tenants.is_empty()
                || tenant.is_some_and(|tenant| self.tenants.iter().any(|name| name == tenant)),
        }
    }

    /// Adds what it says. `path` is the spelling that its own path fits; by the other spelling, or by the route of the other,
    /// it can object and grants nothing.
    fn decide<W: Witness>(
        &self,
        situation: Situation<'_>,
        path: &CanonicalPath,
        may_grant: bool,
        steps: &mut Steps,
        votes: &mut Votes,
        witness: &mut W,
    ) {
        let mut grants = situation.exempt == Truth::True;
        let mut perhaps_grants = matches!(situation.exempt, Truth::Unknown(_));
        for part in self.demands.demanded() {
            let id = || [RuleId::new(None, &format!("{}/{}", self.name, part.field()))];
            let judgement = self.demands.judge(part, situation.case, path, Truth::False, steps);
            let is_grant = self.is_abac && part == Part::Conditions;
            witness.note(|| self.demands.tell(part, &judgement, is_grant, situation.case, path));
            match judgement {
                Judgement::NotDemanded => {}
                Judgement::Met if is_grant => {
                    grants = true;
                    if may_grant {
                        votes.permit(id());
                    }
                }
                Judgement::Met => {}
                Judgement::Unmet(refusal) => votes.deny(id(), refusal),
                Judgement::Unknown => votes.may_deny(id()),
                Judgement::NotKnown => {
                    votes.perhaps_deny();
                    perhaps_grants |= is_grant;
                    if is_grant && may_grant {
                        votes.perhaps_permit();
                    }
                }
            }
        }
        if self.entries.is_empty() && (!self.must_permit || self.is_abac) {
            return;
        }
        let tally = self.entries.decide(situation.asked, steps);
        witness.note(|| self.entries.tell(situation.asked).into_group("rules and acl"));
        let objects = !tally.deny.is_empty() || !tally.may_deny.is_empty();
        grants |= !tally.permit.is_empty();
        if !tally.deny.is_empty() {
            votes.deny(self.entries.ids(&tally.deny), Refusal::AccessDenied);
        }
        votes.may_deny(self.entries.ids(&tally.may_deny));
        if may_grant {
            votes.permit(self.entries.ids(&tally.permit));
        }
        perhaps_grants |= tally.perhaps_permits;
        if tally.perhaps_denies {
            votes.perhaps_deny();
        }
        if tally.perhaps_permits && may_grant {
            votes.perhaps_permit();
        }
        if grants || objects {
            return;
        }
        if perhaps_grants {
            votes.perhaps_deny();
            return;
        }
        // It must permit and does not: that is an objection, and a possible one where it is not known.
        if !tally.may_permit.is_empty() {
            witness
                .note(|| Some(Node::new("permits", Verdict::Indeterminate, "it must, and perhaps does not")));
            votes.may_deny(self.entries.ids(&tally.may_permit));
            return;
        }
        witness.note(|| Some(Node::new("permits", Verdict::Unmet, "it must, and does not")));
        let others = self.entries.for_other_roles(situation.asked);
        if others.is_empty() {
            votes.deny([RuleId::new(Some(&self.name), "")], Refusal::AccessDenied);
        } else {
            votes.deny(self.entries.ids(&others), Refusal::InsufficientRole);
        }
    }
}
