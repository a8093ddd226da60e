//! Documents to break: one that is right in everything, and what is said after a change to it.

use serde_json::{Value, json};

use crate::document::Document;

/// A document without a problem, in which no lint finds anything.
pub(in crate::document) fn shop() -> Value {
    json!({
        "version": 1,
        "name": "shop",
        "authentication": { "methods": [
            { "name": "people", "jwt": {
                "issuer": "https://auth.example.com", "audience": ["api.example.com"], "algorithms": ["RS256", "ES256"],
                "jwks_uri": "https://auth.example.com/.well-known/jwks.json", "cluster": "idp" } },
            { "name": "services", "jwt": {
                "issuer": "https://services.example.com", "audience": "api.example.com", "algorithms": ["HS256"],
                "secret": "${SERVICES_SECRET}", "from": [{ "header": "x-service-token" }] } },
        ] },
        "tenancy": { "required": true, "bind": [{ "path": "/tenants/{tenant}/**" }, { "header": "x-org" },
            { "host": "{tenant}.example.com" }], "cross_tenant": { "roles": ["support"] } },
        "authorization": {
            "public": [{ "methods": ["GET"], "path": "/healthz" }],
            "roles": {
                "viewer": { "permissions": ["objects:read"] },
                "operator": { "inherits": ["viewer"], "permissions": ["objects:create"] },
                "admin": { "permissions": ["*"] },
                "editor": {},
                "support": {} },
            "routes": [
                { "methods": ["GET"], "path": "/v1/objects/{id}", "permission": "objects:read" },
                { "methods": ["POST"], "path": "/v1/objects", "permission": "objects:create" } ],
            "rules": [{ "effect": "allow", "action": "read", "resource": "/api/docs/*", "role": "editor" }] },
        "audit": { "sink": { "cluster": "audit", "path": "/v1/audit/batches" } },
    })
}

/// What is said about the shop's document after each of `changes`: a JSON Pointer and what is put there.
pub(super) fn problems_after(changes: &[(&str, Value)]) -> Vec<String> {
    match Document::from_value(changed(changes)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// The shop's document after each of `changes`. `null` removes a member; the element after the last is added.
pub(crate) fn changed(changes: &[(&str, Value)]) -> Value {
    let mut document = shop();
    for (pointer, value) in changes {
        let (outer, last) = pointer.rsplit_once('/').unwrap();
        let last = last.replace("~1", "/");
        match document.pointer_mut(outer).unwrap_or_else(|| panic!("no {outer}")) {
            Value::Object(members) if value.is_null() => {
                members.remove(&last);
            }
            Value::Object(members) => {
                members.insert(last, value.clone());
            }
            Value::Array(elements) => {
                let index: usize = last.parse().unwrap();
                if index == elements.len() {
                    elements.push(value.clone());
                } else {
                    elements[index] = value.clone();
                }
            }
            other => panic!("{other} has no parts"),
        }
    }
    document
}

#[test]
fn the_document_to_break_is_whole() {
    assert_eq!(problems_after(&[]), [""; 0]);
}
