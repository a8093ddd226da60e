//! `portcullis explain`: one request, and everything that the policy looks at to decide it, as a tree.
//!
//! A subject is taken at its word: no token is verified. Neither its attributes nor the headers are shown again.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use portcullis_policy::decision::Response;
use portcullis_policy::explain::{Explanation, Node};
use portcullis_policy::json;
use portcullis_policy::limits::MAX_QUESTION_BYTES;
use serde_json::{Map, Value, json};
use termtree::Tree;

use crate::case_files;
use crate::exit;
use crate::input;
use crate::policy_file::{PolicyArgs, PolicyFile};
use crate::question::{HeaderLine, Question};

/// Explain how a policy decides one request.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 permitted, 1 denied, 2 wrong usage or a request that cannot be read.")]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// The request: a method, a blank and a URL.
    #[arg(long, value_name = "METHOD URL")]
    request: String,
    /// Who asks: a subject as in files of cases, as JSON or in a file of it. Without it nobody.
    #[arg(long, value_name = "JSON|FILE")]
    subject: Option<String>,
    /// A header line of the request.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// The body of the request, as JSON or in a file of it. Without it none is known.
    #[arg(long, value_name = "JSON|FILE")]
    body: Option<String>,
    /// The address of the peer. Without it none is known.
    #[arg(long, value_name = "ADDRESS")]
    source: Option<String>,
    /// When the request comes, in RFC 3339. Without it no time is known.
    #[arg(long)]
    time: Option<String>,
    /// Print one JSON document instead of a drawing.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> ExitCode {
    let (policy, _) = match args.policy.open() {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let explanation = match question(args).and_then(|question| ask(&policy, &question)) {
        Ok(explanation) => explanation,
        Err(message) => return exit::unusable(&message),
    };
    exit::after_saying(explanation.response.outcome.is_ok(), |out| {
        if args.json {
            return writeln!(out, "{:#}", explanation.to_json());
        }
        write!(out, "{}", drawn(&explanation))
    })
}

fn ask(policy: &PolicyFile, question: &Question) -> Result<Explanation, String> {
    let refused = |code| format!("--request: the gate refuses this path before any policy: {code}");
    let question = question.evaluation(policy.config.path_mode)?.map_err(refused)?;
    Ok(policy.config.policy.explain(&question.access_request()))
}

/// The request as a case would say it.
fn question(args: &ExplainArgs) -> Result<Question, String> {
    let mut question = Question::of_line(&args.request, None).map_err(|why| format!("--request: {why}"))?;
    let mut headers: Map<String, Value> = Map::new();
    for HeaderLine { name, value } in HeaderLine::read(&args.header)? {
        let values = headers.entry(name).or_insert_with(|| json!([]));
        values.as_array_mut().into_iter().for_each(|values| values.push(value.as_str().into()));
    }
    question.context.insert("headers".to_owned(), headers.into());
    for (name, value) in [("source", &args.source), ("time", &args.time)] {
        if let Some(value) = value {
            question.context.insert(name.to_owned(), value.as_str().into());
        }
    }
    if let Some(body) = &args.body {
        question.context.insert("body".to_owned(), read_json("--body", body)?);
    }
    question.subject = args.subject.as_deref().map(read_subject).transpose()?;
    Ok(question)
}

fn read_json(argument: &str, given: &str) -> Result<Value, String> {
    let bytes = if given.trim_start().starts_with(['{', '[']) {
        given.as_bytes().to_vec()
    } else {
        input::read_small(Path::new(given), MAX_QUESTION_BYTES).map_err(|error| error.to_string())?
    };
    json::parse_within(&bytes, MAX_QUESTION_BYTES).map_err(|error| format!("{argument}: {error}"))
}

fn read_subject(given: &str) -> Result<Value, String> {
    case_files::subject(read_json("--subject", given)?)
        .map_err(|problems| format!("--subject: {}", problems.to_string().replace('\n', "; ")))
}

fn drawn(explanation: &Explanation) -> Tree<String> {
    let Response { outcome, decision, reasons, .. } = &explanation.response;
    let code = outcome.as_ref().err().map(|refusal| format!(", {}", refusal.code())).unwrap_or_default();
    let reasons: Vec<&str> = reasons.iter().map(|id| id.as_str()).collect();
    let by = if reasons.is_empty() { String::new() } else { format!(", by {}", reasons.join(", ")) };
    let root = format!("{}{code}{by}", decision.as_str());
    Tree::new(root).with_leaves(explanation.tree.iter().map(branch))
}

fn branch(node: &Node) -> Tree<String> {
    let detail = if node.detail.is_empty() { String::new() } else { format!(" ({})", node.detail) };
    let line = format!("{}: {}{detail}", node.label, node.verdict.as_str());
    Tree::new(line).with_leaves(node.children.iter().map(branch))
}
