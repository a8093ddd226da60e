//! `portcullis test` as the author of a policy runs it.

#[cfg(test)]
mod command {
    use std::path::Path;

    use assert_cmd::Command;

    fn test(cases: impl AsRef<[u8]>, more: &[&str]) -> (i32, String) {
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
        assert!(said.contains("3 passed, 0 failed, 0 left out; 25 % of the rules"), "{said}");
        assert_eq!(test(GOOD, &["--min-coverage", "26"]).0, 1);
    }

    #[test]
    fn a_failure_shows_both_answers_and_its_line() {
        let (status, said) = test(GOOD.replace("expect: permit", "expect: {deny: access_denied}"), &[]);
        assert_eq!(status, 1);
        assert!(said.contains(": reads\n  - expected deny: access_denied\n  + actual   permit\n"), "{said}");
    }

    #[test]
    fn build_servers_get_a_test_case_a_case() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("junit.xml");
        let path = file.to_str().unwrap();
        let failing = GOOD
            .replace("{deny: missing_token}", "permit")
            .replace("two readings", "two \u{1}<readings>")
            + "  - {name: brings a token, request: {method: GET, url: 'https://a/', headers: {authorization: x}}, expect: permit}\n";
        let failing = failing.replace("name: two \u{1}<readings>", "name: \"two \\x01<readings>\"");
        let (status, said) = test(failing, &["--junit", path]);
        assert_eq!(status, 1, "{said}");
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="portcullis test" tests="4" skipped="1" failures="1" errors="0">
    <testsuite name="cases.yaml" tests="4" skipped="1" errors="0" failures="1">
        <properties>
            <property name="coverage_percent" value="25"/>
            <property name="never_decided" value="public/0"/>
            <property name="never_decided" value="routes/1"/>
            <property name="never_decided" value="rules/0"/>
        </properties>
        <testcase name="reads" classname="cases.yaml" file="cases.yaml" line="3"/>
        <testcase name="nobody" classname="cases.yaml" file="cases.yaml" line="4">
            <failure message="expected permit, actual deny: missing_token" type="answer">cases.yaml:4: nobody
  - expected permit
  + actual   deny: missing_token</failure>
        </testcase>
        <testcase name="two &lt;readings&gt;" classname="cases.yaml" file="cases.yaml" line="5"/>
        <testcase name="brings a token" classname="cases.yaml" file="cases.yaml" line="6">
            <skipped message="needs a gateway"/>
        </testcase>
    </testsuite>
</testsuites>
"#;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);

        let missing = folder.path().join("no/folder/junit.xml");
        let (status, said) = test(GOOD, &["--junit", missing.to_str().unwrap()]);
        assert!(status == 2 && said.contains("junit.xml: "), "{said}");
        assert_eq!(test("cases: []", &["--junit", path]).0, 2);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected, "what cannot run replaces no report");
    }

    #[test]
    fn what_is_no_table_of_cases_runs_nothing() {
        for cases in ["", "cases: []", "a: [", "cases: [{name: a, expect: permit}]", "a: 1\na: 2\n"] {
            assert_eq!(test(cases, &[]).0, 2, "{cases}");
        }
        assert_eq!(test(GOOD.replace("subject: alice", "subject: bob"), &[]).0, 2);
        assert_eq!(test(GOOD, &["missing.yaml"]).0, 2);
    }

    #[test]
    fn every_example_is_as_its_cases_say() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let (mut run, mut left_out) = (0, 0);
        for entry in std::fs::read_dir(examples).unwrap() {
            let folder = entry.unwrap().path();
            if !folder.join("cases.yaml").exists() {
                continue;
            }
            let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
            let output = command.arg("test").arg(&folder).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{said}");
            left_out += said.matches(": left out: needs a gateway\n").count();
            run += 1;
        }
        assert!(run >= 7 && left_out > 0, "{run} examples, {left_out} cases left out");
    }

    #[test]
    fn rules_and_tenant_are_compared_where_they_are_expected() {
        let expect = |expect: &str| test(GOOD.replace("expect: permit", &format!("expect: {expect}")), &[]);
        let good = "{permit: {rules: [routes/0], tenant: acme, cross_tenant: false}}";
        assert_eq!(expect(good).0, 0, "{}", expect(good).1);
        for wrong in ["{rules: [routes/1]}", "{rules: []}", "{tenant: globex}", "{cross_tenant: true}"] {
            assert_eq!(expect(&format!("{{permit: {wrong}}}")).0, 1, "{wrong}");
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_shown_with_its_line_and_the_likely_one() {
        for (known, unknown) in
            [("expect", "exepct"), ("roles", "rols"), ("request", "reqest"), ("cases", "casess")]
        {
            let (status, said) = test(GOOD.replace(known, unknown), &[]);
            assert_eq!(status, 2, "{said}");
            assert!(said.contains(&format!("did you mean `{known}`")), "{said}");
            assert!(said.contains("cases.yaml:"), "{said}");
        }
    }

    #[test]
    fn what_is_too_big_no_text_or_named_twice_runs_nothing() {
        let (status, said) = test([GOOD, "#", &"x".repeat(16 << 20)].concat(), &[]);
        assert!(status == 2 && said.contains("longer than"), "{said}");
        let (status, said) = test(b"cases: [\xff]", &[]);
        assert!(status == 2 && said.contains("not UTF-8"), "{said}");
        let (status, said) = test(GOOD.replace("name: nobody", "name: reads"), &[]);
        assert!(status == 2 && said.contains("a case before has this name"), "{said}");
    }

    #[test]
    fn coverage_counts_lists_policies_grants_and_superusers() {
        let folder = tempfile::tempdir().unwrap();
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/shop.yaml");
        let more = "  superusers: {roles: [root]}\n  \
            grants: [{name: on call, subject: alice, roles: [operator]}, {subject: bob, roles: [operator]}]\n  \
            acl: [{resource: /docs/7, entries: [{actions: [read], users: [alice]}]}, \
            {name: named, resource: /docs/9, entries: [{actions: [read], users: [alice]}, {actions: [read], users: [bob]}]}]\n  \
            policies: [{name: hours, attach: {path: /v1/**}, require: {roles: {none_of: [suspended]}}}]\naudit:";
        let policy = std::fs::read_to_string(shop).unwrap().replace("audit:\n", &format!("{more}\n"));
        std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        let cases = "subjects: {alice: {id: alice, tenant: acme}, root: {id: root, tenant: acme, roles: [root]}}\n\
            cases:\n  - {name: on call, subject: alice, request: 'POST https://a/v1/objects', expect: permit}\n  \
            - {name: listed, subject: alice, request: 'GET https://a/docs/7', expect: permit}\n  \
            - {name: listed by name, subject: alice, request: 'GET https://a/docs/9', expect: permit}\n  \
            - {name: root, subject: root, request: 'GET https://a/docs/8', expect: permit}\n  \
            - {name: out, subject: {id: eve, tenant: acme, roles: [suspended, admin]}, request: 'GET https://a/v1/objects/7', expect: {deny: insufficient_role}}\n";
        std::fs::write(folder.path().join("cases.yaml"), cases).unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("test").arg(folder.path()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        for decided in ["acl/0/entries/0", "named/entries/0", "hours", "on call", "superuser"] {
            assert!(!said.contains(&format!("no case is decided by `{decided}`")), "{said}");
        }
        for missing in ["grants/1", "named/entries/1", "rules/0", "public/0"] {
            assert!(said.contains(&format!("no case is decided by `{missing}`")), "{said}");
        }
    }
}
