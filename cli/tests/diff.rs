//! `portcullis diff` as the author of a change runs it.

#[cfg(test)]
mod command {
    use std::path::Path;

    use assert_cmd::Command;

    const CASES: &str = "subjects: {alice: {id: alice, tenant: acme, roles: [viewer]}}\n\
        cases:\n  - {name: reads, subject: alice, request: 'GET https://a/v1/objects/7', expect: permit}\n  \
        - {name: creates, subject: alice, request: 'POST https://a/v1/objects', expect: {deny: insufficient_permissions}}\n";

    /// Compares the shop's policy with what `edit` makes of it.
    fn diff(edit: impl Fn(String) -> String, more: &[&str]) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/shop.yaml");
        let shop = std::fs::read_to_string(shop).unwrap();
        for (name, text) in [("old.yaml", shop.clone()), ("new.yaml", edit(shop)), ("c.yaml", CASES.into())] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.current_dir(folder.path()).args(["diff", "old.yaml", "new.yaml"]).args(more);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    fn let_viewers_create(policy: String) -> String {
        policy.replace("[\"objects:read\"]}", "[\"objects:read\", \"objects:create\"]}")
    }

    #[test]
    fn the_same_policy_in_another_order_does_not_differ() {
        assert_eq!(diff(|policy| policy, &["--cases", "c.yaml"]).0, 0);
        let (status, said) = diff(
            |policy| policy.replace("methods: [GET], path: /healthz", "path: /healthz, methods: [GET]"),
            &[],
        );
        assert_eq!((status, said.as_str()), (0, "0 parts differ, 0 answers differ\n"));
    }

    #[test]
    fn what_is_added_removed_and_changed_is_named() {
        let (status, said) = diff(
            |policy| {
                let policy = let_viewers_create(policy);
                policy
                    .replace(
                        "role: editor}]",
                        "role: editor}, {name: all, effect: deny, action: delete, resource: /, role: admin}]",
                    )
                    .replace("  public: [{methods: [GET], path: /healthz}]\n", "")
            },
            &[],
        );
        assert_eq!(status, 1, "{said}");
        for line in ["changed roles viewer\n", "added   rules all\n", "removed public {"] {
            assert!(said.contains(line), "{said}");
        }
        assert!(said.ends_with("3 parts differ, 0 answers differ\n"), "{said}");
    }

    #[test]
    fn a_case_that_is_answered_in_another_way_shows_both_answers() {
        let (status, said) = diff(let_viewers_create, &["--cases", "c.yaml"]);
        assert_eq!(status, 1, "{said}");
        assert!(
            said.contains(
                "creates\n  - deny: insufficient_permissions, tenant acme\n  + permit, tenant acme\n"
            ),
            "{said}"
        );
        assert!(!said.contains("reads\n"), "{said}");
        let (_, said) = diff(let_viewers_create, &["--cases", "c.yaml", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said.pointer("/answers/0/case").unwrap(), "creates");
        assert_eq!(said.pointer("/parts/0/name").unwrap(), "viewer");
    }

    #[test]
    fn what_cannot_be_read_is_compared_with_nothing() {
        assert_eq!(diff(|_| String::new(), &[]).0, 2);
        assert_eq!(diff(|_| "a: [".to_owned(), &[]).0, 2);
        assert_eq!(diff(|_| "version: 1".to_owned(), &[]).0, 2);
        assert_eq!(diff(|policy| policy, &["--cases", "missing.yaml"]).0, 2);
        assert_eq!(diff(|policy| policy, &["--cases", "old.yaml"]).0, 2);
    }
}
