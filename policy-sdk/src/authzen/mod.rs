//! Questions and answers as JSON: OpenID AuthZEN 1.0, Access Evaluation (section 6) and Access Evaluations (section 7),
//! and the short form of one question that commands take.
//!
//! | member | what it becomes |
//! | --- | --- |
//! | `subject.type`, `subject.id` | the subject's kind and id; the type `anonymous` is a caller who shows no credential |
//! | `subject.properties` | `tenant`, `roles`, `groups`, `scopes`, `permissions`, `method`, `key_type`; all others are attributes |
//! | `action.name` | a request method when it is written in capitals, such as `GET`; else the name of an action |
//! | `resource.type`, `resource.id` | kind and id, and the path `/{type}/{id}`, percent-encoded; the type `route` has its path as id |
//! | `resource.properties` | `path` (with a query, if there is one) and `host` replace what type and id say; all others are attributes |
//! | `context` | `headers` and `query` (each value a text or a list), `source` (an address), `time` (RFC 3339); all others are attributes |
//!
//! A subject is taken at its word: whoever calls has verified it. Members that AuthZEN does not know are ignored, as it
//! demands; members that it knows are read strictly, and a question that has no one reading is never answered with a
//! permit.
//!
//! This module does not speak HTTP, verifies no token and decides nothing: see [`crate::policy`].

mod batch;
mod evaluation;
mod part;
mod response;
mod short;

pub use batch::{EvaluationsRequest, EvaluationsResponse, Semantic};
pub use evaluation::EvaluationRequest;
pub use response::{EvaluationResponse, problems_json};
pub use short::ShortRequest;

use crate::document::{JsonPointer, Problem, Problems};
use crate::json;
use crate::limits::MAX_QUESTION_BYTES;
use serde_json::Value;

/// Reads the text of a question, strictly.
fn parse(text: &[u8]) -> Result<Value, Problems> {
    json::parse_within(text, MAX_QUESTION_BYTES)
        .map_err(|error| Problem::new(JsonPointer::root(), error.to_string()).into())
}

/// What was read, or everything that is wrong.
fn concluded<T>(read: Option<T>, problems: Vec<Problem>) -> Result<T, Problems> {
    match (Problems::from_list(problems), read) {
        (None, Some(read)) => Ok(read),
        (Some(problems), _) => Err(problems),
        // Unreachable while each reader that gives up says why; if one does not, nothing is answered all the same.
        (None, None) => Err(Problem::new(JsonPointer::root(), "not a question").into()),
    }
}
