//! What callers must or must not have.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::Problems;

/// Roles, scopes and groups a caller must or must not have.
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
    /// What the caller's groups must be.
    #[deserr(default)]
    #[schemars(default)]
    pub groups: Selection,
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

/// Credentials that may be used. An empty list restricts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Restrictions {
    /// Kinds of credential, as methods name them in `key_type`. A credential without a kind is none of them.
    #[deserr(default)]
    #[schemars(default)]
    pub key_types: Vec<String>,
    /// Names of authentication methods.
    #[deserr(default)]
    #[schemars(default)]
    pub methods: Vec<String>,
}
