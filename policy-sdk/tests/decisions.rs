//! Decisions as a table: one document, one row a request, the answer and the rules that made it.

#![cfg(test)]

use portcullis_policy::decision::{Basis, Decision, Refusal};
use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::{Access, Policy};
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Value, json};

fn policy(tenancy: Value, authorization: Value) -> Policy {
    let document = json!({
        "version": 1,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["RS256"],
            "jwks_uri": "https://issuer.example/jwks", "cluster": "idp",
        }}]},
        "tenancy": tenancy,
        "authorization": authorization,
    });
    let document = Document::from_json(document.to_string().as_bytes()).unwrap_or_else(|p| panic!("{p:?}"));
    Policy::compile(&document).unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[derive(Debug, PartialEq)]
enum Answer {
    Permit(&'static [&'static str]),
    Refused(Refusal),
}

struct Ask<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
    subject: Option<Subject>,
}

fn decide(policy: &Policy, ask: &Ask<'_>) -> (Access, portcullis_policy::decision::Response) {
    let target = canonicalize(ask.path.as_bytes(), PathMode::Refuse).unwrap();
    let headers = ask.headers.iter().copied().collect();
    let action = Action::of_method(ask.method);
    let resource = Resource::at(ask.host, &target.path);
    let context = Context { headers: &headers, ..Context::default() };
    let located = policy.locate(action, resource, &context);
    let request = AccessRequest { subject: ask.subject.as_ref(), action, resource, context };
    let response = policy.decide(&located, &request);
    assert_eq!(format!("{:?}", policy.explain(&request).response), format!("{response:?}"));
    (located.access(), response)
}

fn subject(text: &str) -> Option<Subject> {
    if text == "-" {
        return None;
    }
    let mut subject = Subject { id: Some("alice".into()), ..Subject::default() };
    for word in text.split_whitespace() {
        match word.split_once('=').unwrap() {
            ("role", role) => subject.roles.push(role.into()),
            ("scope", scope) => subject.scopes.push(scope.into()),
            ("permission", permission) => subject.permissions.push(permission.into()),
            ("tenant", tenant) => subject.tenant = Some(tenant.into()),
            other => panic!("{other:?}"),
        }
    }
    Some(subject)
}

fn scope(names: &[&str]) -> Refusal {
    Refusal::InsufficientScope(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn routes_roles_and_rules() {
    let policy = policy(
        json!({}),
        json!({
            "public": [{"methods": ["GET"], "path": "/healthz"}],
            "roles": {
                "viewer": {"permissions": ["objects:read"]},
                "operator": {"inherits": ["viewer"], "permissions": ["objects:create"]},
                "admin": {"permissions": ["*"]},
                "on_leave": {"inherits": ["suspended"]},
                "suspended": {},
            },
            "routes": [
                {"methods": ["GET"], "path": "/v1/objects/{id}", "permission": "objects:read"},
                {"methods": ["POST"], "path": "/v1/objects", "permission": "objects:create"},
                {"methods": ["*"], "path": "/v1/**", "permission": "everything:else"},
                {"name": "docs", "methods": ["GET"], "path": "/docs",
                    "require": {"scopes": {"all_of": ["docs:read"], "any_of": ["a", "b"]}}},
                {"methods": ["GET"], "path": "/staff",
                    "require": {"roles": {"any_of": ["viewer"], "none_of": ["suspended"]}}},
                {"methods": ["GET"], "path": "/catalogue", "authentication": "optional"},
                {"methods": ["GET"], "path": "/me"},
                {"methods": ["GET"], "path": "/hosted", "permission": "objects:read"},
                {"methods": ["GET"], "path": "/hosted", "host": "*.inner.example", "permission": "inner:read"},
            ],
            "rules": [
                {"effect": "allow", "action": "read", "resource": "/api/docs/*", "role": "editor"},
                {"effect": "allow", "action": "write", "resource": "/api/docs/*", "role": "editor"},
                {"name": "no-deletes", "effect": "deny", "action": "delete", "resource": "/api/**", "role": "*"},
                {"effect": "deny", "action": "*", "resource": "/me", "role": "suspended"},
            ],
        }),
    );
    use Answer::{Permit, Refused};
    use Refusal::{AccessDenied, AuthenticationRequired, InsufficientPermissions, InsufficientRole};
    for (method, path, who, expected) in [
        ("GET", "/healthz", "-", Permit(&["public/0"])),
        ("POST", "/healthz", "-", Refused(AuthenticationRequired)),
        ("POST", "/healthz", "role=admin", Refused(AccessDenied)),
        ("GET", "/v1/objects/7", "-", Refused(AuthenticationRequired)),
        ("GET", "/v1/objects/7", "role=viewer", Permit(&["routes/0"])),
        ("GET", "/v1/objects/7", "role=operator", Permit(&["routes/0"])),
        ("GET", "/v1/objects/7", "role=admin", Permit(&["routes/0"])),
        ("GET", "/v1/objects/7", "role=nobody", Refused(InsufficientPermissions)),
        ("GET", "/v1/objects/7", "", Refused(InsufficientPermissions)),
        ("GET", "/v1/objects/7", "permission=objects:*", Permit(&["routes/0"])),
        ("GET", "/v1/objects/7", "permission=objects", Refused(InsufficientPermissions)),
        ("POST", "/v1/objects", "role=viewer", Refused(InsufficientPermissions)),
        ("POST", "/v1/objects", "role=operator", Permit(&["routes/1"])),
        ("DELETE", "/v1/objects/7", "role=operator", Refused(InsufficientPermissions)),
        ("DELETE", "/v1/objects/7", "role=admin", Permit(&["routes/2"])),
        ("GET", "/docs", "scope=docs:read scope=b", Permit(&["docs"])),
        ("GET", "/docs", "scope=docs:read", Refused(scope(&["docs:read", "a", "b"]))),
        ("GET", "/docs", "scope=a", Refused(scope(&["docs:read", "a", "b"]))),
        ("GET", "/staff", "role=operator", Permit(&["routes/4"])),
        ("GET", "/staff", "role=operator role=suspended", Refused(InsufficientRole)),
        ("GET", "/staff", "", Refused(InsufficientRole)),
        ("GET", "/catalogue", "-", Permit(&["routes/5"])),
        ("GET", "/catalogue", "role=any", Permit(&["routes/5"])),
        ("GET", "/me", "", Permit(&["routes/6"])),
        ("GET", "/me", "role=suspended", Refused(AccessDenied)),
        // Who inherits a role is also that role, where it is shut out as well.
        ("GET", "/me", "role=on_leave", Refused(AccessDenied)),
        ("GET", "/staff", "role=viewer role=on_leave", Refused(InsufficientRole)),
        ("GET", "/me", "-", Refused(AuthenticationRequired)),
        ("GET", "/api/docs/a", "role=editor", Permit(&["rules/0"])),
        ("PUT", "/api/docs/a", "role=editor", Permit(&["rules/1"])),
        ("PUT", "/api/docs/a/b", "role=editor", Refused(AccessDenied)),
        ("GET", "/api/docs/a", "role=viewer", Refused(InsufficientRole)),
        ("DELETE", "/api/docs/a", "role=editor", Refused(AccessDenied)),
        ("GET", "/api/docs/a", "-", Refused(AuthenticationRequired)),
        ("GET", "/elsewhere", "role=admin", Refused(AccessDenied)),
        ("GET", "/elsewhere", "-", Refused(AuthenticationRequired)),
        ("GET", "/hosted", "role=viewer", Permit(&["routes/7"])),
    ] {
        let ask = Ask { method, host: "api.example", path, headers: &[], subject: subject(who) };
        let (_access, response) = decide(&policy, &ask);
        let reasons: Vec<&str> = response.reasons.iter().map(|id| id.as_str()).collect();
        match (&response.outcome, &expected) {
            (Ok(_permit), Permit(rules)) => {
                assert_eq!(reasons, *rules, "{method} {path} {who}");
                assert_eq!(response.decision, Decision::Permit);
            }
            (Err(refusal), Refused(wanted)) => {
                assert_eq!(refusal, wanted, "{method} {path} {who}");
                assert_ne!(response.decision, Decision::Permit);
            }
            (outcome, _) => panic!("{method} {path} {who}: {outcome:?}, expected {expected:?}"),
        }
    }
    let inner = Ask {
        method: "GET",
        host: "a.inner.example",
        path: "/hosted",
        headers: &[],
        subject: subject("role=viewer"),
    };
    assert_eq!(
        decide(&policy, &inner).1.outcome,
        Err(InsufficientPermissions),
        "the named host is more specific"
    );
}

#[test]
fn a_slash_at_the_end_evades_nothing() {
    let policy = policy(
        json!({"bind": [{"path": "/t/{tenant}/home"}]}),
        json!({
            "public": [{"methods": ["GET"], "path": "/pages/**"}],
            "routes": [
                {"methods": ["*"], "path": "/v1/**"},
                {"methods": ["DELETE"], "path": "/v1/objects/{id}", "require": {"roles": {"any_of": ["admin"]}}},
                {"methods": ["GET"], "path": "/pages/internal", "require": {"roles": {"any_of": ["admin"]}}},
                {"methods": ["GET"], "path": "/exact"},
                {"methods": ["GET"], "path": "/slashed/"},
            ],
            "rules": [
                {"effect": "allow", "action": "*", "resource": "/api/**", "role": "editor"},
                {"effect": "allow", "action": "*", "resource": "/t/**", "role": "editor"},
                {"effect": "deny", "action": "delete", "resource": "/api/docs/*", "role": "editor"},
                {"effect": "deny", "action": "write", "resource": "/api/files/**", "role": "editor"},
            ],
        }),
    );
    use Refusal::{AccessDenied, AuthenticationRequired, InsufficientRole, TenantMismatch};
    for (method, path, who, expected) in [
        ("DELETE", "/v1/objects/7", "role=user", Err(InsufficientRole)),
        ("DELETE", "/v1/objects/7/", "role=user", Err(InsufficientRole)),
        ("DELETE", "/v1/objects/7/", "role=admin", Ok(())),
        ("GET", "/v1/objects/7/", "role=user", Ok(())),
        ("GET", "/pages/x", "-", Ok(())),
        ("GET", "/pages/internal", "-", Err(AuthenticationRequired)),
        ("GET", "/pages/internal/", "-", Err(AuthenticationRequired)),
        ("GET", "/pages/internal/", "role=user", Err(InsufficientRole)),
        ("GET", "/exact/", "role=user", Err(AccessDenied)),
        ("GET", "/slashed", "role=user", Err(AccessDenied)),
        ("GET", "/slashed/", "role=user", Ok(())),
        ("DELETE", "/api/docs/7", "role=editor", Err(AccessDenied)),
        ("DELETE", "/api/docs/7/", "role=editor", Err(AccessDenied)),
        ("DELETE", "/api/docs/7/x", "role=editor", Ok(())),
        ("GET", "/api/files/x", "role=editor", Ok(())),
        ("PUT", "/api/files/x", "role=editor", Err(AccessDenied)),
        ("MOVE", "/api/files/x", "role=editor", Err(AccessDenied)),
        ("PURGE", "/api/files/x", "role=editor", Err(AccessDenied)),
        ("GET", "/t/other/home", "role=editor tenant=acme", Err(TenantMismatch)),
        ("GET", "/t/other/home/", "role=editor tenant=acme", Err(TenantMismatch)),
        ("GET", "/t/acme/home/", "role=editor tenant=acme", Ok(())),
    ] {
        let ask = Ask { method, host: "h", path, headers: &[], subject: subject(who) };
        let outcome = decide(&policy, &ask).1.outcome.map(|_permit| ());
        assert_eq!(outcome, expected, "{method} {path} {who}");
    }
}

#[test]
fn the_most_specific_host_decides() {
    let policy = policy(
        json!({}),
        json!({
            "public": [{"methods": ["GET"], "path": "/reports", "host": "*.example.com"}],
            "routes": [
                {"methods": ["GET"], "path": "/reports", "require": {"roles": {"any_of": ["nobody"]}}},
                {"methods": ["GET"], "path": "/reports", "host": "*.eu.example.com", "require": {"roles": {"any_of": ["eu"]}}},
                {"methods": ["GET"], "path": "/reports", "host": "admin.example.com", "require": {"roles": {"any_of": ["admin"]}}},
            ],
        }),
    );
    use Refusal::{AuthenticationRequired, InsufficientRole};
    for (host, who, expected) in [
        ("www.example.com", "-", Ok(())),
        ("admin.example.com", "-", Err(AuthenticationRequired)),
        ("admin.example.com", "role=eu", Err(InsufficientRole)),
        ("admin.example.com", "role=admin", Ok(())),
        ("a.eu.example.com", "-", Err(AuthenticationRequired)),
        ("a.eu.example.com", "role=eu", Ok(())),
        ("example.com", "role=eu", Err(InsufficientRole)),
    ] {
        let ask = Ask { method: "GET", host, path: "/reports", headers: &[], subject: subject(who) };
        assert_eq!(decide(&policy, &ask).1.outcome.map(|_permit| ()), expected, "{host} {who}");
    }
}

#[test]
fn tenants() {
    let policy = policy(
        json!({
            "required": true,
            "bind": [{"path": "/tenants/{tenant}/**"}, {"header": "x-org"}, {"host": "{tenant}.example.com"}],
            "cross_tenant": {"roles": ["support"]},
        }),
        json!({"routes": [
            {"methods": ["*"], "path": "/**"},
            {"methods": ["GET"], "path": "/tenants/{tenant}/public", "authentication": "optional"},
        ]}),
    );
    let mine: &[u8] = b"acme";
    for (host, path, org, who, expected) in [
        ("api.test", "/x", None, "tenant=acme", Ok((Some("acme"), false))),
        ("api.test", "/x", None, "", Err(Refusal::TenantRequired)),
        ("api.test", "/x", None, "-", Err(Refusal::AuthenticationRequired)),
        ("api.test", "/tenants/acme/x", None, "tenant=acme", Ok((Some("acme"), false))),
        ("api.test", "/tenants/acme", None, "tenant=acme", Ok((Some("acme"), false))),
        ("api.test", "/tenants/other/x", None, "tenant=acme", Err(Refusal::TenantMismatch)),
        ("api.test", "/tenants/other", None, "tenant=acme", Err(Refusal::TenantMismatch)),
        ("api.test", "/tenants/ACME/x", None, "tenant=acme", Err(Refusal::TenantMismatch)),
        ("api.test", "/tenants/acme%20/x", None, "tenant=acme", Err(Refusal::TenantMismatch)),
        ("api.test", "/tenants/other/x", None, "tenant=acme role=support", Ok((Some("other"), true))),
        ("api.test", "/x", Some(mine), "tenant=acme", Ok((Some("acme"), false))),
        ("api.test", "/x", Some(b"other"), "tenant=acme", Err(Refusal::TenantMismatch)),
        ("api.test", "/x", Some(b"\xff"), "tenant=acme role=support", Err(Refusal::TenantMismatch)),
        ("api.test", "/x", Some(b""), "tenant=acme role=support", Err(Refusal::TenantMismatch)),
        ("acme.example.com", "/x", None, "tenant=acme", Ok((Some("acme"), false))),
        ("other.example.com", "/x", None, "tenant=acme", Err(Refusal::TenantMismatch)),
        // Two places that disagree are refused even to those who may cross.
        (
            "acme.example.com",
            "/tenants/other/x",
            None,
            "tenant=acme role=support",
            Err(Refusal::TenantMismatch),
        ),
        ("api.test", "/tenants/acme/public", None, "-", Err(Refusal::AuthenticationRequired)),
    ] {
        let lines: Vec<(&str, &[u8])> = org.map(|value| ("x-org", value)).into_iter().collect();
        let (_access, response) =
            decide(&policy, &Ask { method: "GET", host, path, headers: &lines, subject: subject(who) });
        let answer = match &response.outcome {
            Ok(_permit) => Ok((response.tenant.as_deref(), response.cross_tenant)),
            Err(refusal) => Err(refusal.clone()),
        };
        assert_eq!(answer, expected, "{host}{path} {org:?} {who}");
    }
    let twice: [(&str, &[u8]); 2] = [("x-org", b"acme"), ("x-org", b"other")];
    let ask =
        Ask { method: "GET", host: "api.test", path: "/x", headers: &twice, subject: subject("tenant=acme") };
    assert_eq!(
        decide(&policy, &ask).1.outcome,
        Err(Refusal::TenantMismatch),
        "every copy of a header counts"
    );
}

#[test]
fn a_default_tenant_belongs_to_callers_and_not_to_strangers() {
    let policy = policy(
        json!({"default": "main", "bind": [{"path": "/t/{tenant}/**"}]}),
        json!({"routes": [{"methods": ["*"], "path": "/**", "authentication": "optional"}]}),
    );
    let ask = |path, who| {
        decide(&policy, &Ask { method: "GET", host: "h", path, headers: &[], subject: subject(who) }).1
    };
    assert_eq!(ask("/t/main/x", "").tenant.as_deref(), Some("main"));
    assert_eq!(ask("/t/other/x", "").outcome, Err(Refusal::TenantMismatch));
    assert_eq!(ask("/t/main/x", "-").outcome, Err(Refusal::AuthenticationRequired));
    assert_eq!(ask("/x", "-").tenant, None);
}

#[test]
fn authentication_that_is_switched_off_permits_and_says_so() {
    let document = json!({"version": 1, "authentication": {"disabled": true}});
    let document = Document::from_json(document.to_string().as_bytes()).unwrap();
    let policy = Policy::compile(&document).unwrap();
    let ask = Ask { method: "DELETE", host: "h", path: "/x", headers: &[], subject: None };
    let (access, response) = decide(&policy, &ask);
    assert_eq!(access, Access::Public);
    assert_eq!(response.outcome.unwrap().basis(), Basis::AuthenticationDisabled);
}
