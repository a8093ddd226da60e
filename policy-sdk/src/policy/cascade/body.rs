//! Which attached policies look at the body of a request.

use crate::path_tree::Spellings;
use crate::policy::Located;
use crate::request::{Action, Resource};

use super::Cascade;

impl Cascade {
    /// Whether conditions of a policy that may be attached to the request look at the body, in whatever tenant it acts.
    pub(in crate::policy) fn reads_body(
        &self,
        located: &Located<'_>,
        action: Action<'_>,
        resource: Resource<'_>,
        paths: &Spellings<'_>,
    ) -> bool {
        let is_by_path = |number: usize| self.by_path.all(paths).any(|found| found.value.contains(&number));
        self.policies.iter().enumerate().any(|(number, policy)| {
            (policy.demands.read_body() || policy.entries.ever_read_body())
                && policy.is_about(located, action, resource.host)
                && (!policy.has_path || is_by_path(number))
        })
    }

    /// Whether every request of the route called `name` must meet conditions on the body, by a policy of the whole gateway or
    /// of this route.
    pub(in crate::policy) fn demands_body_of(&self, name: Option<&str>) -> bool {
        self.policies.iter().any(|policy| {
            let is_everywhere = !policy.has_path
                && policy.host.is_none()
                && policy.methods.is_empty()
                && policy.tenants.is_empty();
            let is_of_route =
                policy.routes.is_empty() || policy.routes.iter().any(|known| Some(known.as_str()) == name);
            policy.demands.read_body() && is_everywhere && is_of_route
        })
    }
}
