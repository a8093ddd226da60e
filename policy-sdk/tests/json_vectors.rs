//! The published JSON test suite against [`portcullis_policy::json`]: what every parser must accept is accepted,
//! what every parser must refuse is refused, and nothing it contains makes the reader panic or exhaust a stack.
//!
//! The suite is not part of the project: the test reads it next to the workspace and says so when it is absent.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the suite is a folder of files")]
mod suite {
    use std::path::{Path, PathBuf};

    use portcullis_policy::json::{JsonError, parse};

    /// Texts that the suite calls valid and we refuse on purpose: a member named twice (RFC 8259 section 4).
    const REFUSED_DUPLICATES: [&str; 2] =
        ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

    fn folder(name: &str) -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(name);
        if !folder.is_dir() {
            eprintln!("{name}: NOT RUN, no folder ../shared/vectors/{name} beside the workspace");
            return None;
        }
        Some(folder)
    }

    fn texts(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut texts: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| {
                (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
            })
            .collect();
        texts.sort();
        texts
    }

    #[test]
    fn parsing_suite() {
        let Some(folder) = folder("json_test_suite/test_parsing") else { return };
        let (mut passed, mut failed, mut either) = (0, Vec::new(), (0, 0));
        for (name, text) in texts(&folder) {
            let answer = parse(&text);
            let good = if REFUSED_DUPLICATES.contains(&name.as_str()) {
                matches!(answer, Err(JsonError::DuplicateMember { .. }))
            } else if name.starts_with("y_") {
                // Not only accepted: read as the plain reader of the field reads it.
                answer.as_ref().ok() == serde_json::from_slice(&text).ok().as_ref() && answer.is_ok()
            } else if name.starts_with("n_") {
                answer.is_err()
            } else {
                match answer {
                    Ok(_) => either.0 += 1,
                    Err(_) => either.1 += 1,
                }
                true
            };
            if good { passed += 1 } else { failed.push(name) }
        }
        eprintln!(
            "json parsing: {passed} passed, {} failed (of these {} left to the reader: {} accepted, {} refused) {failed:?}",
            failed.len(),
            either.0 + either.1,
            either.0,
            either.1
        );
        assert!(failed.is_empty(), "{failed:?}");
        assert!(passed > 300, "the suite has 318 texts, only {passed} were read");
    }

    #[test]
    fn transform_suite() {
        let Some(folder) = folder("json_test_suite/test_transform") else { return };
        let (mut passed, mut failed) = (0, Vec::new());
        for (name, text) in texts(&folder) {
            let answer = parse(&text);
            // An answer is either a refusal or the only value the text can stand for.
            let good = match &answer {
                Ok(value) => {
                    !name.contains("same_key") && serde_json::from_slice(&text).ok().as_ref() == Some(value)
                }
                Err(JsonError::DuplicateMember { .. }) => name.contains("same_key"),
                Err(_) => name.contains("invalid_codepoint"),
            };
            if good { passed += 1 } else { failed.push((name, answer)) }
        }
        eprintln!("json transform: {passed} passed, {} failed {failed:?}", failed.len());
        assert!(failed.is_empty(), "{failed:?}");
        assert!(passed > 20, "the suite has 22 texts, only {passed} were read");
    }
}
