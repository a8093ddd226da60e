//! Every report of another gate or engine that was studied has a case here: in the corpus, or as a test that is named after
//! it. A case may go, or be renamed, only with its report.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_tests::corpus::Corpus;

/// Reports about paths, and about policy engines and their lives: the beginning of the names of their cases. A CVE or an
/// advisory by its id, else the project and what it is about.
const REPORTS: [&str; 38] = [
    "ag_deny",
    "authorino_649",
    "authorino_651",
    "authorino_hmac",
    "authorino_well_known_attributes",
    "cve_2020_8595",
    "cve_2021_29492",
    "cve_2021_31920",
    "cve_2021_32779",
    "cve_2021_39155",
    "cve_2021_39156",
    "cve_2022_21679",
    "cve_2022_24112",
    "cve_2023_27487",
    "cve_2024_31452",
    "cve_2024_56323",
    "cve_2025_46331",
    "cve_2025_46821",
    "cve_2025_54576",
    "cve_2026_33494",
    "cve_2026_33495",
    "cve_2026_39350",
    "cve_2026_39852",
    "cve_2026_40575",
    "cve_2026_50572",
    "cve_2026_53713",
    "cve_2026_53718",
    "cve_2026_73511",
    "cve_2026_73547",
    "cve_2026_73551",
    "cve_2026_73553",
    "cve_2026_76835",
    "envoy_gateway_fail_open",
    "ghsa_g2pf_6v5v_qcc8",
    "ghsa_pxq7",
    "kong_run_on_preflight",
    "path_views",
    "wasm_shim_9a9cc21",
];

/// Where tests are that are no cases of the corpus.
const TESTS: [&str; 5] = ["policy-sdk/tests", "filter/tests", "cli/tests", "tests/tests", "testbed/tests"];

/// The names of the functions of every Rust file below a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            let after_fn = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.extend(after_fn.map(str::to_owned));
        }
    }
}

#[test]
fn every_report_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    TESTS.iter().for_each(|folder| functions(&root.join(folder), &mut names));
    let corpus = Corpus::load().expect("the corpus");
    names.extend(corpus.files.into_iter().flat_map(|file| file.cases).map(|case| case.id));
    let without: Vec<_> =
        REPORTS.iter().filter(|report| !names.iter().any(|name| name.starts_with(**report))).collect();
    assert!(without.is_empty(), "no case is named after {without:?}");
}
