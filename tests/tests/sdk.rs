//! The corpus without a gate: every case that is decided about a verified subject, asked as AuthZEN asks. Rust must answer
//! what the case wants, and the npm package in Node must answer what Rust answers.

#[cfg(test)]
mod corpus {
    use std::path::Path;
    use std::process::Command;

    use portcullis_policy::authzen::EvaluationRequest;
    use portcullis_policy::document::{AmbiguousPath, Document};
    use portcullis_policy::json;
    use portcullis_policy::path::{PathMode, canonicalize};
    use portcullis_policy::policy::Policy;
    use portcullis_tests::corpus::{Case, CaseFile, Corpus, Keys, claims};
    use serde_json::{Map, Value, json};

    /// Codes that the decision point gives. All others are about credentials, records and requests that cannot be read.
    const DECIDED: [&str; 8] = [
        "missing_token",
        "tenant_required",
        "tenant_mismatch",
        "insufficient_role",
        "insufficient_scope",
        "insufficient_permissions",
        "insufficient_group",
        "access_denied",
    ];

    /// Cases about whole numbers that JavaScript cannot hold: `JSON.parse` has rounded them before the package is asked.
    const BEYOND_DOUBLES: [&str; 3] =
        ["condition_number_rounded", "wide_number_beside_it", "wide_number_rounded"];

    /// A case as the decision point sees it; `None` when it ends before.
    fn question(file: &CaseFile, case: &Case, document: &Document, policy: &Policy) -> Option<Value> {
        let decided = case.want.code.as_deref().is_some_and(|code| DECIDED.contains(&code));
        if !case.want.permitted && !decided || case.second_token.is_some() {
            return None;
        }
        // A token where the document does not look for one: who finds credentials is the gate, and nobody here.
        if case.token.is_some() && case.want.code.as_deref() == Some("missing_token") {
            return None;
        }
        let mode = match document.request.ambiguous_path {
            AmbiguousPath::Refuse => PathMode::Refuse,
            AmbiguousPath::Normalize => PathMode::Normalize,
        };
        let target = canonicalize(&case.request.path.to_vec(), mode).ok()?.origin_form();
        let mut headers = Map::new();
        for (name, value) in &case.request.headers {
            let values = headers.entry(name.to_ascii_lowercase()).or_insert_with(|| json!([]));
            values.as_array_mut()?.push(String::from_utf8(value.to_vec()).ok()?.into());
        }
        let method = if case.request.grpc { "POST" } else { case.request.method.as_str() };
        let mut context = json!({"headers": headers, "source": "192.0.2.7", "time": "2026-11-23T09:00:00Z"});
        let bytes = case.request.body.to_vec();
        if !bytes.is_empty() && !sent_as_json(&headers) {
            // Who says what a body is sent as is the gate, and nobody here.
            return None;
        }
        if let Ok(body) = json::parse(&bytes) {
            context["body"] = body;
        }
        Some(json!({
            "subject": subject(claims(file, case), document, policy),
            "action": {"name": method},
            "resource": {"type": "route", "id": target, "properties": {"host": case.request.host}},
            "context": context,
        }))
    }

    fn sent_as_json(headers: &Map<String, Value>) -> bool {
        let plain = headers.get("content-type").is_some_and(|lines| *lines == json!(["application/json"]));
        plain && !headers.contains_key("content-encoding")
    }

    /// Whom a token speaks for, by the claims that the document maps.
    fn subject(claims: Option<Value>, document: &Document, policy: &Policy) -> Value {
        let (Some(claims), Some(method)) = (claims, document.authentication.methods.first()) else {
            return json!({"type": "anonymous", "id": ""});
        };
        let mapped = &method.jwt.claims;
        let at = |path: &str| match path.strip_prefix('/') {
            Some(_) => claims.pointer(path).cloned(),
            None => claims.get(path).cloned(),
        };
        let list = |path: &Option<String>, separator: Option<char>| match path.as_deref().and_then(at) {
            Some(Value::String(text)) => match separator {
                Some(separator) => {
                    text.split(separator).filter(|part| !part.is_empty()).map(Value::from).collect()
                }
                None => json!([text]),
            },
            Some(Value::Array(listed)) => Value::Array(listed),
            _ => json!([]),
        };
        let mut properties = json!({
            "roles": list(&mapped.roles, None),
            "scopes": list(&mapped.scopes, Some(' ')),
            "permissions": list(&mapped.permissions, None),
            "groups": list(&mapped.groups, None),
            "method": method.name,
        });
        if let Some(key_type) = &method.jwt.key_type {
            properties["key_type"] = key_type.as_str().into();
        }
        for name in policy.subject_attributes() {
            let value = match mapped.attributes.get(name) {
                Some(path) => at(path),
                None => claims.get(name).cloned(),
            };
            if let Some(value) = value {
                properties[name.as_str()] = value;
            }
        }
        if let Some(tenant) = mapped.tenant.as_deref().and_then(at).filter(Value::is_string) {
            properties["tenant"] = tenant;
        }
        json!({"type": "user", "id": at(&mapped.user_id).unwrap_or_default(), "properties": properties})
    }

    #[test]
    fn node_and_rust_answer_every_case_alike() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/npm");
        assert!(
            package.join("dist/node.js").is_file(),
            "there is no npm package: `cargo xtask sdk` builds it"
        );
        let (corpus, keys) = (Corpus::load().unwrap(), Keys::generate());
        let (mut asked, mut wrong, mut ended_before) = (Vec::new(), Vec::new(), 0);
        for file in &corpus.files {
            let text = keys.resolve(&file.document).unwrap();
            let document = Document::from_value(text.clone()).unwrap();
            let policy = Policy::compile(&document).unwrap();
            // Which of two policies answers whom is the gate's to know.
            let is_shared =
                document.candidate.as_ref().is_some_and(|candidate| candidate.enforce.percentage > 0);
            for case in &file.cases {
                let question = question(file, case, &document, &policy);
                let Some(question) = question.filter(|_| !is_shared) else {
                    ended_before += 1;
                    continue;
                };
                let answer = EvaluationRequest::from_value(&question).unwrap().decide(&policy);
                if answer.is_permit() != case.want.permitted || answer.code() != case.want.code.as_deref() {
                    wrong.push(format!("{}: {}", case.id, answer.to_json()));
                }
                if BEYOND_DOUBLES.contains(&case.id.as_str()) {
                    continue;
                }
                asked.push(json!({
                    "id": case.id, "document": text, "question": question, "answer": answer.to_json(),
                }));
            }
        }
        println!(
            "corpus in Rust: {} passed, {} failed; {ended_before} end before the decision point",
            asked.len() - wrong.len(),
            wrong.len()
        );
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(asked.len() > 100, "{} cases are no corpus", asked.len());

        node_agrees("corpus", &asked);
    }

    #[test]
    fn node_and_rust_answer_the_examples_alike() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let (mut asked, mut wrong, mut ended_before) = (Vec::new(), Vec::new(), 0);
        for folder in std::fs::read_dir(examples).unwrap() {
            let folder = folder.unwrap().path();
            if !folder.join("cases.yaml").is_file() {
                continue;
            }
            let read = |name: &str| -> Value {
                serde_yaml_ng::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
            };
            let (text, cases) = (read("policy.yaml"), read("cases.yaml"));
            let policy = Policy::compile(&Document::from_value(text.clone()).unwrap()).unwrap();
            let example = folder.file_name().unwrap().to_string_lossy().into_owned();
            for case in cases["cases"].as_array().unwrap() {
                let id = format!("{example}: {}", case["name"].as_str().unwrap());
                let expect = &case["expect"];
                let deny = &expect["deny"];
                let code = deny.as_str().or_else(|| deny["code"].as_str());
                if code.is_some_and(|code| !DECIDED.contains(&code)) {
                    ended_before += 1;
                    continue;
                }
                let question = example_question(&cases, case);
                let answer = EvaluationRequest::from_value(&question).unwrap().decide(&policy);
                if answer.code() != code {
                    wrong.push(format!("{id}: {}", answer.to_json()));
                }
                asked.push(
                    json!({"id": id, "document": text, "question": question, "answer": answer.to_json()}),
                );
            }
        }
        println!(
            "examples in Rust: {} passed, {} failed; {ended_before} end before the decision point",
            asked.len() - wrong.len(),
            wrong.len()
        );
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(asked.len() > 100, "{} cases are no examples", asked.len());
        node_agrees("examples", &asked);
    }

    /// A case of an example as AuthZEN asks it.
    fn example_question(cases: &Value, case: &Value) -> Value {
        let request = &case["request"];
        let (method, url) = match request.as_str() {
            Some(line) => line.split_once(' ').unwrap(),
            None => (request["method"].as_str().unwrap_or("GET"), request["url"].as_str().unwrap()),
        };
        let (_scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let subject = match &case["subject"] {
            Value::String(name) => &cases["subjects"][name],
            inline => inline,
        };
        let mut context = json!({});
        for name in ["headers", "source", "time", "body"] {
            for given in [&cases[name], &request[name]] {
                if !given.is_null() {
                    context[name] = given.clone();
                }
            }
        }
        json!({
            "subject": example_subject(subject),
            "action": {"name": method},
            "resource": {"type": "route", "id": path, "properties": {"host": host}},
            "context": context,
        })
    }

    fn example_subject(subject: &Value) -> Value {
        let Value::Object(said) = subject else {
            return json!({"type": "anonymous", "id": ""});
        };
        let mut properties = said.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
        let known = said.iter().filter(|(name, _)| !["id", "type", "attributes"].contains(&name.as_str()));
        properties.extend(known.map(|(name, value)| (name.clone(), value.clone())));
        let kind = said.get("type").and_then(Value::as_str).unwrap_or("user");
        json!({"type": kind, "id": said.get("id").and_then(Value::as_str).unwrap_or_default(), "properties": properties})
    }

    /// The npm package gives each answer that Rust gave.
    fn node_agrees(name: &str, asked: &[Value]) {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/npm");
        assert!(
            package.join("dist/node.js").is_file(),
            "there is no npm package: `cargo xtask sdk` builds it"
        );
        let questions = package.join(format!("{name}.json"));
        std::fs::write(&questions, Value::Array(asked.to_vec()).to_string()).unwrap();
        let node =
            Command::new("node").arg("corpus/agree.mjs").arg(&questions).current_dir(&package).output();
        let node = node.expect("install Node 20 or later");
        let printed = String::from_utf8_lossy(&node.stdout);
        println!("{printed}");
        assert!(node.status.success(), "{printed}{}", String::from_utf8_lossy(&node.stderr));
    }
}
