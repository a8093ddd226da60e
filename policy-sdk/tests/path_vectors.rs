//! Published path normalisation cases of Envoy and Istio against [`portcullis_policy::path`].
//!
//! The rule: no path is read in two ways. A refusal is always safe. Where we accept, refusing mode must agree with
//! every reference reading of that path, whatever its configuration, and normalising mode with every reference that is
//! configured to normalise as ours does. The cases are not part of the project: the test reads them next to the
//! workspace and says so when they are absent.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the vectors are files")]
mod vectors {
    use std::path::Path;

    use portcullis_policy::path::{PathMode, canonicalize};
    use serde_json::Value;

    /// Reference configurations that merge slashes, resolve dots or leave alone what the other inputs lack; the rest
    /// unescape separators or keep empty segments, which our normalising mode never does.
    const NORMALIZING: [&str; 10] = [
        "MERGE_SLASHES",
        "DECODE_AND_MERGE_SLASHES",
        "normalize_path",
        "merge_slashes",
        "remove_query_and_fragment",
        "uhv:default",
        "uhv:KEEP_UNCHANGED",
        "uhv:REJECT_REQUEST",
        "uhv:preserve_percent_encoded_case",
        "uhv:default(no backslash translation)",
    ];

    struct Case {
        id: String,
        configuration: String,
        connect: bool,
        input: String,
        /// The path the reference forwards; `None` when it refuses.
        reading: Option<String>,
    }

    fn cases(file: &str) -> Option<Vec<Case>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/paths").join(file);
        let Ok(text) = std::fs::read(&path) else {
            eprintln!("paths: NOT RUN, no file ../shared/vectors/paths/{file} beside the workspace");
            return None;
        };
        let document: Value = serde_json::from_slice(&text).unwrap();
        let cases = document["cases"].as_array().unwrap();
        let text_of = |case: &Value, name: &str| case[name].as_str().map(str::to_owned);
        let read = |(index, case): (usize, &Value)| {
            let input = text_of(case, "input").unwrap();
            let configuration = text_of(case, "config").or_else(|| text_of(case, "mode")).unwrap();
            let expected = text_of(case, "expect_path").or_else(|| text_of(case, "expect"));
            Case {
                id: format!("{file}#{index} {configuration} {input:?}"),
                connect: text_of(case, "method").as_deref() == Some("CONNECT"),
                reading: expected.filter(|expected| expected != "REJECT"),
                configuration,
                input,
            }
        };
        Some(cases.iter().enumerate().map(read).collect())
    }

    /// The reading in the spelling of RFC 3986 section 6.2.2, so that only differences in meaning count. Written
    /// apart from the code under test, and as plainly as possible.
    fn spelt_canonically(path: &str) -> String {
        let mut pieces = path.split('%');
        let mut spelt = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let escape = piece.split_at_checked(2);
            match escape.and_then(|(digits, rest)| Some((u8::from_str_radix(digits, 16).ok()?, rest))) {
                Some((byte, rest)) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                    spelt.push(char::from(byte));
                    spelt.push_str(rest);
                }
                Some((byte, rest)) => spelt.push_str(&format!("%{byte:02X}{rest}")),
                None => spelt.push_str(&format!("%{piece}")),
            }
        }
        spelt
    }

    fn path_of(target: &str) -> &str {
        target.split('?').next().unwrap()
    }

    /// Whether our answer to the case, in this mode, is a refusal or the reference's reading.
    fn is_read_in_one_way(case: &Case, mode: PathMode) -> bool {
        let Ok(ours) = canonicalize(case.input.as_bytes(), mode) else { return true };
        let reading = case.reading.as_deref().map(path_of).map(spelt_canonically);
        reading.as_deref() == Some(ours.path.as_str())
    }

    #[test]
    fn no_path_is_read_in_two_ways() {
        let (mut passed, mut failed, mut accepted, mut others) = (0, Vec::new(), 0, Vec::new());
        for file in ["envoy_path_normalization.json", "istio_path_normalization.json"] {
            for case in cases(file).unwrap_or_default() {
                if case.connect && !case.input.is_empty() {
                    // What the reference refuses here is the method, which the path does not know.
                    others.push(case.id);
                    continue;
                }
                accepted += usize::from(canonicalize(case.input.as_bytes(), PathMode::Refuse).is_ok());
                let normalizing = NORMALIZING.contains(&case.configuration.as_str());
                let good = is_read_in_one_way(&case, PathMode::Refuse)
                    && (!normalizing || is_read_in_one_way(&case, PathMode::Normalize));
                if good { passed += 1 } else { failed.push(case.id) }
            }
        }
        if passed == 0 && failed.is_empty() {
            return;
        }
        eprintln!(
            "paths: {passed} passed, {} failed ({accepted} accepted, the others refused with 400); not about paths: {others:?}",
            failed.len()
        );
        failed.iter().for_each(|id| eprintln!("  failed: {id}"));
        assert!(failed.is_empty(), "{} failed", failed.len());
        assert_eq!(passed + others.len(), 84 + 345, "cases are missing from the folder");
        assert!(accepted > 120, "a gate that refuses everything is not safe, it is shut: {accepted}");
    }
}
