//! What `docs/policy.md` says, as plainly as it can be written: every list is looked through from its beginning, for every
//! request anew, and every set is a set of texts.
//!
//! It shares with the engine only what has tables of its own: path templates, conditions, and the reading of queries.

mod caller;
mod demands;
mod policies;
mod routing;

use std::collections::BTreeSet;

use portcullis_policy::condition::{Conditions, Facts, Steps, Truth};
use portcullis_policy::decision::Decision::{self, Deny, Indeterminate, NotApplicable, Permit};
use portcullis_policy::document::{
    AccessList, AclEntry, Condition, Document, Effect, Intent, JsonPointer, Route, Rule,
};
use portcullis_policy::path::CanonicalPath;
use portcullis_policy::path_tree::PathTemplate;
use portcullis_policy::request::AccessRequest;

use caller::{Caller, caller};
use routing::{Located, Place};

type Names = BTreeSet<String>;

/// The answer: of a permit with its tenant and whether that is another's, of a refusal with its code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) decision: Decision,
    pub(super) code: Option<&'static str>,
    pub(super) tenant: Option<String>,
    pub(super) cross_tenant: bool,
    /// In order, unbounded.
    pub(super) reasons: Vec<String>,
}

/// What one part says. The letters are those of XACML 3.0: what could not be known might have denied, or permitted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Denies(&'static str),
    UnknownD,
    Grants,
    UnknownP,
}
use Says::{Denies, Grants, UnknownD, UnknownP};

struct Reference<'a> {
    document: &'a Document,
    request: &'a AccessRequest<'a>,
    twin: Option<CanonicalPath>,
    caller: Caller,
    said: Vec<(Says, String)>,
    nearly: Vec<String>,
}

pub(super) fn decide(document: &Document, request: &AccessRequest<'_>) -> Answer {
    let mut reference = Reference {
        document,
        request,
        twin: request.resource.path.slash_twin(),
        caller: caller(document, request),
        said: Vec::new(),
        nearly: Vec::new(),
    };
    reference.decide()
}

fn template(text: &str) -> PathTemplate {
    text.parse().expect("the document was read")
}

fn fits(text: &str, path: &CanonicalPath) -> bool {
    template(text).captures(path).is_some()
}

/// Whether all conditions hold, placeholders being those of a template and what it is held against.
fn holds(list: &[Condition], at: Option<(&str, &CanonicalPath)>, request: &AccessRequest<'_>) -> Truth {
    let conditions = Conditions::compile(list, &JsonPointer::root(), &mut Vec::new());
    let at = at.map(|(text, path)| (template(text), path));
    let captures = at.as_ref().and_then(|(template, path)| template.captures(path));
    conditions.evaluate(&Facts { request, captures }, &mut Steps::default())
}

impl<'a> Reference<'a> {
    fn decide(&mut self) -> Answer {
        if self.document.authentication.disabled {
            return answer(Permit, None, vec![]);
        }
        let path = self.request.resource.path;
        if let Some(place) = self.preflight() {
            return answer(Permit, None, vec![place]);
        }
        let Located { own, twin, half, open, routes } = match self.locate() {
            Ok(located) => located,
            Err(public) => return answer(Permit, None, vec![public]),
        };
        if !self.caller.known && !open {
            return answer(Deny, Some("missing_token"), routes);
        }
        if let Some(half) = half {
            return answer(Deny, Some("access_denied"), vec![half]);
        }
        let (tenant, cross_tenant) = match self.tenancy() {
            Ok(tenancy) => tenancy,
            Err(_) if !self.caller.known => {
                return answer(Deny, Some("missing_token"), vec!["tenancy".to_owned()]);
            }
            Err("tenant_required") => return answer(Deny, Some("tenant_required"), vec![]),
            Err(code) => return answer(Deny, Some(code), vec!["tenancy".to_owned()]),
        };
        let authorization = &self.document.authorization;
        let groups = self.document.groups().1;
        self.demand(
            "",
            groups,
            &authorization.require,
            &authorization.restrictions,
            &authorization.conditions,
            None,
        );
        if authorization.intent == Some(Intent::Abac) {
            self.say_if(holds(&authorization.conditions, None, self.request), Grants, "conditions");
        }
        match &own {
            Some(Place::Public(index)) => self.say(Grants, &format!("public/{index}")),
            Some(Place::Route(index, route)) => {
                self.say(Grants, &route_name(*index, route));
                self.route(*index, route, path);
            }
            None => {}
        }
        if let (Some((index, route)), Some(spelling)) = (&twin, self.twin.clone()) {
            self.route(*index, route, &spelling);
        }
        self.entries("", self.document.rules().1, &authorization.acl);
        match self.caller.superuser {
            Some(Truth::True) => self.say(Grants, "superuser"),
            Some(Truth::Unknown(_)) => self.say(UnknownP, "superuser"),
            Some(Truth::False) | None => {}
        }
        self.policies(own.as_ref(), twin, tenant.as_deref());
        self.combine(tenant, cross_tenant)
    }

    fn combine(&mut self, tenant: Option<String>, cross_tenant: bool) -> Answer {
        let reasons = |wanted: fn(Says) -> bool| -> Vec<String> {
            self.said.iter().filter(|(says, _)| wanted(*says)).map(|(_, name)| name.clone()).collect()
        };
        let code = |code| if self.caller.known { Some(code) } else { Some("missing_token") };
        let first =
            self.said.iter().find_map(|(says, _)| if let Denies(code) = says { Some(*code) } else { None });
        let has = |wanted: Says| self.said.iter().any(|(says, _)| *says == wanted);
        if let Some(first) = first {
            answer(Deny, code(first), reasons(|says| matches!(says, Denies(_))))
        } else if has(UnknownD) {
            answer(Indeterminate, code("access_denied"), reasons(|says| says == UnknownD))
        } else if has(Grants) {
            Answer { tenant, cross_tenant, ..answer(Permit, None, reasons(|says| says == Grants)) }
        } else if has(UnknownP) {
            answer(Indeterminate, code("access_denied"), reasons(|says| says == UnknownP))
        } else if self.nearly.is_empty() {
            answer(NotApplicable, code("access_denied"), vec![])
        } else {
            answer(NotApplicable, code("insufficient_role"), self.nearly.clone())
        }
    }

    fn say(&mut self, says: Says, name: &str) {
        self.said.push((says, name.to_owned()));
    }

    /// What something says whose conditions came to `truth`.
    fn say_if(&mut self, truth: Truth, says: Says, name: &str) {
        match (truth, says) {
            (Truth::True, says) => self.say(says, name),
            (Truth::False, _) => {}
            (Truth::Unknown(_), Grants) => self.say(UnknownP, name),
            (Truth::Unknown(_), _) => self.say(UnknownD, name),
        }
    }

    /// Whether an action of a rule is what is asked for.
    fn is_asked(&self, action: &str, effect: Effect) -> bool {
        let asked = self.request.action;
        match action {
            "*" => true,
            "write" if effect == Effect::Deny => asked.name() != Some("read"),
            "write" => matches!(asked.name(), Some("create" | "update" | "delete")),
            action => asked.name() == Some(action) || asked.method() == Some(action),
        }
    }

    fn entries(&mut self, of: &str, rules: &[Rule], lists: &[AccessList]) {
        for (index, rule) in rules.iter().enumerate() {
            let name = rule.name.clone().unwrap_or_else(|| format!("{of}rules/{index}"));
            let (actions, roles) = (vec![rule.action.clone()], vec![rule.role.clone()]);
            let (effect, conditions) = (rule.effect, rule.conditions.clone());
            let entry = AclEntry { effect, actions, users: vec![], groups: vec![], roles, conditions };
            self.entry(&name, &rule.resource, &entry);
        }
        for (index, list) in lists.iter().enumerate() {
            let name = list.name.clone().unwrap_or_else(|| format!("{of}acl/{index}"));
            for (index, entry) in list.entries.iter().enumerate() {
                self.entry(&format!("{name}/entries/{index}"), &list.resource, entry);
            }
        }
    }

    fn entry(&mut self, name: &str, resource: &str, entry: &AclEntry) {
        let twin = self.twin.clone().filter(|_| entry.effect == Effect::Deny);
        let mut spellings = [Some(self.request.resource.path), twin.as_ref()].into_iter().flatten();
        let resource = if resource == "*" { "/**" } else { resource };
        let Some(path) = spellings.find(|path| fits(resource, path)) else { return };
        if !entry.actions.iter().any(|action| self.is_asked(action, entry.effect)) {
            return;
        }
        let caller = &self.caller;
        let is_role = |role: &String| caller.known && role == "*" || caller.roles.contains(role);
        let is_one = caller.id.as_ref().is_some_and(|id| entry.users.contains(id))
            || entry.groups.iter().any(|group| caller.groups.contains(group))
            || entry.roles.iter().any(is_role);
        if entry.effect == Effect::Allow && entry.roles.iter().any(|role| role != "*" && !is_role(role)) {
            self.nearly.push(name.to_owned());
        }
        if is_one {
            let says = if entry.effect == Effect::Allow { Grants } else { Denies("access_denied") };
            self.say_if(holds(&entry.conditions, Some((resource, path)), self.request), says, name);
        }
    }

    fn has(&self, wanted: Says) -> bool {
        self.said.iter().any(|(says, _)| *says == wanted)
    }
}

fn route_name(index: usize, route: &Route) -> String {
    route.name.clone().unwrap_or_else(|| format!("routes/{index}"))
}

fn answer(decision: Decision, code: Option<&'static str>, mut reasons: Vec<String>) -> Answer {
    let mut named = Names::new();
    reasons.retain(|name| named.insert(name.clone()));
    Answer { decision, code, tenant: None, cross_tenant: false, reasons }
}
