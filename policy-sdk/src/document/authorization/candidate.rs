//! A policy on trial: decided beside the live one.

use deserr::Deserr;
use schemars::JsonSchema;

use super::Authorization;
use crate::document::Problems;

/// A policy on trial: decided beside the live one. Where the two differ, the difference is counted by rule and put on
/// record; the live one answers, except for the share of subjects that `enforce` names.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Candidate {
    /// Name of the candidate in metrics and records. 1 to 63 of `a-z`, `0-9`, `_`, `-`.
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,63}$"))]
    pub name: String,
    /// What callers may do if the candidate answers.
    pub authorization: Authorization,
    /// For whom the candidate answers already.
    #[deserr(default)]
    #[schemars(default)]
    pub enforce: Enforcement,
}

/// For whom a candidate answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Enforcement {
    /// Share of subjects, from 0 to 100. A subject is always on the same side; anonymous callers are on the live one, except at
    /// 100, where the candidate answers everyone.
    #[deserr(default)]
    #[schemars(default)]
    #[schemars(range(max = 100))]
    pub percentage: u8,
    /// Text that shuffles the subjects. Absent: the candidate's name.
    #[deserr(default)]
    pub salt: Option<String>,
}
