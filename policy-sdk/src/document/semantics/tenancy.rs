//! Where a request names its tenant: exactly once in each place, and with a caller's tenant to compare it to.

use std::collections::BTreeSet;

use super::headers::well_named;
use super::route_table::check_path;
use super::syntax::{is_label, is_word};
use crate::document::{Binding, Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let tenancy = JsonPointer::members(&["tenancy"]);
    if document.tenancy.default.as_deref().is_some_and(|tenant| !is_word(tenant)) {
        found.push(
            Problem::new(tenancy.member("default"), "not a tenant").expected("1 to 256 bytes without spaces"),
        );
    }
    let maps_a_tenant =
        document.authentication.methods.iter().any(|method| method.jwt.claims.tenant.is_some());
    let has_a_tenant =
        maps_a_tenant || document.tenancy.default.is_some() || document.authentication.methods.is_empty();
    if document.tenancy.required && !has_a_tenant {
        let problem = Problem::new(tenancy.member("required"), "no caller can have a tenant");
        found.push(problem.expected("`claims.tenant` in a method, or `tenancy.default`"));
    }
    let mut seen = BTreeSet::new();
    for (index, binding) in document.tenancy.bind.iter().enumerate() {
        let pointer = tenancy.member("bind").element(index);
        let (field, text) = match binding {
            Binding::Path(path) => ("path", path),
            Binding::Header(header) => ("header", header),
            Binding::Host(host) => ("host", host),
            Binding::Query(query) => ("query", query),
        };
        if !seen.insert((field, text)) {
            found.push(Problem::new(pointer.clone(), "the same place twice").expected("each place once"));
        }
        let pointer = pointer.member(field);
        match binding {
            Binding::Path(path) => {
                check_path(path, || pointer.clone(), found);
                named_once(path, '/', &pointer, found);
            }
            Binding::Header(header) => {
                well_named(header, &pointer, found);
            }
            Binding::Host(host) => {
                if !host.split('.').all(|label| label == TENANT || is_label(label)) {
                    let problem = Problem::new(pointer.clone(), "not a host template");
                    found.push(
                        problem
                            .expected("labels in lower case without a port, such as `{tenant}.example.com`"),
                    );
                }
                named_once(host, '.', &pointer, found);
            }
            Binding::Query(query) => {
                if query.is_empty() {
                    found.push(Problem::new(pointer, "empty").expected("the name of a query parameter"));
                }
            }
        }
    }
}

fn named_once(template: &str, separator: char, pointer: &JsonPointer, found: &mut Vec<Problem>) {
    let count = template.split(separator).filter(|part| *part == TENANT).count();
    if count != 1 {
        let problem = Problem::new(pointer.clone(), format!("names the tenant {count} times"));
        found.push(problem.expected("`{tenant}` exactly once"));
    }
}

const TENANT: &str = "{tenant}";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::problems_after;

    fn after(bind: Value) -> Vec<String> {
        problems_after(&[("/tenancy/bind", bind)])
    }

    #[test]
    fn the_tenant_is_named_exactly_once() {
        assert_eq!(
            after(json!([{ "path": "/tenants/**" }])),
            ["/tenancy/bind/0/path: names the tenant 0 times; expected `{tenant}` exactly once"]
        );
        assert_eq!(
            after(json!([{ "host": "{tenant}.{tenant}.example.com" }])),
            ["/tenancy/bind/0/host: names the tenant 2 times; expected `{tenant}` exactly once"]
        );
        assert_eq!(
            after(json!([{ "host": "app-{tenant}.Example.com" }])),
            [
                "/tenancy/bind/0/host: names the tenant 0 times; expected `{tenant}` exactly once",
                "/tenancy/bind/0/host: not a host template; expected labels in lower case without a port, such as `{tenant}.example.com`",
            ]
        );
        assert_eq!(
            after(json!([{ "header": "x-org" }, { "header": "x-org" }])),
            ["/tenancy/bind/1: the same place twice; expected each place once"]
        );
        assert_eq!(
            after(json!([{ "header": "X-Org" }])),
            ["/tenancy/bind/0/header: a header name in capitals; expected lower case; did you mean `x-org`?"]
        );
    }

    #[test]
    fn a_required_tenant_can_be_had() {
        let none = json!({ "tenant": null });
        let changes = [
            ("/authentication/methods/0/jwt/claims", none.clone()),
            ("/authentication/methods/1/jwt/claims", none),
        ];
        assert_eq!(
            problems_after(&changes),
            [
                "/tenancy/required: no caller can have a tenant; expected `claims.tenant` in a method, or `tenancy.default`"
            ]
        );
        let [first, second] = changes;
        assert_eq!(problems_after(&[first, second, ("/tenancy/default", json!("home"))]), [""; 0]);
        assert_eq!(
            problems_after(&[("/tenancy/default", json!("my home"))]),
            ["/tenancy/default: not a tenant; expected 1 to 256 bytes without spaces"]
        );
    }
}
