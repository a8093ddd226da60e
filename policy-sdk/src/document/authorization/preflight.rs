//! CORS preflights that pass.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::Problems;

/// CORS preflights that are let through without a credential: `OPTIONS` with one `Origin` and one
/// `Access-Control-Request-Method` and without a body (Fetch standard, section CORS-preflight request). Anything else is a
/// request like any other.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Preflight {
    /// Path template.
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// Host the request is for. Absent: every host.
    #[deserr(default)]
    pub host: Option<String>,
    /// Origins that may ask, such as `https://app.example.com`. The one entry `*` stands for every origin.
    #[schemars(length(min = 1))]
    pub origins: Vec<String>,
}
