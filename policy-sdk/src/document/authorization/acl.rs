//! Access lists: who may do what on one resource.

use deserr::Deserr;
use schemars::JsonSchema;

use super::Effect;
use crate::document::{Condition, Problems};

/// Who may do what on one resource.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct AccessList {
    /// Name under which this list appears in reasons and records. Absent: `acl/` and its number, from 0.
    #[deserr(default)]
    pub name: Option<String>,
    /// Path template of the resource, or `*` for everything.
    pub resource: String,
    /// Who may, and who must not.
    pub entries: Vec<AclEntry>,
}

/// One line of an access list. It is about every caller who is one of the users, in one of the groups or in one of the
/// roles.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct AclEntry {
    /// What the entry says of a request it fits.
    #[deserr(default = Effect::Allow)]
    #[schemars(default = "Effect::allow")]
    pub effect: Effect,
    /// What is done, in the words of a rule's `action`. At least one.
    #[schemars(length(min = 1))]
    pub actions: Vec<String>,
    /// User ids.
    #[deserr(default)]
    #[schemars(default)]
    pub users: Vec<String>,
    /// Groups.
    #[deserr(default)]
    #[schemars(default)]
    pub groups: Vec<String>,
    /// Roles; `*` for every authenticated caller.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Vec<String>,
    /// What else must be true for the entry to fit.
    #[deserr(default)]
    #[schemars(default)]
    pub conditions: Vec<Condition>,
}
