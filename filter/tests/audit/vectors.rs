//! The published RFC 8785 pairs against our encoder.
//!
//! Half of them need what a record never holds: a fraction, an exponent or `null`. For those the right answer is a
//! refusal that names it. The vectors are not part of the project: they are read next to the workspace.

use std::fs;
use std::path::Path;

use portcullis_filter::audit::{OutOfSubset, Value};

/// Every pair, and what our subset owes: the published form, or the reason there is none.
const PAIRS: [(&str, Option<OutOfSubset>); 6] = [
    ("arrays", Some(OutOfSubset::Null)),
    ("french", None),
    ("structures", Some(OutOfSubset::Fraction)), // 56.0
    ("unicode", None),
    ("values", Some(OutOfSubset::Null)), // `literals` is read before `numbers`, which hold fractions
    ("weird", None),
];

#[test]
fn published_canonical_forms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/jcs/testdata");
    if !folder.is_dir() {
        eprintln!("jcs: NOT RUN, no folder ../shared/vectors/jcs/testdata beside the workspace");
        return;
    }
    let read = |part: &str, name: &str| {
        fs::read(folder.join(part).join(format!("{name}.json"))).expect("both files of a pair are there")
    };
    let mut failed = Vec::new();
    for (name, refusal) in PAIRS {
        let input: serde_json::Value =
            serde_json::from_slice(&read("input", name)).expect("the input is JSON");
        let ours = Value::try_from(input).map(|value| value.encode());
        let owed = match refusal {
            None => Ok(String::from_utf8(read("output", name)).expect("canonical JSON is UTF-8")),
            Some(why) => Err(why),
        };
        if ours != owed {
            failed.push(format!("{name}: {ours:?} instead of {owed:?}"));
        }
    }
    println!("jcs: {} passed, {} failed", PAIRS.len() - failed.len(), failed.len());
    assert_eq!(failed, Vec::<String>::new());
}
