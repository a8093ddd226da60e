//! An answer: AuthZEN 1.0 section 6.2, with the reasons in `context`.

use serde_json::{Map, Value, json};

use crate::decision::{Basis, Decision, Refusal, Response};
use crate::document::Problems;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationResponse {
    decision: Decision,
    basis: Option<Basis>,
    refusal: Option<Refusal>,
    rules: Vec<String>,
    tenant: Option<String>,
    cross_tenant: bool,
}

impl EvaluationResponse {
    /// The answer that the decision point gave.
    pub fn of(response: &Response) -> Self {
        let (basis, refusal) = match &response.outcome {
            Ok(permit) => (Some(permit.basis()), None),
            Err(refusal) => (None, Some(refusal.clone())),
        };
        Self {
            decision: response.decision,
            basis,
            refusal,
            rules: response.reasons.iter().map(|rule| rule.as_str().to_owned()).collect(),
            tenant: response.tenant.clone(),
            cross_tenant: response.cross_tenant,
        }
    }

    /// Whether the request is permitted: AuthZEN's `decision`.
    pub fn is_permit(&self) -> bool {
        self.basis.is_some()
    }

    /// The stable code of the refusal, as on the wire; `None` for a permit.
    pub fn code(&self) -> Option<&'static str> {
        self.refusal.as_ref().map(Refusal::code)
    }

    /// The answer as AuthZEN writes it: `{"decision": false, "context": {"decision": "deny", "code": ..., "rules": [...]}}`.
    pub fn to_json(&self) -> Value {
        json!({"decision": self.is_permit(), "context": Value::Object(self.context())})
    }

    /// The answer to a [`ShortRequest`](super::ShortRequest): `allowed`, `denied_reasons` and `details`.
    pub fn to_short_json(&self) -> Value {
        let denied_reasons: Vec<_> = self.code().into_iter().collect();
        json!({
            "allowed": self.is_permit(),
            "denied_reasons": denied_reasons,
            "details": Value::Object(self.context()),
        })
    }

    fn context(&self) -> Map<String, Value> {
        let mut context = Map::new();
        context.insert("decision".to_owned(), self.decision.as_str().into());
        if let Some(basis) = self.basis {
            context.insert("basis".to_owned(), basis.as_str().into());
        }
        if let Some(code) = self.code() {
            context.insert("code".to_owned(), code.into());
        }
        context.insert("rules".to_owned(), self.rules.clone().into());
        if let Some(tenant) = &self.tenant {
            context.insert("tenant".to_owned(), tenant.clone().into());
        }
        context.insert("cross_tenant".to_owned(), self.cross_tenant.into());
        context
    }
}

/// Problems as objects: `pointer` (RFC 6901), `message`, and where they are known `expected` and `nearest`.
pub fn problems_json(problems: &Problems) -> Value {
    let listed = problems.iter().map(|problem| {
        let mut members = Map::new();
        members.insert("pointer".to_owned(), problem.pointer.to_string().into());
        members.insert("message".to_owned(), problem.message.clone().into());
        for (name, value) in [("expected", &problem.expected), ("nearest", &problem.nearest)] {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.clone().into());
            }
        }
        Value::Object(members)
    });
    Value::Array(listed.collect())
}
