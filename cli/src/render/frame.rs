//! The frames that proxies want around a document: the shipped files, with the document put in.

use std::collections::BTreeSet;

use portcullis_filter::audit::Digest;
use portcullis_filter::config::{DELIVERS_BODIES, DISABLE_AUTHENTICATION};
use portcullis_policy::document::Problems;
use serde_json::{Value, json};

use crate::source::Source;

/// A `DiscoveryResponse` for Envoy's extension config discovery. Its version is the digest of the document.
pub(super) fn envoy(document: &Value, module: Option<&str>) -> Result<Value, FrameError> {
    let mut frame = Frame::open("envoy/policy/ecds.yaml", ECDS)?;
    let text = document.to_string();
    frame.put("/version_info", Value::from(Digest::of(text.as_bytes()).to_string()))?;
    let config = "/resources/0/typed_config/config";
    if let Some(module) = module {
        frame.put(&format!("{config}/vm_config/code/local/filename"), Value::from(module))?;
    }
    frame.put(
        &format!("{config}/vm_config/environment_variables/host_env_keys"),
        variables(document).into(),
    )?;
    if document.pointer("/request/body").is_some_and(|body| !body.is_null()) {
        // A VM of its own, for a VM keeps the environment it began with.
        frame.put(&format!("{config}/vm_config/vm_id"), "portcullis-bodies".into())?;
        frame.add(config, "allow_on_headers_stop_iteration", true.into())?;
        let variables = format!("{config}/vm_config/environment_variables");
        frame.add(&variables, "key_values", json!({ DELIVERS_BODIES: "true" }))?;
    }
    let configuration = json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text });
    frame.put(&format!("{config}/configuration"), configuration)?;
    Ok(frame.value)
}

/// An Istio `WasmPlugin` and the guard behind it.
pub(super) fn istio(document: &Value, module: Option<&str>) -> Result<Value, FrameError> {
    let name = "envoy/istio/wasmplugin.yaml";
    let (plugin, guard) =
        ISTIO.split_once("\n---\n").ok_or(FrameError::NoPlace { frame: name, pointer: String::new() })?;
    let mut frame = Frame::open(name, plugin)?;
    if let Some(module) = module {
        frame.put("/spec/url", Value::from(module))?;
    }
    let from_host = |variable| json!({ "name": variable, "valueFrom": "HOST" });
    frame.put("/spec/vmConfig/env", variables(document).into_iter().map(from_host).collect())?;
    frame.put("/spec/pluginConfig", document.clone())?;
    let guard = Frame::open(name, guard)?;
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": [frame.value, guard.value] }))
}

/// An Envoy Gateway `EnvoyExtensionPolicy`.
pub(super) fn envoy_gateway(document: &Value, module: Option<&str>) -> Result<Value, FrameError> {
    let mut frame = Frame::open("envoy/envoy-gateway/envoyextensionpolicy.yaml", ENVOY_GATEWAY)?;
    if let Some(module) = module {
        frame.put("/spec/wasm/0/code/image/url", Value::from(module))?;
    }
    frame.put("/spec/wasm/0/env/hostKeys", variables(document).into())?;
    frame.put("/spec/wasm/0/config", document.clone())?;
    Ok(frame.value)
}

/// Why a frame cannot take the document: the shipped file is not what this program was made for.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The shipped file is not YAML.
    #[error("{frame}: {problems}")]
    Unreadable {
        /// The shipped file.
        frame: &'static str,
        /// What is wrong with it.
        problems: Problems,
    },
    /// There is no such place in it.
    #[error("{frame}: nothing at {pointer}")]
    NoPlace {
        /// The shipped file.
        frame: &'static str,
        /// The place.
        pointer: String,
    },
}

struct Frame {
    name: &'static str,
    value: Value,
}

impl Frame {
    fn open(name: &'static str, text: &str) -> Result<Self, FrameError> {
        let source = Source::from_text(name.to_owned(), text.to_owned());
        let value = source.value.map_err(|problems| FrameError::Unreadable { frame: name, problems })?;
        Ok(Self { name, value })
    }

    /// Adds a member to the object at `pointer`.
    fn add(&mut self, pointer: &str, name: &str, value: Value) -> Result<(), FrameError> {
        let object = self.value.pointer_mut(pointer).and_then(Value::as_object_mut);
        let no_place = FrameError::NoPlace { frame: self.name, pointer: pointer.to_owned() };
        object.ok_or(no_place)?.insert(name.to_owned(), value);
        Ok(())
    }

    /// Puts `value` where the frame has something already.
    fn put(&mut self, pointer: &str, value: Value) -> Result<(), FrameError> {
        let place = self.value.pointer_mut(pointer);
        *place.ok_or_else(|| FrameError::NoPlace { frame: self.name, pointer: pointer.to_owned() })? = value;
        Ok(())
    }
}

/// Names of the environment variables that the filter looks up for `document`: its secrets, and the second lock.
fn variables(document: &Value) -> Vec<String> {
    let methods = document.pointer("/authentication/methods").and_then(Value::as_array);
    let secrets = methods.into_iter().flatten().filter_map(|method| method.pointer("/jwt/secret")?.as_str());
    let names = secrets.filter_map(|secret| secret.strip_prefix("${")?.strip_suffix('}'));
    let names: BTreeSet<&str> = names.chain([DISABLE_AUTHENTICATION]).collect();
    names.into_iter().map(str::to_owned).collect()
}

const ECDS: &str = include_str!("../../../envoy/policy/ecds.yaml");
const ISTIO: &str = include_str!("../../../envoy/istio/wasmplugin.yaml");
const ENVOY_GATEWAY: &str = include_str!("../../../envoy/envoy-gateway/envoyextensionpolicy.yaml");
