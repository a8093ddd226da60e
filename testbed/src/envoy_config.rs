//! The shipped files of `envoy/`, read and given other ports and paths: what is tested is what is shipped. Nothing else
//! of them is changed, and a file that lacks a place to put a port or path is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

/// The name of the listener and of the ECDS resource in the shipped files.
pub const LISTENER: &str = "gate";

/// The name of the filter in the shipped files.
pub const FILTER: &str = "portcullis";

/// What tells the filter that its host delivers bodies.
const DELIVERS_BODIES: &str = "PORTCULLIS_DELIVERS_BODIES";

/// The ports of a bootstrap configuration.
#[derive(Clone, Debug)]
pub struct Places {
    /// Where requests come in; port 0 lets the system pick.
    pub gate: SocketAddr,
    /// Where Envoy's administration listens; port 0 lets the system pick.
    pub admin: SocketAddr,
    /// The addresses of clusters, by name; those not named keep what the file says.
    pub clusters: BTreeMap<String, SocketAddr>,
}

/// What goes into the wasm filter.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The module.
    pub module: PathBuf,
    /// The policy document.
    pub document: Value,
    /// How the document is handed to the filter.
    pub form: DocumentForm,
    /// Handed on from Envoy's environment besides what the file lists.
    pub environment_keys: Vec<String>,
}

/// How a policy document is written into Envoy's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentForm {
    /// As a `google.protobuf.Struct`, which Envoy YAML holds natively. Reaches the filter as protobuf bytes.
    Struct,
    /// As one string of JSON. Reaches the filter byte for byte.
    Text,
}

/// Reads a YAML or JSON file.
///
/// # Errors
/// When it cannot be read or is no YAML.
pub fn read_yaml(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_yaml_ng::from_str(&text).with_context(|| format!("{} is no YAML", path.display()))
}

/// A bootstrap file with ports put in. `policy_file` takes the place of the file the filter is discovered from, and its
/// folder that of the folder watched.
///
/// # Errors
/// When the file cannot be read or has no place for something given.
pub fn bootstrap(file: &Path, places: &Places, policy_file: &Path) -> Result<Value> {
    let mut config = ports(file, places)?;
    let folder = policy_file.parent().context("the policy file is in no folder")?;
    let mut sources = 0;
    visit(&mut config, "path_config_source", &mut |source| {
        sources += 1;
        source["path"] = text(policy_file);
        source["watched_directory"] = json!({"path": text(folder)});
    });
    ensure!(sources == 1, "{} has {sources} discovered filters, not one", file.display());
    Ok(config)
}

/// The names of the clusters of a bootstrap file.
///
/// # Errors
/// When the file cannot be read.
pub fn cluster_names(file: &Path) -> Result<BTreeSet<String>> {
    let config = read_yaml(file)?;
    let clusters = config.pointer("/static_resources/clusters").and_then(Value::as_array);
    let names = clusters.into_iter().flatten().filter_map(|cluster| cluster["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

/// A bootstrap file that holds the filter itself, with ports and plugin put in.
///
/// # Errors
/// When the file cannot be read or has no place for something given.
pub fn bootstrap_with_plugin(file: &Path, places: &Places, plugin: &Plugin) -> Result<Value> {
    let mut config = ports(file, places)?;
    put_plugin(&mut config, file, plugin)?;
    Ok(config)
}

/// The discovery file with module and document put in.
///
/// # Errors
/// When the file cannot be read or has no place for something given.
pub fn discovery(file: &Path, plugin: &Plugin, version: u64) -> Result<Value> {
    let mut config = read_yaml(file)?;
    put_plugin(&mut config, file, plugin)?;
    config["version_info"] = version.to_string().into();
    Ok(config)
}

fn ports(file: &Path, places: &Places) -> Result<Value> {
    let mut config = read_yaml(file)?;
    let name = file.display();
    put_address(config.pointer_mut("/admin/address"), places.admin)
        .with_context(|| format!("{name} has no admin address"))?;
    let gate = named(&mut config, "/static_resources/listeners", LISTENER);
    put_address(gate.and_then(|listener| listener.get_mut("address")), places.gate)
        .with_context(|| format!("{name} has no listener {LISTENER}"))?;
    for (cluster, address) in &places.clusters {
        let found = named(&mut config, "/static_resources/clusters", cluster);
        let endpoint = found.and_then(|found| {
            found.pointer_mut("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address")
        });
        put_address(endpoint, *address)
            .with_context(|| format!("{name} has no cluster {cluster} with an endpoint"))?;
    }
    Ok(config)
}

fn put_plugin(config: &mut Value, file: &Path, plugin: &Plugin) -> Result<()> {
    let mut plugins = 0;
    visit(config, "vm_config", &mut |vm| {
        plugins += 1;
        vm["code"]["local"]["filename"] = text(&plugin.module);
        if let Some(Value::Array(keys)) = vm.pointer_mut("/environment_variables/host_env_keys") {
            let missing = plugin.environment_keys.iter().filter(|key| !keys.contains(&json!(key)));
            let missing: Vec<_> = missing.cloned().map(Value::from).collect();
            keys.extend(missing);
        }
    });
    // What envoy/README.md says to do where a document looks at bodies. A VM keeps the environment it began with: another
    // environment needs another VM.
    if !plugin.document["request"]["body"].is_null() {
        visit(config, "config", &mut |config| {
            if let Some(vm) = config.get_mut("vm_config") {
                vm["vm_id"] = json!("portcullis-bodies");
                vm["environment_variables"]["key_values"] = json!({DELIVERS_BODIES: "true"});
                // Envoy refuses a key that is both.
                if let Some(Value::Array(keys)) = vm.pointer_mut("/environment_variables/host_env_keys") {
                    keys.retain(|key| key != DELIVERS_BODIES);
                }
                config["allow_on_headers_stop_iteration"] = json!(true);
            }
        });
    }
    visit(config, "configuration", &mut |configuration| {
        *configuration = match plugin.form {
            DocumentForm::Struct => {
                json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": plugin.document})
            }
            DocumentForm::Text => json!({
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": plugin.document.to_string(),
            }),
        };
    });
    ensure!(plugins == 1, "{} has {plugins} wasm filters, not one", file.display());
    Ok(())
}

fn put_address(place: Option<&mut Value>, address: SocketAddr) -> Option<()> {
    let socket = place?.get_mut("socket_address")?;
    *socket = json!({"address": address.ip().to_string(), "port_value": address.port()});
    Some(())
}

fn named<'a>(config: &'a mut Value, list: &str, name: &str) -> Option<&'a mut Value> {
    config.pointer_mut(list)?.as_array_mut()?.iter_mut().find(|item| item["name"] == name)
}

/// Calls `change` for every member called `key` that is an object, at any depth, but not inside those it found.
fn visit(value: &mut Value, key: &str, change: &mut dyn FnMut(&mut Value)) {
    let inside = |members: &mut Map<String, Value>, change: &mut dyn FnMut(&mut Value)| {
        for (name, member) in members {
            if name == key && member.is_object() {
                change(member);
            } else {
                visit(member, key, change);
            }
        }
    };
    match value {
        Value::Object(members) => inside(members, change),
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, key, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text(path: &Path) -> Value {
    path.to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy").join(file)
    }

    fn places() -> Places {
        let port = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let clusters = [("upstream", 1), ("idp", 2), ("audit", 3)];
        Places {
            gate: port(0),
            admin: port(0),
            clusters: clusters.map(|(name, number)| (name.to_owned(), port(number))).into(),
        }
    }

    #[test]
    fn the_shipped_bootstrap_has_a_place_for_everything() {
        let config = bootstrap(&shipped("envoy.yaml"), &places(), Path::new("/policy/ecds.json")).unwrap();
        let text = config.to_string();
        assert!(text.contains(r#""path":"/policy/ecds.json""#), "{text}");
        assert!(text.contains(r#""watched_directory":{"path":"/policy"}"#), "{text}");
        assert!(!text.contains("8081") && !text.contains("9901") && !text.contains("10000"), "{text}");
    }

    #[test]
    fn the_shipped_filter_takes_module_and_document() {
        let plugin = Plugin {
            module: "/built/module.wasm".into(),
            document: json!({"version": 1}),
            form: DocumentForm::Text,
            environment_keys: vec!["EXTRA".to_owned(), "PORTCULLIS_JWT_SECRET".to_owned()],
        };
        let config = discovery(&shipped("policy/ecds.yaml"), &plugin, 7).unwrap();
        let wasm = &config["resources"][0]["typed_config"]["config"];
        assert_eq!(wasm["vm_config"]["code"]["local"]["filename"], "/built/module.wasm");
        assert_eq!(wasm["configuration"]["value"], r#"{"version":1}"#);
        assert_eq!(config["version_info"], "7");
        let keys = wasm["vm_config"]["environment_variables"]["host_env_keys"].as_array().unwrap();
        assert_eq!(keys.iter().filter(|key| *key == "PORTCULLIS_JWT_SECRET").count(), 1);
        assert!(keys.contains(&json!("EXTRA")));
    }

    #[test]
    fn a_document_that_looks_at_bodies_has_them_delivered_by_one_key() {
        let plugin = Plugin {
            module: "/built/module.wasm".into(),
            document: json!({"version": 1, "request": {"body": {}}}),
            form: DocumentForm::Struct,
            environment_keys: vec![DELIVERS_BODIES.to_owned()],
        };
        let config = discovery(&shipped("policy/ecds.yaml"), &plugin, 1).unwrap();
        let variables =
            &config["resources"][0]["typed_config"]["config"]["vm_config"]["environment_variables"];
        assert_eq!(variables["key_values"], json!({DELIVERS_BODIES: "true"}));
        assert!(!variables["host_env_keys"].as_array().unwrap().contains(&json!(DELIVERS_BODIES)));
    }

    #[test]
    fn a_cluster_that_is_not_there_is_an_error() {
        let mut places = places();
        places.clusters.insert("nowhere".to_owned(), places.admin);
        let error = bootstrap(&shipped("envoy.yaml"), &places, Path::new("/p/e.json")).unwrap_err();
        assert!(error.to_string().contains("no cluster nowhere"), "{error}");
    }
}
