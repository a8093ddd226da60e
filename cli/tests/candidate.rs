//! A policy with a candidate, as its author tries it.

#[cfg(test)]
mod command {
    use std::path::Path;

    use assert_cmd::Command;
    use tempfile::TempDir;

    const POLICY: &str = "version: 1
authentication: {}
rules: [{name: readers, effect: allow, action: read, resource: /docs, role: reader}]
candidate:
  name: next
  authorization:
    rules: [{name: writers, effect: allow, action: read, resource: /docs, role: writer}]
";

    const CASES: &str = "cases:
  - {name: a reader reads, subject: {id: a, roles: [reader]}, request: 'GET https://a/docs', expect: {permit: {rules: [readers]}}}
";

    fn folder(policy: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        std::fs::write(folder.path().join("cases.yaml"), CASES).unwrap();
        folder
    }

    fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.current_dir(folder).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    #[test]
    fn the_live_policy_is_asked_unless_the_candidate_is_asked_for() {
        let folder = folder(POLICY);
        let (status, said) = run(folder.path(), &["test"]);
        assert!(status == 0 && said.contains("1 passed") && said.contains("100 %"), "{said}");
        let (status, said) = run(folder.path(), &["test", "--candidate"]);
        assert!(status == 1 && said.contains("insufficient_role, rules [writers]"), "{said}");
        let explain = ["explain", "policy.yaml", "--request", "GET https://a/docs"];
        let subject = ["--subject", r#"{"id": "b", "roles": ["writer"]}"#];
        let (status, said) = run(folder.path(), &[&explain[..], &subject].concat());
        assert!(status == 1 && said.starts_with("not_applicable, insufficient_role, by readers"), "{said}");
        let (status, said) = run(folder.path(), &[&explain[..], &subject, &["--candidate"]].concat());
        assert!(status == 0 && said.starts_with("permit, by writers"), "{said}");
    }

    #[test]
    fn a_policy_without_one_has_none_to_ask() {
        let folder = folder(POLICY.split("candidate:").next().unwrap());
        let (status, said) = run(folder.path(), &["test", "--candidate"]);
        assert!(status == 2 && said.contains("has no candidate"), "{said}");
    }

    #[test]
    fn what_is_wrong_with_it_is_found_at_its_line() {
        let folder = folder(&POLICY.replace(
            "action: read, resource: /docs, role: writer",
            "action: raed, resource: /docs, role: writer",
        ));
        let (status, said) = run(folder.path(), &["check", "policy.yaml"]);
        assert!(
            status == 1 && said.contains("policy.yaml:7:") && said.contains("raed") | said.contains("`read`"),
            "{said}"
        );
    }

    #[test]
    fn it_is_linted_too() {
        let open = "rules: [{name: all, effect: allow, action: read, resource: /docs, role: \"*\"}]\n    public: [{methods: [\"*\"], path: \"/**\"}]";
        let policy = POLICY.replace(
            "rules: [{name: writers, effect: allow, action: read, resource: /docs, role: writer}]",
            open,
        );
        let folder = folder(&policy);
        let (_, said) = run(folder.path(), &["check", "policy.yaml"]);
        assert!(said.contains("policy.yaml:8:"), "{said}");
    }
}
