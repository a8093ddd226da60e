//! What an explanation shows, and what it never does.

#![cfg(test)]

use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

fn explain(authorization: Value, subject: Option<&Subject>, headers: &[(&str, &str)]) -> Value {
    let document = json!({
        "version": 1,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["RS256"],
            "jwks_uri": "https://issuer.example/jwks", "cluster": "idp",
        }}]},
        "authorization": authorization,
    });
    let document = Document::from_json(document.to_string().as_bytes()).unwrap_or_else(|p| panic!("{p:?}"));
    let policy = Policy::compile(&document).unwrap_or_else(|p| panic!("{p:?}"));
    let target = canonicalize(b"/docs/7?key=query-secret", PathMode::Refuse).unwrap();
    let headers = headers.iter().copied().collect();
    let context =
        Context { headers: &headers, query: target.query.as_deref(), time: Some(0), ..Context::default() };
    let resource = Resource::at("api.example", &target.path);
    let action = Action::of_method("GET");
    policy.explain(&AccessRequest { subject, action, resource, context }).to_json()
}

/// Every line of the tree: depth as blanks, then label, verdict and detail.
fn lines(nodes: &Value, depth: usize, drawn: &mut Vec<String>) {
    for node in nodes.as_array().into_iter().flatten() {
        let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
        let line = format!("{}{}: {} {}", " ".repeat(depth), text("label"), text("verdict"), text("detail"));
        drawn.push(line.trim_end().to_owned());
        lines(&node["children"], depth + 1, drawn);
    }
}

fn everything() -> Value {
    json!({
        "roles": {"viewer": {}, "editor": {"inherits": ["viewer"], "permissions": ["docs:read"]}, "chief": {}},
        "grants": [{"subject": "alice", "roles": ["chief"], "expires": "2027-01-01T00:00:00Z"}],
        "groups": ["staff"],
        "superusers": {"roles": ["root"]},
        "routes": [{"name": "doc", "methods": ["GET"], "path": "/docs/{id}", "permission": "docs:read"}],
        "rules": [
            {"name": "read", "effect": "allow", "action": "read", "resource": "/docs/{id}", "role": "viewer", "conditions": [
                {"any_of": [
                    {"attribute": "badge", "operator": "ne", "value": "document-text"},
                    {"attribute": "context.header.x-key", "operator": "includes", "value": "z"},
                ]},
                {"attribute": "level", "operator": "gt", "value": 3},
            ]},
            {"name": "all", "effect": "allow", "action": "*", "resource": "/**", "role": "root"},
        ],
        "policies": [{"name": "night", "attach": {"path": "/docs/**"}, "require": {"roles": {"none_of": ["chief"]}}}],
    })
}

fn alice() -> Subject {
    Subject {
        id: Some("alice".into()),
        roles: vec!["editor".into(), "role-secret".into()],
        groups: vec!["staff".into()],
        attributes: json!({"badge": "claim-secret"}).as_object().unwrap().clone(),
        ..Subject::default()
    }
}

#[test]
fn every_step_is_told_in_order() {
    let told = explain(everything(), Some(&alice()), &[("x-key", "header-secret")]);
    let mut drawn = Vec::new();
    lines(&told["tree"], 0, &mut drawn);
    assert_eq!(
        drawn,
        [
            "route: noted `doc`: a caller is needed",
            "caller: noted known",
            " role `editor`: noted is also `viewer`",
            " group `staff`: noted",
            " grant to `alice`: noted gives `chief`",
            " others: not_applicable 1 roles or groups that the document does not know",
            "tenancy: met no tenant",
            "demands of everyone: met",
            " groups: met one of `staff`",
            "route `doc`: permit",
            " permission: met `docs:read`",
            "rules and acl: indeterminate",
            " read: indeterminate might have allowed",
            "  any_of: met",
            "   subject.badge ne: met",
            "   context.header.x-key includes: unmet",
            "  subject.level gt: unknown the attribute is missing",
            " all: not_applicable would be about the role `root`",
            "superuser: not_applicable the caller is none",
            "policy `night`: deny attached to a path",
            " require.roles: unmet insufficient_role; none of `chief`",
        ]
    );
    assert_eq!((&told["decision"], &told["code"]), (&json!("deny"), &json!("insufficient_role")));
    assert_eq!(told["reasons"], json!(["night/require"]));
}

#[test]
fn a_policy_that_is_not_attached_is_told_of_with_what_differs() {
    let policy = |name: &str, attach: Value| json!({"name": name, "attach": attach, "groups": ["staff"]});
    let told = explain(
        json!({
            "routes": [
                {"name": "doc", "methods": ["GET"], "path": "/docs/{id}"},
                {"name": "other", "methods": ["GET"], "path": "/other"},
            ],
            "policies": [
                policy("here", json!({"host": "*.example", "path": "/docs/**", "methods": ["GET"], "routes": ["doc"]})),
                policy("of-tenant", json!({"tenants": ["acme"]})),
                policy("of-method", json!({"path": "/docs/**", "methods": ["POST", "PUT"]})),
                policy("of-route", json!({"routes": ["other"]})),
                policy("of-path", json!({"path": "/other/**"})),
                policy("of-host", json!({"host": "api.elsewhere"})),
                policy("of-all", json!({"host": "api.elsewhere", "path": "/x", "methods": ["PUT"], "routes": ["other"], "tenants": ["acme"]})),
            ],
        }),
        Some(&alice()),
        &[],
    );
    let mut drawn = Vec::new();
    lines(&told["tree"], 0, &mut drawn);
    let from = drawn.iter().position(|line| line.starts_with("policy `here`")).unwrap();
    assert_eq!(
        drawn[from..],
        [
            "policy `here`: met attached to a method",
            " groups: met one of `staff`",
            "policies that are not attached: not_applicable",
            " policy `of-host`: not_applicable attached to another host",
            " policy `of-path`: not_applicable attached to another path",
            " policy `of-route`: not_applicable attached to another route",
            " policy `of-method`: not_applicable attached to another method",
            " policy `of-tenant`: not_applicable attached to another tenant",
            " policy `of-all`: not_applicable attached to another host and another path and another route and another method and another tenant",
        ]
    );
    assert_eq!(told["decision"], json!("permit"));
}

#[test]
fn what_a_request_brings_is_never_repeated() {
    let told = explain(everything(), Some(&alice()), &[("x-key", "header-secret")]);
    let text = told.to_string();
    for secret in ["secret", "document-text"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn what_ends_a_decision_ends_its_explanation() {
    let told = explain(everything(), None, &[]);
    let mut drawn = Vec::new();
    lines(&told["tree"], 0, &mut drawn);
    assert_eq!(drawn, ["route: noted `doc`: a caller is needed", "caller: deny nobody, and one is needed"]);
    let public = json!({"public": [{"methods": ["GET"], "path": "/docs/**"}]});
    let told = explain(public, None, &[]);
    drawn.clear();
    lines(&told["tree"], 0, &mut drawn);
    assert_eq!(drawn, ["route: permit `public/0` is public"]);
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let rules: Vec<Value> = (0..100)
        .map(|number| json!({"effect": "allow", "action": "read", "resource": "/docs/7", "role": format!("r{number}")}))
        .collect();
    let told = explain(json!({"rules": rules}), Some(&alice()), &[]);
    let mut drawn = Vec::new();
    lines(&told["tree"], 0, &mut drawn);
    assert_eq!(drawn.iter().filter(|line| line.starts_with(" rules/")).count(), 64);
    assert_eq!(drawn.last().unwrap(), " more: not_applicable 36 that are not listed");
}
