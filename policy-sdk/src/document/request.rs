//! How requests are read before anything is decided.

use deserr::Deserr;
use schemars::JsonSchema;

use super::Problems;

/// How requests are read before anything is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Request {
    /// What happens to a path that two servers could read differently: encoded separators, `;` parameters, `//`,
    /// dot segments, backslash, NUL, bad or double escapes.
    #[deserr(default)]
    #[schemars(default)]
    pub ambiguous_path: AmbiguousPath,
}

/// What happens to a path that two servers could read differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum AmbiguousPath {
    /// The request is answered with 400 `ambiguous_path`.
    #[default]
    Refuse,
    /// The path is rewritten to its one canonical form, for the decision and for the upstream alike.
    Normalize,
}
