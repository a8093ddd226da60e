//! A request put to a policy: by the commands that ask one policy many of them, or two policies the same.
//!
//! It decides nothing: [`portcullis_policy::authzen`] reads the question and the policy answers it.

use std::fmt;

use portcullis_policy::authzen::EvaluationRequest;
use portcullis_policy::path::{self, PathError, PathMode};
use portcullis_policy::policy::Policy;
use serde_json::{Map, Value, json};

/// A request as an author writes it or a record holds it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Who asks, as in AuthZEN; anonymous if none.
    pub(crate) subject: Option<Value>,
    /// Request method.
    pub(crate) method: String,
    /// Host, and a port if there is one.
    pub(crate) host: String,
    /// Path and query, as sent.
    pub(crate) target: String,
    /// `headers`, `body`, `source` and `time`, where they are known.
    pub(crate) context: Map<String, Value>,
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The code of the refusal; none for a permit.
    pub(crate) code: Option<String>,
    /// The rules that decided.
    pub(crate) rules: Vec<String>,
    /// The tenant acted in.
    pub(crate) tenant: Option<String>,
    /// Whether it is not the subject's own.
    pub(crate) cross_tenant: bool,
}

/// A header line as an argument: a name in lower case, and a value.
#[derive(Clone, Debug)]
pub(crate) struct HeaderLine {
    /// Name in lower case.
    pub(crate) name: String,
    /// Value without white space around it.
    pub(crate) value: String,
}

impl HeaderLine {
    /// Reads what `--header` was given. A line that is none is not repeated: it could hold a credential.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn read(lines: &[String]) -> Result<Vec<Self>, &'static str> {
        let read = |line: &String| {
            let (name, value) = line.split_once(':').ok_or("--header: expected `name: value`")?;
            Ok(Self { name: name.trim().to_ascii_lowercase(), value: value.trim().to_owned() })
        };
        lines.iter().map(read).collect()
    }
}

impl Question {
    /// Reads a method, a blank and a URL. A path alone is asked of `host`, if there is one.
    ///
    /// # Errors
    /// What the line lacks.
    pub(crate) fn of_line(line: &str, host: Option<&str>) -> Result<Self, &'static str> {
        let (method, url) = line.split_once(' ').ok_or("expected a method, a blank and a URL")?;
        match host {
            Some(host) if url.starts_with('/') => Self::of_url(method, &format!("http://{host}{url}")),
            Some(_) | None => Self::of_url(method, url),
        }
    }

    /// Takes a URL apart.
    ///
    /// # Errors
    /// What the URL lacks.
    pub(crate) fn of_url(method: &str, url: &str) -> Result<Self, &'static str> {
        let (_scheme, rest) = url.split_once("://").ok_or("the URL has no scheme and host")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self {
            subject: None,
            method: method.to_owned(),
            host: host.to_owned(),
            target,
            context: Map::new(),
        })
    }

    /// The gate's answer; a path that it does not let reach the policy is refused as there.
    ///
    /// # Errors
    /// What is wrong with the question.
    pub(crate) fn ask(&self, policy: &Policy, mode: PathMode) -> Result<Answer, String> {
        let question = match self.evaluation(mode)? {
            Ok(question) => question,
            Err(code) => return Ok(Answer::refused(code)),
        };
        let answer = question.decide(policy);
        let said = answer.to_json();
        let context = |name: &str| said.get("context").and_then(|context| context.get(name));
        let rules = context("rules").and_then(Value::as_array).into_iter().flatten();
        Ok(Answer {
            code: answer.code().map(str::to_owned),
            rules: rules.filter_map(Value::as_str).map(str::to_owned).collect(),
            tenant: context("tenant").and_then(Value::as_str).map(str::to_owned),
            cross_tenant: context("cross_tenant").and_then(Value::as_bool).unwrap_or_default(),
        })
    }

    /// The question as a policy takes it, or the code of the refusal of a path that no policy sees.
    ///
    /// # Errors
    /// What is wrong with the question.
    pub(crate) fn evaluation(
        &self,
        mode: PathMode,
    ) -> Result<Result<EvaluationRequest, &'static str>, String> {
        let target = match path::canonicalize(self.target.as_bytes(), mode) {
            Ok(target) => target.origin_form(),
            Err(PathError::Ambiguous(_)) => return Ok(Err("ambiguous_path")),
            Err(PathError::Malformed(_) | PathError::TooLong) => return Ok(Err("malformed_request")),
        };
        let anonymous = || json!({ "type": "anonymous", "id": "anonymous" });
        let question = json!({
            "subject": self.subject.clone().unwrap_or_else(anonymous),
            "action": { "name": self.method },
            "resource": { "type": "route", "id": target, "properties": { "host": self.host } },
            "context": self.context,
        });
        let question = EvaluationRequest::from_value(&question)
            .map_err(|problems| problems.to_string().replace('\n', "; "))?;
        Ok(Ok(question))
    }
}

impl Answer {
    fn refused(code: &str) -> Self {
        Self { code: Some(code.to_owned()), rules: Vec::new(), tenant: None, cross_tenant: false }
    }
}

/// `permit`, or `deny: CODE`, and the tenant if one is acted in.
impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            None => formatter.write_str("permit")?,
            Some(code) => write!(formatter, "deny: {code}")?,
        }
        match &self.tenant {
            None => Ok(()),
            Some(tenant) if self.cross_tenant => write!(formatter, ", across tenants in {tenant}"),
            Some(tenant) => write!(formatter, ", tenant {tenant}"),
        }
    }
}
