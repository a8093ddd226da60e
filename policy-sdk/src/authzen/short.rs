//! The short form of one question: who, what, and what it is done to, each said in one of three places.
//!
//! | | flat | nested | in the context |
//! | --- | --- | --- | --- |
//! | role | `role` | `subject.role` | `context.role` |
//! | action | `action` | `request.action` | `context.action` |
//! | resource, a path | `resource` | `request.resource` | `context.resource` |
//! | access token | `token` | | |
//!
//! A subject may say more: `id`, `type` and what AuthZEN's properties hold. What is said twice is a problem, and so is a
//! name that is not in this table. Without a resource the question is about `/`.
//!
//! The token is not looked at here: whoever calls verifies it, and says who it stands for.

use std::fmt;

use serde_json::Value;

use super::evaluation::{Doing, EvaluationRequest, Surroundings, Thing, described};
use super::part::{Part, missing};
use super::{concluded, parse};
use crate::document::{JsonPointer, Problem, Problems};
use crate::request::Subject;

/// One question in its short form.
#[derive(Clone)]
pub struct ShortRequest {
    token: Option<String>,
    question: EvaluationRequest,
}

impl ShortRequest {
    /// Reads the text of a question.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_json(text: &[u8]) -> Result<Self, Problems> {
        Self::from_value(&parse(text)?)
    }

    /// Reads a question.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_value(question: &Value) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let whole = Part::of(question, JsonPointer::root(), &mut problems);
        let read = whole.and_then(|whole| read(&whole, &mut problems));
        concluded(read, problems)
    }

    /// Whether `question` is meant in this form: its action is a text, or stands in `request` or `context`.
    pub fn is_meant(question: &Value) -> bool {
        let action = question.get("action");
        !action.is_some_and(Value::is_object) && question.get("evaluations").is_none()
    }

    /// The access token that says who asks.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The question, asked by whom the token stands for.
    pub fn asked_by(self, subject: Subject) -> EvaluationRequest {
        self.question.with_subject(Some(subject))
    }

    /// The question as it stands, if no token is to say who asks.
    ///
    /// # Errors
    ///
    /// A token that nobody verified speaks for nobody.
    pub fn without_token(self) -> Result<EvaluationRequest, Problems> {
        match self.token {
            None => Ok(self.question),
            Some(_) => {
                Err(Problem::new(JsonPointer::members(&["token"]), "a token that nobody verified").into())
            }
        }
    }
}

/// Without the token.
impl fmt::Debug for ShortRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShortRequest")
            .field("token", &self.token.is_some())
            .field("question", &self.question)
            .finish()
    }
}

fn read(whole: &Part<'_>, problems: &mut Vec<Problem>) -> Option<ShortRequest> {
    refuse_others(whole, &["role", "action", "resource", "token", "subject", "request", "context"], problems);
    let subject = whole.part("subject", problems);
    let request = whole.part("request", problems);
    let context = whole.part("context", problems);
    for (part, known) in
        [(&request, ["action", "resource"].as_slice()), (&context, &["role", "action", "resource"])]
    {
        if let Some(part) = part {
            refuse_others(part, known, problems);
        }
    }
    let role = said_once("role", [Some(whole), subject.as_ref(), context.as_ref()], problems);
    let action = said_once("action", [Some(whole), request.as_ref(), context.as_ref()], problems);
    if action.is_none() {
        problems.push(missing(whole.at(), "action"));
    }
    let resource = said_once("resource", [Some(whole), request.as_ref(), context.as_ref()], problems);
    let (path, place) = resource.unwrap_or(("/", whole.place("resource")));
    let resource = Thing::at(path, place, problems);

    let token = whole.text("token", problems);
    if let (Some(_), Some((_, place))) = (token, &role) {
        problems
            .push(Problem::new(place.clone(), "a token says who asks, and this too").expected("one of them"));
    } else if token.is_some() && subject.is_some() {
        let problem = Problem::new(whole.place("subject"), "a token says who asks, and this too");
        problems.push(problem.expected("one of them"));
    }
    let mut asking = subject.as_ref().map(|part| {
        let mut subject = described(part, problems);
        subject.id = part.text("id", problems).map(str::to_owned);
        subject.kind = part.text("type", problems).map(str::to_owned);
        for name in ["id", "type", "role"] {
            subject.attributes.remove(name);
        }
        subject
    });
    if let Some((role, _)) = role {
        asking.get_or_insert_default().roles.push(role.to_owned());
    }
    let action = Doing::named(action?.0);
    let question =
        EvaluationRequest::assembled(asking, action, resource?, Surroundings::default(), problems)?;
    Some(ShortRequest { token: token.map(str::to_owned), question })
}

/// The text called `name`, which at most one of `parts` says, and where it is said.
fn said_once<'v>(
    name: &str,
    parts: [Option<&Part<'v>>; 3],
    problems: &mut Vec<Problem>,
) -> Option<(&'v str, JsonPointer)> {
    let mut said = None;
    for part in parts.into_iter().flatten() {
        let Some(text) = part.text(name, problems) else { continue };
        let place = part.place(name);
        match &said {
            None => said = Some((text, place)),
            Some((_, first)) => {
                problems.push(
                    Problem::new(place, format!("said twice: {first} says it too")).expected("one of them"),
                );
            }
        }
    }
    said
}

fn refuse_others(part: &Part<'_>, known: &[&str], problems: &mut Vec<Problem>) {
    for (name, _) in part.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        let problem = Problem::new(part.place(name), "unknown field");
        problems.push(problem.nearest(name, known.iter().copied()));
    }
}
