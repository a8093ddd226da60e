//! Routes that are never the most specific.

use super::access::host_covers;
use super::reading::{Entry, Reading, public_place, route_place};
use super::template_cover::CoverTree;
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "unreachable-route",
    finds: "A public entry or a route that is never asked, because more specific ones together match every one of its requests.",
    remedy: "remove it, or one of the more specific ones",
    look,
};

/// What stands at one template: methods with their host.
type Stands<'r> = Vec<(&'r [String], Option<&'r str>)>;

fn look(reading: &Reading<'_>, found: &mut Found) {
    let mut tree = CoverTree::<Stands<'_>>::new();
    for Entry { entry, shape, .. } in &reading.public {
        if let Some(all) = tree.value_at(shape) {
            all.push((&entry.methods, entry.host.as_deref()));
        }
    }
    for Entry { entry, shape, .. } in reading.routes.iter().filter(|route| route.entry.is_plain()) {
        if let Some(all) = tree.value_at(shape) {
            all.push((&entry.methods, entry.host.as_deref()));
        }
    }
    let is_divided = |methods: &[String], host: Option<&str>, shape| {
        methods.iter().all(|method| {
            let takes_in = |(methods, broad): &(&[String], Option<&str>)| {
                methods.iter().any(|other| other == "*" || other == method) && host_covers(*broad, host)
            };
            tree.rest_is_divided(shape, |stands| stands.iter().any(takes_in))
        })
    };
    let message = || "never asked: more specific entries match every one of its requests".to_owned();
    for Entry { index, entry, shape, .. } in reading.public.iter().filter(|public| public.shape.rest) {
        if is_divided(&entry.methods, entry.host.as_deref(), shape) {
            found.add(|| public_place(*index), message);
        }
    }
    for Entry { index, entry, shape, .. } in
        reading.routes.iter().filter(|route| route.shape.rest && route.entry.is_plain())
    {
        if is_divided(&entry.methods, entry.host.as_deref(), shape) {
            found.add(|| route_place(*index), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(routes: Value) -> Vec<String> {
        found_after("unreachable-route", &[("/authorization/routes", routes)])
    }

    #[test]
    fn fires() {
        assert_eq!(
            after(json!([
                { "methods": ["GET", "POST"], "path": "/a/**" },
                { "methods": ["*"], "path": "/a" },
                { "methods": ["*"], "path": "/a/" },
                { "methods": ["GET"], "path": "/a/{x}/**" },
                { "methods": ["POST"], "path": "/a/{y}/**" },
            ])),
            ["/authorization/routes/0: never asked: more specific entries match every one of its requests"]
        );
    }

    #[test]
    fn is_quiet() {
        for last in [
            json!({ "methods": ["GET"], "path": "/a/{x}/**" }),
            json!({ "methods": ["*"], "path": "/a/{x}" }),
            json!({ "methods": ["*"], "path": "/a/{x}/**", "host": "one.example.com" }),
        ] {
            assert_eq!(
                after(json!([
                    { "methods": ["GET", "POST"], "path": "/a/**" },
                    { "methods": ["*"], "path": "/a" },
                    { "methods": ["*"], "path": "/a/" },
                    last,
                ])),
                [""; 0],
                "{last}"
            );
        }
    }
}
