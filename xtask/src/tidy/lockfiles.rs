//! Where dependencies come from: the public registries by their public names. A lock file that names a mirror builds on
//! one machine, and tells the world about it.

use std::path::Path;

use super::Finding;

/// The source of every crate in `Cargo.lock`.
const CRATES: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// The start of every package's address in `package-lock.json`.
const NPM: &str = "\"resolved\": \"https://registry.npmjs.org/";

/// Sources in a lock file that are no public registry.
pub(super) fn look(file: &Path, content: &str) -> Vec<Finding> {
    let (named, public): (fn(&str) -> bool, &str) = match file.file_name().and_then(|name| name.to_str()) {
        Some("Cargo.lock") => (|line| line.starts_with("source = "), CRATES),
        Some("package-lock.json") => (|line| line.starts_with("\"resolved\": "), NPM),
        _ => return Vec::new(),
    };
    let lines = (1..).zip(content.lines().map(str::trim));
    let private = lines.filter(|(_, line)| named(line) && !line.starts_with(public));
    private.map(|(number, _)| Finding::new(file, number, "comes from no public registry")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_of_ones_own_is_found() {
        let lock = format!("{CRATES}\nsource = \"git+https://example.com/a\"\n");
        assert_eq!(look(Path::new("Cargo.lock"), &lock).len(), 1);
        let lock = format!("  {NPM}a/-/a-1.0.0.tgz\",\n  \"resolved\": \"https://npm.example.com/a\",\n");
        assert_eq!(look(Path::new("testbed/x/package-lock.json"), &lock).len(), 1);
        assert!(look(Path::new("README.md"), "source = \"x\"\n").is_empty());
    }
}
