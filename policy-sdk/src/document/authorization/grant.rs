//! Roles and permissions given to a subject or a group.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::{Problems, Timestamp};

/// Roles and permissions that a subject or a group is given beside those of its credential. Exactly one of `subject` and
/// `group`.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Grant {
    /// Name under which this grant appears in explanations. Absent: `grants/` and its number, from 0.
    #[deserr(default)]
    pub name: Option<String>,
    /// User id of who is given them.
    #[deserr(default)]
    pub subject: Option<String>,
    /// Group whose members are given them.
    #[deserr(default)]
    pub group: Option<String>,
    /// Tenant that the credential must be of. Absent: any.
    #[deserr(default)]
    pub tenant: Option<String>,
    /// Roles given.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Vec<String>,
    /// Permissions given.
    #[deserr(default)]
    #[schemars(default)]
    pub permissions: Vec<String>,
    /// When the grant begins to count. Absent: at once.
    #[deserr(default)]
    pub not_before: Option<Timestamp>,
    /// From when on the grant counts no more. Absent: never.
    #[deserr(default)]
    pub expires: Option<Timestamp>,
}
