//! `portcullis evaluate` and `portcullis decide`: questions put to a policy as JSON, one at a time or one a line.
//!
//! A question has the form of AuthZEN or the short one; [`portcullis_policy::authzen`] says what stands in each. A subject
//! is taken at its word; a token is verified first, as the gate would.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_filter::gate::{Denial, subject};
use portcullis_filter::time::UnixTime;
use portcullis_policy::authzen::{EvaluationRequest, EvaluationsRequest, ShortRequest};
use portcullis_policy::document::Problems;
use portcullis_policy::json;
use portcullis_policy::limits::MAX_QUESTION_BYTES;
use serde_json::{Value, json};

use crate::clock;
use crate::exit;
use crate::input;
use crate::keyring::{KeyArgs, Keyring, Unverified};
use crate::ndjson::{self, Answered};
use crate::policy_file::{PolicyArgs, PolicyFile};

/// Ask a policy one question, in the form of AuthZEN or as `{"role": .., "action": .., "resource": .., "token": ..}`, or many
/// in one as AuthZEN's `{"evaluations": [..]}`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 permitted (of a batch all, or with `permit_on_first_permit` one), 1 denied, 2 wrong usage, or a question that cannot be read or answered here."
)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    with: With,
    /// File that holds the question as JSON; `-` reads standard input.
    #[arg(default_value = "-")]
    question: PathBuf,
}

/// Ask a policy many questions, one JSON value a line, and answer each by one line.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 all permitted, 1 one was denied, 2 wrong usage, or a line that cannot be read or answered here."
)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    with: With,
    /// File of NDJSON; `-` reads standard input.
    #[arg(default_value = "-")]
    questions: PathBuf,
}

/// What questions are answered with.
#[derive(Debug, clap::Args)]
struct With {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// The moment to verify tokens at: RFC 3339 in UTC, or seconds since 1970. Without it the present.
    #[arg(long, value_parser = clock::parse)]
    now: Option<UnixTime>,
}

/// Answers one question.
pub(crate) fn evaluate(args: &EvaluateArgs) -> ExitCode {
    with_policy(&args.with, |policy, keyring| {
        let bytes = match input::read_small(&args.question, MAX_QUESTION_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return exit::unusable(&error),
        };
        let parsed = json::parse_within(&bytes, MAX_QUESTION_BYTES).map_err(|error| error.to_string());
        let name = input::Name(&args.question);
        match parsed.and_then(|question| answer(policy, keyring, args.with.now, &question)) {
            Ok(Answer { value, is_good, unreadable }) => {
                let status = exit::after_saying(is_good, |out| writeln!(out, "{value:#}"));
                match unreadable {
                    0 => status,
                    count => exit::unusable(&format_args!("{name}: {count} evaluations cannot be read")),
                }
            }
            Err(message) => exit::unusable(&format_args!("{name}: {message}")),
        }
    })
}

/// Answers many.
pub(crate) fn decide(args: &DecideArgs) -> ExitCode {
    with_policy(&args.with, |policy, keyring| {
        ndjson::answer_each(&args.questions, ["permitted", "denied"], |question| {
            let Answer { value, is_good, .. } = answer(policy, keyring, args.with.now, &question)?;
            Ok(Answered { value, is_good })
        })
    })
}

fn with_policy(with: &With, ask: impl FnOnce(&PolicyFile, &Keyring<'_>) -> ExitCode) -> ExitCode {
    let (policy, environment) = match with.policy.open() {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    match with.keys.open(&policy, &environment) {
        Ok(keyring) => ask(&policy, &keyring),
        Err(status) => status,
    }
}

/// What a question came to.
struct Answer {
    value: Value,
    is_good: bool,
    /// Questions of a batch that are refused because they cannot be read.
    unreadable: usize,
}

fn answer(
    policy: &PolicyFile,
    keyring: &Keyring<'_>,
    now: Option<UnixTime>,
    question: &Value,
) -> Result<Answer, String> {
    let policy = &policy.config.policy;
    if question.get("evaluations").is_some() {
        let batch = EvaluationsRequest::from_value(question).map_err(|problems| one_line(&problems))?;
        let answers = batch.decide(policy);
        let (is_good, unreadable) = (answers.is_permit(), answers.unreadable());
        return Ok(Answer { value: answers.to_json(), is_good, unreadable });
    }
    if !ShortRequest::is_meant(question) {
        let answer =
            EvaluationRequest::from_value(question).map_err(|problems| one_line(&problems))?.decide(policy);
        return Ok(Answer { value: answer.to_json(), is_good: answer.is_permit(), unreadable: 0 });
    }
    let short = ShortRequest::from_value(question).map_err(|problems| one_line(&problems))?;
    let verified = short.token().map(|token| keyring.verify(token.as_bytes(), None, clock::or_now(now)));
    let question = match verified {
        None => short.without_token().map_err(|problems| one_line(&problems))?,
        Some(Ok((method, token))) => short.asked_by(subject(method, &token)),
        Some(Err(Unverified::CannotBeKnown { method, why })) => {
            return Err(format!("method `{method}`: {why}"));
        }
        Some(Err(Unverified::NoMethod { .. })) => return Ok(refused("invalid_token", "issuer_mismatch")),
        Some(Err(Unverified::Refused { error, .. })) => {
            return Ok(refused(Denial::Credential(error).code().as_str(), error.reason()));
        }
    };
    let answer = question.decide(policy);
    Ok(Answer { value: answer.to_short_json(), is_good: answer.is_permit(), unreadable: 0 })
}

/// The answer to a question whose token the gate would refuse.
fn refused(code: &str, reason: &str) -> Answer {
    let details = json!({ "code": code, "reason": reason });
    let value = json!({ "allowed": false, "denied_reasons": [code], "details": details });
    Answer { value, is_good: false, unreadable: 0 }
}

fn one_line(problems: &Problems) -> String {
    problems.to_string().replace('\n', "; ").replace("document: ", "question: ")
}
