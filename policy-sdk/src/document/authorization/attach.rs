//! What a policy is attached to.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::Problems;

/// What a policy is attached to. Everything given must match; nothing given is the whole gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Attach {
    /// Host, in lower case without port; `*.example.com` for every host below it.
    #[deserr(default)]
    pub host: Option<String>,
    /// Path template. Both spellings of a path, with and without a slash at the end, are taken for it.
    #[deserr(default)]
    #[schemars(regex(pattern = "^/"))]
    pub path: Option<String>,
    /// Names of routes.
    #[deserr(default)]
    #[schemars(default)]
    pub routes: Vec<String>,
    /// Request methods, in capitals.
    #[deserr(default)]
    #[schemars(default)]
    pub methods: Vec<String>,
    /// Tenants that a request acts in.
    #[deserr(default)]
    #[schemars(default)]
    pub tenants: Vec<String>,
}
