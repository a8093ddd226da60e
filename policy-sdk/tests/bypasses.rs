//! Bypasses of others that began in a document, each test named after the report. Those that a request can show are in the
//! corpus, `tests/cases/bypasses`.

use portcullis_policy::authzen::EvaluationRequest;
use portcullis_policy::document::{Document, Problems};
use portcullis_policy::policy::Policy;
use serde_json::{Value, json};

/// What becomes of a document that loads but for the change.
fn load(change: impl FnOnce(&mut Value)) -> Result<Document, Problems> {
    let mut document = json!({
        "version": 1,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://auth.example.com",
            "audience": ["api.example.com"],
            "algorithms": ["HS256"],
            "secret": "${JWT_SECRET}",
        }}]},
        "authorization": {"routes": [{"methods": ["GET"], "path": "/a", "host": "a.example.com"}]},
    });
    change(&mut document);
    Document::from_json(document.to_string().as_bytes())
}

/// A release that gave `hosts` another meaning left older policies open. Here a field that this release does not know is
/// refused, and so is every version but one.
#[test]
fn cve_2022_21679_fields_and_versions_of_another_release() {
    load(|_| {}).unwrap();
    let found =
        load(|document| document["authorization"]["routes"][0]["not_hosts"] = json!(["b.example.com"]));
    let found = found.unwrap_err().to_string();
    assert!(found.starts_with("/authorization/routes/0/not_hosts: unknown field"), "{found}");
    let found = load(|document| document["version"] = 2.into()).unwrap_err().to_string();
    assert!(found.starts_with("/version: "), "{found}");
}

/// A secret that slips into the wrong line of a document is in no message about it, and not
/// shown as what might have been meant.
#[test]
fn cve_2026_53713_secrets_are_in_no_message() {
    const SECRET: &str = "correct-horse-battery-staple-0123456789";
    for field in [
        "/secret",
        "/secret_encoding",
        "/algorithms",
        "/algorithms/0",
        "/cluster",
        "/expiry",
        "/from",
        "/jwks",
    ] {
        for value in [json!(SECRET), json!([SECRET]), json!({"header": [SECRET]})] {
            let found = load(|document| {
                let jwt = document.pointer_mut("/authentication/methods/0/jwt").unwrap();
                match jwt.pointer_mut(field) {
                    Some(place) => *place = value.clone(),
                    None => jwt[field.trim_start_matches('/')] = value.clone(),
                }
            });
            let found = found.unwrap_err().to_string();
            assert!(!found.contains(SECRET), "{field} {value}: {found}");
        }
    }
}

/// A bundle whose signatures were taken out was accepted. There is one document, and it comes from who configures the proxy:
/// none can name another place to fetch one from, or to look for signatures in.
#[test]
fn ghsa_g2pf_6v5v_qcc8_no_document_is_fetched_signed_or_not() {
    for field in [
        "bundle",
        "bundles",
        "services",
        "discovery",
        "include",
        "import",
        "extends",
        "$ref",
        "signing",
        "keys",
    ] {
        for place in ["", "/authentication", "/authorization"] {
            let found = load(|document| {
                document.pointer_mut(place).unwrap()[field] =
                    json!("https://bundles.example.com/policy.tar.gz");
            });
            let found = found.unwrap_err().to_string();
            let pointer = format!("{place}/{field}: unknown field");
            assert!(found.starts_with(&pointer), "{found}");
        }
    }
}

/// What one tenant of a gateway configured became visible to another. An explanation names parts of the document, and
/// nothing of the caller, the request, or a secret that the document refers to.
#[test]
fn cve_2026_53718_nothing_private_is_in_an_explanation() {
    const PRIVATE: &str = "correct-horse-battery-staple-0123456789";
    let document = load(|document| {
        document["authorization"]["conditions"] = json!([
            {"attribute": "badge", "operator": "eq", "value": "7"},
            {"attribute": "context.header.x-session", "operator": "ne", "value": "8"},
            {"attribute": "context.query.key", "operator": "starts_with", "value": "9"},
        ]);
    });
    let policy = Policy::compile(&document.unwrap()).unwrap();
    let question = EvaluationRequest::from_value(&json!({
        "subject": {"type": "user", "id": PRIVATE, "properties": {"badge": PRIVATE, "roles": [PRIVATE], "tenant": PRIVATE}},
        "action": {"name": "GET"},
        "resource": {"type": "route", "id": format!("/a?key={PRIVATE}"), "properties": {"host": "a.example.com"}},
        "context": {"headers": {"x-session": PRIVATE, "authorization": format!("Bearer {PRIVATE}")}},
    }));
    let explanation = policy.explain(&question.unwrap().access_request());
    let told = explanation.to_json().to_string();
    assert!(told.contains("context.header.x-session ne"), "{told}");
    assert!(!told.contains(PRIVATE) && !told.contains("JWT_SECRET"), "{told}");
}

/// An answer was kept and given again where a condition had another context. Here an answer is no memory of another.
#[test]
fn cve_2024_56323_an_answer_is_not_given_again_for_another_context() {
    let document = load(|document| {
        document["authorization"]["conditions"] =
            json!([{"attribute": "department", "operator": "eq", "value": "finance"}]);
    });
    let policy = Policy::compile(&document.unwrap()).unwrap();
    for (department, permitted) in [("finance", true), ("sales", false), ("finance", true), ("sales", false)]
    {
        let question = EvaluationRequest::from_value(&json!({
            "subject": {"type": "user", "id": "alice", "properties": {"department": department}},
            "action": {"name": "GET"},
            "resource": {"type": "route", "id": "/a", "properties": {"host": "a.example.com"}},
        }));
        assert_eq!(question.unwrap().decide(&policy).is_permit(), permitted, "{department}");
    }
}

/// Relations in a circle, and a cache of answers, permitted what nobody had granted. Roles in a circle do not load.
#[test]
fn cve_2025_46331_roles_in_a_circle_do_not_load() {
    let found = load(|document| {
        document["authorization"]["roles"] = json!({
            "a": {"inherits": ["b"]}, "b": {"inherits": ["c"]}, "c": {"inherits": ["a"], "permissions": ["x:read"]},
        });
    });
    let found = found.unwrap_err().to_string();
    assert!(found.contains("/authorization/roles/a/inherits"), "{found}");
}
