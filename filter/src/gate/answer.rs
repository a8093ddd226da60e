//! What a refused caller is told: an RFC 9457 problem document with its challenge, or a gRPC status.
//!
//! This module decides nothing; [`Denial`] says what there is to tell.

use serde_json::json;

use crate::gate::denial::{Code, Denial};

/// A response made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The gRPC status, for a gRPC caller.
    pub grpc_status: Option<u32>,
    /// What the access log shows as `response_code_details`.
    pub details: String,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for `HEAD`. For a gRPC caller it is the `grpc-message`.
    pub body: Vec<u8>,
}

/// What shapes an answer besides the denial.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerForm<'a> {
    /// The realm of the challenge: the document's name.
    pub realm: &'a str,
    /// The request was a `HEAD`, whose answer has no body (RFC 9110 section 9.3.2).
    pub head: bool,
    /// The request was gRPC.
    pub grpc: bool,
}

impl Answer {
    /// The answer to a refused request.
    pub fn to(denial: &Denial, form: AnswerForm<'_>) -> Answer {
        let code = denial.code();
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if let Some(challenge) = denial.challenge(form.realm) {
            headers.push(("www-authenticate", challenge));
        }
        if let Some(seconds) = denial.retry_after_seconds() {
            headers.push(("retry-after", seconds.to_string()));
        }
        let body = if form.grpc {
            code.as_str().as_bytes().to_vec()
        } else {
            headers.push(("content-type", "application/problem+json".to_owned()));
            if form.head { Vec::new() } else { problem_document(code, denial.detail()) }
        };
        Answer {
            status: code.status(),
            grpc_status: form.grpc.then(|| code.grpc_status()),
            details: code.response_code_details(),
            headers,
            body,
        }
    }

    /// The answer when nothing else can be said: the request is refused because of a fault of ours.
    pub fn internal_error() -> Answer {
        Answer::to(&Denial::Internal, AnswerForm::default())
    }
}

/// RFC 9457 section 3. `type` is left at `about:blank`, so `title` is the status's phrase (section 4.2.1); what happened
/// is in `code`, an extension member.
fn problem_document(code: Code, detail: &str) -> Vec<u8> {
    let status = code.status();
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        408 => "Request Timeout",
        413 => "Content Too Large",
        _our_fault => "Service Unavailable",
    };
    let document = json!({"type": "about:blank", "title": title, "status": status, "code": code.as_str(), "detail": detail});
    document.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_policy::decision::Refusal;

    use super::*;
    use crate::authn::error::AuthnError;

    const FORM: AnswerForm<'static> = AnswerForm { realm: "shop", head: false, grpc: false };

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn no_credential_gets_a_challenge_without_an_error() {
        let answer = Answer::to(&Denial::Refused(Refusal::AuthenticationRequired), FORM);
        assert_eq!(answer.status, 401);
        assert_eq!(header(&answer, "www-authenticate"), Some("Bearer realm=\"shop\""));
        assert_eq!(answer.details, "portcullis_denied{missing_token}");
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(document["code"], "missing_token");
        assert_eq!(document["title"], "Unauthorized");
    }

    #[test]
    fn missing_scopes_are_named_in_the_challenge() {
        let denial = Denial::Refused(Refusal::InsufficientScope(["docs:read".to_owned()].into()));
        let answer = Answer::to(&denial, FORM);
        assert_eq!(answer.status, 403);
        let challenge = header(&answer, "www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"insufficient_scope\"") && challenge.ends_with("scope=\"docs:read\"")
        );
    }

    #[test]
    fn a_key_outage_says_when_to_come_back_and_never_looks_like_a_bad_token() {
        let answer = Answer::to(&Denial::KeysUnavailable(Duration::from_millis(300)), FORM);
        assert_eq!((answer.status, header(&answer, "retry-after")), (503, Some("1")));
        assert_eq!(header(&answer, "www-authenticate"), None);
        assert_eq!(
            Answer::to(&Denial::Credential(AuthnError::NoKeys), FORM),
            answer,
            "a set without a key is one"
        );
    }

    #[test]
    fn head_has_no_body_and_grpc_has_a_status() {
        let denial = Denial::Refused(Refusal::AccessDenied);
        assert!(Answer::to(&denial, AnswerForm { head: true, ..FORM }).body.is_empty());
        let answer = Answer::to(&denial, AnswerForm { grpc: true, ..FORM });
        assert_eq!((answer.grpc_status, answer.body.as_slice()), (Some(7), b"access_denied".as_slice()));
        assert_eq!(header(&answer, "content-type"), None);
    }

    #[test]
    fn each_code_has_one_status_on_both_protocols() {
        for code in Code::ALL {
            let grpc = match code.status() {
                400 => 3,
                401 => 16,
                403 => 7,
                408 => 4,
                413 => 8,
                503 => 14,
                other => panic!("{other} is not a status of ours"),
            };
            assert_eq!(code.grpc_status(), grpc, "{}", code.as_str());
        }
    }
}
