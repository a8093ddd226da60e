//! What a refused caller is told: an RFC 9457 problem document with its challenge, or a gRPC status.
//!
//! This module decides nothing; [`Denial`] says what there is to tell.

use std::sync::{Arc, OnceLock};

use serde_json::json;

use crate::gate::denial::{Code, Denial};
use crate::header_pairs::{self, HeaderPairsError};

/// A response made here.
#[derive(Debug, Clone)]
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
    encoded: OnceLock<Result<Vec<u8>, HeaderPairsError>>,
}

/// Whether both say the same; that one of them has been encoded makes no difference.
impl PartialEq for Answer {
    fn eq(&self, other: &Answer) -> bool {
        let parts = |answer: &Answer| {
            let Answer { status, grpc_status, details, headers, body, encoded: _ } = answer.clone();
            (status, grpc_status, details, headers, body)
        };
        parts(self) == parts(other)
    }
}

impl Eq for Answer {}

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
            encoded: OnceLock::new(),
        }
    }

    /// The headers as a host takes them, encoded once.
    ///
    /// # Errors
    ///
    /// One of them must not be written to a connection.
    pub fn encoded_headers(&self) -> Result<&[u8], HeaderPairsError> {
        let encoded = self.encoded.get_or_init(|| header_pairs::encode(&self.headers));
        encoded.as_deref().map_err(|error| *error)
    }

    /// The answer when nothing else can be said: the request is refused because of a fault of ours.
    pub fn internal_error() -> Answer {
        Answer::to(&Denial::Internal, AnswerForm::default())
    }
}

/// Answers given before, for the same is answered again and again, and to a flood of bad requests most of all.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(Denial, bool, bool, Arc<Answer>)>);

impl Answers {
    /// What [`Answer::to`] says, made at most once. One gate has one realm.
    pub(super) fn to(&mut self, denial: &Denial, form: AnswerForm<'_>) -> Arc<Answer> {
        let AnswerForm { realm: _, head, grpc } = form;
        let mut known = self.0.iter();
        if let Some((.., answer)) =
            known.find(|known| known.0 == *denial && (known.1, known.2) == (head, grpc))
        {
            return Arc::clone(answer);
        }
        let answer = Arc::new(Answer::to(denial, form));
        if self.0.len() < MAX_KNOWN_ANSWERS {
            self.0.push((denial.clone(), head, grpc, Arc::clone(&answer)));
        }
        answer
    }
}

/// Answers that are kept, at most half a KiB each: there are thirty reasons, and few of them are met in one place.
const MAX_KNOWN_ANSWERS: usize = 64;

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
    fn an_answer_given_before_is_the_one_that_would_be_made() {
        let mut answers = Answers::default();
        let after = |seconds| Denial::KeysUnavailable(Duration::from_secs(seconds));
        let denials = (0..2 * u64::try_from(MAX_KNOWN_ANSWERS).unwrap())
            .map(after)
            .chain([Denial::Internal, Denial::Refused(Refusal::AccessDenied)]);
        for denial in denials {
            for (head, grpc) in [(false, false), (true, false), (false, true), (true, true)] {
                let form = AnswerForm { head, grpc, ..FORM };
                for _again in 0..2 {
                    let answer = answers.to(&denial, form);
                    assert_eq!((*answer).clone(), Answer::to(&denial, form));
                    let encoded = header_pairs::encode(&answer.headers).unwrap();
                    assert_eq!(answer.encoded_headers(), Ok(encoded.as_slice()), "{denial:?}");
                }
            }
        }
        assert_eq!(answers.0.len(), MAX_KNOWN_ANSWERS);
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
