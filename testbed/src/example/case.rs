//! The format of `cases.yaml`, as far as a request through a proxy needs it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::Request;

/// A file of cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The policy, beside this file.
    #[serde(default = "default_policy")]
    pub policy: PathBuf,
    /// What time it is in every case that does not say so itself.
    #[serde(default)]
    time: Option<String>,
    /// Those who appear in the cases, by a name of the file's own.
    #[serde(default)]
    pub subjects: BTreeMap<String, Subject>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// Who asks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The user id.
    #[serde(default)]
    pub id: Option<String>,
    /// The tenant the credential names.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Permissions that the credential carries by itself.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// The method that authenticated the subject; the document's first when not said.
    #[serde(default)]
    pub method: Option<String>,
    /// The kind of credential, which must be that of the method.
    #[serde(default)]
    pub key_type: Option<String>,
    /// Other attributes.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

/// One question and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What this is about; unique in its file.
    pub name: String,
    /// The sentence this case is about.
    #[serde(default)]
    pub quote: Option<String>,
    /// Who asks; absent: somebody without a credential.
    #[serde(default)]
    subject: Option<Asking>,
    request: RequestForm,
    expect: ExpectForm,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Asking {
    Named(String),
    Inline(Box<Subject>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum RequestForm {
    Line(String),
    Parts(Parts),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    time: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum ExpectForm {
    Word(String),
    Answer(AnswerForm),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum AnswerForm {
    Permit(PermitForm),
    Deny(DenyForm),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PermitForm {
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default, rename = "cross_tenant")]
    _cross_tenant: Option<bool>,
    #[serde(default, rename = "rules")]
    _rules: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum DenyForm {
    Code(String),
    Full(DenyParts),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenyParts {
    code: String,
    #[serde(default, rename = "rules")]
    _rules: Option<Vec<String>>,
}

/// What must come of a request, as far as a client and the service behind the gate can see it: rules and marks are on
/// record and not in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The request reaches the service.
    Permit {
        /// The tenant that the service is told, where the case says one.
        tenant: Option<String>,
    },
    /// The request is refused with this code.
    Deny {
        /// The code of the problem document.
        code: String,
    },
}

/// What a case asks, as it goes onto the wire.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The request method.
    pub method: &'a str,
    /// The host, with its port where the URL has one.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Header lines, without those of a credential.
    pub headers: Vec<(&'a str, &'a str)>,
    /// What the body says, in JSON.
    pub body: Option<&'a Value>,
    /// The address the request comes from.
    pub source: Option<&'a str>,
}

impl Case {
    /// Who asks: the name for people, and the subject. None for somebody without a credential.
    ///
    /// # Errors
    /// When the name is nobody's.
    pub fn subject<'a>(&'a self, file: &'a CaseFile) -> Result<Option<(&'a str, &'a Subject)>> {
        match &self.subject {
            None => Ok(None),
            Some(Asking::Inline(subject)) => {
                Ok(Some((subject.id.as_deref().unwrap_or("somebody"), subject.as_ref())))
            }
            Some(Asking::Named(name)) => {
                let found = file.subjects.get(name);
                let subject = found.with_context(|| format!("{}: nobody is called {name}", self.name))?;
                Ok(Some((name, subject)))
            }
        }
    }

    /// Method and target, for people.
    pub fn line(&self) -> String {
        let (method, url) = self.method_and_url();
        let target = url.split_once("://").map_or(url, |(_, rest)| rest);
        format!("{method} {target}")
    }

    /// What time it is, in RFC 3339, when the case depends on it. It cannot be sent: a proxy has its own clock.
    pub fn time<'a>(&'a self, file: &'a CaseFile) -> Option<&'a str> {
        let own = match &self.request {
            RequestForm::Line(_) => None,
            RequestForm::Parts(parts) => parts.time.as_deref(),
        };
        own.or(file.time.as_deref())
    }

    /// What is asked, taken apart, but for the time.
    ///
    /// # Errors
    /// When the URL has no host.
    pub fn ask(&self) -> Result<Ask<'_>> {
        let (method, url) = self.method_and_url();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if host.is_empty() || method.is_empty() {
            bail!("{}: {method:?} {url:?} is no method and URL with a host", self.name);
        }
        let target = if target.is_empty() { "/" } else { target };
        let mut ask = Ask { method, host, target, headers: Vec::new(), body: None, source: None };
        if let RequestForm::Parts(parts) = &self.request {
            ask.body = parts.body.as_ref();
            ask.source = parts.source.as_deref();
            for (name, values) in &parts.headers {
                match values {
                    OneOrMore::One(value) => ask.headers.push((name, value)),
                    OneOrMore::More(values) => {
                        ask.headers.extend(values.iter().map(|value| (name.as_str(), value.as_str())));
                    }
                }
            }
        }
        Ok(ask)
    }

    /// The request, with every header but those of a credential. A body is sent as JSON. A source address is
    /// told as a load balancer tells it.
    ///
    /// # Errors
    /// As [`Case::ask`].
    pub fn request(&self) -> Result<Request> {
        let ask = self.ask()?;
        let request = Request::new(ask.method, ask.target).header("host", ask.host);
        let request = ask.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = match ask.body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        Ok(match ask.source {
            Some(source) => request.header("x-forwarded-for", source),
            None => request,
        })
    }

    /// What must come of it.
    ///
    /// # Errors
    /// When it is a word other than `permit`.
    pub fn expectation(&self) -> Result<Expectation> {
        match &self.expect {
            ExpectForm::Word(word) if word == "permit" => Ok(Expectation::Permit { tenant: None }),
            ExpectForm::Word(word) => {
                bail!("{}: expected `permit` or `{{deny: CODE}}`, got {word}", self.name)
            }
            ExpectForm::Answer(AnswerForm::Permit(permit)) => {
                Ok(Expectation::Permit { tenant: permit.tenant.clone() })
            }
            ExpectForm::Answer(AnswerForm::Deny(DenyForm::Code(code)))
            | ExpectForm::Answer(AnswerForm::Deny(DenyForm::Full(DenyParts { code, .. }))) => {
                Ok(Expectation::Deny { code: code.clone() })
            }
        }
    }

    fn method_and_url(&self) -> (&str, &str) {
        match &self.request {
            RequestForm::Line(line) => line.split_once(' ').unwrap_or((line, "")),
            RequestForm::Parts(parts) => (&parts.method, &parts.url),
        }
    }
}

fn default_policy() -> PathBuf {
    "policy.yaml".into()
}
