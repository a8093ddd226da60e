//! Callers who need no permission.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::{Condition, Problems};

/// Callers who need no permission and no rule: whoever is one of `subjects` or has one of `roles`; or else who fulfils `conditions`.
/// Rules that deny, tenancy, conditions, restrictions and demanded scopes of policies hold for them too, and every use is on
/// record.
#[derive(Clone, Debug, Default, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Superusers {
    /// User ids.
    #[deserr(default)]
    #[schemars(default)]
    pub subjects: Vec<String>,
    /// Roles.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Vec<String>,
    /// What makes a superuser when all of it is true, such as a claim that says so. Empty: nothing does. Not beside names.
    #[deserr(default)]
    #[schemars(default)]
    pub conditions: Vec<Condition>,
}
