//! The headers that tell the upstream who called.

use deserr::Deserr;
use schemars::JsonSchema;

use super::Problems;

/// The headers that tell the upstream who called. A name set to `null` is not sent. Whatever their names, every copy
/// that a client sends is removed on every route, authenticated or not, in every spelling with `_` or another sign for
/// `-`; so are copies of the default names, and headers that override a method or a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct IdentityHeaders {
    /// Header that carries the caller's tenant.
    #[deserr(default = default_tenant())]
    #[schemars(default = "default_tenant")]
    pub tenant: Option<String>,
    /// Header that carries the caller's user id.
    #[deserr(default = default_user())]
    #[schemars(default = "default_user")]
    pub user: Option<String>,
    /// Header that carries the caller's roles, separated by commas.
    #[deserr(default = default_roles())]
    #[schemars(default = "default_roles")]
    pub roles: Option<String>,
    /// Header that carries the name of the authentication method that succeeded.
    #[deserr(default = default_method())]
    #[schemars(default = "default_method")]
    pub method: Option<String>,
    /// Header that carries the caller's scopes, separated by spaces (RFC 6749 section 3.3). Not sent by default.
    #[deserr(default)]
    pub scopes: Option<String>,
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        Self {
            tenant: default_tenant(),
            user: default_user(),
            roles: default_roles(),
            method: default_method(),
            scopes: None,
        }
    }
}

fn default_tenant() -> Option<String> {
    Some("x-tenant-id".to_owned())
}

fn default_user() -> Option<String> {
    Some("x-user-id".to_owned())
}

fn default_roles() -> Option<String> {
    Some("x-user-roles".to_owned())
}

fn default_method() -> Option<String> {
    Some("x-auth-method".to_owned())
}
