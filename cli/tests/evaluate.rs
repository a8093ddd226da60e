//! `portcullis evaluate` and `portcullis decide` as people and programs run them.

#[cfg(test)]
mod shop;

#[cfg(test)]
mod command {
    use serde_json::{Value, json};

    use super::shop::{TOKEN, portcullis};

    fn evaluate(question: &Value, more: &[&str]) -> (i32, Value) {
        let (status, out, err) =
            portcullis(&[&["evaluate", "shop.yaml"], more].concat(), question.to_string().as_bytes());
        (status, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
    }

    fn authzen(role: &str) -> Value {
        json!({
            "subject": {"type": "user", "id": "alice", "properties": {"tenant": "acme", "roles": [role]}},
            "action": {"name": "GET"},
            "resource": {"type": "route", "id": "/v1/objects/7"},
        })
    }

    #[test]
    fn a_question_of_authzen_gets_its_answer() {
        let (status, answer) = evaluate(&authzen("viewer"), &[]);
        assert_eq!((status, &answer["decision"]), (0, &true.into()), "{answer}");
        let (status, answer) = evaluate(&authzen("editor"), &[]);
        assert_eq!((status, &answer["decision"]), (1, &false.into()), "{answer}");
        assert_eq!(answer["context"]["code"], "insufficient_permissions");
    }

    #[test]
    fn a_token_says_who_asks_once_it_is_verified() {
        let question = json!({"token": TOKEN, "action": "GET", "resource": "/v1/objects/7"});
        let (status, answer) = evaluate(&question, &["--now", "1795424400"]);
        assert_eq!((status, &answer["allowed"]), (0, &true.into()), "{answer}");
        let (status, answer) = evaluate(&question, &["--now", "4200000000"]);
        assert_eq!((status, &answer["denied_reasons"]), (1, &json!(["invalid_token"])), "{answer}");
        assert_eq!(answer["details"]["reason"], "expired");
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        for question in [
            b"".as_slice(),
            b"{",
            b"\xff\x00",
            b"[]",
            b"{\"action\": 1}",
            b"{\"action\": \"GET\", \"action\": \"PUT\"}",
        ] {
            let (status, out, err) = portcullis(&["evaluate", "shop.yaml"], question);
            assert_eq!((status, out.as_str()), (2, ""), "{err}");
            assert!(err.starts_with("portcullis: standard input: "), "{err}");
        }
        let (status, _, err) = portcullis(&["evaluate", "shop.yaml", "missing.json"], b"");
        assert!(status == 2 && err.starts_with("portcullis: missing.json: "), "{err}");
        let (status, _, err) = portcullis(&["evaluate", "shop.yaml"], &vec![b' '; 4 << 20]);
        assert!(status == 2 && err.contains("longer than"), "{err}");
        assert_eq!(portcullis(&["evaluate", "twelve-mistakes.yaml"], b"{}").0, 2);
    }

    fn batch(semantic: &str, roles: &[&str]) -> Value {
        let listed: Vec<Value> = roles
            .iter()
            .map(|role| match *role {
                "" => json!({"subject": 7}),
                role => json!({"subject": authzen(role)["subject"]}),
            })
            .collect();
        let common = authzen("viewer");
        json!({ "action": common["action"], "resource": common["resource"], "evaluations": listed,
                "options": {"evaluations_semantic": semantic} })
    }

    #[test]
    fn a_batch_is_answered_question_by_question() {
        for (semantic, roles, status, decisions) in [
            ("execute_all", ["viewer", "viewer"].as_slice(), 0, json!([true, true])),
            ("execute_all", &["viewer", "editor", "viewer"], 1, json!([true, false, true])),
            ("deny_on_first_deny", &["viewer", "editor", "viewer"], 1, json!([true, false])),
            ("permit_on_first_permit", &["editor", "viewer", "viewer"], 0, json!([false, true])),
            ("permit_on_first_permit", &["editor", "editor"], 1, json!([false, false])),
            ("execute_all", &["viewer", "", "viewer"], 2, json!([true, false, true])),
        ] {
            let (found, answer) = evaluate(&batch(semantic, roles), &[]);
            let answers = answer["evaluations"].as_array().unwrap();
            let decided: Vec<&Value> = answers.iter().map(|answer| &answer["decision"]).collect();
            assert_eq!((found, json!(decided)), (status, decisions), "{semantic} {roles:?}: {answer}");
        }
        let question = batch("execute_all", &["viewer", ""]).to_string();
        let (_, _, err) = portcullis(&["evaluate", "shop.yaml"], question.as_bytes());
        assert_eq!(err, "portcullis: standard input: 1 evaluations cannot be read\n");
        let (status, out, _) = portcullis(&["decide", "shop.yaml"], question.as_bytes());
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (status, &line["evaluations"][1]["context"]["error"]["status"]),
            (1, &400.into()),
            "{out}"
        );
    }

    #[test]
    fn what_is_no_batch_is_not_answered() {
        let many = batch("execute_all", &["viewer"; 1001]);
        for (question, said) in [
            (json!({"evaluations": 7}), "/evaluations: found a number; expected a list"),
            (json!({"evaluations": []}), "`subject` is missing"),
            (batch("first_come", &["viewer"]), "unknown value; expected one of `execute_all`"),
            (many, "/evaluations: 1001 evaluations; expected at most 1000"),
        ] {
            let (status, out, err) = portcullis(&["evaluate", "shop.yaml"], question.to_string().as_bytes());
            assert_eq!((status, out.as_str()), (2, ""), "{err}");
            assert!(err.contains(said), "{err}");
        }
    }

    #[test]
    fn one_line_comes_out_for_each_that_goes_in() {
        let input = format!("{}\n{}\nnonsense\n", authzen("viewer"), authzen("editor"));
        let (status, out, err) = portcullis(&["decide", "shop.yaml"], input.as_bytes());
        let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((status, rows.len()), (2, 3), "{out}");
        assert_eq!((&rows[0]["decision"], &rows[1]["decision"]), (&true.into(), &false.into()));
        assert_eq!(rows[2]["line"], 3);
        assert_eq!(err, "3 lines: 1 permitted, 1 denied, 1 unreadable\n");
    }
}
