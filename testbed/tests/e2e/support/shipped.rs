//! The shipped Envoy configuration with one thing changed, to see what stands when that thing fails.

use std::path::Path;

use portcullis_testbed::envoy_config::read_yaml;
use serde_json::Value;
use tempfile::TempDir;

use super::root;

/// A copy of `envoy/` that [`portcullis_testbed::bed::BedOptions::root`] can point to.
#[derive(Debug)]
pub(crate) struct Shipped {
    folder: TempDir,
}

impl Shipped {
    /// The files as they are.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir_all(folder.path().join("envoy/policy")).expect("the folder can be written");
        let shipped = Self { folder };
        for file in ["envoy/envoy.yaml", "envoy/policy/ecds.yaml"] {
            shipped.write(file, &read_yaml(&root().join(file)).expect("a shipped file"));
        }
        shipped
    }

    /// What happens to requests when the VM fails, in place of `FAIL_RELOAD`.
    pub(crate) fn failure_policy(self, policy: &str) -> Self {
        let file = "envoy/policy/ecds.yaml";
        let mut config = self.read(file);
        let place = config.pointer_mut("/resources/0/typed_config/config/failure_policy");
        *place.expect("the shipped filter says what happens when it fails") = policy.into();
        self.write(file, &config);
        self
    }

    /// Changes the HTTP filters, in their order.
    pub(crate) fn http_filters(self, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        self.manager(|manager| {
            change(manager["http_filters"].as_array_mut().expect("the shipped listener has filters"));
        })
    }

    /// Changes a setting that the HTTP connection manager has as shipped.
    pub(crate) fn setting(self, name: &str, value: &str) -> Self {
        self.manager(|manager| *manager.get_mut(name).expect("it is shipped with this set") = value.into())
    }

    /// Adds settings to the HTTP connection manager, or changes them.
    pub(crate) fn settings(self, settings: Value) -> Self {
        self.manager(|manager| put(manager, &settings))
    }

    /// Adds settings to a cluster, or changes them.
    pub(crate) fn cluster(self, name: &str, settings: Value) -> Self {
        let file = "envoy/envoy.yaml";
        let mut config = self.read(file);
        let clusters = config["static_resources"]["clusters"].as_array_mut().expect("it has clusters");
        let cluster = clusters.iter_mut().find(|cluster| cluster["name"] == name).expect("it has that one");
        put(cluster, &settings);
        self.write(file, &config);
        self
    }

    fn manager(self, change: impl FnOnce(&mut Value)) -> Self {
        let file = "envoy/envoy.yaml";
        let mut config = self.read(file);
        let place =
            config.pointer_mut("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config");
        change(place.expect("the shipped listener has a connection manager"));
        self.write(file, &config);
        self
    }

    /// The folder that holds `envoy/`.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    fn read(&self, file: &str) -> Value {
        read_yaml(&self.folder.path().join(file)).expect("a file written before")
    }

    fn write(&self, file: &str, config: &Value) {
        // JSON is YAML.
        std::fs::write(self.folder.path().join(file), config.to_string()).expect("the folder can be written");
    }
}

fn put(place: &mut Value, settings: &Value) {
    for (name, value) in settings.as_object().expect("an object") {
        place[name] = value.clone();
    }
}
