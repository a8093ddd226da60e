//! Every fact that can be unknown, with a policy whose answer depends on it and on nothing else: the answer is open and the
//! fact is named, and where the fact is known the answer is exact.

#![cfg(test)]
#![cfg(feature = "replay")]

use std::collections::BTreeSet;

use portcullis_policy::document::Document;
use portcullis_policy::headers::Headers;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::{Foresight, Policy};
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use portcullis_policy::unknown::Fact;
use serde_json::{Value, json};

fn policy(more: &Value) -> Policy {
    let mut document = json!({
        "version": 1,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["RS256"],
            "jwks_uri": "https://issuer.example/jwks", "cluster": "idp",
        }}]},
        "request": {},
        "authorization": {"routes": [{"methods": ["GET"], "path": "/**"}]},
    });
    for (place, value) in more.as_object().unwrap() {
        *document.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value.clone();
    }
    let document = Document::from_json(document.to_string().as_bytes()).unwrap_or_else(|p| panic!("{p:?}"));
    Policy::compile(&document).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn foresee(policy: &Policy, unknown: &[Fact]) -> Foresight {
    put(&Headers::default(), |request| policy.foresee(request, &unknown.iter().copied().collect()))
}

/// A request of alice's for `/x`.
fn put<T>(headers: &Headers, ask: impl FnOnce(&AccessRequest<'_>) -> T) -> T {
    let subject = Subject { id: Some("alice".into()), method: Some("people".into()), ..Subject::default() };
    let target = canonicalize(b"/x", PathMode::Refuse).unwrap();
    let request = AccessRequest {
        subject: Some(&subject),
        action: Action::of_method("GET"),
        resource: Resource::at("a.example", &target.path),
        context: Context { headers, time: Some(1_790_000_000), query: Some(""), ..Context::default() },
    };
    ask(&request)
}

/// What a policy needs for its answer to depend on a fact, and the name by which that is missed.
fn needing(fact: Fact) -> (Value, &'static str) {
    let route = |more: Value| {
        let mut route = json!({"methods": ["GET"], "path": "/**"});
        for (name, value) in more.as_object().unwrap() {
            route[name] = value.clone();
        }
        json!({"/authorization": {
            "roles": {"admin": {}},
            "grants": [{"subject": "bob", "roles": ["admin"], "expires": "2030-01-01T00:00:00Z"}],
            "routes": [route],
        }})
    };
    let condition =
        |attribute: &str| route(json!({"conditions": [{"attribute": attribute, "operator": "present"}]}));
    match fact {
        // Any route that needs a caller.
        Fact::Subject => (json!({}), "subject"),
        Fact::Id => (condition("subject.id"), "subject.id"),
        Fact::Tenant => (condition("subject.tenant"), "subject.tenant"),
        Fact::Roles => (route(json!({"require": {"roles": {"none_of": ["admin"]}}})), "subject.roles"),
        Fact::Groups => (route(json!({"require": {"groups": {"any_of": ["staff"]}}})), "subject.groups"),
        Fact::Scopes => (route(json!({"require": {"scopes": {"all_of": ["deep"]}}})), "subject.scopes"),
        Fact::Permissions => (route(json!({"permission": "objects:read"})), "subject.permissions"),
        Fact::Method => (condition("subject.method"), "subject.method"),
        Fact::KeyType => (condition("subject.key_type"), "subject.key_type"),
        Fact::Attribute => (condition("department"), "subject.department"),
        Fact::Header => {
            let wanted = json!({"match": {"headers": [{"name": "x-kind", "one_of": ["a"]}]}});
            (route(wanted), "context.header.x-kind")
        }
        Fact::Upgrade => (json!({}), "context.header.upgrade"),
        Fact::Query => (condition("context.query.kind"), "context.query"),
        Fact::Source => (condition("context.source"), "context.source"),
        Fact::Time => {
            let grant = json!([{"subject": "alice", "roles": ["admin"], "expires": "2030-01-01T00:00:00Z"}]);
            let route =
                json!([{"methods": ["GET"], "path": "/**", "require": {"roles": {"any_of": ["admin"]}}}]);
            let authorization = json!({"roles": {"admin": {}}, "grants": grant, "routes": route});
            (json!({"/authorization": authorization}), "context.time")
        }
        Fact::Body => {
            let mut more = condition("context.body/amount");
            more["/request"] = json!({"body": {"max_bytes": 1024}});
            (more, "context.body")
        }
    }
}

#[test]
fn each_fact_is_missed_where_the_answer_depends_on_it() {
    for fact in Fact::ALL {
        let (more, name) = needing(fact);
        let policy = policy(&more);
        match foresee(&policy, &[fact]) {
            Foresight::Open { missed } => assert_eq!(missed, BTreeSet::from([name.to_owned()]), "{fact:?}"),
            other @ (Foresight::Exact(_) | Foresight::Settled { .. }) => panic!("{fact:?}: {other:?}"),
        }
        assert!(matches!(foresee(&policy, &[]), Foresight::Exact(_)), "{fact:?}");
    }
}

#[test]
fn what_changes_nothing_is_not_missed() {
    let plain = policy(&json!({}));
    let of_caller_and_request =
        Fact::ALL.into_iter().filter(|fact| ![Fact::Subject, Fact::Upgrade].contains(fact));
    let foreseen = foresee(&plain, &of_caller_and_request.collect::<Vec<_>>());
    assert!(matches!(&foreseen, Foresight::Exact(response) if response.outcome.is_ok()), "{foreseen:?}");

    // Whatever scopes there were, nobody passes here.
    let denied = policy(&json!({"/authorization": {
        "routes": [{"methods": ["GET"], "path": "/**", "require": {"scopes": {"all_of": ["deep"]}}}],
        "rules": [{"effect": "deny", "action": "*", "resource": "/x", "role": "*"}],
    }}));
    match foresee(&denied, &[Fact::Scopes]) {
        Foresight::Settled { is_permit, missed } => {
            assert_eq!((is_permit, missed), (false, BTreeSet::from(["subject.scopes".to_owned()])));
        }
        other @ (Foresight::Exact(_) | Foresight::Open { .. }) => panic!("{other:?}"),
    }
}

/// Header lines, each another text, so many that to compare each with 300 values takes more steps than a decision has.
const LINES: usize = 400;

fn lines() -> Headers {
    let mut headers = Headers::default();
    (0..LINES).for_each(|line| headers.push(b"x-team", format!("of-{line}").as_bytes()));
    headers
}

/// A condition whose price is what the lines `x-team` are long.
fn dear() -> Value {
    let teams: Vec<String> = (0..300).map(|team| format!("team-{team}")).collect();
    json!([{"attribute": "context.header.x-team", "operator": "contains_any", "value": teams}])
}

/// A permit by a rule, which a dear condition cannot take away unless it takes all steps.
#[test]
fn a_permit_is_not_settled_where_what_is_not_known_may_take_all_steps() {
    let policy = policy(&json!({"/authorization": {
        "routes": [{"methods": ["GET"], "path": "/**"}],
        "superusers": {"conditions": dear()},
    }}));
    let headers = lines();
    let ask = |headers: &Headers, unknown: &[Fact]| {
        put(headers, |request| policy.foresee(request, &unknown.iter().copied().collect()))
    };
    let exhausted = ask(&headers, &[]);
    assert!(matches!(&exhausted, Foresight::Exact(response) if response.outcome.is_err()), "{exhausted:?}");
    let few = ask(&Headers::default(), &[]);
    assert!(matches!(&few, Foresight::Exact(response) if response.outcome.is_ok()), "{few:?}");
    let foreseen = ask(&headers, &[Fact::Header]);
    let missed = BTreeSet::from(["context.header.x-team".to_owned()]);
    assert!(matches!(&foreseen, Foresight::Open { missed: named } if *named == missed), "{foreseen:?}");
}

/// A rule takes all steps that is about this caller only if a group is its own.
#[test]
fn nothing_is_settled_where_what_is_not_known_may_spare_the_steps() {
    let policy = policy(&json!({"/authorization": {
        "routes": [{"methods": ["GET"], "path": "/**"}],
        "acl": [{"resource": "/x", "entries": [
            {"effect": "allow", "actions": ["*"], "groups": ["staff"], "conditions": dear()},
        ]}],
    }}));
    let headers = lines();
    let stranger = put(&headers, |request| policy.foresee(request, &BTreeSet::new()));
    assert!(matches!(&stranger, Foresight::Exact(response) if response.outcome.is_ok()), "{stranger:?}");
    let foreseen = put(&headers, |request| policy.foresee(request, &BTreeSet::from([Fact::Groups])));
    let missed = BTreeSet::from(["subject.groups".to_owned()]);
    assert!(matches!(&foreseen, Foresight::Open { missed: named } if *named == missed), "{foreseen:?}");
}
