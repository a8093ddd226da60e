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
