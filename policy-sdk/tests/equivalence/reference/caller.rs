//! Who asks: roles with what they inherit and were granted, permissions, and the tenant that is acted in.

use std::collections::BTreeSet;

use portcullis_policy::condition::Truth;
use portcullis_policy::document::{Binding, Document};
use portcullis_policy::query;
use portcullis_policy::request::AccessRequest;

use super::{Names, Reference, holds, template};

pub(super) struct Caller {
    pub(super) known: bool,
    pub(super) id: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) roles: Names,
    pub(super) groups: Names,
    pub(super) scopes: Names,
    pub(super) permissions: Names,
    pub(super) superuser: Option<Truth>,
}

pub(super) fn caller(document: &Document, request: &AccessRequest<'_>) -> Caller {
    let subject = request.subject.cloned().unwrap_or_default();
    let known = request.subject.is_some();
    let authorization = &document.authorization;
    let set = |list: &[String]| list.iter().cloned().collect::<Names>();
    let tenant = subject.tenant.clone().or_else(|| document.tenancy.default.clone()).filter(|_| known);
    let (mut roles, mut permissions) = (Names::new(), set(&subject.permissions));
    subject.roles.iter().for_each(|role| with_inherited(document, role, &mut roles));
    for grant in &authorization.grants {
        let named = grant.subject.is_some() && grant.subject == subject.id
            || grant.group.as_ref().is_some_and(|group| subject.groups.contains(group));
        let here = grant.tenant.is_none() || grant.tenant == tenant;
        let now = request.context.time;
        let begun = grant.not_before.is_none_or(|from| now.is_some_and(|now| now >= from.unix_seconds()));
        let runs = grant.expires.is_none_or(|until| now.is_some_and(|now| now < until.unix_seconds()));
        if named && here && begun && runs {
            grant.roles.iter().for_each(|role| with_inherited(document, role, &mut roles));
            permissions.extend(grant.permissions.iter().cloned());
        }
    }
    let tenants = &document.tenancy.tenants;
    let own = tenant.as_ref().and_then(|tenant| tenants.get(tenant));
    for role in &roles {
        permissions.extend(authorization.roles.get(role).iter().flat_map(|role| role.permissions.clone()));
        permissions
            .extend(own.and_then(|own| own.roles.get(role)).iter().flat_map(|role| role.permissions.clone()));
    }
    let superusers = &authorization.superusers;
    let superuser = if subject.id.is_some_and(|id| superusers.subjects.contains(&id))
        || superusers.roles.iter().any(|role| roles.contains(role))
    {
        Some(Truth::True)
    } else {
        (known && !superusers.conditions.is_empty()).then(|| holds(&superusers.conditions, None, request))
    };
    let (groups, scopes) = (set(&subject.groups), set(&subject.scopes));
    Caller {
        known,
        id: request.subject.and_then(|subject| subject.id.clone()),
        tenant,
        roles,
        groups,
        scopes,
        permissions,
        superuser,
    }
}

fn with_inherited(document: &Document, role: &str, roles: &mut Names) {
    if roles.insert(role.to_owned()) {
        let inherits = document.authorization.roles.get(role).map(|role| role.inherits.as_slice());
        inherits.unwrap_or_default().iter().for_each(|role| with_inherited(document, role, roles));
    }
}

pub(super) fn covers(held: &str, wanted: &str) -> bool {
    let halves = |text: &str| match text.rsplit_once(':') {
        Some((resource, action)) => (resource.to_owned(), action.to_owned()),
        None => ("*".to_owned(), "*".to_owned()),
    };
    let ((resource, action), (wanted_resource, wanted_action)) = (halves(held), halves(wanted));
    (resource == "*" || resource == wanted_resource) && (action == "*" || action == wanted_action)
}

impl Reference<'_> {
    pub(super) fn tenancy(&self) -> Result<(Option<String>, bool), &'static str> {
        let (tenancy, own) = (&self.document.tenancy, self.caller.tenant.clone());
        if self.caller.known && tenancy.required && own.is_none() {
            return Err("tenant_required");
        }
        let mut addressed: BTreeSet<Option<String>> = BTreeSet::new();
        for binding in &tenancy.bind {
            match binding {
                Binding::Header(name) => addressed
                    .extend(self.headers(name).iter().map(|value| String::from_utf8(value.to_vec()).ok())),
                Binding::Query(name) => {
                    match query::values(self.request.context.query.unwrap_or_default(), name) {
                        Ok(values) => {
                            addressed.extend(values.into_iter().map(|value| Some(value.into_owned())))
                        }
                        Err(_) => drop(addressed.insert(None)),
                    }
                }
                Binding::Path(text) => {
                    for path in [Some(self.request.resource.path), self.twin.as_ref()].into_iter().flatten() {
                        let template = template(text);
                        let captured = template.captures(path).and_then(|captures| captures.get("tenant"));
                        addressed.extend(captured.map(|tenant| Some(tenant.into_owned())));
                    }
                }
                Binding::Host(text) => {
                    let (before, after) = text.split_once("{tenant}").expect("the document was read");
                    let host = self.request.resource.host.strip_prefix(before);
                    let label = host
                        .and_then(|host| host.strip_suffix(after))
                        .filter(|label| !label.contains('.') && !label.is_empty());
                    addressed.extend(label.map(|label| Some(label.to_owned())));
                }
            }
        }
        let mut others = addressed.iter().filter(|tenant| **tenant != own || tenant.is_none()).peekable();
        if others.peek().is_none() {
            return Ok((own, false));
        }
        let may = tenancy.cross_tenant.roles.iter().any(|role| self.caller.roles.contains(role));
        match addressed.first().filter(|_| may && addressed.len() == 1) {
            Some(Some(other)) => Ok((Some(other.clone()), true)),
            _ => Err("tenant_mismatch"),
        }
    }
}
