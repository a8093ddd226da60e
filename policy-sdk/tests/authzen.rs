//! Questions and answers as JSON, from outside: what each member becomes, how batches inherit and end, and that nothing
//! which cannot be read is ever permitted.

#[cfg(test)]
mod questions {
    use portcullis_policy::authzen::{EvaluationRequest, EvaluationsRequest, ShortRequest};
    use portcullis_policy::document::{Document, Problems};
    use portcullis_policy::policy::Policy;
    use portcullis_policy::request::Subject;
    use serde_json::{Value, json};

    fn policy() -> Policy {
        let document = json!({
            "version": 1,
            "authentication": {},
            "tenancy": {"bind": [{"header": "x-org"}]},
            "authorization": {
                "public": [{"methods": ["GET"], "path": "/healthz"}],
                "roles": {"viewer": {"permissions": ["records:read"]}, "editor": {"inherits": ["viewer"]}},
                "routes": [
                    {"name": "read", "methods": ["GET"], "path": "/record/{id}", "permission": "records:read"},
                    {"name": "shop", "methods": ["GET"], "path": "/shop", "host": "shop.example.com",
                     "require": {"scopes": {"all_of": ["shop"]}}},
                ],
                "rules": [
                    {"name": "edit", "effect": "allow", "action": "write", "resource": "/record/*", "role": "editor"},
                    {"name": "frozen", "effect": "deny", "action": "*", "resource": "/record/frozen", "role": "*"},
                ],
            },
        });
        Policy::compile(&Document::from_value(document).unwrap()).unwrap()
    }

    fn question() -> Value {
        json!({
            "subject": {"type": "user", "id": "alice", "properties": {"roles": ["editor"]}},
            "action": {"name": "update"},
            "resource": {"type": "record", "id": "record-1"},
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut question = question();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        question.pointer_mut(parent).unwrap()[name] = value;
        question
    }

    fn answer(question: &Value) -> Value {
        EvaluationRequest::from_value(question).unwrap().decide(&policy()).to_json()
    }

    fn lines(problems: Problems) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    fn problems(question: &Value) -> Vec<String> {
        lines(EvaluationRequest::from_value(question).unwrap_err())
    }

    #[test]
    fn the_answer_names_its_reasons() {
        assert_eq!(
            answer(&question()),
            json!({"decision": true, "context":
                {"decision": "permit", "basis": "rules", "rules": ["edit"], "cross_tenant": false}})
        );
        assert_eq!(
            answer(&with("/subject/properties/roles", json!([]))),
            json!({"decision": false, "context":
                {"decision": "not_applicable", "code": "insufficient_role", "rules": ["edit"], "cross_tenant": false}})
        );
        assert_eq!(
            answer(&with("/resource/id", json!("frozen")))["context"],
            json!({"decision": "deny", "code": "access_denied", "rules": ["frozen"], "cross_tenant": false})
        );
    }

    #[test]
    fn an_action_in_capitals_is_a_method_and_finds_routes() {
        let by_method = answer(&with("/action/name", json!("GET")));
        assert_eq!(
            (&by_method["decision"], &by_method["context"]["rules"]),
            (&json!(true), &json!(["read"]))
        );
        assert_eq!(
            answer(&with("/action/name", json!("read")))["decision"],
            json!(false),
            "no rule lets anyone read"
        );
    }

    #[test]
    fn path_and_host_can_be_said_outright() {
        let mut question = with("/action/name", json!("GET"));
        question["resource"] = json!({"type": "route", "id": "/record/7?x=1"});
        assert_eq!(answer(&question)["decision"], json!(true));
        question["resource"] = json!({"type": "page", "id": "7", "properties":
            {"path": "/shop", "host": "SHOP.example.com:443"}});
        assert_eq!(answer(&question)["context"]["code"], json!("insufficient_scope"));
        question["subject"]["properties"] = json!({"scopes": ["shop"]});
        assert_eq!(answer(&question)["decision"], json!(true));
    }

    #[test]
    fn an_anonymous_caller_is_nobody() {
        let mut question = with("/subject/type", json!("anonymous"));
        assert_eq!(
            answer(&question)["context"]["code"],
            json!("missing_token"),
            "its roles count for nothing"
        );
        question["action"]["name"] = json!("GET");
        question["resource"] = json!({"type": "route", "id": "/healthz"});
        assert_eq!(answer(&question)["context"]["basis"], json!("public_route"));
    }

    #[test]
    fn every_value_of_a_header_is_seen() {
        let headers = |values: Value| with("/context", json!({"headers": {"X-Org": values}}));
        let mut own = headers(json!("acme"));
        own["subject"]["properties"]["tenant"] = json!("acme");
        assert_eq!(answer(&own)["context"]["tenant"], json!("acme"));
        let mut both = headers(json!(["acme", "umbrella"]));
        both["subject"]["properties"]["tenant"] = json!("acme");
        assert_eq!(answer(&both)["context"]["code"], json!("tenant_mismatch"));
    }

    #[test]
    fn what_authzen_does_not_know_is_ignored() {
        let mut question = with("/foo", json!({"nested": true}));
        question["subject"]["properties"]["department"] = json!("Sales");
        question["resource"]["properties"] = json!({"status": "active"});
        question["context"] = json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"});
        let read = EvaluationRequest::from_value(&question).unwrap();
        assert!(read.decide(&policy()).is_permit());
        let request = read.access_request();
        assert_eq!(request.subject.unwrap().attributes["department"], "Sales");
        assert_eq!(request.resource.attributes.unwrap()["status"], "active");
        assert_eq!(request.context.time, Some(1_751_072_580));
        assert_eq!(request.context.attributes.unwrap()["ip"], "192.168.1.1");
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_place() {
        let without = |name: &str| {
            let mut question = question();
            question.as_object_mut().unwrap().remove(name);
            question
        };
        for (wrong, line) in [
            (without("subject"), "document: `subject` is missing"),
            (without("action"), "document: `action` is missing"),
            (without("resource"), "document: `resource` is missing"),
            (with("/subject", json!({"id": "a"})), "/subject: `type` is missing"),
            (with("/subject", json!({"type": "user"})), "/subject: `id` is missing"),
            (with("/subject", json!("alice")), "/subject: found a text; expected an object"),
            (with("/subject/id", json!(null)), "/subject/id: found null; expected a text"),
            (with("/action", json!({})), "/action: `name` is missing"),
            (with("/action/name", json!(123)), "/action/name: found a number; expected a text"),
            (with("/resource", json!({"id": "a"})), "/resource: `type` is missing"),
            (with("/resource", json!({"type": "a"})), "/resource: `id` is missing"),
            (with("/resource/id", json!("")), "/resource/id: is empty; expected a name"),
            (
                with("/subject/properties/roles", json!("editor")),
                "/subject/properties/roles: found a text; expected a list of texts",
            ),
            (
                with("/subject/properties/roles", json!(["a", 1])),
                "/subject/properties/roles/1: found a number; expected a text",
            ),
            (
                with("/context", json!({"source": "here"})),
                "/context/source: not an address; expected such as `10.0.0.1`",
            ),
            (
                with("/context", json!({"time": "soon"})),
                "/context/time: not a moment; expected RFC 3339, such as `2026-11-23T09:00:00Z`",
            ),
            (
                with("/context", json!({"headers": {"a": 1}})),
                "/context/headers/a: found a number; expected a list of texts",
            ),
        ] {
            assert_eq!(problems(&wrong), [line], "{wrong}");
        }
        assert_eq!(problems(&json!([])), ["document: found a list; expected an object"]);
    }

    #[test]
    fn an_id_that_is_no_segment_is_refused() {
        for id in ["a/b", "a;b", "a\\b", "a?b", "a#b", "..", ".", "a\u{0}", "%2f"] {
            let problems = problems(&with("/resource/id", json!(id)));
            assert!(
                problems[0].starts_with("/resource/id: the path can be read in two ways"),
                "{id}: {problems:?}"
            );
        }
        for (id, path) in [
            ("rick@the-citadel.com", "/record/rick@the-citadel.com"),
            ("a b", "/record/a%20b"),
            ("é", "/record/%C3%A9"),
        ] {
            let read = EvaluationRequest::from_value(&with("/resource/id", json!(id))).unwrap();
            assert_eq!(read.access_request().resource.path.as_str(), path);
        }
        let long = "x".repeat(9000);
        assert_eq!(
            problems(&with("/resource/id", json!(long)))[0].split(';').next(),
            Some("/resource/id: the request target is too long")
        );
    }

    #[test]
    fn two_queries_are_one_too_many() {
        let mut question = with("/resource", json!({"type": "route", "id": "/a?x=1"}));
        question["context"] = json!({"query": {"x": ["1", "a b"]}});
        assert_eq!(
            problems(&question),
            ["/context/query: the resource's path has a query too; expected one of them"]
        );
        question["resource"]["id"] = json!("/a");
        let read = EvaluationRequest::from_value(&question).unwrap();
        assert_eq!(read.access_request().context.query, Some("x=1&x=a%20b"));
    }

    #[test]
    fn text_is_read_strictly() {
        let twice = br#"{"subject":{"type":"user","id":"a","id":"b"}}"#;
        assert!(lines(EvaluationRequest::from_json(twice).unwrap_err())[0].contains("occurs twice"));
        assert!(EvaluationRequest::from_json(b"").is_err());
        let long = format!("\"{}\"", "x".repeat(1024 * 1024));
        assert_eq!(
            lines(EvaluationRequest::from_json(long.as_bytes()).unwrap_err()),
            ["document: the text is longer than 1048576 bytes"]
        );
        assert!(EvaluationsRequest::from_json("[".repeat(100_000).as_bytes()).is_err());
    }

    fn batch(batch: &Value) -> Value {
        EvaluationsRequest::from_value(batch).unwrap().decide(&policy()).to_json()
    }

    fn decisions(request: &Value) -> Vec<bool> {
        let answer = batch(request);
        answer["evaluations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["decision"].as_bool().unwrap())
            .collect()
    }

    #[test]
    fn parts_are_inherited_as_a_whole() {
        let mut request = question();
        request["evaluations"] = json!([
            {},
            {"resource": {"type": "record", "id": "frozen"}},
            // No roles are inherited into a subject of its own.
            {"subject": {"type": "user", "id": "alice"}},
            {"action": {"name": "GET"}},
        ]);
        assert_eq!(decisions(&request), [true, false, false, true]);
    }

    #[test]
    fn a_batch_ends_where_its_semantic_says() {
        let mut request = question();
        let (yes, no) = (json!({}), json!({"resource": {"type": "record", "id": "frozen"}}));
        for (semantic, questions, expected) in [
            ("execute_all", [&yes, &no, &yes], vec![true, false, true]),
            ("deny_on_first_deny", [&yes, &no, &yes], vec![true, false]),
            ("permit_on_first_permit", [&no, &yes, &no], vec![false, true]),
            ("deny_on_first_deny", [&yes, &yes, &yes], vec![true, true, true]),
        ] {
            request["options"] = json!({"evaluations_semantic": semantic});
            request["evaluations"] = json!(questions);
            assert_eq!(decisions(&request), expected, "{semantic}");
        }
        request["options"] = json!({"evaluations_semantic": "execute_al"});
        assert_eq!(
            lines(EvaluationsRequest::from_value(&request).unwrap_err()),
            [
                "/options/evaluations_semantic: unknown value; expected one of `execute_all`, `deny_on_first_deny`, \
              `permit_on_first_permit`; did you mean `execute_all`?"
            ]
        );
    }

    #[test]
    fn a_question_that_cannot_be_read_denies_and_spoils_no_other() {
        let mut request = question();
        request.as_object_mut().unwrap().remove("resource");
        let good = json!({"resource": {"type": "record", "id": "record-1"}});
        request["evaluations"] = json!([good, {}, {"resource": {"type": "record"}}, 7]);
        let answer = batch(&request);
        assert_eq!(decisions(&request), [true, false, false, false]);
        let places: Vec<_> = (1..4)
            .map(|index| {
                let problem = &answer["evaluations"][index]["context"]["error"]["problems"][0];
                format!("{}: {}", problem["pointer"].as_str().unwrap(), problem["message"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            places,
            [
                "/evaluations/1: `resource` is missing",
                "/evaluations/2/resource: `id` is missing",
                "/evaluations/3: found a number"
            ]
        );
        request["options"] = json!({"evaluations_semantic": "deny_on_first_deny"});
        assert_eq!(decisions(&request), [true, false], "what cannot be read is a denial");
    }

    #[test]
    fn without_evaluations_a_batch_is_one_question() {
        let mut request = question();
        assert_eq!(batch(&request), answer(&request));
        request["evaluations"] = json!([]);
        assert_eq!(batch(&request)["decision"], json!(true));
        request["evaluations"] = json!({});
        assert!(EvaluationsRequest::from_value(&request).is_err());
        request["evaluations"] = json!(vec![json!({}); 1001]);
        assert_eq!(
            lines(EvaluationsRequest::from_value(&request).unwrap_err()),
            ["/evaluations: 1001 evaluations; expected at most 1000"]
        );
        request["evaluations"] = json!(vec![json!({}); 1000]);
        assert_eq!(decisions(&request).len(), 1000);
    }

    #[test]
    fn the_short_form_says_each_thing_in_one_of_three_places() {
        for question in [
            json!({"role": "editor", "action": "update", "resource": "/record/7"}),
            json!({"subject": {"role": "editor"}, "request": {"action": "update", "resource": "/record/7"}}),
            json!({"context": {"role": "editor", "action": "update", "resource": "/record/7"}}),
            json!({"subject": {"id": "alice", "roles": ["editor"]}, "action": "PUT", "resource": "/record/7"}),
        ] {
            assert!(ShortRequest::is_meant(&question));
            let read = ShortRequest::from_value(&question).unwrap().without_token().unwrap();
            assert_eq!(
                read.decide(&policy()).to_short_json(),
                json!({"allowed": true, "denied_reasons": [], "details":
                    {"decision": "permit", "basis": "rules", "rules": ["edit"], "cross_tenant": false}})
            );
        }
        assert!(!ShortRequest::is_meant(&question()));
        let nobody = ShortRequest::from_value(&json!({"action": "update", "resource": "/record/7"})).unwrap();
        let answer = nobody.without_token().unwrap().decide(&policy()).to_short_json();
        assert_eq!(
            (&answer["allowed"], &answer["denied_reasons"]),
            (&json!(false), &json!(["missing_token"]))
        );
    }

    #[test]
    fn the_short_form_takes_nothing_twice_and_nothing_unknown() {
        let problems = |question: Value| lines(ShortRequest::from_value(&question).unwrap_err());
        assert_eq!(problems(json!({})), ["document: `action` is missing"]);
        assert_eq!(
            problems(json!({"role": "a", "subject": {"role": "a"}, "action": "read"})),
            ["/subject/role: said twice: /role says it too; expected one of them"]
        );
        assert_eq!(
            problems(json!({"token": "t", "role": "a", "action": "read"})),
            ["/role: a token says who asks, and this too; expected one of them"]
        );
        assert_eq!(
            problems(json!({"token": "t", "subject": {"id": "a"}, "action": "read"})),
            ["/subject: a token says who asks, and this too; expected one of them"]
        );
        assert_eq!(
            problems(json!({"actoin": "read", "action": "read"})),
            ["/actoin: unknown field; did you mean `action`?"]
        );
        assert_eq!(
            problems(json!({"action": "read", "resource": "record"}))[0].split(':').next(),
            Some("/resource")
        );
    }

    #[test]
    fn a_token_speaks_for_whom_its_verifier_says() {
        let question = json!({"token": "secret-token", "action": "update", "resource": "/record/7"});
        let read = ShortRequest::from_value(&question).unwrap();
        assert!(!format!("{read:?}").contains("secret-token"));
        assert_eq!(read.token(), Some("secret-token"));
        let problems = lines(read.clone().without_token().unwrap_err());
        assert_eq!(problems, ["/token: a token that nobody verified"]);
        let editor = Subject { roles: vec!["editor".to_owned()], ..Subject::default() };
        assert!(read.asked_by(editor).decide(&policy()).is_permit());
    }
}
