//! The committed schema and reference are those of the types.

#[cfg(test)]
mod drift {
    use std::path::Path;

    use assert_cmd::Command;

    fn is_current(file: &str, arguments: &[&str]) {
        let output = Command::new(env!("CARGO_BIN_EXE_portcullis")).args(arguments).output().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(file);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == String::from_utf8(output.stdout).unwrap(),
            "{file} is not what the types say; bring it up to date:\n\n    \
             cargo run -p portcullis-cli -- {} > {file}\n",
            arguments.join(" ")
        );
    }

    #[test]
    fn the_schema_is_current() {
        is_current("docs/portcullis.schema.json", &["schema"]);
    }

    #[test]
    fn the_reference_is_current() {
        is_current("docs/document.md", &["schema", "--format", "markdown"]);
    }
}

/// What an editor underlines by the schema is what reading refuses.
#[cfg(test)]
mod agreement {
    use std::path::Path;

    use assert_cmd::Command;
    use jsonschema::Validator;
    use portcullis_policy::document::Document;
    use serde_json::{Value, json};

    fn schema() -> Validator {
        jsonschema::draft202012::new(&Document::schema()).unwrap()
    }

    fn rendered(file: &str) -> Value {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .arg("render")
            .arg(root.join(file))
            .output()
            .unwrap();
        assert!(output.status.success(), "{file}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Pointers to every member of every object in `value`.
    fn members(value: &Value, pointer: &str, found: &mut Vec<String>) {
        let parts: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect()
            }
            Value::Array(elements) => {
                elements.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
            }
            _ => Vec::new(),
        };
        for (name, part) in parts {
            let pointer = format!("{pointer}/{name}");
            members(part, &pointer, found);
            if value.is_object() {
                found.push(pointer);
            }
        }
    }

    #[test]
    fn documents_that_load_fit_the_schema() {
        let schema = schema();
        for file in ["cli/tests/documents/shop.yaml", "examples/quickstart/policy.yaml"] {
            let document = rendered(file);
            let misfits: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
            assert_eq!(misfits, [""; 0], "{file}");
        }
    }

    #[test]
    fn whatever_the_schema_refuses_does_not_load() {
        let schema = schema();
        let document = rendered("cli/tests/documents/shop.yaml");
        let mut pointers = Vec::new();
        members(&document, "", &mut pointers);
        assert!(pointers.len() > 50, "{}", pointers.len());
        let mut refused = 0;
        for pointer in pointers {
            let (outer, name) = pointer.rsplit_once('/').unwrap();
            for replacement in [
                None,
                Some(json!(null)),
                Some(json!(7)),
                Some(json!("")),
                Some(json!([])),
                Some(json!({ "x": 1 })),
            ] {
                let mut changed = document.clone();
                let object = changed.pointer_mut(outer).unwrap().as_object_mut().unwrap();
                match &replacement {
                    Some(value) => object.insert(name.to_owned(), value.clone()),
                    None => object.remove(name),
                };
                if !schema.is_valid(&changed) {
                    refused += 1;
                    assert!(Document::from_value(changed).is_err(), "{pointer}: {replacement:?}");
                }
            }
            let mut changed = document.clone();
            if let Some(Value::Object(object)) = changed.pointer_mut(&pointer)
                && !pointer.ends_with("/roles")
            {
                object.insert("unknown".to_owned(), json!(1));
                assert!(!schema.is_valid(&changed), "{pointer}");
                assert!(Document::from_value(changed).is_err(), "{pointer}");
            }
        }
        assert!(refused > 150, "{refused}");
    }
}
