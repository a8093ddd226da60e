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
