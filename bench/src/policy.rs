//! The gate's documents: the same as Envoy's own filters are told, and what they cannot do.

use serde_json::{Value, json};

use crate::lane::Lane;
use crate::place::Place;
use crate::traffic::{AUDIENCE, ISSUER};

/// How many rules decide: the requests are about the last one.
pub(crate) const RULES: usize = 10;

/// How many there are where there are many.
const MANY_RULES: usize = 100_000;

/// The same as `jwt_authn` and `rbac`, and the tenant bound to the path.
pub(crate) fn policy(place: Place, jwks: &Value) -> Value {
    let Place { lane, .. } = place;
    let mut document = document(&place.name(), jwks);
    if lane == Lane::OursAuthentication {
        let anybody = json!({"effect": "allow", "action": "*", "role": "*", "resource": "/**"});
        document["authorization"] = json!({"rules": [anybody]});
        if let Some(members) = document.as_object_mut() {
            members.remove("tenancy");
        }
    }
    if lane == Lane::OursLarge {
        document["authorization"] = json!({"rules": rules(MANY_RULES)});
    }
    if lane == Lane::OursAudited {
        document["audit"] =
            json!({"sink": {"cluster": "audit", "path": "/v1/audit/batches"}, "when_full": "refuse"});
    }
    document
}

/// Ten rules. Three headers tell of the caller, as those of `jwt_authn` do.
pub(crate) fn document(name: &str, jwks: &Value) -> Value {
    json!({
        "version": 1, "name": name,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["RS256", "ES256", "EdDSA"], "jwks": jwks,
            "claims": {"user_id": "sub", "tenant": "tenant", "roles": "roles"}
        }}]},
        "identity_headers": {"method": null},
        "tenancy": {"required": true, "bind": [{"path": "/tenants/{tenant}/**"}]},
        "authorization": {"rules": rules(RULES)}
    })
}

/// So many rules, each about an area of its own.
pub(crate) fn rules(count: usize) -> Vec<Value> {
    let rule = |area| {
        json!({"effect": "allow", "action": "read", "role": "viewer",
            "resource": format!("/tenants/{{tenant}}/area-{area}/**")})
    };
    (0..count).map(rule).collect()
}
