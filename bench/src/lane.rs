//! The listeners that are measured beside each other in one Envoy, and their configuration.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How many tokens Envoy's own cache and ours may keep; more than any measurement uses again.
const CACHED_TOKENS: u32 = 1000;

/// How many rules decide: the requests are about the last one.
const RULES: usize = 10;

/// The issuer of all tokens.
pub(crate) const ISSUER: &str = "https://auth.example.com";

/// The audience of all tokens.
pub(crate) const AUDIENCE: &str = "api.example.com";

/// What all requests ask for; the last of the rules allows it, and the tenant in it is the tokens'.
pub(crate) const TARGET: &str = "/tenants/acme/area-9/objects/42?page=2";

/// One listener: what stands in front of the same direct response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lane {
    /// Nothing: what the others are measured above.
    Bare,
    /// A filter in WebAssembly that does nothing.
    Empty,
    /// `jwt_authn`, every token verified.
    Native,
    /// `jwt_authn` with its token cache.
    NativeCached,
    /// `jwt_authn`, every token verified, and `rbac`.
    NativeRbac,
    /// `jwt_authn` with its token cache, and `rbac`.
    NativeCachedRbac,
    /// `ext_authz` to a gRPC server that permits everything.
    ExtAuthz,
    /// Portcullis without audit and without the guard.
    Ours,
    /// Portcullis without audit, with the guard behind it as it is shipped.
    OursGuarded,
    /// Portcullis with audit, batches acknowledged by a sink.
    OursAudited,
}

/// What the listeners need to know.
pub(crate) struct Parts<'a> {
    pub(crate) module: &'a Path,
    pub(crate) empty: &'a Path,
    pub(crate) jwks: Value,
    pub(crate) sink: u16,
    pub(crate) authorizer: u16,
}

impl Lane {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Bare,
        Self::Empty,
        Self::Native,
        Self::NativeCached,
        Self::NativeRbac,
        Self::NativeCachedRbac,
        Self::ExtAuthz,
        Self::Ours,
        Self::OursGuarded,
        Self::OursAudited,
    ];

    /// The listener's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Empty => "empty_wasm",
            Self::Native => "jwt_authn",
            Self::NativeCached => "jwt_authn_cached",
            Self::NativeRbac => "jwt_authn_rbac",
            Self::NativeCachedRbac => "jwt_authn_cached_rbac",
            Self::ExtAuthz => "ext_authz",
            Self::Ours => "portcullis",
            Self::OursGuarded => "portcullis_guard",
            Self::OursAudited => "portcullis_audit",
        }
    }

    /// Whether it refuses a request for its token.
    pub(crate) fn looks_at_tokens(self) -> bool {
        match self {
            Self::Bare | Self::Empty | Self::ExtAuthz => false,
            Self::Native
            | Self::NativeCached
            | Self::NativeRbac
            | Self::NativeCachedRbac
            | Self::Ours
            | Self::OursGuarded
            | Self::OursAudited => true,
        }
    }

    fn filters(self, parts: &Parts<'_>) -> Vec<Value> {
        match self {
            Self::Bare => vec![],
            Self::Empty => vec![wasm("empty", parts.empty, None)],
            Self::Native => vec![jwt_authn(&parts.jwks, false)],
            Self::NativeCached => vec![jwt_authn(&parts.jwks, true)],
            Self::NativeRbac => vec![jwt_authn(&parts.jwks, false), rbac()],
            Self::NativeCachedRbac => vec![jwt_authn(&parts.jwks, true), rbac()],
            Self::ExtAuthz => vec![ext_authz()],
            Self::Ours => vec![wasm(self.name(), parts.module, Some(policy(self, parts)))],
            Self::OursGuarded => vec![wasm(self.name(), parts.module, Some(policy(self, parts))), guard()],
            Self::OursAudited => vec![wasm(self.name(), parts.module, Some(policy(self, parts)))],
        }
    }
}

/// Envoy's configuration: one listener for each lane, on ports that the system picks.
///
/// # Errors
/// When a path is no UTF-8.
pub(crate) fn bootstrap(parts: &Parts<'_>) -> Result<String> {
    parts.module.to_str().context("the module's path is no UTF-8")?;
    let listeners: Vec<_> = Lane::ALL.into_iter().map(|lane| listener(lane, lane.filters(parts))).collect();
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

fn listener(lane: Lane, mut filters: Vec<Value>) -> Value {
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    }));
    json!({
        "name": lane.name(),
        "address": address(0),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": lane.name(),
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

fn wasm(name: &str, module: &Path, configuration: Option<Value>) -> Value {
    let mut config = json!({
        "name": name, "root_id": name, "failure_policy": "FAIL_RELOAD",
        "vm_config": {
            "vm_id": name, "runtime": "envoy.wasm.runtime.v8",
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
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config}
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

/// The same as `jwt_authn` and `rbac`, and the tenant bound to the path.
fn policy(lane: Lane, parts: &Parts<'_>) -> Value {
    let rules: Vec<_> = (0..RULES)
        .map(|rule| {
            json!({"effect": "allow", "action": "read", "role": "viewer",
            "resource": format!("/tenants/{{tenant}}/area-{rule}/**")})
        })
        .collect();
    let mut document = json!({
        "version": 1, "name": lane.name(),
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["RS256", "ES256", "EdDSA"], "jwks": parts.jwks,
            "claims": {"user_id": "sub", "tenant": "tenant", "roles": "roles"}
        }}]},
        "tenancy": {"required": true, "bind": [{"path": "/tenants/{tenant}/**"}]},
        "authorization": {"rules": rules}
    });
    if lane == Lane::OursAudited {
        document["audit"] =
            json!({"sink": {"cluster": "audit", "path": "/v1/audit/batches"}, "when_full": "refuse"});
    }
    document
}
