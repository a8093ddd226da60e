//! Which tenant a request belongs to, and what it must match.

use std::ops::ControlFlow;

use deserr::{Deserr, MergeWithError, ValuePointerRef};
use schemars::JsonSchema;

use super::{Named, Problem, Problems};

/// Which tenant a request belongs to, and what it must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Tenancy {
    /// Whether an authenticated caller without a tenant is refused with 403 `tenant_required`.
    #[deserr(default)]
    #[schemars(default)]
    pub required: bool,
    /// Tenant of an authenticated caller whose credential names none.
    #[deserr(default)]
    pub default: Option<String>,
    /// Where a request names the tenant it addresses. Each one that is present in a request must equal the caller's
    /// tenant, or the answer is 403 `tenant_mismatch`.
    #[deserr(default)]
    #[schemars(default)]
    pub bind: Vec<Binding>,
    /// Who may address a tenant other than their own. Every such request is marked in the audit record.
    #[deserr(default)]
    #[schemars(default)]
    pub cross_tenant: CrossTenant,
    /// What tenants have of their own, by tenant.
    #[deserr(default)]
    #[schemars(default)]
    pub tenants: Named<Tenant>,
}

/// What one tenant has of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Tenant {
    /// Roles that count for callers of this tenant alone. They inherit nothing, and no role of the document has their name.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Named<TenantRole>,
}

/// A role of one tenant: the permissions that are written here, and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct TenantRole {
    /// Permissions, such as `objects:read`; `objects:*` for all of one kind, `*` for all.
    #[deserr(default)]
    #[schemars(default)]
    pub permissions: Vec<String>,
}

/// Who may address a tenant other than their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct CrossTenant {
    /// Roles that may; one of them is enough. Empty: nobody may.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Vec<String>,
}

/// One place where a request names the tenant it addresses: a path, a header, a host or a query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Fields) = Binding::from_fields -> Unplaced)]
#[schemars(rename_all = "snake_case")]
pub enum Binding {
    /// A path template with `{tenant}` exactly once, such as `/tenants/{tenant}/**`.
    Path(String),
    /// The name of a request header that holds the tenant, in lower case.
    Header(String),
    /// A host template with `{tenant}` exactly once, as a whole label, such as `{tenant}.example.com`.
    Host(String),
    /// The name of a query parameter that holds the tenant.
    Query(String),
}

impl Binding {
    fn from_fields(fields: Fields) -> Result<Self, Unplaced> {
        match fields {
            Fields { path: Some(path), header: None, host: None, query: None } => Ok(Self::Path(path)),
            Fields { path: None, header: Some(header), host: None, query: None } => Ok(Self::Header(header)),
            Fields { path: None, header: None, host: Some(host), query: None } => Ok(Self::Host(host)),
            Fields { path: None, header: None, host: None, query: Some(query) } => Ok(Self::Query(query)),
            Fields { .. } => Err(Unplaced),
        }
    }
}

/// The fields of every kind of binding, before it is known which one is meant.
#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Fields {
    #[deserr(default)]
    path: Option<String>,
    #[deserr(default)]
    header: Option<String>,
    #[deserr(default)]
    host: Option<String>,
    #[deserr(default)]
    query: Option<String>,
}

/// Not exactly one place is named.
#[derive(Clone, Copy)]
struct Unplaced;

impl MergeWithError<Unplaced> for Problems {
    fn merge(earlier: Option<Self>, _: Unplaced, location: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let problem = Problem::new(location, "not one place")
            .expected("exactly one of `path`, `header`, `host`, `query`");
        ControlFlow::Continue(Self::from(problem).after(earlier))
    }
}
