//! Questions by chance: as they are meant, for the reference, and as somebody could send them, for the engine.

use std::net::IpAddr;

use portcullis_policy::decision::{Refusal, Response};
use portcullis_policy::path::{CanonicalPath, PathMode, canonicalize};
use portcullis_policy::policy::Policy;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use serde_json::{Map, Value, json};

use super::generate::{self, Chance};

/// One question.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// As the reference reads it.
    pub(super) meant: Value,
    pub(super) subject: Option<Subject>,
    path: CanonicalPath,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) query: Option<String>,
    pub(super) source: Option<IpAddr>,
    pub(super) time: Option<i64>,
    pub(super) body: Option<Value>,
}

impl Question {
    pub(super) fn new(chance: &mut Chance) -> Question {
        let sent = chance.one(generate::PATHS);
        let path = canonicalize(sent.as_bytes(), PathMode::Refuse).expect("a canonical path").path;
        let mut question = Question {
            meant: json!({
                "subject": null,
                "action": {"name": chance.one(generate::ACTIONS), "method": null},
                "resource": {"host": chance.one(generate::HOSTS), "path": path.as_str()},
                "context": {"header": {}, "query": {}, "body": null},
                "match": {"headers": {}, "query": {}},
                "content": [],
                "upgrade": [],
                "preflight": null,
            }),
            subject: None,
            path,
            headers: Vec::new(),
            query: None,
            source: None,
            time: None,
            body: None,
        };
        if chance.percent(90) {
            let method = chance.one(generate::METHODS);
            let name = match method {
                "GET" | "HEAD" | "OPTIONS" => Some("read"),
                "POST" => Some("create"),
                "PUT" => Some("update"),
                "DELETE" => Some("delete"),
                _ => None,
            };
            question.meant["action"] = json!({"name": name, "method": method});
        }
        if chance.percent(80) {
            question.meant["context"]["time"] = generate::NOW.into();
            question.time = Some(generate::NOW);
        }
        question.add_subject(chance);
        question.add_source(chance);
        question.add_headers(chance);
        question.add_query(chance);
        question.add_body(chance);
        question.measure();
        question
    }

    /// Says how much there is to be read of what was sent.
    fn measure(&mut self) {
        let query = self.query.as_ref().map_or(0, String::len);
        self.meant["size"] = json!({"header": self.headers.len(), "query": query / 64});
    }

    /// A request of so many header lines and bytes of query, none of which says anything.
    pub(super) fn of_size(lines: usize, query: usize) -> Question {
        let mut question = Question::new(&mut Chance::new(1));
        let mut meant = question.meant.take();
        meant["context"] = json!({"header": {}, "query": {}, "body": null});
        meant["match"] = json!({"headers": {}, "query": {}});
        (meant["content"], meant["upgrade"], meant["preflight"]) = (json!([]), json!([]), Value::Null);
        meant["subject"] = json!({"id": "ann"});
        question.subject = Some(Subject { id: Some("ann".to_owned()), ..Subject::default() });
        (question.source, question.time, question.body) = (None, None, None);
        question.headers = vec![(b"x-pad".to_vec(), b"a".to_vec()); lines];
        question.query = Some("a".repeat(query));
        question.meant = meant;
        question.measure();
        question
    }

    fn add_subject(&mut self, chance: &mut Chance) {
        if chance.percent(12) {
            return;
        }
        let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let mut subject = Subject {
            id: chance.percent(95).then(|| chance.one(generate::USERS).to_owned()),
            kind: None,
            tenant: chance.percent(70).then(|| chance.one(generate::TENANTS).to_owned()),
            roles: names(chance.some(generate::ROLES, 3)),
            groups: names(chance.some(generate::GROUPS, 3)),
            scopes: names(chance.some(generate::SCOPES, 3)),
            permissions: names(chance.some(generate::PERMISSIONS, 1)),
            method: chance.percent(90).then(|| chance.one(generate::SIGN_INS).to_owned()),
            key_type: chance.percent(90).then(|| chance.one(generate::KINDS).to_owned()),
            attributes: Map::new(),
        };
        if chance.percent(5) {
            subject.permissions.push(chance.one(&["docs", ":", "docs read", "docs:*x"]).to_owned());
        }
        for (percent, name, value) in [
            (75, "department", chance.one(&["finance", "sales"]).into()),
            (75, "level", chance.below(6).into()),
            (50, "profile", json!({"region": chance.one(&["eu", "us"])})),
            (40, "teams", json!(generate::texts(if chance.percent(20) { generate::MANY } else { 2 }))),
        ] {
            if chance.percent(percent) {
                subject.attributes.insert(name.to_owned(), value);
            }
        }
        let mut meant = Value::Object(subject.attributes.clone());
        for (name, list) in [
            ("roles", &subject.roles),
            ("groups", &subject.groups),
            ("scopes", &subject.scopes),
            ("permissions", &subject.permissions),
        ] {
            meant[name] = json!(list);
        }
        for (name, text) in [
            ("id", &subject.id),
            ("tenant", &subject.tenant),
            ("method", &subject.method),
            ("key_type", &subject.key_type),
        ] {
            if let Some(text) = text {
                meant[name] = json!(text);
            }
        }
        self.meant["subject"] = meant;
        self.subject = Some(subject);
    }

    fn add_source(&mut self, chance: &mut Chance) {
        let (meant, sent) = match chance.below(6) {
            0 => ("10.1.2.3", "10.1.2.3"),
            1 => ("10.1.2.3", "::ffff:10.1.2.3"),
            2 => ("192.0.2.7", "192.0.2.7"),
            3 => ("2001:db8::1", "2001:db8::1"),
            _ => return,
        };
        self.meant["context"]["source"] = meant.into();
        self.source = Some(sent.parse().expect("an address"));
    }

    /// Puts a line among the headers, in one of its spellings.
    fn send(&mut self, chance: &mut Chance, name: &str, value: &[u8]) {
        let name = if chance.percent(10) { name.replace('-', "_") } else { name.to_owned() };
        let blank = if chance.percent(5) { " " } else { "" };
        self.headers.push((name.into_bytes(), [blank.as_bytes(), value].concat()));
    }

    fn add_headers(&mut self, chance: &mut Chance) {
        for (percent, name, values) in [
            (60, "x-flag", &["on", "off"] as &[&str]),
            (3, "x-flag", &["on", "off"]),
            (15, "x-org", generate::TENANTS),
            (4, "x-org", generate::TENANTS),
        ] {
            if chance.percent(percent) {
                let value = chance.one(values);
                let broken = chance.percent(2);
                self.send(chance, name, if broken { b"\xff" } else { value.as_bytes() });
                push(
                    &mut self.meant["context"]["header"][name],
                    if broken { Value::Null } else { value.into() },
                );
            }
        }
        for percent in [30, 6] {
            if chance.percent(percent) {
                let kinds = &["a", "b", "c"];
                let (value, other) = (chance.one(kinds), chance.one(kinds));
                let listed = chance.percent(10);
                let line = if listed { format!("{value}, {other}") } else { value.to_owned() };
                self.send(chance, "x-kind", line.as_bytes());
                // A list is each of its parts to some, and as a whole to others something that nobody lists.
                for one in if listed { vec![value, other, &line] } else { vec![value] } {
                    push(&mut self.meant["match"]["headers"]["x-kind"], one.into());
                }
            }
        }
        self.add_content(chance);
        self.add_upgrade(chance);
        self.add_preflight(chance);
    }

    fn add_content(&mut self, chance: &mut Chance) {
        for percent in [15, 2] {
            if chance.percent(percent) {
                let (meant, sent) = match chance.below(5) {
                    0 => ("grpc", "application/grpc"),
                    1 => ("grpc", "Application/gRPC+proto"),
                    2 => ("grpc", "application/grpc;charset=utf-8"),
                    3 => ("other", "application/grpc-web"),
                    _ => ("other", "text/plain"),
                };
                self.send(chance, "content-type", sent.as_bytes());
                push(&mut self.meant["content"], meant.into());
            }
        }
    }

    fn add_upgrade(&mut self, chance: &mut Chance) {
        let (connection, upgrades): (&str, &[&str]) = match chance.below(100) {
            0..3 => ("keep-alive, Upgrade", &["WebSocket"]),
            3 => ("upgrade", &["websocket", "h2c"]),
            4 => ("upgrade", &["h2c"]),
            5 => ("upgrade", &[]),
            6 => ("close", &["websocket"]),
            _ => return,
        };
        self.send(chance, "connection", connection.as_bytes());
        for upgrade in upgrades {
            self.send(chance, "upgrade", upgrade.as_bytes());
            if connection != "close" {
                push(&mut self.meant["upgrade"], upgrade.to_lowercase().into());
            }
        }
    }

    fn add_preflight(&mut self, chance: &mut Chance) {
        const METHOD: &str = "access-control-request-method";
        let origin = chance.one(&["https://a.example", "https://b.example"]);
        let (lines, is_true): (&[(&str, &str)], bool) = match chance.below(20) {
            0..3 => (&[("origin", origin), (METHOD, "PUT")], true),
            3 => (&[("origin", origin), (METHOD, "PUT"), ("content-length", "0")], true),
            4 => (&[("origin", origin), (METHOD, "PUT"), ("content-length", "7")], false),
            5 => (&[("origin", origin), (METHOD, "PUT"), ("transfer-encoding", "chunked")], false),
            6 => (&[("origin", origin), (METHOD, "P U T")], false),
            7 => (&[("origin", origin), ("origin", origin), (METHOD, "PUT")], false),
            8 => (&[("origin", origin)], false),
            9 => (&[(METHOD, "PUT")], false),
            _ => return,
        };
        for (name, value) in lines {
            self.send(chance, name, value.as_bytes());
        }
        if is_true && self.meant["action"]["method"] == "OPTIONS" {
            self.meant["preflight"] = origin.into();
        }
    }

    fn add_query(&mut self, chance: &mut Chance) {
        let mut pairs = Vec::new();
        for (percent, name, odd, values) in [
            (20, "kind", "k%69nd", &["a", "b", "c"] as &[&str]),
            (5, "kind", "kin%64", &["a", "b"]),
            (15, "org", "%6frg", generate::TENANTS),
            (3, "org", "or%67", generate::TENANTS),
        ] {
            if chance.percent(percent) {
                let (value, name_sent) = (chance.one(values), if chance.percent(20) { odd } else { name });
                let (meant, sent) = match chance.below(30) {
                    0 => (Value::Null, format!("{value};")),
                    1 => (Value::Null, format!("{value}%2")),
                    2 => (Value::Null, format!("{value}+")),
                    3 => (Value::Null, "%ff".to_owned()),
                    4 => (json!(""), String::new()),
                    5..10 => (json!(value), value.replace('a', "%61")),
                    _ => (json!(value), value.to_owned()),
                };
                pairs.push(format!("{name_sent}={sent}"));
                push(&mut self.meant["context"]["query"][name], meant);
            }
        }
        self.meant["match"]["query"] = self.meant["context"]["query"].clone();
        self.query = (!pairs.is_empty() || chance.percent(50)).then(|| pairs.join("&"));
    }

    /// One that is absent or cannot be read is none.
    fn add_body(&mut self, chance: &mut Chance) {
        let amount = match chance.below(8) {
            0 => Value::Null,
            1 => json!("7"),
            2 => json!([7]),
            3 => json!([7, 8]),
            4 => json!({"net": 7}),
            _ => json!(chance.below(12)),
        };
        let owner = chance.one(generate::USERS);
        self.body = match chance.below(10) {
            0..3 => None,
            3 => Some(json!([amount])),
            4 => Some(json!({"amount": amount})),
            _ => Some(json!({"amount": amount, "order": {"owner": owner}})),
        };
        self.meant["context"]["body"] = self.body.clone().into();
    }

    /// What the engine says, in the form of the reference.
    pub(super) fn ask(&self, policy: &Policy) -> Value {
        shown(&self.put(|request| decide(policy, request)))
    }

    /// Asks the question as it was sent.
    pub(super) fn put<T>(&self, ask: impl FnOnce(&AccessRequest<'_>) -> T) -> T {
        let action = match self.meant["action"]["method"].as_str() {
            Some(method) => Action::of_method(method),
            None => Action::named(self.meant["action"]["name"].as_str().expect("a name")),
        };
        let resource = Resource::at(self.meant["resource"]["host"].as_str().expect("a host"), &self.path);
        let headers = self.headers.iter().map(|(name, value)| (name, value)).collect();
        let context = Context {
            headers: &headers,
            query: self.query.as_deref(),
            time: self.time,
            source: self.source,
            body: self.body.as_ref(),
            ..Context::default()
        };
        ask(&AccessRequest { subject: self.subject.as_ref(), action, resource, context })
    }
}

pub(super) fn decide(policy: &Policy, request: &AccessRequest<'_>) -> Response {
    policy.decide(&policy.locate(request.action, request.resource, &request.context), request)
}

fn push(list: &mut Value, value: Value) {
    match list {
        Value::Array(values) => values.push(value),
        other => *other = json!([value]),
    }
}

/// An answer in the form of the reference.
pub(super) fn shown(response: &Response) -> Value {
    let code = match &response.outcome {
        Ok(_) => String::new(),
        Err(Refusal::InsufficientScope(scopes)) => {
            scopes.iter().fold("insufficient_scope".to_owned(), |code, scope| format!("{code} {scope}"))
        }
        Err(refusal) => refusal.code().to_owned(),
    };
    // Of several bindings that do not agree any may be named, and so none is.
    let reasons: Vec<&str> = response.reasons.iter().map(|reason| reason.as_str()).collect();
    let reasons: Vec<&str> = reasons.into_iter().filter(|reason| !reason.starts_with("tenancy/")).collect();
    let tenant = response.tenant.as_ref().filter(|_| response.outcome.is_ok());
    json!([
        response.decision.as_str(),
        code,
        reasons,
        tenant,
        response.cross_tenant && response.outcome.is_ok()
    ])
}
