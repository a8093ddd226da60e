//! Rules of role-based access control.

use deserr::Deserr;
use schemars::JsonSchema;

use crate::document::{Condition, Problems};

/// One rule of role-based access control.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// Name under which this rule appears in reasons and records. Absent: `rules/` and its number, from 0.
    #[deserr(default)]
    pub name: Option<String>,
    /// What the rule says of a request it fits.
    pub effect: Effect,
    /// What is done: `read` (GET, HEAD, OPTIONS), `create` (POST), `update` (PUT, PATCH), `delete` (DELETE), `write`
    /// for the last three and, in a rule that denies, for every other method that is not a read, a request method in
    /// capitals, one of the document's own `actions`, or `*`.
    pub action: String,
    /// Path template of what it is done to, or `*` for everything. A rule that denies is about both spellings of a path,
    /// with and without a slash at the end.
    pub resource: String,
    /// Role of the callers the rule is about; `*` for every authenticated caller.
    pub role: String,
    /// What else must be true for the rule to fit.
    #[deserr(default)]
    #[schemars(default)]
    pub conditions: Vec<Condition>,
}

/// What a rule says of a request it fits (XACML 3.0: Permit and Deny).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The request may go on, unless another rule denies it.
    Allow,
    /// The request is refused, whatever allows it.
    Deny,
}

impl Effect {
    /// What an entry says that does not say it.
    pub(super) fn allow() -> Self {
        Self::Allow
    }
}
