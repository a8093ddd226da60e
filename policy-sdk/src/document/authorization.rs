//! What callers may do.

use deserr::Deserr;
use schemars::JsonSchema;

use super::{Named, Problems};

/// What callers may do. A request that nothing here allows is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Authorization {
    /// Requests that anyone may make, without a credential.
    #[deserr(default)]
    #[schemars(default)]
    pub public: Vec<Public>,
    /// Roles by name, each with the permissions it carries.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Named<Role>,
    /// What each kind of request demands. The most specific path decides.
    #[deserr(default)]
    #[schemars(default)]
    pub routes: Vec<Route>,
    /// Rules of role-based access control. A rule with `deny` overrides every permission.
    #[deserr(default)]
    #[schemars(default)]
    pub rules: Vec<Rule>,
}

/// Requests that anyone may make, without a credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Public {
    /// Request methods, in capitals (RFC 9110 section 9.1). The one entry `*` stands for every method.
    #[schemars(length(min = 1))]
    pub methods: Vec<String>,
    /// Path template: literal segments, `{name}` or `*` for one segment, `**` as the last one for the rest.
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// Host the request is for, in lower case without port; `*.example.com` for every host below it. Absent: every
    /// host.
    #[deserr(default)]
    pub host: Option<String>,
}

/// A set of permissions under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Role {
    /// Roles whose permissions this one carries too.
    #[deserr(default)]
    #[schemars(default)]
    pub inherits: Vec<String>,
    /// Permissions, such as `objects:read`; `objects:*` for all of one kind, `*` for all.
    #[deserr(default)]
    #[schemars(default)]
    pub permissions: Vec<String>,
}

/// What one kind of request demands. Everything it names must hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Route {
    /// Name under which this route appears in reasons and records. Absent: `routes/` and its number, from 0.
    #[deserr(default)]
    pub name: Option<String>,
    /// Request methods, in capitals (RFC 9110 section 9.1). The one entry `*` stands for every method.
    #[schemars(length(min = 1))]
    pub methods: Vec<String>,
    /// Path template: literal segments, `{name}` or `*` for one segment, `**` as the last one for the rest. A slash at
    /// the end counts; but where only a route with `**` is about a request's own spelling, and this one is about the
    /// other, both must permit.
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// Host the request is for, in lower case without port; `*.example.com` for every host below it. Absent: every
    /// host.
    #[deserr(default)]
    pub host: Option<String>,
    /// Permission the caller must have, such as `objects:read`. A wildcard here demands the wildcard itself.
    #[deserr(default)]
    pub permission: Option<String>,
    /// Roles and scopes the caller must or must not have.
    #[deserr(default)]
    #[schemars(default)]
    pub require: Requirement,
    /// Whether the caller must be authenticated. `optional`: a request without a credential goes on as anonymous; one
    /// with a bad credential is refused all the same.
    #[deserr(default)]
    #[schemars(default)]
    pub authentication: RequiredAuthentication,
    /// When the request goes on: after its record was acknowledged by the sink, or at once.
    #[deserr(default)]
    #[schemars(default)]
    pub audit: RecordKeeping,
}

/// Roles and scopes a caller must or must not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Requirement {
    /// What the caller's roles must be, inherited ones included.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Selection,
    /// What the credential's scopes must be.
    #[deserr(default)]
    #[schemars(default)]
    pub scopes: Selection,
}

/// What a set of names must contain. An empty list demands nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Selection {
    /// At least one of these.
    #[deserr(default)]
    #[schemars(default)]
    pub any_of: Vec<String>,
    /// Every one of these.
    #[deserr(default)]
    #[schemars(default)]
    pub all_of: Vec<String>,
    /// None of these.
    #[deserr(default)]
    #[schemars(default)]
    pub none_of: Vec<String>,
}

/// One rule of role-based access control.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// Name under which this rule appears in reasons and records. Absent: `rules/` and its number, from 0.
    #[deserr(default)]
    pub name: Option<String>,
    /// What the rule says of a request it fits.
    pub effect: Effect,
    /// What is done: `read` (GET, HEAD, OPTIONS), `create` (POST), `update` (PUT, PATCH), `delete` (DELETE), `write`
    /// for the last three and, in a rule that denies, for every other method that is not a read, a request method in
    /// capitals, or `*`.
    pub action: String,
    /// Path template of what it is done to, or `*` for everything. A rule that denies is about both spellings of a path,
    /// with and without a slash at the end.
    pub resource: String,
    /// Role of the callers the rule is about; `*` for every authenticated caller.
    pub role: String,
}

/// What a rule says of a request it fits (XACML 3.0: Permit and Deny).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[schemars(rename_all = "lowercase")]
pub enum Effect {
    /// The request may go on, unless another rule denies it.
    Allow,
    /// The request is refused, whatever allows it.
    Deny,
}

/// Whether the caller of a route must be authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum RequiredAuthentication {
    /// A request without a credential is refused with 401.
    #[default]
    Required,
    /// A request without a credential goes on as anonymous.
    Optional,
}

/// When a request goes on with respect to its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum RecordKeeping {
    /// At once; the record follows in the next batch.
    #[default]
    Batched,
    /// When the sink has acknowledged the record; if it does not, 503 `audit_unavailable`.
    Acknowledged,
}
