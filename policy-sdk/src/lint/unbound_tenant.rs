//! Routes that no place names a tenant for.

use super::access::host_covers;
use super::reading::{Reading, route_place};
use super::template_cover::CoverTree;
use super::template_shape::Shape;
use super::{Found, Lint};
use crate::document::Binding;

pub(super) const LINT: Lint = Lint {
    code: "unbound-tenant",
    finds: "A route outside every binding of `tenancy.bind`, in a document that binds tenants: which tenant's data it is about is left to the upstream. A binding by header or query parameter covers every route, one by host those that do not name another host.",
    remedy: "put the tenant into the path, or bind the place where the request names it",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let bindings = &reading.document.tenancy.bind;
    let mut paths = CoverTree::<bool>::new();
    let mut hosts = Vec::new();
    for binding in bindings {
        match binding {
            Binding::Path(path) => {
                if let Some(bound) = Shape::of(path).as_ref().and_then(|shape| paths.value_at(shape)) {
                    *bound = true;
                }
            }
            Binding::Header(_) | Binding::Query(_) => return,
            Binding::Host(host) => hosts.push(host.replace("{tenant}", "*")),
        }
    }
    if bindings.is_empty() {
        return;
    }
    for route in &reading.routes {
        let in_path = paths.covering(&route.shape, |covering| covering.value.then_some(())).is_some();
        let in_host = match &route.entry.host {
            None => !hosts.is_empty(),
            Some(host) => hosts.iter().any(|bound| bound == host || host_covers(Some(bound), Some(host))),
        };
        if !in_path && !in_host {
            found.add(
                || route_place(route.index),
                || "no binding says which tenant a request is about".to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(bind: Value) -> Vec<String> {
        let route = json!({ "methods": ["GET"], "path": "/tenants/{id}/objects" });
        let hosted = json!({ "methods": ["GET"], "path": "/x", "host": "status.example.org" });
        found_after(
            "unbound-tenant",
            &[("/tenancy/bind", bind), ("/authorization/routes", json!([route, hosted]))],
        )
    }

    #[test]
    fn fires() {
        let unbound = "no binding says which tenant a request is about";
        assert_eq!(
            after(json!([{ "path": "/tenants/{tenant}/**" }])),
            [format!("/authorization/routes/1: {unbound}")]
        );
        assert_eq!(after(json!([{ "path": "/orgs/{tenant}/**" }])).len(), 2);
        assert_eq!(
            after(json!([{ "host": "{tenant}.example.com" }])),
            [format!("/authorization/routes/1: {unbound}")]
        );
    }

    #[test]
    fn is_quiet() {
        assert_eq!(after(json!([])), [""; 0]);
        assert_eq!(after(json!([{ "path": "/tenants/{tenant}/**" }, { "header": "x-org" }])), [""; 0]);
        assert_eq!(after(json!([{ "host": "{tenant}.example.org" }])), [""; 0]);
    }
}
