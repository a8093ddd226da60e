//! Conditions on the body, as the commands ask about them. How a body is sent, and how long it may be, is the gate's to judge:
//! `portcullis auth test` says that.

#[cfg(test)]
mod command {
    use std::path::{Path, PathBuf};

    use assert_cmd::Command;
    use serde_json::{Value, json};

    fn portcullis(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.current_dir(folder).args(arguments).write_stdin(input).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn documents() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
    }

    /// What a body comes to, with the rules that decided; without any, `None` is asked.
    fn bodies() -> Vec<(Option<Value>, bool, &'static [&'static str])> {
        vec![
            (Some(json!({"amount": 1000, "to": "bob"})), true, &["pay"]),
            (Some(json!({"amount": 1001, "to": "bob"})), false, &["pay"]),
            (Some(json!({"amount": 7})), false, &["to-nobody"]),
            (Some(json!({"to": "bob"})), false, &["pay"]),
            (Some(json!({"amount": "7", "to": "bob"})), false, &["pay"]),
            (Some(json!([{"amount": 7, "to": "bob"}])), false, &["to-nobody"]),
            (None, false, &["pay", "to-nobody"]),
            (Some(json!({"amount": 7, "to": "bob", "note": "x".repeat(1000)})), true, &["pay"]),
        ]
    }

    #[test]
    fn cases_have_bodies() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(documents().join("payments.yaml"), folder.path().join("policy.yaml")).unwrap();
        let test = |cases: &Value| {
            let table = json!({"subjects": {"alice": {"id": "alice"}}, "cases": cases});
            std::fs::write(folder.path().join("cases.yaml"), table.to_string()).unwrap();
            portcullis(folder.path(), &["test"], "")
        };
        let case = |name: String, body: &Option<Value>, permit: bool, rules: &[&str]| {
            let mut request = json!({"method": "POST", "url": "https://a/payments"});
            if let Some(body) = body {
                request["body"] = body.clone();
            }
            let deny = json!({"deny": {"code": "access_denied", "rules": rules}});
            let expect = if permit { json!({"permit": {"rules": rules}}) } else { deny };
            json!({"name": name, "subject": "alice", "request": request, "expect": expect})
        };
        let numbered = bodies().into_iter().enumerate();
        let cases: Vec<_> = numbered
            .map(|(number, (body, permit, rules))| case(format!("case {number}"), &body, permit, rules))
            .collect();
        let (status, out, err) = test(&cases.clone().into());
        assert_eq!(status, 0, "{out}{err}");
        assert!(out.contains("8 passed, 0 failed, 0 left out; 100 % of the rules"), "{out}");

        let wrong = case("wrong".to_owned(), &Some(json!({"amount": 1001, "to": "bob"})), true, &["pay"]);
        let (status, out, _) = test(&json!([wrong]));
        assert!(status == 1 && out.contains("+ actual   deny: access_denied"), "{out}");

        let cases = "subjects: {alice: {id: alice}}\ncases:\n  - name: no number\n    subject: alice\n    \
            request: {method: POST, url: 'https://a/payments', body: {amount: .nan}}\n    expect: permit\n";
        std::fs::write(folder.path().join("cases.yaml"), cases).unwrap();
        let (status, out, err) = portcullis(folder.path(), &["test"], "");
        assert!(status == 2 && err.contains("a number that JSON does not have"), "{out}{err}");
    }

    #[test]
    fn a_body_is_explained_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("body.json");
        let file = file.to_str().unwrap();
        let explain = |body: Option<&str>| {
            let asked = ["explain", "payments.yaml", "--request", "POST https://a/payments"];
            let who = ["--subject", r#"{"id": "alice"}"#];
            let body: Vec<&str> = body.into_iter().flat_map(|body| ["--body", body]).collect();
            portcullis(&documents(), &[&asked[..], &who, &body].concat(), "")
        };
        for (body, permit, rules) in bodies() {
            let (status, out, err) = match body {
                None => explain(None),
                Some(body) => {
                    std::fs::write(file, body.to_string()).unwrap();
                    let from_file = explain(Some(file));
                    assert_eq!(explain(Some(&body.to_string())), from_file);
                    from_file
                }
            };
            assert_eq!((status, err.as_str()), (i32::from(!permit), ""), "{out}");
            assert!(out.lines().next().unwrap().ends_with(&format!("by {}", rules.join(", "))), "{out}");
            assert!(!out.contains("bob"), "{out}");
        }
        let (_, out, _) = explain(None);
        let unread = "context.body/amount lte: unknown (the body is absent or cannot be read)";
        assert!(out.starts_with("indeterminate, ") && out.contains(unread), "{out}");

        for (body, expected) in [
            ("{", "--body: the text ends too early"),
            (r#"{"amount": 7, "amount": 8}"#, "--body: the member \"amount\" occurs twice"),
            (r#"{"amount": 7} {"amount": 8}"#, "--body: "),
            ("missing.json", "missing.json"),
        ] {
            let (status, out, err) = explain(Some(body));
            assert_eq!((status, out.as_str()), (2, ""), "{body}");
            assert!(err.contains(expected), "{body}: {err}");
        }
        for (text, expected) in [("amount=7".to_owned(), "--body: "), (" ".repeat(4 << 20), "longer than")] {
            std::fs::write(file, text).unwrap();
            let (status, out, err) = explain(Some(file));
            assert_eq!((status, out.as_str()), (2, ""), "{err}");
            assert!(err.contains(expected), "{err}");
        }
    }

    #[test]
    fn questions_of_authzen_have_bodies_in_their_context() {
        for (body, permit, rules) in bodies() {
            let mut question = json!({
                "subject": {"type": "user", "id": "alice"},
                "action": {"name": "POST"},
                "resource": {"type": "route", "id": "/payments"},
            });
            if let Some(body) = body {
                question["context"] = json!({"body": body});
            }
            for command in ["evaluate", "decide"] {
                let (status, out, err) =
                    portcullis(&documents(), &[command, "payments.yaml"], &question.to_string());
                assert_eq!(status, i32::from(!permit), "{command} {question}: {err}");
                let answer: Value = serde_json::from_str(&out).unwrap();
                assert_eq!(answer["decision"], permit, "{command} {question}: {answer}");
                assert_eq!(answer["context"]["rules"], json!(rules), "{command} {question}");
            }
        }
        let broken =
            r#"{"action": "POST", "resource": "/payments", "context": {"body": {"amount": 1, "amount": 2}}}"#;
        let (status, out, err) = portcullis(&documents(), &["evaluate", "payments.yaml"], broken);
        assert_eq!((status, out.as_str()), (2, ""), "{err}");
        let text = json!({"subject": {"type": "user", "id": "alice"}, "action": {"name": "POST"},
            "resource": {"type": "route", "id": "/payments"}, "context": {"body": "{\"amount\": 7, \"to\": \"bob\"}"}});
        let (status, ..) = portcullis(&documents(), &["evaluate", "payments.yaml"], &text.to_string());
        assert_eq!(status, 1, "a text of JSON is a text");
    }
}
