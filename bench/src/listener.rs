//! Envoy's configuration: a listener for each lane, in front of the same direct response.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::lane::Lane;
use crate::native::{ext_authz, guard, jwt_authn, rbac};
use crate::place::Place;
use crate::policy::{document, policy, rules};

/// The type of a filter in WebAssembly.
const WASM_FILTER: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// The listener and the filter whose policy is pushed.
pub(crate) const PUSHED: &str = "pushed";

/// The file that the policy is discovered in.
pub(crate) const DISCOVERED: &str = "discovery.json";

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

/// The VM of a lane. Envoy compiles the module for each, which takes a second or more: lanes that are alike share one.
fn vm(lane: Lane) -> &'static str {
    match lane {
        Lane::OursAudited | Lane::OursAuthentication => "portcullis_variants",
        Lane::Bare
        | Lane::Empty
        | Lane::Native
        | Lane::NativeCached
        | Lane::NativeRbac
        | Lane::NativeCachedRbac
        | Lane::ExtAuthz
        | Lane::Ours
        | Lane::OursGuarded
        | Lane::OursAlone
        | Lane::OursLarge => lane.name(),
    }
}

fn filters(place: Place, parts: &Parts<'_>) -> Vec<Value> {
    let Place { lane, .. } = place;
    let guarded = || wasm(vm(lane), &place.name(), parts.module, Some(policy(place, &parts.jwks)));
    let ours = || unmarked(guarded());
    match lane {
        Lane::Bare => vec![],
        Lane::Empty => vec![wasm(vm(lane), &place.name(), parts.empty, None)],
        Lane::Native => vec![jwt_authn(&parts.jwks, false)],
        Lane::NativeCached => vec![jwt_authn(&parts.jwks, true)],
        Lane::NativeRbac => vec![jwt_authn(&parts.jwks, false), rbac()],
        Lane::NativeCachedRbac => vec![jwt_authn(&parts.jwks, true), rbac()],
        Lane::ExtAuthz => vec![ext_authz()],
        Lane::Ours | Lane::OursAudited | Lane::OursAuthentication | Lane::OursLarge => vec![ours()],
        Lane::OursGuarded => vec![guarded(), guard()],
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

/// The same filter, told that no guard asks for its mark.
fn unmarked(mut filter: Value) -> Value {
    filter["typed_config"]["config"]["vm_config"]["environment_variables"] =
        json!({"key_values": {"PORTCULLIS_PERMIT_MARK": "off"}});
    filter
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Traffic;

    #[test]
    fn every_place_has_its_listener_and_one_lane_alone_is_restricted() {
        let nothing = json!({"keys": []});
        let alone = json!({"allowed_capabilities": {"proxy_log": {}}});
        let parts = Parts {
            module: Path::new("/gate.wasm"),
            empty: Path::new("/empty.wasm"),
            alone: &alone,
            jwks: nothing,
            sink: 1,
            authorizer: 2,
        };
        let places: Vec<_> = [Traffic::Warm, Traffic::ColdRs256]
            .into_iter()
            .flat_map(|traffic| Lane::ALL.map(|lane| Place { lane, traffic }))
            .filter(|place| place.lane != Lane::OursLarge)
            .collect();
        let config: Value = serde_json::from_str(&bootstrap(&parts, &places, 0).unwrap()).unwrap();
        let listeners = config["static_resources"]["listeners"].as_array().unwrap();
        assert_eq!(listeners.len(), places.len());
        for (listener, place) in listeners.iter().zip(&places) {
            assert_eq!(listener["name"], place.name());
            let restricted = listener.to_string().contains("allowed_capabilities");
            assert_eq!(restricted, place.lane == Lane::OursAlone, "{}", place.name());
            let is_ours = listener.to_string().contains("/gate.wasm");
            let unmarked = listener.to_string().contains("PORTCULLIS_PERMIT_MARK");
            assert_eq!(unmarked, is_ours && place.lane != Lane::OursGuarded, "{}", place.name());
        }
        assert_eq!(places.last().unwrap().name(), "portcullis_alone_cold_rs256");
    }
}
