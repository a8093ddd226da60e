//! What callers may do.

mod acl;
mod attach;
mod candidate;
mod demand;
mod grant;
mod policy;
mod preflight;
mod role;
mod route;
mod rule;
mod superusers;

use deserr::Deserr;
use schemars::JsonSchema;

use super::{Condition, Named, Problems};

pub use acl::{AccessList, AclEntry};
pub use attach::Attach;
pub use candidate::{Candidate, Enforcement};
pub use demand::{Requirement, Restrictions, Selection};
pub use grant::Grant;
pub use policy::{AttachedPolicy, Intent};
pub use preflight::Preflight;
pub use role::Role;
pub use route::{Grpc, Match, Public, RecordKeeping, RequiredAuthentication, Route, Upgrade, ValueMatch};
pub use rule::{Effect, Rule};
pub use superusers::Superusers;

/// What callers may do. A request that nothing here allows is refused.
#[derive(Clone, Debug, Default, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Authorization {
    /// What kind of control this is meant to be. Absent: rules, access lists and conditions may stand side by side.
    #[deserr(default, rename = "type")]
    #[schemars(rename = "type")]
    pub intent: Option<Intent>,
    /// Names of actions of one's own, beside those of HTTP: for questions that services ask about things that are no
    /// paths. A rule may then be about them.
    #[deserr(default)]
    #[schemars(default)]
    pub actions: Vec<String>,
    /// Requests that anyone may make, without a credential.
    #[deserr(default)]
    #[schemars(default)]
    pub public: Vec<Public>,
    /// CORS preflights that are let through without a credential.
    #[deserr(default)]
    #[schemars(default)]
    pub preflight: Vec<Preflight>,
    /// Roles by name, each with the permissions it carries.
    #[deserr(default)]
    #[schemars(default)]
    pub roles: Named<Role>,
    /// Roles and permissions that subjects and groups are given beside those of their credentials, for a time or for good.
    #[deserr(default)]
    #[schemars(default)]
    pub grants: Vec<Grant>,
    /// Callers who need no permission and no rule. What denies, denies them too.
    #[deserr(default)]
    #[schemars(default)]
    pub superusers: Superusers,
    /// Groups of which every caller must be in at least one. Empty: nothing is demanded.
    #[deserr(default)]
    #[schemars(default)]
    pub groups: Vec<String>,
    /// Roles, scopes and groups that every caller must or must not have.
    #[deserr(default)]
    #[schemars(default)]
    pub require: Requirement,
    /// Credentials that every caller may use.
    #[deserr(default)]
    #[schemars(default)]
    pub restrictions: Restrictions,
    /// What must be true of every request of an authenticated caller.
    #[deserr(default)]
    #[schemars(default)]
    pub conditions: Vec<Condition>,
    /// What each kind of request demands. The most specific path decides.
    #[deserr(default)]
    #[schemars(default)]
    pub routes: Vec<Route>,
    /// Rules of role-based access control. A rule with `deny` overrides every permission.
    #[deserr(default)]
    #[schemars(default)]
    pub rules: Vec<Rule>,
    /// Who may do what, resource by resource.
    #[deserr(default)]
    #[schemars(default)]
    pub acl: Vec<AccessList>,
    /// Policies of parts of the gateway. All that are attached to a request must permit it; the strictest wins.
    #[deserr(default)]
    #[schemars(default)]
    pub policies: Vec<AttachedPolicy>,
}
