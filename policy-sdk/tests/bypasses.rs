//! Bypasses of others that began in a document, each test named after the report. Those that a request can show are in the
//! corpus, `tests/cases/bypasses`.

use portcullis_policy::document::{Document, Problems};
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
