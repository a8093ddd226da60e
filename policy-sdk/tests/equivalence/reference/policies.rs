//! Policies that are attached to a request, each by itself: what it demands, and whether it permits where it must.

use portcullis_policy::condition::Truth;
use portcullis_policy::document::{Intent, Route};

use super::routing::{Place, host_fits};
use super::{Denies, Grants, Reference, UnknownD, UnknownP, fits, holds};

impl<'a> Reference<'a> {
    pub(super) fn policies(
        &mut self,
        own: Option<&Place<'a>>,
        twin: Option<(usize, &'a Route)>,
        tenant: Option<&str>,
    ) {
        let resource = &self.request.resource;
        for level in 0..6 {
            for policy in &self.document.authorization.policies {
                let attach = &policy.attach;
                let named = [
                    true,
                    attach.host.is_some(),
                    attach.path.is_some(),
                    !attach.routes.is_empty(),
                    !attach.methods.is_empty(),
                    !attach.tenants.is_empty(),
                ];
                let is_named = |route: Option<&Route>| {
                    route
                        .and_then(|route| route.name.as_ref())
                        .is_some_and(|name| attach.routes.contains(name))
                };
                let routed = match own {
                    Some(Place::Route(_, route)) => is_named(Some(route)),
                    Some(Place::Public(_)) | None => false,
                } || attach.routes.is_empty();
                let at = attach.path.as_deref().map(|text| {
                    (
                        text,
                        [Some(resource.path), self.twin.as_ref()]
                            .into_iter()
                            .flatten()
                            .find(|path| fits(text, path))
                            .cloned(),
                    )
                });
                let method = self.request.action.method();
                let attached = named.iter().rposition(|named| *named) == Some(level)
                    && host_fits(attach.host.as_ref(), resource.host)
                    && at.as_ref().is_none_or(|(_, path)| path.is_some())
                    && (routed || is_named(twin.map(|(_, route)| route)))
                    && (attach.methods.is_empty()
                        || method.is_some_and(|method| attach.methods.iter().any(|listed| listed == method)))
                    && (attach.tenants.is_empty()
                        || tenant.is_some_and(|tenant| attach.tenants.iter().any(|listed| listed == tenant)));
                if !attached {
                    continue;
                }
                let may_grant =
                    routed && at.as_ref().is_none_or(|(_, path)| path.as_ref() == Some(resource.path));
                let at = at.as_ref().and_then(|(text, path)| path.as_ref().map(|path| (*text, path)));
                let of = format!("{}/", policy.name);
                let (before, nearly) = (std::mem::take(&mut self.said), std::mem::take(&mut self.nearly));
                self.demand(
                    &of,
                    &policy.groups,
                    &policy.require,
                    &policy.restrictions,
                    &policy.conditions,
                    at,
                );
                if policy.intent == Some(Intent::Abac) {
                    self.say_if(
                        holds(&policy.conditions, at, self.request),
                        Grants,
                        &format!("{of}conditions"),
                    );
                }
                let demanded =
                    self.said.iter().filter(|(says, _)| matches!(says, Denies(_) | UnknownD)).count();
                self.entries(&of, &policy.rules, &policy.acl);
                let must =
                    policy.intent == Some(Intent::Abac) || !policy.rules.is_empty() || !policy.acl.is_empty();
                let (grants, might): (bool, bool) = (self.has(Grants), self.has(UnknownP));
                let nearly = std::mem::replace(&mut self.nearly, nearly);
                let objections =
                    self.said.iter().filter(|(says, _)| matches!(says, Denies(_) | UnknownD)).count();
                let is_list = !policy.rules.is_empty() || !policy.acl.is_empty();
                let objects = objections > demanded || !is_list;
                if must && !grants && !objects && self.caller.superuser != Some(Truth::True) {
                    if might {
                        self.said
                            .iter_mut()
                            .filter(|(says, _)| *says == UnknownP)
                            .for_each(|(says, _)| *says = UnknownD);
                    } else if nearly.is_empty() {
                        self.say(Denies("access_denied"), &policy.name);
                    } else {
                        nearly.iter().for_each(|name| self.say(Denies("insufficient_role"), name));
                    }
                }
                let kept = self
                    .said
                    .drain(..)
                    .filter(|(says, _)| *says != UnknownP && (may_grant || *says != Grants));
                self.said = before.into_iter().chain(kept).collect();
            }
        }
    }
}
