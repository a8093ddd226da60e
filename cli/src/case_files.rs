//! `portcullis test`: runs tables of cases beside a policy, and says which of its rules no case has decided by.
//!
//! A case is a question of AuthZEN in shorter words; [`portcullis_policy::authzen`] reads it, so that both have one meaning.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_policy::authzen::EvaluationRequest;
use portcullis_policy::path::{self, PathError};
use serde_json::{Map, Value, json};

use crate::environment::Environment;
use crate::exit;
use crate::policy_file::PolicyFile;
use crate::report::Report;
use crate::source::Source;

/// Run the cases of policies, with coverage by rule.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 all as expected, 1 a case fails or coverage is too low, 2 a file cannot be read."
)]
pub(crate) struct TestArgs {
    /// Files of cases.
    #[arg(default_value = "cases.yaml")]
    files: Vec<PathBuf>,
    /// The least share of rules, in percent, that a case must have decided by.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: u8,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &TestArgs) -> ExitCode {
    let mut results = Vec::new();
    for file in &args.files {
        match run_file(file) {
            Ok(result) => results.push(result),
            Err(status) => return status,
        }
    }
    let is_good =
        |result: &Outcome| result.failed.is_empty() && result.percent() >= usize::from(args.min_coverage);
    let all_good = results.iter().all(is_good);
    let mut out = io::stdout().lock();
    let written = if args.json {
        let all: Vec<Value> = results.iter().map(Outcome::to_json).collect();
        writeln!(out, "{:#}", Value::from(all))
    } else {
        results.iter().try_for_each(|result| result.write_text(&mut out))
    };
    exit::after_writing(written.and_then(|()| out.flush()), all_good)
}

/// What the cases of one file came to.
struct Outcome {
    file: String,
    passed: usize,
    /// Name, line, expected, actual.
    failed: Vec<(String, usize, String, String)>,
    rules: BTreeSet<String>,
    decided: BTreeSet<String>,
}

impl Outcome {
    fn percent(&self) -> usize {
        let hit = self.rules.intersection(&self.decided).count();
        hit.saturating_mul(100).checked_div(self.rules.len()).unwrap_or(100)
    }

    fn to_json(&self) -> Value {
        let failed = self.failed.iter().map(|(name, line, expected, actual)| {
            json!({ "name": name, "line": line, "expected": expected, "actual": actual })
        });
        json!({ "file": self.file, "passed": self.passed, "failed": failed.collect::<Vec<_>>(),
                "coverage_percent": self.percent(), "never_decided": self.rules.difference(&self.decided).collect::<Vec<_>>() })
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, line, expected, actual) in &self.failed {
            writeln!(out, "{}:{line}: {name}\n  - expected {expected}\n  + actual   {actual}", self.file)?;
        }
        for rule in self.rules.difference(&self.decided) {
            writeln!(out, "{}: no case is decided by `{rule}`", self.file)?;
        }
        let (failed, percent) = (self.failed.len(), self.percent());
        writeln!(
            out,
            "{}: {} passed, {failed} failed; {percent} % of the rules decided a case",
            self.file, self.passed
        )
    }
}

fn run_file(file: &Path) -> Result<Outcome, ExitCode> {
    let source = Source::open(file).map_err(|error| exit::unusable(&error))?;
    let table = source.value.clone().map_err(|problems| {
        // Nothing can be done when standard error is closed.
        let _written = Report::new(&source, Err(problems)).write_text(&mut anstream::stderr().lock());
        exit::unusable(&format_args!("{}: not a table of cases", source.name))
    })?;
    let policy = table.get("policy").and_then(Value::as_str).unwrap_or("policy.yaml");
    let policy = PolicyFile::open(&file.with_file_name(policy), &Environment::Process)?;
    let cases = table.get("cases").and_then(Value::as_array).filter(|cases| !cases.is_empty());
    let cases = cases.ok_or_else(|| exit::unusable(&format_args!("{}: no `cases`", source.name)))?;
    let mut outcome = Outcome {
        file: source.name.clone(),
        passed: 0,
        failed: Vec::new(),
        rules: rules(&policy),
        decided: BTreeSet::new(),
    };
    for (index, case) in cases.iter().enumerate() {
        let name = case.get("name").and_then(Value::as_str).unwrap_or("a case without a name").to_owned();
        let pointer = portcullis_policy::document::JsonPointer::members(&["cases"]).element(index);
        let line = source.positions.nearest(&pointer).map_or(0, |place| place.line);
        let unreadable = |why: &str| exit::unusable(&format_args!("{}:{line}: {name}: {why}", source.name));
        let question = question(&table, case).map_err(unreadable)?;
        let expected = case.get("expect").and_then(expected).ok_or_else(|| {
            unreadable("`expect` is none of `permit`, `{deny: CODE}` and `{deny: {code: CODE}}`")
        })?;
        let path = question.pointer("/resource/id").and_then(Value::as_str).unwrap_or_default();
        let actual = match path::canonicalize(path.as_bytes(), policy.config.path_mode) {
            Err(PathError::Ambiguous(_)) => "deny: ambiguous_path".to_owned(),
            Err(PathError::Malformed(_) | PathError::TooLong) => "deny: malformed_request".to_owned(),
            Ok(_) => {
                let question = EvaluationRequest::from_value(&question)
                    .map_err(|problems| unreadable(&problems.to_string()))?;
                let answer = question.decide(&policy.config.policy);
                let said = answer.to_json();
                let rules = said.pointer("/context/rules").and_then(Value::as_array).into_iter().flatten();
                outcome.decided.extend(rules.filter_map(Value::as_str).map(str::to_owned));
                answer.code().map_or_else(|| "permit".to_owned(), |code| format!("deny: {code}"))
            }
        };
        if actual == expected {
            outcome.passed = outcome.passed.saturating_add(1);
        } else {
            outcome.failed.push((name, line, expected, actual));
        }
    }
    Ok(outcome)
}

/// The ids of all routes, rules and public entries.
fn rules(policy: &PolicyFile) -> BTreeSet<String> {
    let authorization = &policy.document.authorization;
    let id = |list: &str, index: usize, name: &Option<String>| {
        name.clone().unwrap_or_else(|| format!("{list}/{index}"))
    };
    let routes =
        authorization.routes.iter().enumerate().map(|(index, route)| id("routes", index, &route.name));
    let rules = authorization.rules.iter().enumerate().map(|(index, rule)| id("rules", index, &rule.name));
    let public = (0..authorization.public.len()).map(|index| format!("public/{index}"));
    routes.chain(rules).chain(public).collect()
}

fn expected(expect: &Value) -> Option<String> {
    if expect.as_str() == Some("permit") || expect.get("permit").is_some() {
        return Some("permit".to_owned());
    }
    let deny = expect.get("deny")?;
    Some(format!("deny: {}", deny.as_str().or_else(|| deny.get("code")?.as_str())?))
}

fn question(table: &Value, case: &Value) -> Result<Value, &'static str> {
    let request = case.get("request").ok_or("no `request`")?;
    let (method, url) = match request.as_str() {
        Some(line) => line.split_once(' ').ok_or("`request` is not a method and a URL")?,
        None => {
            let text = |name: &str| request.get(name).and_then(Value::as_str);
            text("method").zip(text("url")).ok_or("`request` lacks `method` or `url`")?
        }
    };
    let (_scheme, rest) = url.split_once("://").ok_or("the URL has no scheme and host")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut context = Map::new();
    for name in ["headers", "source", "time"] {
        if let Some(value) = request.get(name).or_else(|| table.get(name).filter(|_| name == "time")) {
            context.insert(name.to_owned(), value.clone());
        }
    }
    let subject = match case.get("subject") {
        None => json!({ "type": "anonymous", "id": "anonymous" }),
        Some(Value::String(name)) => subject(
            table
                .get("subjects")
                .and_then(|all| all.get(name))
                .ok_or("`subject` names none of `subjects`")?,
        ),
        Some(inline) => subject(inline),
    };
    let properties = json!({ "host": host, "path": format!("/{path}") });
    Ok(json!({ "subject": subject, "action": { "name": method }, "context": context,
               "resource": { "type": "route", "id": format!("/{path}"), "properties": properties } }))
}

fn subject(written: &Value) -> Value {
    let mut properties = written.as_object().cloned().unwrap_or_default();
    let id = properties.remove("id").unwrap_or_else(|| "unnamed".into());
    if let Some(Value::Object(attributes)) = properties.remove("attributes") {
        properties.extend(attributes);
    }
    json!({ "type": "user", "id": id, "properties": properties })
}
