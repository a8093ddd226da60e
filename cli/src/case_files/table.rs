//! A table of cases as its author writes it. Unknown fields are refused, as in a policy.

use deserr::{Deserr, IntoValue, Value as Written, ValuePointerRef};
use portcullis_policy::document::{Named, Problem, Problems};
use serde_json::{Map, Value, json};

use crate::question::{Answer, Question};

/// All of one file.
#[derive(Debug, Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
pub(super) struct Table {
    /// The policy, seen from the file.
    #[deserr(default = "policy.yaml".to_owned())]
    pub(super) policy: String,
    /// `context.time` of every case that has none of its own.
    #[deserr(default)]
    time: Option<String>,
    #[deserr(default)]
    subjects: Named<Subject>,
    pub(super) cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    #[deserr(default, rename = "quote")]
    _quote: Option<String>,
    #[deserr(default)]
    subject: Option<Asking>,
    request: Request,
    pub(super) expect: Expectation,
}

/// A caller whose credential is taken as verified.
#[derive(Clone, Debug, Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Subject {
    #[deserr(default)]
    id: Option<String>,
    #[deserr(default)]
    tenant: Option<String>,
    #[deserr(default)]
    roles: Vec<String>,
    #[deserr(default)]
    groups: Vec<String>,
    #[deserr(default)]
    scopes: Vec<String>,
    #[deserr(default)]
    permissions: Vec<String>,
    #[deserr(default)]
    method: Option<String>,
    #[deserr(default)]
    key_type: Option<String>,
    #[deserr(default = Value::Null)]
    attributes: Value,
}

#[derive(Debug)]
enum Asking {
    Named(String),
    Inline(Box<Subject>),
}

#[derive(Debug)]
struct Request(RequestFields);

#[derive(Debug, Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct RequestFields {
    method: String,
    url: String,
    #[deserr(default = Value::Null)]
    headers: Value,
    #[deserr(default)]
    body: Option<Value>,
    #[deserr(default)]
    source: Option<String>,
    #[deserr(default)]
    time: Option<String>,
}

/// What the answer is to be. What is not said may be anything.
#[derive(Debug, Default)]
pub(super) struct Expectation {
    code: Option<String>,
    rules: Option<Vec<String>>,
    tenant: Option<String>,
    cross_tenant: Option<bool>,
}

impl Table {
    /// The question of `case`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn question(&self, case: &Case) -> Result<Question, String> {
        let request = &case.request.0;
        let mut question = Question::of_url(&request.method, &request.url)?;
        question.subject = match &case.subject {
            None => None,
            Some(Asking::Named(name)) => {
                Some(self.subjects.get(name).ok_or("`subject` names none of `subjects`")?.to_authzen())
            }
            Some(Asking::Inline(subject)) => Some(subject.to_authzen()),
        };
        let time = request.time.as_ref().or(self.time.as_ref()).map(|time| Value::from(time.as_str()));
        let source = request.source.as_deref().map(Value::from);
        let headers = Some(&request.headers).filter(|headers| !headers.is_null()).cloned();
        let body = request.body.clone();
        for (name, value) in [("headers", headers), ("body", body), ("source", source), ("time", time)] {
            if let Some(value) = value {
                question.context.insert(name.to_owned(), value);
            }
        }
        Ok(question)
    }
}

impl Case {
    /// Whether it brings a credential in a header of its own: only a gate reads credentials.
    pub(super) fn needs_a_gate(&self) -> bool {
        let headers = self.request.0.headers.as_object().into_iter().flatten();
        headers.into_iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    }
}

/// A subject as a case writes it, in the form of AuthZEN.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn subject(written: Value) -> Result<Value, Problems> {
    deserr::deserialize::<Subject, Value, Problems>(written).map(|subject| subject.to_authzen())
}

impl Subject {
    fn to_authzen(&self) -> Value {
        let mut properties = self.attributes.as_object().cloned().unwrap_or_else(Map::new);
        for (name, list) in [
            ("roles", &self.roles),
            ("groups", &self.groups),
            ("scopes", &self.scopes),
            ("permissions", &self.permissions),
        ] {
            properties.insert(name.to_owned(), list.clone().into());
        }
        for (name, text) in [("tenant", &self.tenant), ("method", &self.method), ("key_type", &self.key_type)]
        {
            if let Some(text) = text {
                properties.insert(name.to_owned(), text.clone().into());
            }
        }
        json!({ "type": "user", "id": self.id.as_deref().unwrap_or("unnamed"), "properties": properties })
    }
}

impl Expectation {
    /// Whether `answer` is what was expected.
    pub(super) fn is_met_by(&self, answer: &Answer) -> bool {
        self.code == answer.code
            && self.rules.as_ref().is_none_or(|rules| *rules == answer.rules)
            && self.tenant.as_ref().is_none_or(|tenant| Some(tenant) == answer.tenant.as_ref())
            && self.cross_tenant.is_none_or(|crosses| crosses == answer.cross_tenant)
    }

    /// What was expected, in words.
    pub(super) fn to_text(&self) -> String {
        self.words(self.code.as_deref(), self.rules.as_deref(), self.tenant.as_deref(), self.cross_tenant)
    }

    /// `answer` in the same words: what nobody expected anything of is left out.
    pub(super) fn text_of(&self, answer: &Answer) -> String {
        let rules = self.rules.is_some().then_some(answer.rules.as_slice());
        let tenant = self.tenant.is_some().then(|| answer.tenant.as_deref().unwrap_or("none"));
        self.words(answer.code.as_deref(), rules, tenant, self.cross_tenant.map(|_| answer.cross_tenant))
    }

    fn words(
        &self,
        code: Option<&str>,
        rules: Option<&[String]>,
        tenant: Option<&str>,
        cross_tenant: Option<bool>,
    ) -> String {
        let mut words = code.map_or_else(|| "permit".to_owned(), |code| format!("deny: {code}"));
        if let Some(rules) = rules {
            words.push_str(&format!(", rules [{}]", rules.join(", ")));
        }
        if let Some(tenant) = tenant {
            words.push_str(&format!(", tenant {tenant}"));
        }
        match cross_tenant {
            Some(true) => words.push_str(", across tenants"),
            Some(false) => words.push_str(", in its own tenant"),
            None => {}
        }
        words
    }
}

#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Either {
    #[deserr(default)]
    permit: Option<Permitted>,
    #[deserr(default)]
    deny: Option<Denied>,
}

#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Permitted {
    #[deserr(default)]
    tenant: Option<String>,
    #[deserr(default)]
    cross_tenant: Option<bool>,
    #[deserr(default)]
    rules: Option<Vec<String>>,
}

struct Denied(DeniedFields);

#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct DeniedFields {
    code: String,
    #[deserr(default)]
    rules: Option<Vec<String>>,
}

impl Deserr<Problems> for Denied {
    fn deserialize_from_value<V: IntoValue>(
        value: Written<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        match value {
            Written::String(code) => Ok(Self(DeniedFields { code, rules: None })),
            fields => DeniedFields::deserialize_from_value(fields, location).map(Self),
        }
    }
}

impl Deserr<Problems> for Expectation {
    fn deserialize_from_value<V: IntoValue>(
        value: Written<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let no_answer =
            || Problem::new(location, "not an answer").expected("`permit`, `{permit: ..}` or `{deny: CODE}`");
        match value {
            Written::String(word) if word == "permit" => Ok(Self::default()),
            Written::String(_) => Err(no_answer().into()),
            fields => match Either::deserialize_from_value(fields, location)? {
                Either { permit: Some(Permitted { tenant, cross_tenant, rules }), deny: None } => {
                    Ok(Self { code: None, rules, tenant, cross_tenant })
                }
                Either { permit: None, deny: Some(Denied(DeniedFields { code, rules })) } => {
                    Ok(Self { code: Some(code), rules, tenant: None, cross_tenant: None })
                }
                Either { .. } => Err(no_answer().into()),
            },
        }
    }
}

impl Deserr<Problems> for Asking {
    fn deserialize_from_value<V: IntoValue>(
        value: Written<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        match value {
            Written::String(name) => Ok(Self::Named(name)),
            fields => {
                Subject::deserialize_from_value(fields, location).map(|fields| Self::Inline(Box::new(fields)))
            }
        }
    }
}

impl Deserr<Problems> for Request {
    fn deserialize_from_value<V: IntoValue>(
        value: Written<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        match value {
            Written::String(line) => {
                let (method, url) = line.split_once(' ').ok_or_else(|| {
                    Problem::new(location, "not a method and a URL")
                        .expected("such as `GET https://api.example.com/`")
                })?;
                let (method, url) = (method.to_owned(), url.to_owned());
                Ok(Self(RequestFields {
                    method,
                    url,
                    headers: Value::Null,
                    body: None,
                    source: None,
                    time: None,
                }))
            }
            fields => RequestFields::deserialize_from_value(fields, location).map(Self),
        }
    }
}
