//! One policy of a cascade.

use deserr::Deserr;
use schemars::JsonSchema;

use super::{AccessList, Attach, Requirement, Restrictions, Rule};
use crate::document::{Condition, Problems};

/// A policy of a part of the gateway. With `rules`, `acl` or `type: abac` it must itself permit; without any of them it
/// only demands, and permits nothing.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct AttachedPolicy {
    /// Name under which the policy appears in reasons and records. No two policies have the same.
    pub name: String,
    /// What it is attached to. Absent: the whole gateway.
    #[deserr(default)]
    #[schemars(default)]
    pub attach: Attach,
    /// What kind of control this is meant to be.
    #[deserr(default, rename = "type")]
    #[schemars(rename = "type")]
    pub intent: Option<Intent>,
    /// Groups of which the caller must be in at least one.
    #[deserr(default)]
    #[schemars(default)]
    pub groups: Vec<String>,
    /// Roles, scopes and groups the caller must or must not have.
    #[deserr(default)]
    #[schemars(default)]
    pub require: Requirement,
    /// Credentials that may be used.
    #[deserr(default)]
    #[schemars(default)]
    pub restrictions: Restrictions,
    /// What must be true of the request.
    #[deserr(default)]
    #[schemars(default)]
    pub conditions: Vec<Condition>,
    /// Rules of role-based access control.
    #[deserr(default)]
    #[schemars(default)]
    pub rules: Vec<Rule>,
    /// Access lists.
    #[deserr(default)]
    #[schemars(default)]
    pub acl: Vec<AccessList>,
}

/// What kind of access control is meant. Fields of another kind are then refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[schemars(rename_all = "lowercase")]
pub enum Intent {
    /// By roles: `rules`, no `conditions` and no `acl`.
    Rbac,
    /// By attributes: `conditions`, no `rules` and no `acl`. Here, and only here, conditions that all hold permit.
    Abac,
    /// By access lists: `acl`, no `rules` and no `conditions`.
    Acl,
}
