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
    /// Lets conditions look at the body: `context.body`. Absent: a document with such a condition does not load. The proxy
    /// must deliver the body of a request that is held; that it does, `PORTCULLIS_DELIVERS_BODIES=true` says in the
    /// environment of the filter, without which such a document does not load either.
    #[deserr(default)]
    pub body: Option<Body>,
}

/// How much of a body is held and read. Only requests that a condition on `context.body` can be about are held for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Body {
    /// The most bytes of a body that is held: a longer one is answered with 413 `body_too_large`. Not more than the proxy
    /// itself holds: Envoy's `per_connection_buffer_limit_bytes`.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub max_bytes: u32,
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
