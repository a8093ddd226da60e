//! What came of a case: the answer as a client reads it, and what the service behind the gate was told.

use anyhow::Result;
use serde_json::Value;

use super::case::{Case, CaseFile, Expectation};
use crate::client::Response;

/// One case, tried.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// Who asked, by the name in the file; `nobody` without a credential.
    pub who: String,
    /// Method and target.
    pub line: String,
    /// What must come of it, for people.
    pub expected: String,
    /// What came of it, in the same words.
    pub got: String,
    /// The sentence the case is about.
    pub quote: Option<String>,
}

impl Outcome {
    /// Whether it came out as it must.
    pub fn as_expected(&self) -> bool {
        self.expected == self.got
    }
}

/// Reads an answer to a case. `document` says by which headers the service is told who called.
pub(super) fn read(file: &CaseFile, case: &Case, document: &Value, answer: &Response) -> Result<Outcome> {
    let subject = case.subject(file)?;
    let (expected, says_tenant) = match case.expectation()? {
        Expectation::Permit { tenant: Some(tenant) } => (format!("permit in {tenant}"), true),
        Expectation::Permit { tenant: None } => ("permit".to_owned(), false),
        Expectation::Deny { code } => (code, false),
    };
    let got = match refusal(answer) {
        Some(code) => code,
        None => {
            let told = Told::read(document, answer);
            // Nobody else's name ever reaches the service, whatever the case is about.
            match (&told.user, subject.and_then(|(_, subject)| subject.id.as_ref())) {
                (Some(user), who) if Some(user) != who => format!("permit as {user}"),
                _ => match (says_tenant, told.tenant) {
                    (true, Some(tenant)) => format!("permit in {tenant}"),
                    _ => "permit".to_owned(),
                },
            }
        }
    };
    Ok(Outcome {
        name: case.name.clone(),
        who: subject.map_or("nobody", |(name, _)| name).to_owned(),
        line: case.line(),
        expected,
        got,
        quote: case.quote.clone(),
    })
}

/// The code of a refusal: of the problem document, or of the gRPC status. None when the service answered.
fn refusal(answer: &Response) -> Option<String> {
    if answer.header("grpc-status").is_some_and(|status| status != "0") {
        return Some(answer.header("grpc-message").unwrap_or_default());
    }
    if answer.status == 200 {
        return None;
    }
    let body = answer.json().unwrap_or(Value::Null);
    Some(body["code"].as_str().map_or_else(|| format!("{} {}", answer.status, answer.text()), str::to_owned))
}

/// Who the service was told that called.
struct Told {
    user: Option<String>,
    tenant: Option<String>,
}

impl Told {
    fn read(document: &Value, answer: &Response) -> Self {
        let echo = answer.json().unwrap_or(Value::Null);
        let find = |what: &str, default: &str| {
            let name = document["identity_headers"][what].as_str().unwrap_or(default);
            let lines = echo["headers"].as_array()?;
            let line = lines.iter().find(|line| line[0] == *name)?;
            line[1].as_str().map(str::to_owned)
        };
        Self { user: find("user", "x-user-id"), tenant: find("tenant", "x-tenant-id") }
    }
}
