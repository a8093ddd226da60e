//! What is answered: the decision, the rules that made it, and the permit that only a decision can make.
//!
//! This module decides nothing; see [`crate::policy`].

use std::fmt;
use std::sync::Arc;

use smol_str::{SmolStr, SmolStrBuilder};

/// The four answers of XACML 3.0 section 7. Only [`Decision::Permit`] lets a request through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Something grants, and nothing objects or might have.
    Permit,
    /// Something objects: a demand that is not met, or a rule that denies.
    Deny,
    /// Nothing grants and nothing objects: a denial, because nothing is allowed by silence.
    NotApplicable,
    /// Something that could have decided could not be evaluated: a denial.
    Indeterminate,
}

impl Decision {
    /// The stable name used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Permit => "permit",
            Decision::Deny => "deny",
            Decision::NotApplicable => "not_applicable",
            Decision::Indeterminate => "indeterminate",
        }
    }
}

/// Names one part of a policy: by the name its author gave it, else by its place, such as `rules/3` or `finance/require`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(SmolStr);

impl RuleId {
    pub(crate) fn new(name: Option<&str>, pointer: &str) -> RuleId {
        RuleId(SmolStr::new(name.unwrap_or(pointer)))
    }

    /// The id that consists of `parts`, one behind the other.
    pub(crate) fn of_parts(parts: &[&str]) -> RuleId {
        let mut id = SmolStrBuilder::new();
        parts.iter().for_each(|part| id.push_str(part));
        RuleId(id.finish())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a request is refused. Each reason has one stable code on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The route asks for a caller and there is none.
    AuthenticationRequired,
    /// The document requires a tenant and the credential names none.
    TenantRequired,
    /// The request is for another tenant than the credential's.
    TenantMismatch,
    /// The caller holds none of the roles asked for.
    InsufficientRole,
    /// The credential lacks scopes; these are the ones the route asks for (RFC 6750 section 3.1).
    InsufficientScope(Arc<[String]>),
    /// The caller is in none of the groups asked for, or in one that is excluded.
    InsufficientGroup,
    /// No role of the caller carries the permission asked for.
    InsufficientPermissions,
    /// A rule denies, or no rule permits.
    AccessDenied,
}

impl Refusal {
    /// The stable code, as it stands in problem documents, records and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::AuthenticationRequired => "missing_token",
            Refusal::TenantRequired => "tenant_required",
            Refusal::TenantMismatch => "tenant_mismatch",
            Refusal::InsufficientRole => "insufficient_role",
            Refusal::InsufficientScope(_) => "insufficient_scope",
            Refusal::InsufficientGroup => "insufficient_group",
            Refusal::InsufficientPermissions => "insufficient_permissions",
            Refusal::AccessDenied => "access_denied",
        }
    }
}

/// Proof that something permitted this request. Only this crate can make one, and only where a decision says Permit;
/// the command that lets a request through demands it.
///
/// Whoever holds one may look at it:
///
/// ```
/// use portcullis_policy::decision::{Basis, Permit};
/// fn look(permit: &Permit) -> Basis {
///     permit.basis()
/// }
/// ```
///
/// and can neither make one from its parts,
///
/// ```compile_fail,E0451
/// use portcullis_policy::decision::{Basis, Permit};
/// fn forge() -> Permit {
///     Permit { basis: Basis::Rules }
/// }
/// ```
///
/// nor call the constructor,
///
/// ```compile_fail,E0624
/// use portcullis_policy::decision::{Basis, Permit};
/// fn forge() -> Permit {
///     Permit::new(Basis::Rules)
/// }
/// ```
///
/// nor keep a copy for another request.
///
/// ```compile_fail,E0308
/// use portcullis_policy::decision::{Basis, Permit};
/// fn forge(permit: &Permit) -> Permit {
///     permit.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that nobody shows lets nobody through"]
pub struct Permit {
    basis: Basis,
}

impl Permit {
    pub(crate) fn new(basis: Basis) -> Permit {
        Permit { basis }
    }

    /// What the permit rests on.
    pub fn basis(&self) -> Basis {
        self.basis
    }
}

/// What a permit rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The document lists the route as public.
    PublicRoute,
    /// It is a true CORS preflight, and the document lists it.
    CorsPreflight,
    /// The rules permit.
    Rules,
    /// Authentication is switched off, by the document and by the environment.
    AuthenticationDisabled,
}

impl Basis {
    /// The stable name used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::PublicRoute => "public_route",
            Basis::CorsPreflight => "cors_preflight",
            Basis::Rules => "rules",
            Basis::AuthenticationDisabled => "authentication_disabled",
        }
    }
}

/// The whole answer to one access request.
#[derive(Debug)]
pub struct Response {
    /// Permit with its proof, or the refusal.
    pub outcome: Result<Permit, Refusal>,
    /// The decision in XACML's terms.
    pub decision: Decision,
    /// What made the decision, in the order of `docs/policy.md`, at most [`MAX_REASONS`](crate::limits::MAX_REASONS).
    pub reasons: Vec<RuleId>,
    /// The tenant the request acts in: the subject's own, or the one it was bound to when access across tenants is
    /// allowed.
    pub tenant: Option<String>,
    /// Whether the subject acts outside its own tenant, which is always on record.
    pub cross_tenant: bool,
}
