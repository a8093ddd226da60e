//! `portcullis test` as the author of a policy runs it.

#[cfg(test)]
mod command {
    use std::path::Path;

    use assert_cmd::Command;

    fn test(cases: &str, more: &[&str]) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
        std::fs::copy(documents.join("shop.yaml"), folder.path().join("policy.yaml")).unwrap();
        std::fs::write(folder.path().join("cases.yaml"), cases).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.current_dir(folder.path()).arg("test").args(more).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    const GOOD: &str = "subjects: {alice: {id: alice, tenant: acme, roles: [viewer]}}\n\
        cases:\n  - {name: reads, subject: alice, request: 'GET https://a/v1/objects/7', expect: permit}\n  \
        - {name: nobody, request: 'GET https://a/v1/objects/7', expect: {deny: missing_token}}\n  \
        - {name: two readings, request: 'GET https://a/v1//objects', expect: {deny: ambiguous_path}}\n";

    #[test]
    fn cases_pass_and_what_no_case_decided_is_named() {
        let (status, said) = test(GOOD, &[]);
        assert_eq!(status, 0, "{said}");
        assert!(said.contains("no case is decided by `routes/1`"), "{said}");
        assert!(said.contains("3 passed, 0 failed; 25 % of the rules"), "{said}");
        assert_eq!(test(GOOD, &["--min-coverage", "26"]).0, 1);
    }

    #[test]
    fn a_failure_shows_both_answers_and_its_line() {
        let (status, said) = test(&GOOD.replace("expect: permit", "expect: {deny: access_denied}"), &[]);
        assert_eq!(status, 1);
        assert!(said.contains(": reads\n  - expected deny: access_denied\n  + actual   permit\n"), "{said}");
    }

    #[test]
    fn what_is_no_table_of_cases_runs_nothing() {
        for cases in ["", "cases: []", "a: [", "cases: [{name: a, expect: permit}]", "a: 1\na: 2\n"] {
            assert_eq!(test(cases, &[]).0, 2, "{cases}");
        }
        assert_eq!(test(&GOOD.replace("subject: alice", "subject: bob"), &[]).0, 2);
        assert_eq!(test(GOOD, &["missing.yaml"]).0, 2);
    }
}
