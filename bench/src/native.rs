//! Envoy's own filters, doing what they can of what the gate does.

use serde_json::{Value, json};

use crate::policy::RULES;
use crate::traffic::{AUDIENCE, ISSUER};

/// How many tokens Envoy's own cache and ours may keep; more than any measurement uses again.
const CACHED_TOKENS: u32 = 1000;

/// Verifies tokens and hands three claims on as headers.
pub(crate) fn jwt_authn(jwks: &Value, cached: bool) -> Value {
    let header = |name: &str, claim: &str| json!({"header_name": name, "claim_name": claim});
    let mut provider = json!({
        "issuer": ISSUER, "audiences": [AUDIENCE],
        "local_jwks": {"inline_string": jwks.to_string()},
        "payload_in_metadata": "claims",
        "forward": true,
        "claim_to_headers": [header("x-user-id", "sub"), header("x-tenant-id", "tenant"), header("x-user-roles", "role")]
    });
    if cached {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": CACHED_TOKENS});
    }
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"people": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "people"}}]
        }
    })
}

/// Ten policies, of which the last is about the requests. That the path's tenant is the token's cannot be said: one
/// tenant is written down.
pub(crate) fn rbac() -> Value {
    let claim = |name: &str, value: Value| {
        json!({"metadata": {
            "filter": "envoy.filters.http.jwt_authn", "path": [{"key": "claims"}, {"key": name}], "value": value
        }})
    };
    let exact = |text: &str| json!({"string_match": {"exact": text}});
    let policies: serde_json::Map<_, _> = (0..RULES)
        .map(|rule| {
            let area = format!("/tenants/acme/area-{rule}/");
            let policy = json!({
                "permissions": [{"and_rules": {"rules": [
                    {"url_path": {"path": {"prefix": area}}},
                    {"header": {"name": ":method", "string_match": {"exact": "GET"}}}
                ]}}],
                "principals": [{"and_ids": {"ids": [
                    claim("tenant", exact("acme")),
                    claim("roles", json!({"list_match": {"one_of": exact("viewer")}}))
                ]}}]
            });
            (format!("area-{rule}"), policy)
        })
        .collect();
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": policies}
        }
    })
}

/// What stands behind the gate as it is shipped: nothing passes that it has not permitted.
pub(crate) fn guard() -> Value {
    json!({
        "name": "guard",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": {"permitted-by-portcullis": {
                "permissions": [{"any": true}],
                "principals": [{"filter_state": {"key": "wasm.portcullis_permit", "string_match": {"exact": "1"}}}]
            }}}
        }
    })
}

/// Asks a server over gRPC for each request.
pub(crate) fn ext_authz() -> Value {
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "authorizer"}, "timeout": "1s"}
        }
    })
}
