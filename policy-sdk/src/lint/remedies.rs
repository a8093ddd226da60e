//! What every lint advises, done: a document in which it finds something, and the same with the remedy applied.

use serde_json::{Value, json};

use super::testing::changed_document;
use super::{LINTS, findings_at};

/// Places and what is put there.
type Changes = Vec<(&'static str, Value)>;

/// 2027-01-01T00:00:00Z.
const NOW: i64 = 1_798_761_600;

/// For each lint: what makes it find something, and what is changed then.
fn rows() -> Vec<(&'static str, Changes, Changes)> {
    let rule = |effect: &str, action: &str, resource: &str, role: &str| json!({ "effect": effect, "action": action, "resource": resource, "role": role });
    let test = |attribute: &str, operator: &str, value: Value| json!({ "attribute": attribute, "operator": operator, "value": value });
    let grant = |more: Value| {
        let mut grant = json!({ "subject": "ann" });
        grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([grant])
    };
    let restricted =
        |attach: Value| json!([{ "name": "p", "attach": attach, "restrictions": { "methods": ["people"] } }]);
    let health = ("/authorization/public/1", json!({ "methods": ["GET"], "path": "/admin/health" }));
    let unread = |claim: &'static str| -> Changes {
        vec![
            ("/authentication/methods/0/jwt/claims", json!({ claim: null })),
            ("/authentication/methods/1/jwt/claims", json!({ claim: null })),
        ]
    };
    let read_again =
        |claim: &'static str| vec![("/authentication/methods/0/jwt/claims", json!({ claim: claim }))];
    let with = |mut changes: Changes, more: Changes| {
        changes.extend(more);
        changes
    };
    vec![
        (
            "admin-granted",
            vec![("/authorization/grants", json!([{ "group": "oncall", "roles": ["admin"] }]))],
            vec![(
                "/authorization/grants",
                grant(json!({ "permissions": ["objects:read"], "expires": "2028-01-01T00:00:00Z" })),
            )],
        ),
        (
            "allow-denied",
            vec![("/authorization/rules/1", rule("deny", "*", "/api/**", "*"))],
            vec![("/authorization/rules/1", rule("deny", "*", "/api/secret/**", "*"))],
        ),
        (
            "any-audience",
            vec![("/authentication/methods/0/jwt/audience", json!("any"))],
            vec![("/authentication/methods/0/jwt/audience", json!("api.example.com"))],
        ),
        (
            "audit-loses-records",
            vec![("/audit/when_full", json!("drop"))],
            vec![("/audit/when_full", json!("refuse"))],
        ),
        (
            "authentication-off",
            vec![("/authentication/disabled", json!(true))],
            vec![("/authentication/disabled", Value::Null)],
        ),
        (
            "candidate-decides",
            vec![(
                "/candidate",
                json!({ "name": "n", "authorization": {}, "enforce": { "percentage": 100 } }),
            )],
            vec![("/candidate", Value::Null)],
        ),
        (
            "candidate-same",
            vec![
                ("/authorization", json!({ "groups": ["staff"] })),
                ("/candidate", json!({ "name": "n", "authorization": { "groups": ["staff"] } })),
            ],
            vec![("/candidate", json!({ "name": "n", "authorization": { "groups": ["crew"] } }))],
        ),
        (
            "condition-always-holds",
            vec![("/authorization/conditions", json!([test("department", "matches", json!(".*"))]))],
            vec![(
                "/authorization/conditions",
                json!([{ "attribute": "department", "operator": "present" }]),
            )],
        ),
        (
            "condition-never-holds",
            vec![(
                "/authorization/conditions",
                json!([test("a", "eq", json!("x")), test("a", "eq", json!("y"))]),
            )],
            vec![(
                "/authorization/conditions",
                json!([{ "any_of": [test("a", "eq", json!("x")), test("a", "eq", json!("y"))] }]),
            )],
        ),
        (
            "condition-only-errors",
            vec![("/authorization/routes/0/conditions", json!([test("resource.owner", "eq", json!("ann"))]))],
            vec![("/authorization/routes/0/conditions", json!([test("resource.id", "eq", json!("ann"))]))],
        ),
        (
            "credential-nobody-has",
            vec![("/authorization/restrictions", json!({ "key_types": ["user"] }))],
            vec![("/authentication/methods/0/jwt/key_type", json!("user"))],
        ),
        (
            "deny-under-public",
            vec![
                ("/authorization/public/1", json!({ "methods": ["GET"], "path": "/files/**" })),
                ("/authorization/rules/1", rule("deny", "read", "/files/secret/**", "*")),
            ],
            vec![("/authorization/routes/2", json!({ "methods": ["GET"], "path": "/files/secret/**" }))],
        ),
        (
            "deny-without-rest",
            vec![("/authorization/rules/1", rule("deny", "read", "/v1", "guest"))],
            vec![("/authorization/rules/1", rule("deny", "read", "/v1/**", "guest"))],
        ),
        (
            "everyone-allowed",
            vec![("/authorization/rules/1", rule("allow", "*", "*", "*"))],
            vec![("/authorization/rules/1", rule("allow", "*", "*", "editor"))],
        ),
        (
            "everything-public",
            vec![("/authorization/public/1", json!({ "methods": ["*"], "path": "/**" }))],
            vec![("/authorization/public/1", json!({ "methods": ["GET"], "path": "/version" }))],
        ),
        (
            "grant-expired",
            vec![(
                "/authorization/grants",
                grant(json!({ "roles": ["editor"], "expires": "2026-01-01T00:00:00Z" })),
            )],
            vec![(
                "/authorization/grants",
                grant(json!({ "roles": ["editor"], "expires": "2027-01-01T00:00:01Z" })),
            )],
        ),
        (
            "grant-never-counts",
            vec![("/authorization/grants", grant(json!({})))],
            vec![("/authorization/grants", grant(json!({ "roles": ["editor"] })))],
        ),
        (
            "grant-without-end",
            vec![(
                "/authorization/grants",
                json!([
                    { "subject": "ann", "roles": ["editor"] },
                    { "subject": "bob", "roles": ["editor"], "expires": "2028-01-01T00:00:00Z" },
                ]),
            )],
            vec![("/authorization/grants/0/expires", json!("2028-01-01T00:00:00Z"))],
        ),
        (
            "group-nobody-has",
            with(unread("groups"), vec![("/authorization/groups", json!(["staff"]))]),
            read_again("groups"),
        ),
        (
            "no-expiry",
            vec![("/authentication/methods/0/jwt/expiry", json!("optional"))],
            vec![("/authentication/methods/0/jwt/max_token_age", json!("1h"))],
        ),
        (
            "no-methods",
            vec![("/authentication/methods", json!([]))],
            vec![(
                "/authentication/methods/0",
                json!({ "name": "people", "jwt": {
                "issuer": "https://auth.example.com", "audience": "api", "algorithms": ["RS256"],
                "jwks_uri": "https://auth.example.com/jwks", "cluster": "idp" } }),
            )],
        ),
        (
            "nothing-allowed",
            vec![("/authorization", json!({ "public": [], "routes": [], "rules": [] }))],
            vec![("/authorization/routes/0", json!({ "methods": ["GET"], "path": "/" }))],
        ),
        (
            "permission-nobody-grants",
            vec![
                ("/authorization/routes/0/permission", json!("things:read")),
                ("/authorization/roles/admin", json!({})),
            ],
            vec![("/authorization/grants", grant(json!({ "permissions": ["things:read"] })))],
        ),
        (
            "permission-not-asked",
            vec![("/authorization/roles/editor", json!({ "permissions": ["objects:destroy"] }))],
            vec![
                ("/authorization/routes/1/permission", json!("objects:destroy")),
                ("/authorization/roles/operator", json!({ "inherits": ["viewer"] })),
            ],
        ),
        (
            "policy-never-asked",
            vec![("/authorization/policies", restricted(json!({ "path": "/v1/object/**" })))],
            vec![("/authorization/policies", restricted(json!({ "path": "/v1/objects/**" })))],
        ),
        (
            "public-under-protected",
            vec![health, ("/authorization/policies", restricted(json!({ "path": "/admin/**" })))],
            vec![("/authorization/public/1/path", json!("/health"))],
        ),
        (
            "redundant-rule",
            vec![("/authorization/rules/1", rule("allow", "*", "/api/**", "editor"))],
            vec![("/authorization/rules/1", rule("allow", "create", "/api/**", "editor"))],
        ),
        ("role-nobody-has", unread("roles"), read_again("roles")),
        (
            "route-denied",
            vec![("/authorization/rules/1", rule("deny", "read", "/v1/**", "*"))],
            vec![("/authorization/rules/1", rule("deny", "read", "/v1/secret/**", "*"))],
        ),
        (
            "superusers-broad",
            vec![("/authorization/superusers", json!({ "roles": ["viewer"] }))],
            vec![("/authorization/superusers", json!({ "roles": ["support"] }))],
        ),
        (
            "token-in-query",
            vec![("/authentication/methods/0/jwt/from", json!([{ "query": "access_token" }]))],
            vec![("/authentication/methods/0/jwt/from", json!([{ "cookie": "session" }]))],
        ),
        (
            "unauthenticated-access",
            vec![("/authorization/public/1", json!({ "methods": ["GET", "POST"], "path": "/feedback" }))],
            vec![("/authorization/public/1/methods", json!(["GET"]))],
        ),
        (
            "unbound-tenant",
            vec![("/tenancy/bind", json!([{ "path": "/tenants/{tenant}/**" }]))],
            vec![("/tenancy/bind/1", json!({ "header": "x-org" }))],
        ),
        (
            "undefined-role",
            vec![("/authorization/rules/0/role", json!("ghost"))],
            vec![("/authorization/roles/ghost", json!({}))],
        ),
        (
            "unreachable-route",
            vec![(
                "/authorization/routes",
                json!([
                    { "methods": ["GET"], "path": "/a/**" },
                    { "methods": ["GET"], "path": "/a" },
                    { "methods": ["GET"], "path": "/a/" },
                    { "methods": ["GET"], "path": "/a/{x}/**" },
                ]),
            )],
            vec![("/authorization/routes/3", json!({ "methods": ["GET"], "path": "/a/b/**" }))],
        ),
        (
            "unused-role",
            vec![("/authorization/roles/ghost", json!({}))],
            vec![("/authorization/roles/ghost", json!({ "permissions": ["objects:read"] }))],
        ),
    ]
}

#[test]
fn every_lint_is_silent_once_its_remedy_is_applied() {
    let rows = rows();
    assert!(
        rows.iter().map(|(code, ..)| *code).eq(LINTS.iter().map(|lint| lint.code)),
        "one row a lint, in their order"
    );
    for (code, wrong, remedy) in rows {
        let finds = |changes: &[(&str, Value)]| {
            findings_at(&changed_document(changes), NOW)
                .into_iter()
                .filter(|finding| finding.code == code)
                .count()
        };
        assert!(finds(&wrong) > 0, "{code} finds nothing");
        let mended: Changes = wrong.into_iter().chain(remedy).collect();
        assert_eq!(finds(&mended), 0, "{code} finds it still");
    }
}
