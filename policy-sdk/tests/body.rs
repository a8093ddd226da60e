//! Conditions on the body of a request: what loads, which requests depend on it, and what comes of one that cannot be read.

#![cfg(test)]

use portcullis_policy::decision::Decision;
use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

fn compile(request: Value, authorization: Value) -> Result<Policy, Vec<String>> {
    let document = json!({
        "version": 1,
        "request": request,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["RS256"],
            "jwks_uri": "https://issuer.example/jwks", "cluster": "idp",
        }}]},
        "authorization": authorization,
    });
    let lines = |problems: portcullis_policy::document::Problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    let document = Document::from_json(document.to_string().as_bytes()).map_err(lines)?;
    Policy::compile(&document).map_err(lines)
}

fn policy(authorization: Value) -> Policy {
    let request = json!({"body": {"max_bytes": 1024}});
    compile(request, authorization).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Whether the request depends on its body, and what comes of it with this one.
fn ask(policy: &Policy, request: &str, body: Option<&Value>) -> (bool, Decision) {
    let (method, target) = request.split_once(' ').unwrap();
    let target = canonicalize(target.as_bytes(), PathMode::Refuse).unwrap();
    let (action, resource) = (Action::of_method(method), Resource::at("api.example", &target.path));
    let context = Context { body, ..Context::default() };
    let subject = Subject { id: Some("alice".into()), roles: vec!["clerk".into()], ..Subject::default() };
    let located = policy.locate(action, resource, &context);
    let request = AccessRequest { subject: Some(&subject), action, resource, context };
    (policy.needs_body(&located, action, resource), policy.decide(&located, &request).decision)
}

fn at_most(amount: u32) -> Value {
    json!([{"attribute": "context.body/amount", "operator": "lte", "value": amount}])
}

#[test]
fn a_condition_on_the_body_needs_a_bound() {
    let expected = "`context.body`, and no body is read; expected `request: {body: {max_bytes: 65536}}`, with the most \
                    bytes of a body that is held";
    let beside =
        json!([{"any_of": [{"attribute": "id", "operator": "eq", "value_from": "context.body/owner"}]}]);
    for (authorization, place) in [
        (json!({"conditions": at_most(1)}), "/authorization/conditions"),
        (json!({"conditions": beside}), "/authorization/conditions"),
        (json!({"superusers": {"conditions": at_most(1)}}), "/authorization/superusers/conditions"),
        (
            json!({"routes": [{"methods": ["POST"], "path": "/a", "conditions": at_most(1)}]}),
            "/authorization/routes/0/conditions",
        ),
        (
            json!({"policies": [{"name": "a", "conditions": at_most(1)}]}),
            "/authorization/policies/0/conditions",
        ),
        (
            json!({"rules": [{"effect": "deny", "action": "*", "resource": "*", "role": "*", "conditions": at_most(1)}]}),
            "/authorization/rules/0/conditions",
        ),
    ] {
        let problems = compile(json!({}), authorization.clone()).unwrap_err();
        assert_eq!(problems, [format!("{place}: {expected}")]);
        assert!(compile(json!({"body": {"max_bytes": 1}}), authorization).is_ok(), "{place}");
    }
    let dotted = json!({"conditions": [{"attribute": "context.body.amount", "operator": "present"}]});
    let problems = compile(json!({"body": {"max_bytes": 1}}), dotted).unwrap_err();
    assert_eq!(
        problems,
        ["/authorization/conditions/0/attribute: no such attribute; expected steps into the body, such as \
             `context.body/amount`"]
    );
}

#[test]
fn a_body_without_an_end_is_not_waited_for() {
    let grpc = json!({"name": "calls", "grpc": {"service": "shop.v1.Orders"}});
    let upgrade = json!({"methods": ["GET"], "path": "/live", "upgrade": "websocket"});
    let with = |route: &Value, conditions: Value| {
        let mut route = route.clone();
        route["conditions"] = conditions;
        route
    };
    let attached = |attach: Value| json!([{"name": "small", "attach": attach, "conditions": at_most(1)}]);
    let refused = |authorization: Value| match compile(json!({"body": {"max_bytes": 1}}), authorization) {
        Ok(_) => None,
        Err(problems) => Some(problems.join("\n").split_once(':').unwrap().0.to_owned()),
    };
    for route in [&grpc, &upgrade] {
        let direct = json!({"routes": [with(route, at_most(1))]});
        assert_eq!(refused(direct).as_deref(), Some("/authorization/routes/0/conditions"));
        let everyone = json!({"routes": [route], "conditions": at_most(1)});
        assert_eq!(refused(everyone).as_deref(), Some("/authorization/routes/0"));
        let gateway = json!({"routes": [route], "policies": attached(json!({}))});
        assert_eq!(refused(gateway).as_deref(), Some("/authorization/routes/0"));
    }
    let named = json!({"routes": [grpc], "policies": attached(json!({"routes": ["calls"]}))});
    assert_eq!(refused(named).as_deref(), Some("/authorization/routes/0"));
    let elsewhere = json!({"routes": [grpc], "policies": attached(json!({"path": "/payments/**"}))});
    assert_eq!(refused(elsewhere), None);
}

#[test]
fn only_requests_that_depend_on_a_body_need_it() {
    let by_route = policy(json!({
        "public": [{"methods": ["POST"], "path": "/login"}],
        "routes": [
            {"methods": ["POST"], "path": "/payments", "conditions": at_most(1000)},
            {"methods": ["GET"], "path": "/payments"},
        ],
    }));
    let small = json!({"amount": 7});
    for (request, needed) in [
        ("POST /payments", true),
        ("POST /payments/", true),
        ("GET /payments", false),
        ("POST /login", false),
    ] {
        assert_eq!(ask(&by_route, request, Some(&small)).0, needed, "{request}");
    }
    let by_rule = policy(json!({"rules": [
        {"effect": "allow", "action": "create", "resource": "/payments/*", "role": "clerk", "conditions": at_most(1000)},
        {"effect": "allow", "action": "read", "resource": "/**", "role": "clerk"},
    ]}));
    for (request, needed) in [
        ("POST /payments/7", true),
        ("POST /payments/7/", true),
        ("GET /payments/7", true),
        ("POST /other", false),
    ] {
        assert_eq!(ask(&by_rule, request, Some(&small)).0, needed, "{request}");
    }
    let routes =
        json!([{"name": "pay", "methods": ["*"], "path": "/payments"}, {"methods": ["*"], "path": "/**"}]);
    for (attach, pay, other) in [
        (json!({}), true, true),
        (json!({"path": "/payments"}), true, false),
        (json!({"routes": ["pay"]}), true, false),
        (json!({"methods": ["PUT"]}), false, false),
        (json!({"host": "other.example"}), false, false),
        (json!({"tenants": ["acme"]}), true, true),
    ] {
        let policies = json!([{"name": "small", "attach": attach, "conditions": at_most(1000)}]);
        let policy = policy(json!({"routes": routes, "policies": policies}));
        assert_eq!(ask(&policy, "POST /payments", Some(&small)).0, pay, "{attach}");
        assert_eq!(ask(&policy, "POST /other", Some(&small)).0, other, "{attach}");
    }
    for everywhere in [json!({"conditions": at_most(1)}), json!({"superusers": {"conditions": at_most(1)}})] {
        assert!(ask(&policy(everywhere), "POST /other", None).0);
    }
}

/// Without the body nothing passes that depends on it, and nothing that a body could forbid.
#[test]
fn a_body_that_cannot_be_read_opens_nothing() {
    use Decision::{Deny, Indeterminate, NotApplicable, Permit};
    let (small, large, empty) = (json!({"amount": 7}), json!({"amount": 7000}), json!({}));
    let route = json!([{"methods": ["POST"], "path": "/payments"}]);
    let rule = |effect: &str, operator: &str| {
        json!({"effect": effect, "action": "create", "resource": "/payments", "role": "clerk",
            "conditions": [{"attribute": "context.body/amount", "operator": operator, "value": 1000}]})
    };
    let present = json!([{"effect": "deny", "action": "*", "resource": "/**", "role": "*",
        "conditions": [{"attribute": "context.body/admin", "operator": "present"}]}]);
    for (what, authorization, answers) in [
        (
            "allow",
            json!({"rules": [rule("allow", "lte")]}),
            [Permit, NotApplicable, Indeterminate, Indeterminate],
        ),
        (
            "deny",
            json!({"routes": route, "rules": [rule("deny", "gt")]}),
            [Permit, Deny, Indeterminate, Indeterminate],
        ),
        (
            "demand",
            json!({"routes": route, "conditions": at_most(1000)}),
            [Permit, Deny, Indeterminate, Indeterminate],
        ),
        ("presence", json!({"routes": route, "rules": present}), [Permit, Permit, Permit, Indeterminate]),
    ] {
        let policy = policy(authorization);
        for (body, answer) in [Some(&small), Some(&large), Some(&empty), None].into_iter().zip(answers) {
            assert_eq!(ask(&policy, "POST /payments", body), (true, answer), "{what} {body:?}");
        }
    }
}
