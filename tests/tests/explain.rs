//! Every case of the corpus, decided and explained: both must give one answer, and the explanation must tell of every
//! attached policy, whether it is attached to the request or not.
//!
//! What a token says is taken as it stands, by the names that claims have by default: here two functions are compared on
//! the same question, and that the question is the gate's own is for the other rings.

mod explained;

#[cfg(test)]
mod corpus {
    use super::explained;

    use portcullis_policy::document::Document;
    use portcullis_policy::explain::Node;
    use portcullis_policy::host::canonical_host;
    use portcullis_policy::path::{PathMode, canonicalize};
    use portcullis_policy::policy::{Access, Policy};
    use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
    use portcullis_tests::corpus::{Corpus, Keys, claims};
    use serde_json::Value;

    /// Whom claims speak for.
    fn subject(claims: &Value) -> Subject {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |name: &str| match claims.get(name) {
            Some(Value::String(text)) => text.split(' ').map(str::to_owned).collect(),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Subject {
            id: text("sub"),
            tenant: text("tenant"),
            roles: list("roles"),
            groups: list("groups"),
            scopes: list("scope"),
            permissions: list("permissions"),
            attributes: claims.as_object().cloned().unwrap_or_default(),
            ..Subject::default()
        }
    }

    /// Whether a policy of this name is told of.
    fn tells_of(tree: &[Node], policy: &str) -> bool {
        let label = format!("policy `{policy}`");
        tree.iter().any(|node| node.label == label || tells_of(&node.children, policy))
    }

    #[test]
    fn an_explanation_gives_the_answer_of_the_decision_in_every_case() {
        let (corpus, keys) = (Corpus::load().unwrap(), Keys::generate());
        let (mut asked, mut told) = (0, 0);
        for file in &corpus.files {
            let document = Document::from_value(keys.resolve(&file.document).unwrap()).unwrap();
            let policy = Policy::compile(&document).unwrap();
            let attached: Vec<&str> =
                document.authorization.policies.iter().map(|policy| policy.name.as_str()).collect();
            for case in &file.cases {
                // What cannot be read is refused before anybody is asked.
                let Ok(target) = canonicalize(&case.request.path.to_vec(), PathMode::Normalize) else {
                    continue;
                };
                let Some(host) = canonical_host(case.request.host.as_bytes()) else { continue };
                let lines = case.request.headers.iter();
                let headers =
                    lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect();
                let subject = claims(file, case).as_ref().map(subject);
                for subject in [subject.as_ref(), None] {
                    for time in [None, Some(1_795_424_400)] {
                        let source = Some("192.0.2.7".parse().unwrap());
                        let query = target.query.as_deref();
                        let context =
                            Context { headers: &headers, query, source, time, ..Context::default() };
                        let action = Action::of_method(&case.request.method);
                        let resource = Resource::at(&host, &target.path);
                        let located = policy.locate(action, resource, &context);
                        let request = AccessRequest { subject, action, resource, context };
                        let answer = policy.decide(&located, &request);
                        explained::alike(&policy, &request, &answer);
                        asked += 1;
                        let tree = policy.explain(&request).tree;
                        let is_weighed = subject.is_some() || located.access() == Access::Optional;
                        let is_cut = attached.len() > 64 || located.access() == Access::Public;
                        let reached = tree
                            .iter()
                            .any(|node| node.label == "tenancy" && node.verdict.as_str() != "deny");
                        if is_weighed && reached && !is_cut {
                            for name in &attached {
                                assert!(tells_of(&tree, name), "{}: {name}: {tree:#?}", case.id);
                                told += 1;
                            }
                        }
                    }
                }
            }
        }
        println!("{asked} questions decided and explained; {told} times an attached policy is told of");
        assert!(asked > 1_500 && told > 300, "{asked} {told}");
    }
}
