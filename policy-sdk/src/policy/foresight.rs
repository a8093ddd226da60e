//! Decisions about requests of which some facts are not known: those of records, asked again.
//!
//! It is the engine that decides, with everything that is not known taken out of the request first, so that nothing can be
//! read by accident. What depends on a fact that is not known is three-valued on the way and never taken for absent. How many
//! steps an unknown value would take nobody knows: a permit on the way to which a condition asks for one is never settled,
//! for the budget might not suffice, and what does not suffice refuses.

use std::collections::BTreeSet;

use crate::decision::Response;
use crate::request::{AccessRequest, Context, Subject};
use crate::unknown::{Fact, Ignorance};

use super::Policy;

/// What a policy answers when not every fact is known.
#[derive(Debug)]
pub enum Foresight {
    /// Nothing that is not known was looked at: this is the answer, but for a tenant that is not known and that nothing
    /// depends on.
    Exact(Response),
    /// Permitted or refused whatever the facts are. What a refusal's code is depends on them, and so do the reasons.
    Settled {
        /// Whether it is permitted.
        is_permit: bool,
        /// The facts that were looked at and are not known.
        missed: BTreeSet<String>,
    },
    /// It cannot be known.
    Open {
        /// The facts that were looked at and are not known.
        missed: BTreeSet<String>,
    },
}

impl Policy {
    /// Decides `request` as far as that can be done without the facts that are `unknown`; what `request` says of them is not
    /// looked at.
    pub fn foresee(&self, request: &AccessRequest<'_>, unknown: &BTreeSet<Fact>) -> Foresight {
        let ignorance = Ignorance::of(unknown);
        let knows = |fact| !unknown.contains(&fact);
        let subject = request.subject.filter(|_| knows(Fact::Subject)).map(|subject| known(subject, unknown));
        let context = request.context;
        // Whether the request asks for an upgrade can be known without the other headers.
        let is_known = |name: &[u8]| {
            knows(if name == b"connection" || name == b"upgrade" { Fact::Upgrade } else { Fact::Header })
        };
        let headers = context.headers.iter().filter(|(name, _)| is_known(name)).collect();
        let context = Context {
            headers: &headers,
            query: context.query.filter(|_| knows(Fact::Query)),
            source: context.source.filter(|_| knows(Fact::Source)),
            time: context.time.filter(|_| knows(Fact::Time)),
            body: context.body.filter(|_| knows(Fact::Body)),
            unknown: ignorance.as_unknown(),
            ..context
        };
        let request = AccessRequest { subject: subject.as_ref(), context, ..*request };
        let located = self.locate(request.action, request.resource, &context);
        let response = self.decide(&located, &request);
        // A body that is held can be too long, or late: then the gate refuses what this policy permits.
        let may_be_refused = self.needs_body(&located, request.action, request.resource)
            && context.unknown.hides(Fact::Body, "");
        let may_be_refused = may_be_refused || ignorance.costs_anything();
        let is_open = ignorance.is_open() || may_be_refused && response.outcome.is_ok();
        let missed = ignorance.into_missed();
        match (is_open, missed.is_empty()) {
            (true, _) => Foresight::Open { missed },
            (false, true) => Foresight::Exact(response),
            (false, false) => Foresight::Settled { is_permit: response.outcome.is_ok(), missed },
        }
    }
}

/// What is known of a subject.
fn known(subject: &Subject, unknown: &BTreeSet<Fact>) -> Subject {
    let knows = |fact| !unknown.contains(&fact);
    let mut known = subject.clone();
    let Subject { id, kind: _, tenant, roles, groups, scopes, permissions, method, key_type, attributes } =
        &mut known;
    for (fact, value) in
        [(Fact::Id, id), (Fact::Tenant, tenant), (Fact::Method, method), (Fact::KeyType, key_type)]
    {
        *value = value.take().filter(|_| knows(fact));
    }
    for (fact, list) in [
        (Fact::Roles, roles),
        (Fact::Groups, groups),
        (Fact::Scopes, scopes),
        (Fact::Permissions, permissions),
    ] {
        list.retain(|_| knows(fact));
    }
    attributes.retain(|_, _| knows(Fact::Attribute));
    known
}
