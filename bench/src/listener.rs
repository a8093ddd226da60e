//! Envoy's configuration: a listener for each lane, in front of the same direct response.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::lane::Lane;
use crate::stage::Place;

/// How many tokens Envoy's own cache and ours may keep; more than any measurement uses again.
const CACHED_TOKENS: u32 = 1000;

/// How many rules decide: the requests are about the last one.
const RULES: usize = 10;

/// How many there are where there are many.
const MANY_RULES: usize = 100_000;

/// The type of a filter in WebAssembly.
const WASM_FILTER: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// The listener and the filter whose policy is pushed.
pub(crate) const PUSHED: &str = "pushed";

/// The file that the policy is discovered in.
pub(crate) const DISCOVERED: &str = "discovery.json";

/// The issuer of all tokens.
pub(crate) const ISSUER: &str = "https://auth.example.com";

/// The audience of all tokens.
pub(crate) const AUDIENCE: &str = "api.example.com";

/// What all requests ask for; the last of the rules allows it, and the tenant in it is the tokens'.
pub(crate) const TARGET: &str = "/tenants/acme/area-9/objects/42?page=2";

/// What the listeners need to know.
pub(crate) struct Parts<'a> {
    pub(crate) module: &'a Path,
    pub(crate) empty: &'a Path,
    /// What the module may use of a host that lends it no cryptography.
    pub(crate) alone: &'a Value,
    pub(crate) jwks: Value,
    pub(crate) sink: u16,
    pub(crate) authorizer: u16,
}

/// Envoy's configuration: one listener for each of these lanes, on ports that the system picks.
///
/// # Errors
/// When a path is no UTF-8.
pub(crate) fn bootstrap(parts: &Parts<'_>, places: &[Place], port: u16) -> Result<String> {
    parts.module.to_str().context("the module's path is no UTF-8")?;
    let listeners: Vec<_> =
        places.iter().map(|place| listener(&place.name(), port, filters(*place, parts))).collect();
    let mut authorizer = cluster("authorizer", parts.authorizer);
    authorizer["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}}
        }
    });
    let config = json!({
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": listeners,
            "clusters": [cluster("audit", parts.sink), authorizer]
        }
    });
    Ok(config.to_string())
}

fn filters(place: Place, parts: &Parts<'_>) -> Vec<Value> {
    let Place { lane, .. } = place;
    let ours = || wasm(lane.name(), &place.name(), parts.module, Some(policy(place, parts)));
    match lane {
        Lane::Bare => vec![],
        Lane::Empty => vec![wasm(lane.name(), &place.name(), parts.empty, None)],
        Lane::Native => vec![jwt_authn(&parts.jwks, false)],
        Lane::NativeCached => vec![jwt_authn(&parts.jwks, true)],
        Lane::NativeRbac => vec![jwt_authn(&parts.jwks, false), rbac()],
        Lane::NativeCachedRbac => vec![jwt_authn(&parts.jwks, true), rbac()],
        Lane::ExtAuthz => vec![ext_authz()],
        Lane::Ours | Lane::OursAudited | Lane::OursAuthentication | Lane::OursLarge => vec![ours()],
        Lane::OursGuarded => vec![ours(), guard()],
        Lane::OursAlone => {
            let mut filter = ours();
            filter["typed_config"]["config"]["vm_config"]["capability_restriction_config"] =
                parts.alone.clone();
            vec![filter]
        }
    }
}

fn listener(name: &str, port: u16, mut filters: Vec<Value>) -> Value {
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    }));
    json!({
        "name": name,
        "address": address(port),
        "connection_balance_config": {"exact_balance": {}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                "use_remote_address": true,
                "strip_any_host_port": true,
                "strip_trailing_host_dot": true,
                "http_filters": filters,
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                    {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}
                ]}]}
            }
        }]}]
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}
    })
}

/// A filter in a VM of this name: all of one name share it, and nothing else.
fn wasm(vm: &str, name: &str, module: &Path, configuration: Option<Value>) -> Value {
    let mut config = json!({
        "name": name, "root_id": name, "failure_policy": "FAIL_RELOAD",
        "vm_config": {
            "vm_id": vm, "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module}}
        }
    });
    if let Some(document) = configuration {
        config["configuration"] = json!({
            "@type": "type.googleapis.com/google.protobuf.StringValue", "value": document.to_string()
        });
    }
    json!({
        "name": name,
        "typed_config": {"@type": WASM_FILTER, "config": config}
    })
}

fn jwt_authn(jwks: &Value, cached: bool) -> Value {
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
fn rbac() -> Value {
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

fn guard() -> Value {
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

fn ext_authz() -> Value {
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "authorizer"}, "timeout": "1s"}
        }
    })
}

/// Envoy's configuration: one listener whose filter is discovered in this folder.
pub(crate) fn discovering(folder: &Path) -> Value {
    let source = json!({"path": folder.join(DISCOVERED), "watched_directory": {"path": folder}});
    let filter = json!({
        "name": PUSHED,
        "config_discovery": {
            "type_urls": [WASM_FILTER], "config_source": {"path_config_source": source}
        }
    });
    json!({
        "node": {"id": "bench", "cluster": "bench"},
        "admin": {"address": address(0)},
        "static_resources": {"listeners": [listener(PUSHED, 0, vec![filter])]}
    })
}

/// What is discovered: the gate with so many rules, the first of them about this action.
pub(crate) fn discovery(module: &Path, jwks: &Value, count: usize, action: &str) -> Value {
    let mut document = document(PUSHED, jwks);
    let mut rules = rules(count);
    rules[0]["action"] = json!(action);
    document["authorization"] = json!({"rules": rules});
    let mut resource = wasm(PUSHED, PUSHED, module, Some(document));
    resource["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    json!({"version_info": action, "resources": [resource]})
}

/// The same as `jwt_authn` and `rbac`, and the tenant bound to the path.
fn policy(place: Place, parts: &Parts<'_>) -> Value {
    let Place { lane, .. } = place;
    let mut document = document(&place.name(), &parts.jwks);
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
fn document(name: &str, jwks: &Value) -> Value {
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
fn rules(count: usize) -> Vec<Value> {
    let rule = |area| {
        json!({"effect": "allow", "action": "read", "role": "viewer",
            "resource": format!("/tenants/{{tenant}}/area-{area}/**")})
    };
    (0..count).map(rule).collect()
}
