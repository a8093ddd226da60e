//! A set of permissions under one name.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::Problems;

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
