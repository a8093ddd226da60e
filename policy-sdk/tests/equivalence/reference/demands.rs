//! What is demanded of a caller. What is not met objects; what is met says nothing.

use portcullis_policy::condition::Truth;
use portcullis_policy::document::{Condition, Requirement, Restrictions, Route, Selection};
use portcullis_policy::path::CanonicalPath;

use super::caller::covers;
use super::{Denies, Names, Reference, UnknownD, holds, route_name};

impl Reference<'_> {
    pub(super) fn demand(
        &mut self,
        of: &str,
        groups: &[String],
        require: &Requirement,
        restrictions: &Restrictions,
        conditions: &[Condition],
        at: Option<(&str, &CanonicalPath)>,
    ) {
        if !groups.is_empty() && !groups.iter().any(|group| self.caller.groups.contains(group)) {
            self.say(Denies("insufficient_group"), &format!("{of}groups"));
        }
        self.require(&format!("{of}require"), require, false);
        let subject = self.request.subject;
        let barred = |allowed: &[String], has: Option<&String>| {
            !allowed.is_empty() && has.is_none_or(|has| !allowed.contains(has))
        };
        if barred(&restrictions.key_types, subject.and_then(|subject| subject.key_type.as_ref()))
            || barred(&restrictions.methods, subject.and_then(|subject| subject.method.as_ref()))
        {
            self.say(Denies("access_denied"), &format!("{of}restrictions"));
        }
        self.conditions(&format!("{of}conditions"), conditions, at);
    }

    fn conditions(&mut self, name: &str, conditions: &[Condition], at: Option<(&str, &CanonicalPath)>) {
        match holds(conditions, at, self.request) {
            Truth::True => {}
            Truth::False => self.say(Denies("access_denied"), name),
            Truth::Unknown(_) => self.say(UnknownD, name),
        }
    }

    fn require(&mut self, name: &str, require: &Requirement, met: bool) {
        let met_by = |selection: &Selection, has: &Names, met: bool| {
            let any = selection.any_of.is_empty() || selection.any_of.iter().any(|one| has.contains(one));
            let all = selection.all_of.iter().all(|one| has.contains(one));
            (met || any && all) && !selection.none_of.iter().any(|one| has.contains(one))
        };
        if !met_by(&require.roles, &self.caller.roles, met) {
            self.say(Denies("insufficient_role"), name);
        }
        if !met_by(&require.scopes, &self.caller.scopes, met) {
            self.say(Denies("insufficient_scope"), name);
        }
        if !met_by(&require.groups, &self.caller.groups, false) {
            self.say(Denies("insufficient_group"), name);
        }
    }

    pub(super) fn route(&mut self, index: usize, route: &Route, path: &CanonicalPath) {
        let superuser = self.caller.superuser == Some(Truth::True);
        let name = route_name(index, route);
        self.require(&name, &route.require, superuser);
        if let Some(wanted) = &route.permission
            && !superuser
            && !self.caller.permissions.iter().any(|held| covers(held, wanted))
        {
            self.say(Denies("insufficient_permissions"), &name);
        }
        self.conditions(&name, &route.conditions, Some((&route.path_template(), path)));
    }
}
