//! `portcullis render`: the document as each proxy reads it.

#[cfg(test)]
mod command {
    use std::path::{Path, PathBuf};

    use assert_cmd::Command;
    use portcullis_filter::audit::Digest;
    use portcullis_filter::config::Config;
    use serde_json::Value;

    fn portcullis(arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.current_dir(documents()).env_remove("SHOP_SERVICES_SECRET").args(arguments).output().unwrap()
    }

    fn documents() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
    }

    fn rendered(arguments: &[&str]) -> Value {
        let output = portcullis(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[test]
    fn json_is_canonical_and_has_the_digest_that_records_have() {
        let json = portcullis(&["render", "shop.yaml"]).stdout;
        let secret = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
        assert_eq!(Config::load(&json, &secret).unwrap().audit.unwrap().policy_digest, Digest::of(&json));
        let pretty = portcullis(&["render", "--pretty", "shop.yaml"]).stdout;
        let values = [&json, &pretty].map(|text| serde_json::from_slice::<Value>(text).unwrap());
        assert_eq!(values[0], values[1]);
        assert!(pretty.len() > json.len());
    }

    #[test]
    fn envoy_gets_a_discovery_response() {
        let document = portcullis(&["render", "shop.yaml"]).stdout;
        let response =
            rendered(&["render", "--format", "envoy", "--module", "/srv/portcullis.wasm", "shop.yaml"]);
        assert_eq!(response["version_info"], Digest::of(&document).to_string());
        let config = &response["resources"][0]["typed_config"]["config"];
        assert_eq!(config["failure_policy"], "FAIL_RELOAD");
        assert_eq!(config["configuration"]["@type"], "type.googleapis.com/google.protobuf.StringValue");
        assert_eq!(config["configuration"]["value"].as_str().unwrap().as_bytes(), document);
        assert_eq!(config["vm_config"]["code"]["local"]["filename"], "/srv/portcullis.wasm");
        let variables = &config["vm_config"]["environment_variables"]["host_env_keys"];
        assert_eq!(
            *variables,
            serde_json::json!(["PORTCULLIS_DISABLE_AUTHENTICATION", "SHOP_SERVICES_SECRET"])
        );
    }

    #[test]
    fn meshes_get_the_document_as_an_object() {
        let document = rendered(&["render", "shop.yaml"]);
        let istio = rendered(&["render", "--format", "istio", "--module", "oci://registry/x", "shop.yaml"]);
        assert_eq!(istio["items"][0]["kind"], "WasmPlugin");
        assert_eq!(istio["items"][0]["spec"]["pluginConfig"], document);
        assert_eq!(istio["items"][0]["spec"]["url"], "oci://registry/x");
        assert_eq!(istio["items"][0]["spec"]["vmConfig"]["env"][1]["name"], "SHOP_SERVICES_SECRET");
        assert_eq!(istio["items"][1]["kind"], "EnvoyFilter");
        let gateway = rendered(&["render", "--format", "envoy-gateway", "shop.yaml"]);
        assert_eq!(gateway["kind"], "EnvoyExtensionPolicy");
        assert_eq!(gateway["spec"]["wasm"][0]["config"], document);
        assert_eq!(gateway["spec"]["wasm"][0]["env"]["hostKeys"][1], "SHOP_SERVICES_SECRET");
    }

    /// A proxy that goes on without the filter when the filter fails is no gate.
    #[test]
    fn envoy_gateway_fail_open_is_in_no_form() {
        for (form, place, value) in [
            ("envoy", "/resources/0/typed_config/config/failure_policy", "FAIL_RELOAD".into()),
            ("istio", "/items/0/spec/failStrategy", "FAIL_RELOAD".into()),
            ("envoy-gateway", "/spec/wasm/0/failOpen", false.into()),
        ] {
            let rendered = rendered(&["render", "--format", form, "shop.yaml"]);
            assert_eq!(rendered.pointer(place), Some::<&Value>(&value), "{form}");
        }
    }

    #[test]
    fn a_file_is_replaced_in_one_step_and_only_by_a_good_document() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ecds.json");
        std::fs::write(&file, "old").unwrap();
        let path = file.to_str().unwrap();
        let refused = portcullis(&["render", "twelve-mistakes.yaml", "-o", path]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8(refused.stderr).unwrap().ends_with("twelve-mistakes.yaml: 12 problems\n"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");

        let opened_before = std::fs::File::open(&file).unwrap();
        assert_eq!(
            portcullis(&["render", "--format", "envoy", "shop.yaml", "-o", path]).status.code(),
            Some(0)
        );
        assert_eq!(std::io::read_to_string(opened_before).unwrap(), "old");
        assert!(
            serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap()["resources"].is_array()
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

        let nowhere = portcullis(&["render", "shop.yaml", "-o", "missing-folder/x.json"]);
        assert_eq!(nowhere.status.code(), Some(2));
    }
}
