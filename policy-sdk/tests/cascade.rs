//! What policies, demands, lists, grants, superusers and conditions come to, as tables: one document, one row a question.

#![cfg(test)]

use portcullis_policy::decision::{Decision, Response};
use portcullis_policy::document::Document;
use portcullis_policy::explain::{Explanation, Node, Verdict};
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

fn document(tenancy: Value, authorization: Value) -> Value {
    json!({
        "version": 1,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["RS256"],
            "jwks_uri": "https://issuer.example/jwks", "cluster": "idp", "claims": {"tenant": "tenant"},
        }}]},
        "tenancy": tenancy,
        "authorization": authorization,
    })
}

fn compile(document: &Value) -> Result<Policy, Vec<String>> {
    let lines = |problems: portcullis_policy::document::Problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    let document = Document::from_json(document.to_string().as_bytes()).map_err(lines)?;
    Policy::compile(&document).map_err(lines)
}

fn policy(authorization: Value) -> Policy {
    compile(&document(json!({}), authorization)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// `-` is nobody; otherwise words such as `id=alice role=editor department=finance`.
fn subject(text: &str) -> Option<Subject> {
    let mut subject = Subject::default();
    for word in text.split_whitespace() {
        match word.split_once('=') {
            None => return None,
            Some(("id", id)) => subject.id = Some(id.into()),
            Some(("role", role)) => subject.roles.push(role.into()),
            Some(("group", group)) => subject.groups.push(group.into()),
            Some(("scope", scope)) => subject.scopes.push(scope.into()),
            Some(("permission", permission)) => subject.permissions.push(permission.into()),
            Some(("tenant", tenant)) => subject.tenant = Some(tenant.into()),
            Some(("method", method)) => subject.method = Some(method.into()),
            Some(("key_type", kind)) => subject.key_type = Some(kind.into()),
            Some((name, value)) => {
                subject.attributes.insert(name.into(), value.into());
            }
        }
    }
    Some(subject)
}

type Headers<'a> = &'a [(&'a str, &'a str)];

fn ask_at(policy: &Policy, request: &str, who: &str, headers: Headers<'_>, time: Option<i64>) -> Response {
    let (method, target) = request.split_once(' ').unwrap();
    let target = canonicalize(target.as_bytes(), PathMode::Refuse).unwrap();
    let headers = headers.iter().copied().collect();
    let action = match method {
        name if name.bytes().any(|byte| byte.is_ascii_lowercase()) => Action::named(name),
        method => Action::of_method(method),
    };
    let resource = Resource::at("api.example", &target.path);
    let context = Context { headers: &headers, query: target.query.as_deref(), time, ..Context::default() };
    let subject = subject(who);
    let located = policy.locate(action, resource, &context);
    let request = AccessRequest { subject: subject.as_ref(), action, resource, context };
    explained(policy, &request, policy.decide(&located, &request))
}

/// An explanation is of the same answer, and its steps say what the answer says.
fn explained(policy: &Policy, request: &AccessRequest<'_>, response: Response) -> Response {
    let Explanation { response: other, tree } = policy.explain(request);
    assert_eq!(format!("{response:?}"), format!("{other:?}"));
    fn permits(node: &Node) -> bool {
        node.verdict == Verdict::Permit || node.children.iter().any(permits)
    }
    let objects = tree.iter().any(|node| node.verdict == Verdict::Deny);
    match response.decision {
        Decision::Permit => assert!(!objects && tree.iter().any(permits), "{tree:#?}"),
        Decision::Deny => assert!(objects, "{tree:#?}"),
        Decision::NotApplicable => assert!(!objects && !tree.iter().any(permits), "{tree:#?}"),
        Decision::Indeterminate if response.reasons[0].as_str() == "budget" => {}
        Decision::Indeterminate => assert!(!objects, "{tree:#?}"),
    }
    response
}

/// `permit a,b`, or the decision, the code and the reasons.
fn ask(policy: &Policy, request: &str, who: &str) -> String {
    shown(&ask_at(policy, request, who, &[], None))
}

fn shown(response: &Response) -> String {
    let reasons: Vec<&str> = response.reasons.iter().map(|id| id.as_str()).collect();
    assert_eq!(response.outcome.is_ok(), response.decision == Decision::Permit);
    match &response.outcome {
        Ok(_permit) => format!("permit {}", reasons.join(",")),
        Err(refusal) => format!("{} {} {}", response.decision.as_str(), refusal.code(), reasons.join(",")),
    }
}

#[test]
fn demands_object_and_grant_nothing() {
    let policy = policy(json!({
        "groups": ["staff", "crew"],
        "require": {"scopes": {"all_of": ["api"]}, "groups": {"none_of": ["banned"]}},
        "restrictions": {"key_types": ["user"], "methods": ["people"]},
        "conditions": [{"attribute": "department", "operator": "eq", "value": "finance"}],
        "routes": [{"methods": ["GET"], "path": "/a"}],
    }));
    let good = "group=staff scope=api key_type=user method=people";
    for (who, expected) in [
        (format!("{good} department=finance"), "permit routes/0"),
        (format!("{good} department=sales"), "deny access_denied conditions"),
        (good.to_owned(), "indeterminate access_denied conditions"),
        (
            "group=other scope=api key_type=user method=people department=finance".into(),
            "deny insufficient_group groups",
        ),
        (
            "group=crew group=banned scope=api key_type=user method=people department=finance".into(),
            "deny insufficient_group require",
        ),
        (
            "group=crew key_type=user method=people department=finance".into(),
            "deny insufficient_scope require",
        ),
        ("group=crew scope=api method=people department=finance".into(), "deny access_denied restrictions"),
        (
            "group=crew scope=api key_type=service method=people department=finance".into(),
            "deny access_denied restrictions",
        ),
        ("group=crew scope=api key_type=user department=finance".into(), "deny access_denied restrictions"),
        ("-".into(), "deny missing_token routes/0"),
    ] {
        assert_eq!(ask(&policy, "GET /a", &who), expected, "{who}");
    }
    let other = format!("{good} department=finance");
    assert_eq!(ask(&policy, "GET /b", &other), "not_applicable access_denied ");
}

#[test]
fn conditions_of_rules_are_true_false_or_unknown() {
    let policy = policy(json!({"rules": [
        {"effect": "allow", "action": "read", "resource": "/docs/{owner}", "role": "*",
            "conditions": [{"attribute": "resource.owner", "operator": "eq", "value_from": "subject.id"}]},
        {"effect": "allow", "action": "read", "resource": "/docs/**", "role": "editor"},
        {"name": "leavers", "effect": "deny", "action": "*", "resource": "/docs/**", "role": "*",
            "conditions": [{"attribute": "status", "operator": "eq", "value": "leaver"}]},
    ]}));
    for (who, expected) in [
        ("id=alice status=active", "permit rules/0"),
        ("id=bob status=active", "not_applicable insufficient_role rules/1"),
        ("id=bob status=active role=editor", "permit rules/1"),
        ("id=alice status=active role=editor", "permit rules/0,rules/1"),
        ("id=alice status=leaver role=editor", "deny access_denied leavers"),
        ("id=alice role=editor", "indeterminate access_denied leavers"),
        ("status=active", "indeterminate access_denied rules/0"),
        ("status=active role=editor", "permit rules/1"),
    ] {
        assert_eq!(ask(&policy, "GET /docs/alice", who), expected, "{who}");
    }
}

#[test]
fn lists_are_about_users_groups_and_roles() {
    let policy = policy(json!({"acl": [{"resource": "/docs/7", "entries": [
        {"actions": ["read", "PATCH"], "users": ["alice"], "groups": ["finance"], "roles": ["editor"]},
        {"effect": "deny", "actions": ["write"], "groups": ["interns"]},
        {"actions": ["delete"], "roles": ["*"]},
    ]}]}));
    for (request, who, expected) in [
        ("GET /docs/7", "id=alice", "permit acl/0/entries/0"),
        ("GET /docs/7", "id=bob group=finance", "permit acl/0/entries/0"),
        ("GET /docs/7", "role=editor", "permit acl/0/entries/0"),
        ("GET /docs/7", "id=bob", "not_applicable insufficient_role acl/0/entries/0"),
        ("PUT /docs/7", "id=alice", "not_applicable access_denied "),
        ("PATCH /docs/7", "id=alice", "permit acl/0/entries/0"),
        ("PATCH /docs/7", "id=alice group=interns", "deny access_denied acl/0/entries/1"),
        ("PATCH /docs/7/", "id=alice", "not_applicable access_denied "),
        ("PATCH /docs/7/", "id=alice group=interns", "deny access_denied acl/0/entries/1"),
        ("DELETE /docs/7", "id=x", "permit acl/0/entries/2"),
        ("DELETE /docs/7", "-", "not_applicable missing_token acl/0/entries/0"),
    ] {
        let answer = ask(&policy, request, who);
        if who == "-" {
            assert!(answer.contains("missing_token"), "{answer}");
        } else {
            assert_eq!(answer, expected, "{request} {who}");
        }
    }
}

#[test]
fn every_attached_policy_must_permit() {
    let policy = policy(json!({
        "routes": [
            {"name": "docs", "methods": ["*"], "path": "/docs/**"},
            {"methods": ["*"], "path": "/open/**"},
        ],
        "policies": [
            {"name": "deletes", "attach": {"methods": ["DELETE"]}, "require": {"roles": {"any_of": ["admin"]}}},
            {"name": "finance", "attach": {"path": "/docs/finance"},
                "rules": [{"effect": "allow", "action": "read", "resource": "/docs/**", "role": "accountant"},
                    {"effect": "deny", "action": "*", "resource": "/docs/**", "role": "trainee"}]},
            {"name": "hours", "attach": {"routes": ["docs"]}, "type": "abac",
                "conditions": [{"attribute": "shift", "operator": "eq", "value": "on"}]},
            {"name": "everywhere", "restrictions": {"methods": ["people"]}},
        ],
    }));
    for (request, who, expected) in [
        ("GET /open/a", "method=people", "permit routes/1"),
        ("GET /open/a", "", "deny access_denied everywhere/restrictions"),
        ("DELETE /open/a", "method=people", "deny insufficient_role deletes/require"),
        ("DELETE /open/a", "method=people role=admin", "permit routes/1"),
        ("GET /docs/a", "method=people shift=on", "permit docs,hours/conditions"),
        ("GET /docs/a", "method=people shift=off", "deny access_denied hours/conditions"),
        ("GET /docs/a", "method=people", "indeterminate access_denied hours/conditions"),
        (
            "GET /docs/finance",
            "method=people shift=on role=accountant",
            "permit docs,finance/rules/0,hours/conditions",
        ),
        ("GET /docs/finance", "method=people shift=on", "deny insufficient_role finance/rules/0"),
        ("PUT /docs/finance", "method=people shift=on role=accountant", "deny access_denied finance"),
        ("GET /docs/finance/", "method=people shift=on", "deny insufficient_role finance/rules/0"),
        (
            "GET /docs/finance",
            "method=people shift=on role=accountant role=trainee",
            "deny access_denied finance/rules/1",
        ),
        ("GET /elsewhere", "method=people", "not_applicable access_denied "),
    ] {
        assert_eq!(ask(&policy, request, who), expected, "{request} {who}");
    }
}

#[test]
fn conditions_see_the_tenant_that_the_caller_has_by_default() {
    let of = |operator: &str| json!({"attribute": "subject.tenant", "operator": operator});
    let acme = json!({"attribute": "subject.tenant", "operator": "eq", "value": "acme"});
    let rule = |name: &str, conditions: Value| {
        json!({"name": name, "effect": "allow", "action": "*", "resource": format!("/{name}"), "role": "*",
            "conditions": [conditions]})
    };
    let rules = json!([rule("acme", acme), rule("absent", of("absent"))]);
    let policy = compile(&document(json!({"default": "acme"}), json!({"rules": rules}))).unwrap();
    for (request, who, expected) in [
        ("GET /acme", "id=alice", "permit acme"),
        ("GET /acme", "id=alice tenant=umbra", "not_applicable access_denied "),
        ("GET /absent", "id=alice", "not_applicable access_denied "),
    ] {
        assert_eq!(ask(&policy, request, who), expected, "{request} {who}");
    }
}

#[test]
fn placeholders_are_those_of_the_path_although_the_route_is_of_the_other_spelling() {
    let policy = policy(json!({
        "routes": [
            {"methods": ["GET"], "path": "/docs/**"},
            {"name": "slash", "methods": ["GET"], "path": "/docs/7/"},
        ],
        "policies": [{"name": "anonymous", "attach": {"path": "/docs/{id}", "routes": ["slash"]},
            "conditions": [{"attribute": "resource.id", "operator": "absent"}]}],
    }));
    assert_eq!(ask(&policy, "GET /docs/7", "id=alice"), "deny access_denied anonymous/conditions");
}

#[test]
fn a_superuser_needs_no_rule_and_is_bound_by_what_denies() {
    let authorization = |superusers: Value| {
        json!({
            "superusers": superusers,
            "routes": [{"methods": ["*"], "path": "/a", "permission": "a:write",
                "require": {"roles": {"any_of": ["admin"], "none_of": ["suspended"]}, "scopes": {"all_of": ["a"]}}}],
            "rules": [{"effect": "deny", "action": "delete", "resource": "/a", "role": "*"}],
            "policies": [{"name": "strict", "attach": {"path": "/s"}, "require": {"scopes": {"all_of": ["s"]}},
                "rules": [{"effect": "allow", "action": "read", "resource": "/s", "role": "nobody"}]}],
        })
    };
    let policy_of = |superusers| policy(authorization(superusers));
    let by_claim =
        policy_of(json!({"conditions": [{"attribute": "is_root", "operator": "eq", "value": "yes"}]}));
    for (request, who, expected) in [
        ("GET /a", "is_root=yes", "permit routes/0,superuser"),
        ("GET /a", "id=alice is_root=no", "deny insufficient_role routes/0"),
        ("GET /b", "id=alice is_root=no", "not_applicable access_denied "),
        ("GET /b", "id=alice", "indeterminate access_denied superuser"),
        ("GET /b", "-", "deny missing_token "),
    ] {
        assert_eq!(ask(&by_claim, request, who), expected, "{request} {who}");
    }
    let policy = policy_of(json!({"subjects": ["root"], "roles": ["superadmin"]}));
    for (request, who, expected) in [
        ("GET /a", "id=root", "permit routes/0,superuser"),
        ("GET /a", "role=superadmin", "permit routes/0,superuser"),
        ("GET /a", "role=superadmin role=suspended", "deny insufficient_role routes/0"),
        ("GET /a", "id=alice", "deny insufficient_role routes/0"),
        ("GET /b", "id=root", "permit superuser"),
        ("GET /b", "id=alice", "not_applicable access_denied "),
        ("GET /b", "-", "deny missing_token "),
        ("DELETE /a", "id=root", "deny access_denied rules/0"),
        ("GET /s", "id=root", "deny insufficient_scope strict/require"),
        ("GET /s", "id=root scope=s", "permit superuser"),
    ] {
        assert_eq!(ask(&policy, request, who), expected, "{request} {who}");
    }
}

#[test]
fn grants_count_for_their_time_and_tenant() {
    let compiled = compile(&document(
        json!({"tenants": {"acme": {"roles": {"auditor": {"permissions": ["audit:read"]}}}}}),
        json!({
            "roles": {"operator": {"inherits": ["viewer"]}, "viewer": {"permissions": ["a:read"]}},
            "grants": [
                {"subject": "alice", "roles": ["operator"], "not_before": "1970-01-01T00:01:40Z", "expires": "1970-01-01T00:03:20Z"},
                {"group": "oncall", "tenant": "acme", "permissions": ["a:*"]},
                {"subject": "carol", "roles": ["viewer"]},
                {"subject": "dave", "roles": ["auditor"]},
            ],
            "routes": [{"methods": ["GET"], "path": "/a", "permission": "a:read"},
                {"methods": ["GET"], "path": "/audit", "permission": "audit:read"}],
        }),
    ));
    let policy = compiled.unwrap_or_else(|problems| panic!("{problems:?}"));
    for (request, who, time, permitted) in [
        ("GET /a", "id=alice", Some(99), false),
        ("GET /a", "id=alice", Some(100), true),
        ("GET /a", "id=alice", Some(199), true),
        ("GET /a", "id=alice", Some(200), false),
        ("GET /a", "id=alice", None, false),
        ("GET /a", "id=carol", None, true),
        ("GET /a", "group=oncall tenant=acme", None, true),
        ("GET /a", "group=oncall tenant=other", None, false),
        ("GET /a", "group=oncall", None, false),
        ("GET /a", "id=oncall tenant=acme", None, false),
        ("GET /audit", "role=auditor tenant=acme", None, true),
        ("GET /audit", "role=auditor tenant=other", None, false),
        ("GET /audit", "role=auditor", None, false),
        ("GET /audit", "id=dave tenant=acme", None, true),
        ("GET /audit", "id=dave tenant=other", None, false),
        ("GET /audit", "id=dave", None, false),
    ] {
        let response = ask_at(&policy, request, who, &[], time);
        assert_eq!(response.outcome.is_ok(), permitted, "{request} {who} {time:?}");
    }
}

#[test]
fn routes_see_every_value_and_upgrades_need_one() {
    let policy = policy(json!({
        "preflight": [{"path": "/**", "origins": ["https://app.example"]}],
        "routes": [
            {"name": "any", "methods": ["*"], "path": "/**"},
            {"name": "gold", "methods": ["GET"], "path": "/**", "match": {"headers": [{"name": "x-tier", "one_of": ["gold"]}]},
                "require": {"roles": {"any_of": ["gold"]}}},
            {"name": "rpc", "grpc": {"service": "shop.v1.Orders"}, "require": {"roles": {"any_of": ["rpc"]}}},
            {"name": "ws", "methods": ["GET"], "path": "/ws", "upgrade": "websocket"},
        ],
    }));
    let upgrade: Headers<'_> = &[("connection", "Upgrade"), ("upgrade", "websocket")];
    let preflight: Headers<'_> =
        &[("origin", "https://app.example"), ("access-control-request-method", "PUT")];
    for (request, headers, who, expected) in [
        ("GET /a", &[][..], "", "permit any"),
        ("GET /a", &[("x-tier", "gold")], "", "deny insufficient_role gold"),
        ("GET /a", &[("x-tier", "gold")], "role=gold", "permit gold"),
        ("GET /a", &[("x-tier", "gold"), ("x_tier", "lead")], "role=gold", "deny access_denied gold"),
        ("GET /a", &[("x-tier", "lead")], "", "permit any"),
        (
            "POST /shop.v1.Orders/Get",
            &[("content-type", "application/grpc+proto")],
            "",
            "deny insufficient_role rpc",
        ),
        ("POST /shop.v1.Orders/Get", &[("content-type", "application/grpc")], "role=rpc", "permit rpc"),
        ("GET /ws", upgrade, "", "permit ws"),
        ("GET /ws", &[], "", "permit any"),
        ("GET /a", upgrade, "", "deny access_denied upgrade"),
        ("POST /a", &[("connection", "upgrade"), ("upgrade", "h2c")], "", "deny access_denied upgrade"),
        ("OPTIONS /a", preflight, "-", "permit preflight/0"),
        ("OPTIONS /a", &preflight[..1], "-", "deny missing_token any"),
        ("OPTIONS /a", &[("origin", "https://evil.example"), preflight[1]], "-", "deny missing_token any"),
    ] {
        assert_eq!(
            shown(&ask_at(&policy, request, who, headers, None)),
            expected,
            "{request} {headers:?} {who}"
        );
    }
}

#[test]
fn a_tenant_in_the_query_is_the_callers() {
    let policy = compile(&document(
        json!({"bind": [{"query": "org"}]}),
        json!({"routes": [{"methods": ["*"], "path": "/**"}]}),
    ))
    .unwrap();
    for (query, permitted) in [
        ("", true),
        ("?org=acme", true),
        ("?org=%61cme", true),
        ("?org=acme&org=acme", true),
        ("?org=acme&org=other", false),
        ("?org=other", false),
        ("?org=", false),
        ("?org", false),
        ("?org=%zz", false),
        ("?org=%ff", false),
        ("?Org=other", true),
    ] {
        let response = ask_at(&policy, &format!("GET /a{query}"), "tenant=acme", &[], None);
        assert_eq!(response.outcome.is_ok(), permitted, "{query}");
    }
}

#[test]
fn a_hundred_thousand_rules_on_one_resource() {
    let rules: Vec<Value> = (0..20_000)
        .map(|n| json!({"effect": "allow", "action": "read", "resource": "/a", "role": format!("r{n}x{n}y")}))
        .chain([json!({"name": "shut", "effect": "deny", "action": "*", "resource": "/a", "role": "shut"})])
        .collect();
    let policy = policy(json!({"rules": rules}));
    assert_eq!(ask(&policy, "GET /a", "role=r19999x19999y"), "permit rules/19999");
    assert_eq!(ask(&policy, "GET /a", "role=r7x7y role=r8x8y"), "permit rules/7,rules/8");
    assert_eq!(ask(&policy, "GET /a", "role=r7x7y role=shut"), "deny access_denied shut");
    let response = ask_at(&policy, "GET /a", "role=nobody", &[], None);
    assert_eq!(response.reasons.len(), 16);
    assert_eq!(response.outcome.unwrap_err().code(), "insufficient_role");
}

/// Many rules on one resource are looked up, and those of the next resource follow them where they are kept.
#[test]
fn rules_of_a_resource_are_about_no_other() {
    let rule = |action: &str, resource: &str, role: &str, value: &str| {
        json!({"effect": "allow", "action": action, "resource": resource, "role": role,
            "conditions": [{"attribute": "department", "operator": "eq", "value": value}]})
    };
    let mut rules: Vec<Value> = (0..40).map(|n| rule("read", "/a", &format!("r{n}"), "finance")).collect();
    rules.push(rule("update", "/a", "editor", "finance"));
    rules.push(rule("update", "/b", "editor", "sales"));
    let policy = policy(json!({"rules": rules}));
    for (request, who, expected) in [
        ("PUT /a", "role=editor department=finance", "permit rules/40"),
        ("PUT /a", "role=editor department=sales", "not_applicable access_denied "),
        ("PUT /b", "role=editor department=sales", "permit rules/41"),
        ("PUT /b", "role=editor department=finance", "not_applicable access_denied "),
    ] {
        assert_eq!(ask(&policy, request, who), expected, "{request} {who}");
    }
}

#[test]
fn what_could_be_silently_without_effect_does_not_load() {
    let condition = json!({"attribute": "a", "operator": "eq", "value": 1});
    let rule = json!({"effect": "deny", "action": "read", "resource": "/a", "role": "x"});
    for (authorization, problem) in [
        (
            json!({"type": "rbac", "conditions": [condition]}),
            "/authorization/conditions: `conditions` beside `type: rbac`",
        ),
        (json!({"type": "abac", "rules": [rule]}), "/authorization/rules: `rules` beside `type: abac`"),
        (json!({"type": "acl"}), "/authorization/acl: absent beside `type: acl`"),
        (
            json!({"policies": [{"name": "a"}, {"name": "a"}]}),
            "/authorization/policies/1/name: two policies of one name",
        ),
        (
            json!({"policies": [{"name": "a", "attach": {"routes": ["x"]}}]}),
            "/authorization/policies/0/attach/routes/0: no route has this name",
        ),
        (
            json!({"policies": [{"name": "a", "rules": [{"effect": "deny", "action": "raed", "resource": "/a", "role": "x"}]}]}),
            "/authorization/policies/0/rules/0/action: not an action",
        ),
        (
            json!({"acl": [{"resource": "/a", "entries": [{"actions": ["read"]}]}]}),
            "/authorization/acl/0/entries/0: about nobody",
        ),
        (json!({"grants": [{"roles": ["x"]}]}), "/authorization/grants/0: not one holder"),
    ] {
        let problems = compile(&document(json!({}), authorization.clone())).unwrap_err();
        assert!(problems.iter().any(|found| found.starts_with(problem)), "{authorization}: {problems:?}");
    }
}
