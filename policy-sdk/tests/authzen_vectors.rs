//! The scenarios of the OpenID AuthZEN working group: the shared list of things to do, with its published decisions, and
//! the fixture of the certification, levels Basic and Batch.
//!
//! The first is read next to the workspace, and the test says so when it is absent. The policies are ours: the working
//! group says what they must come to, not how they are written.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the vectors are a folder of files")]
mod scenarios {
    use std::path::Path;

    use portcullis_policy::authzen::{EvaluationRequest, EvaluationsRequest};
    use portcullis_policy::document::Document;
    use portcullis_policy::policy::Policy;
    use serde_json::{Value, json};

    fn policy(authorization: Value) -> Policy {
        let document = json!({"version": 1, "authentication": {}, "authorization": authorization});
        Policy::compile(&Document::from_value(document).unwrap()).unwrap()
    }

    /// Everybody reads, editors write what is theirs, and two roles reach further.
    fn todo() -> Policy {
        let rule = |action: &str, resource: &str, role: &str| json!({"effect": "allow", "action": action, "resource": resource, "role": role});
        let own = |action: &str| {
            let owned =
                json!({"attribute": "resource.ownerID", "operator": "eq", "value_from": "subject.email"});
            json!({"effect": "allow", "action": action, "resource": "/todo/*", "role": "editor", "conditions": [owned]})
        };
        policy(json!({
            "actions": ["can_read_user", "can_read_todos", "can_create_todo", "can_update_todo", "can_delete_todo"],
            "roles": {
                "viewer": {},
                "editor": {"inherits": ["viewer"]},
                "admin": {"inherits": ["editor"]},
                "evil_genius": {"inherits": ["editor"]},
            },
            "rules": [
                rule("can_read_user", "/user/*", "viewer"),
                rule("can_read_todos", "/todo/*", "viewer"),
                rule("can_create_todo", "/todo/*", "editor"),
                rule("can_update_todo", "/todo/*", "evil_genius"),
                own("can_update_todo"),
                rule("can_delete_todo", "/todo/*", "admin"),
                own("can_delete_todo"),
            ],
        }))
    }

    /// What the decision point is told of the users: the scenario has the subject's id alone, and a directory.
    fn enriched(mut request: Value, users: &Value) -> Value {
        let id = request["subject"]["id"].as_str().unwrap();
        let user = &users[id];
        request["subject"]["properties"] = json!({"roles": user["roles"], "email": user["email"]});
        request
    }

    #[test]
    fn todo_decisions() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/authzen");
        if !folder.is_dir() {
            eprintln!("authzen: NOT RUN, no folder ../shared/vectors/authzen beside the workspace");
            return;
        }
        let read = |name: &str| -> Value {
            serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
        };
        let (users, decisions) =
            (read("todo_users.json"), read("todo_decisions-authorization-api-1_0-02.json"));
        let policy = todo();
        let (mut passed, mut failed) = (0, Vec::new());
        for case in decisions["evaluation"].as_array().unwrap() {
            let request = enriched(case["request"].clone(), &users);
            let answer = EvaluationRequest::from_value(&request).unwrap().decide(&policy).to_json();
            if answer["decision"] == case["expected"] { passed += 1 } else { failed.push((request, answer)) }
        }
        for case in decisions["evaluations"].as_array().unwrap() {
            let request = enriched(case["request"].clone(), &users);
            let answer = EvaluationsRequest::from_value(&request).unwrap().decide(&policy).to_json();
            let answers = answer["evaluations"].as_array().unwrap();
            let seen: Vec<_> = answers.iter().map(|answer| json!({"decision": answer["decision"]})).collect();
            if json!(seen) == case["expected"] { passed += 1 } else { failed.push((request, answer)) }
        }
        eprintln!("authzen todo: {passed} passed, {} failed {failed:#?}", failed.len());
        assert!(failed.is_empty());
        assert_eq!(passed, 43, "the scenario has 40 evaluations and 3 batches");
    }

    /// Everybody reads, alice writes what is not archived, administrators write, and what alice deletes can come back.
    fn certification() -> Policy {
        let alice = json!({"attribute": "subject.id", "operator": "eq", "value": "alice"});
        let live = json!({"any_of": [
            {"attribute": "resource.status", "operator": "absent"},
            {"attribute": "resource.status", "operator": "ne", "value": "archived"},
        ]});
        let admin = json!({"attribute": "subject.role", "operator": "eq", "value": "admin"});
        let soft = json!({"attribute": "action.soft", "operator": "eq", "value": true});
        // The word `write` in a rule is about deletion too; in this scenario it is not.
        let write = json!({"attribute": "action.name", "operator": "eq", "value": "write"});
        let rule = |name: &str, action: &str, conditions: Value| {
            json!({"name": name, "effect": "allow", "action": action, "resource": "/record/*", "role": "*",
                "conditions": conditions})
        };
        policy(json!({
            "actions": ["write"],
            "rules": [
                rule("read", "read", json!([])),
                rule("alice", "write", json!([write, alice, live])),
                rule("admin", "write", json!([write, admin])),
                rule("trash", "delete", json!([alice, soft])),
            ],
        }))
    }

    fn asked(subject: Value, action: Value, resource: Value) -> Value {
        json!({"subject": subject, "action": action, "resource": resource})
    }

    #[test]
    fn certification_decisions() {
        let (alice, bob) = (json!({"type": "user", "id": "alice"}), json!({"type": "user", "id": "bob"}));
        let admin = json!({"type": "user", "id": "bob", "properties": {"role": "admin"}});
        let manager = json!({"type": "user", "id": "alice", "properties": {"role": "manager"}});
        let action = |name: &str| json!({"name": name});
        let delete = |soft: bool| json!({"name": "delete", "properties": {"soft": soft}});
        let record = json!({"type": "record", "id": "record-1"});
        let archived = json!({"type": "record", "id": "record-2", "properties": {"status": "archived"}});
        let active = json!({"type": "record", "id": "record-1", "properties": {"status": "active"}});
        let policy = certification();
        let (mut passed, mut failed) = (0, Vec::new());
        let rules = [
            (&alice, action("read"), &record, true),
            (&alice, action("write"), &record, true),
            (&bob, action("read"), &record, true),
            (&bob, action("write"), &record, false),
            (&alice, action("write"), &archived, false),
            (&admin, action("write"), &archived, true),
            (&alice, delete(true), &record, true),
            (&alice, delete(false), &record, false),
            (&manager, action("read"), &active, true),
        ];
        for (subject, action, resource, expected) in rules {
            let question = asked(subject.clone(), action, resource.clone());
            let answer = EvaluationRequest::from_value(&question).unwrap().decide(&policy);
            if answer.is_permit() == expected {
                passed += 1
            } else {
                failed.push((question, answer.to_json()))
            }
        }
        let batches = [
            (
                json!({"subject": bob, "resource": record,
                "evaluations": [{"action": action("read")}, {"action": action("write")}]}),
                vec![true, false],
            ),
            (
                json!({"subject": alice, "action": action("write"),
                "evaluations": [{"resource": active}, {"resource": archived}]}),
                vec![true, false],
            ),
            (
                json!({"action": action("write"), "resource": archived,
                "evaluations": [{"subject": alice}, {"subject": admin}]}),
                vec![false, true],
            ),
            (
                json!({"subject": alice, "action": action("write"), "resource": active,
                "evaluations": [{}, {"resource": archived}]}),
                vec![true, false],
            ),
            (
                json!({"subject": alice, "action": action("read"), "options": {"evaluations_semantic": "execute_all"},
                "evaluations": [{"resource": record}, {}]}),
                vec![true, false],
            ),
        ];
        for (batch, expected) in batches {
            let answer = EvaluationsRequest::from_value(&batch).unwrap().decide(&policy).to_json();
            let answers = answer["evaluations"].as_array().unwrap();
            let seen: Vec<_> = answers.iter().map(|answer| answer["decision"].as_bool().unwrap()).collect();
            if seen == expected { passed += 1 } else { failed.push((batch, answer)) }
        }
        eprintln!(
            "authzen certification, basic and batch: {passed} passed, {} failed {failed:#?}",
            failed.len()
        );
        assert!(failed.is_empty());
    }
}
