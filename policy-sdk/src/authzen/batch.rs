//! Many questions at once: Access Evaluations, AuthZEN 1.0 section 7.

use serde_json::{Value, json};

use super::evaluation::EvaluationRequest;
use super::part::{Part, missing};
use super::response::{EvaluationResponse, problems_json};
use super::{concluded, parse};
use crate::document::{JsonPointer, Problem, Problems};
use crate::limits::MAX_EVALUATIONS;
use crate::policy::Policy;

/// Questions asked together. One of them that cannot be read is refused and does not spoil the others.
#[derive(Clone, Debug)]
pub struct EvaluationsRequest {
    semantic: Semantic,
    asked: Asked,
}

#[derive(Clone, Debug)]
enum Asked {
    /// Without `evaluations` the question is that of an Access Evaluation (section 7.1).
    One(Box<EvaluationRequest>),
    Many(Vec<Result<EvaluationRequest, Problems>>),
}

/// After which answer the others are not looked for (AuthZEN 1.0 section 7.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantic {
    /// After none.
    #[default]
    ExecuteAll,
    /// After the first that denies.
    DenyOnFirstDeny,
    /// After the first that permits.
    PermitOnFirstPermit,
}

impl Semantic {
    const NAMES: [&str; 3] = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"];

    fn of(name: &str) -> Option<Self> {
        match name {
            "execute_all" => Some(Self::ExecuteAll),
            "deny_on_first_deny" => Some(Self::DenyOnFirstDeny),
            "permit_on_first_permit" => Some(Self::PermitOnFirstPermit),
            _unknown_name => None,
        }
    }

    fn stops_after(self, permitted: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !permitted,
            Self::PermitOnFirstPermit => permitted,
        }
    }
}

impl EvaluationsRequest {
    /// Reads the text of a batch.
    ///
    /// # Errors
    ///
    /// What is wrong with the whole: it is no JSON, no object, too long, or asks in a way that AuthZEN does not know.
    /// What is wrong with one question is its own answer.
    pub fn from_json(text: &[u8]) -> Result<Self, Problems> {
        Self::from_value(&parse(text)?)
    }

    /// Reads a batch.
    ///
    /// # Errors
    ///
    /// As [`EvaluationsRequest::from_json`].
    pub fn from_value(batch: &Value) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let Some(whole) = Part::of(batch, JsonPointer::root(), &mut problems) else {
            return concluded(None, problems);
        };
        let semantic = semantic(&whole, &mut problems);
        let defaults = Defaults::of(&whole, &mut problems);
        let asked = match whole.get("evaluations") {
            None => None,
            Some(Value::Array(listed)) if listed.is_empty() => None,
            Some(Value::Array(listed)) if listed.len() > MAX_EVALUATIONS => {
                let problem =
                    Problem::new(whole.place("evaluations"), format!("{} evaluations", listed.len()));
                problems.push(problem.expected(format!("at most {MAX_EVALUATIONS}")));
                None
            }
            Some(Value::Array(listed)) => {
                let place = whole.place("evaluations");
                let questions = listed.iter().enumerate();
                Some(
                    questions
                        .map(|(index, question)| defaults.question(question, place.element(index)))
                        .collect(),
                )
            }
            Some(other) => {
                problems.push(super::part::unexpected(whole.place("evaluations"), other, "a list"));
                None
            }
        };
        if let Some(problems) = Problems::from_list(problems) {
            return Err(problems);
        }
        let asked = match asked {
            Some(questions) => Asked::Many(questions),
            None => Asked::One(Box::new(EvaluationRequest::from_value(batch)?)),
        };
        Ok(Self { semantic, asked })
    }

    /// Asks `policy`, one question after the other.
    pub fn decide(&self, policy: &Policy) -> EvaluationsResponse {
        let questions = match &self.asked {
            Asked::One(question) => {
                let answers = Answers::One(question.decide(policy));
                return EvaluationsResponse { semantic: self.semantic, answers };
            }
            Asked::Many(questions) => questions,
        };
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let answer = question.as_ref().map(|question| question.decide(policy)).map_err(Clone::clone);
            let permitted = answer.as_ref().is_ok_and(EvaluationResponse::is_permit);
            answers.push(answer);
            if self.semantic.stops_after(permitted) {
                break;
            }
        }
        EvaluationsResponse { semantic: self.semantic, answers: Answers::Many(answers) }
    }
}

/// The answers, in the order of the questions; fewer where the semantic says so.
#[derive(Clone, Debug)]
pub struct EvaluationsResponse {
    semantic: Semantic,
    answers: Answers,
}

#[derive(Clone, Debug)]
enum Answers {
    One(EvaluationResponse),
    Many(Vec<Result<EvaluationResponse, Problems>>),
}

impl EvaluationsResponse {
    /// Whether the batch comes to a permit: where the first permit ends it that there was one, otherwise that there was
    /// nothing else. A question that cannot be read is no permit.
    pub fn is_permit(&self) -> bool {
        let permitted = |answer: &Result<EvaluationResponse, Problems>| {
            answer.as_ref().is_ok_and(EvaluationResponse::is_permit)
        };
        match (&self.answers, self.semantic) {
            (Answers::One(answer), _) => answer.is_permit(),
            (Answers::Many(answers), Semantic::PermitOnFirstPermit) => answers.iter().any(permitted),
            (Answers::Many(answers), Semantic::ExecuteAll | Semantic::DenyOnFirstDeny) => {
                answers.iter().all(permitted)
            }
        }
    }

    /// How many of the questions that were looked at could not be read.
    pub fn unreadable(&self) -> usize {
        match &self.answers {
            Answers::One(_) => 0,
            Answers::Many(answers) => answers.iter().filter(|answer| answer.is_err()).count(),
        }
    }

    /// The answers as AuthZEN writes them (section 7.2). A question that cannot be read is answered with `false` and an
    /// `error` in its context (section 7.2.1).
    pub fn to_json(&self) -> Value {
        let answers = match &self.answers {
            Answers::One(answer) => return answer.to_json(),
            Answers::Many(answers) => answers,
        };
        let written = answers.iter().map(|answer| match answer {
            Ok(answer) => answer.to_json(),
            Err(problems) => json!({
                "decision": false,
                "context": {"error": {
                    "status": 400,
                    "message": "the question cannot be read",
                    "problems": problems_json(problems),
                }},
            }),
        });
        json!({"evaluations": written.collect::<Vec<_>>()})
    }
}

/// The parts that questions inherit, each as a whole (section 7.1.1).
struct Defaults<'v> {
    subject: Option<Part<'v>>,
    action: Option<Part<'v>>,
    resource: Option<Part<'v>>,
    context: Option<Part<'v>>,
}

impl<'v> Defaults<'v> {
    /// Only that they are objects is asked of all of them: what is in them matters where they are inherited.
    fn of(whole: &Part<'v>, problems: &mut Vec<Problem>) -> Self {
        Self {
            subject: whole.part("subject", problems),
            action: whole.part("action", problems),
            resource: whole.part("resource", problems),
            context: whole.part("context", problems),
        }
    }

    fn question(&self, question: &Value, place: JsonPointer) -> Result<EvaluationRequest, Problems> {
        let mut problems = Vec::new();
        let own = Part::of(question, place, &mut problems);
        let read = own.and_then(|own| {
            let mut part = |name, inherited: &Option<Part<'v>>, demanded: bool| match own.get(name) {
                Some(_) => own.part(name, &mut problems),
                None => {
                    if demanded && inherited.is_none() {
                        problems.push(missing(own.at(), name));
                    }
                    inherited.clone()
                }
            };
            let subject = part("subject", &self.subject, true);
            let action = part("action", &self.action, true);
            let resource = part("resource", &self.resource, true);
            let context = part("context", &self.context, false);
            EvaluationRequest::of_parts(
                subject.as_ref(),
                action.as_ref(),
                resource.as_ref(),
                context.as_ref(),
                &mut problems,
            )
        });
        concluded(read, problems)
    }
}

fn semantic(whole: &Part<'_>, problems: &mut Vec<Problem>) -> Semantic {
    let Some(options) = whole.part("options", problems) else { return Semantic::default() };
    let Some(name) = options.text("evaluations_semantic", problems) else { return Semantic::default() };
    Semantic::of(name).unwrap_or_else(|| {
        let problem = Problem::new(options.place("evaluations_semantic"), "unknown value");
        let expected = format!("one of {}", Semantic::NAMES.map(|name| format!("`{name}`")).join(", "));
        problems.push(problem.expected(expected).nearest(name, Semantic::NAMES));
        Semantic::default()
    })
}
