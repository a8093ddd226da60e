//! `portcullis explain` as people run it.

#[cfg(test)]
mod command {
    use std::path::Path;

    use assert_cmd::Command;
    use serde_json::Value;

    fn explain(arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents"));
        command.env("SHOP_SERVICES_SECRET", "0123456789abcdef0123456789abcdef");
        let output = command.args(["explain", "shop.yaml"]).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    const REQUEST: [&str; 2] = ["--request", "GET https://api.example.com/v1/objects/7"];

    #[test]
    fn a_permit_is_drawn_as_a_tree() {
        let subject = r#"{"id": "alice", "tenant": "acme", "roles": ["operator"]}"#;
        let (status, out, err) = explain(&[&REQUEST[..], &["--subject", subject]].concat());
        assert_eq!((status, err.as_str()), (0, ""));
        let expected = "\
permit, by routes/0
├── route: noted (`routes/0`: a caller is needed)
├── caller: noted (known)
│   └── role `operator`: noted (is also `viewer`)
├── tenancy: met (acts in its own tenant)
└── route `routes/0`: permit
    └── permission: met (`objects:read`)
";
        assert_eq!(out, expected);
    }

    #[test]
    fn a_denial_says_so_in_its_status_and_in_json() {
        let subject = r#"{"id": "bob", "tenant": "acme", "attributes": {"pin": "hidden"}}"#;
        let more = ["--subject", subject, "--header", "x-key: hidden", "--json"];
        let (status, out, err) = explain(&[&REQUEST[..], &more].concat());
        assert_eq!((status, err.as_str()), (1, ""));
        assert!(!out.contains("hidden"), "{out}");
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&told["decision"], &told["code"]), (&"deny".into(), &"insufficient_permissions".into()));
        assert_eq!(told.pointer("/tree/3/children/0/verdict"), Some(&"unmet".into()));
    }

    #[test]
    fn nobody_is_asked_who_it_is() {
        let (status, out, _) = explain(&REQUEST);
        let last = "└── caller: deny (nobody, and one is needed)\n";
        assert!(
            status == 1 && out.starts_with("deny, missing_token, by routes/0\n") && out.ends_with(last),
            "{out}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_wrong_usage() {
        let request = |line| ["--request", line].to_vec();
        for (arguments, expected) in [
            (request("GET"), "--request: expected a method, a blank and a URL"),
            (request("GET /v1"), "--request: the URL has no scheme and host"),
            (
                request("GET https://a.example/a/%2e%2e/b"),
                "refuses this path before any policy: ambiguous_path",
            ),
            ([&REQUEST[..], &["--header", "x"]].concat(), "--header: expected `name: value`"),
            ([&REQUEST[..], &["--subject", "{"]].concat(), "--subject: "),
            ([&REQUEST[..], &["--subject", "missing.json"]].concat(), "missing.json"),
            ([&REQUEST[..], &["--time", "yesterday"]].concat(), "time"),
        ] {
            let (status, out, err) = explain(&arguments);
            assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
            assert!(err.contains(expected), "{arguments:?}: {err}");
        }
    }
}
