//! Whether the answer depends on what is dear to have of a request: its body, the address of its peer. Asked before it is
//! there, and answered too often rather than too seldom.

use crate::document::Authorization;
use crate::path_tree::Spellings;
use crate::request::{Action, Resource};

use super::cascade::Cascade;
use super::demand::Demands;
use super::route::endless_body;
use super::{Access, Compiler, Located, Policy};

impl Policy {
    /// Whether the answer to some request depends on the address of its peer, here or in the [candidate](Policy::candidate).
    pub fn reads_source(&self) -> bool {
        self.reads_source || self.candidate().is_some_and(Policy::reads_source)
    }

    /// Whether the answer to some request depends on its body.
    pub fn reads_body(&self) -> bool {
        self.reads_body
    }

    /// Whether the answer may depend on the body of the request that `located` was found for. Where it says no, no condition
    /// on the body is evaluated; where it says yes, one perhaps is.
    pub fn needs_body(&self, located: &Located<'_>, action: Action<'_>, resource: Resource<'_>) -> bool {
        if !self.reads_body || located.access == Access::Public || located.obstacle.is_some() {
            return false;
        }
        let paths = Spellings::of(resource.path);
        self.demands.read_body()
            || self.superusers.read_body()
            || located.routes().any(|route| route.demands().is_some_and(Demands::read_body))
            || self.entries.read_body(&paths)
            || self.cascade.reads_body(located, action, resource, &paths)
    }
}

/// Adds a problem for each route whose every request must meet conditions on a body that need not end.
pub(super) fn refuse_endless(
    authorization: &Authorization,
    demands: &Demands,
    cascade: &Cascade,
    compiler: &mut Compiler<'_>,
) {
    for (index, route) in authorization.routes.iter().enumerate() {
        let is_waited_for = demands.read_body() || cascade.demands_body_of(route.name.as_deref());
        if route.has_endless_body() && is_waited_for {
            let place = compiler.place.member("routes").element(index);
            compiler.problems.push(endless_body(place));
        }
    }
}
