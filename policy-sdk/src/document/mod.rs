//! The policy document as it is written: one JSON value that configures everything.
//!
//! These types are the wire form: plain structures with public fields, named as the document names them. Reading
//! one refuses unknown fields and reports every problem at once, each with its JSON Pointer. A document that was
//! read is inert: nothing here decides about a request, fetches a key, looks into the environment or compiles a
//! path. The engine and the filter build their own types from it.

mod audit;
mod authentication;
mod authorization;
mod condition;
mod credential_source;
mod duration;
mod identity_headers;
mod jwks;
mod misplaced;
mod named;
mod nearest;
mod plain_rules;
mod pointer;
mod problem;
mod reading;
mod request;
mod schema;
mod secret_reference;
mod semantics;
mod tenancy;
mod timestamp;
mod tree;

use deserr::Deserr;
use schemars::JsonSchema;

pub use audit::{Audit, Sink, WhenFull};
pub use authentication::{
    Audience, Authentication, Claims, Expiry, Jwt, KeySource, Method, SecretEncoding, SignatureAlgorithm,
};
pub use authorization::{
    AccessList, AclEntry, Attach, AttachedPolicy, Authorization, Candidate, Effect, Enforcement, Grant, Grpc,
    Intent, Match, Preflight, Public, RecordKeeping, RequiredAuthentication, Requirement, Restrictions, Role,
    Route, Rule, Selection, Superusers, Upgrade, ValueMatch,
};
pub use condition::{AllOf, AnyOf, Condition, NoneOf, Operand, Operator, Scalar, Test};
pub use credential_source::CredentialSource;
pub use duration::{Duration, DurationError};
pub use identity_headers::IdentityHeaders;
pub use jwks::PublicJwks;
pub use named::Named;
pub use pointer::{JsonPointer, Step};
pub use problem::{MAX_PROBLEMS, Problem, Problems};
pub use request::{AmbiguousPath, Body, Request};
pub use secret_reference::SecretReference;
pub use tenancy::{Binding, CrossTenant, Tenancy, Tenant, TenantRole};
pub use timestamp::{Timestamp, TimestampError};

#[cfg(test)]
pub(crate) use semantics::testing;

/// A Portcullis policy document: who may call, what they may do, and what is kept on record.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields, title = "Portcullis policy document")]
pub struct Document {
    /// Version of the document's format. This release reads version 1 and nothing else.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Name of this policy: the label `policy` of metrics and audit records. 1 to 63 of `a-z`, `0-9`, `_`, `-`.
    #[deserr(default = default_name())]
    #[schemars(default = "default_name", regex(pattern = r"^[a-z0-9_-]{1,63}$"))]
    pub name: String,
    /// How requests are read before anything is decided.
    #[deserr(default)]
    #[schemars(default)]
    pub request: Request,
    /// Who is calling: the methods that may prove it.
    pub authentication: Authentication,
    /// The headers that tell the upstream who called. Every copy a client sends is removed first, on every route.
    #[deserr(default)]
    #[schemars(default)]
    pub identity_headers: IdentityHeaders,
    /// Which tenant a request belongs to, and what it must match.
    #[deserr(default)]
    #[schemars(default)]
    pub tenancy: Tenancy,
    /// What callers may do. A request that nothing here allows is refused.
    #[deserr(default)]
    #[schemars(default)]
    pub authorization: Authorization,
    /// The same as `authorization.rules`, which must then be absent.
    #[deserr(default)]
    #[schemars(default)]
    pub rules: Vec<Rule>,
    /// The same as `authorization.groups`, which must then be absent.
    #[deserr(default)]
    #[schemars(default)]
    pub groups: Vec<String>,
    /// A policy on trial, decided beside the live one.
    #[deserr(default)]
    pub candidate: Option<Candidate>,
    /// Where the record of decisions goes. Absent: no record is kept.
    #[deserr(default)]
    pub audit: Option<Audit>,
}

impl Document {
    /// The rules of everyone, with the place they stand in: one of two, because a document has one of two shapes.
    pub fn rules(&self) -> (JsonPointer, &[Rule]) {
        if self.rules.is_empty() {
            (JsonPointer::members(&["authorization", "rules"]), &self.authorization.rules)
        } else {
            (JsonPointer::members(&["rules"]), &self.rules)
        }
    }

    /// The groups demanded of everyone, with the place they stand in: one of two, because a document has one of two shapes.
    pub fn groups(&self) -> (JsonPointer, &[String]) {
        if self.groups.is_empty() {
            (JsonPointer::members(&["authorization", "groups"]), &self.authorization.groups)
        } else {
            (JsonPointer::members(&["groups"]), &self.groups)
        }
    }

    /// The document with its candidate in force, if it has one: what it is to become when the trial went well.
    pub fn promoted(&self) -> Option<Document> {
        let authorization = self.candidate.as_ref()?.authorization.clone();
        Some(Document {
            version: self.version,
            name: self.name.clone(),
            request: self.request.clone(),
            authentication: self.authentication.clone(),
            identity_headers: self.identity_headers.clone(),
            tenancy: self.tenancy.clone(),
            authorization,
            rules: Vec::new(),
            groups: Vec::new(),
            candidate: None,
            audit: self.audit.clone(),
        })
    }
}

fn default_name() -> String {
    "default".to_owned()
}
