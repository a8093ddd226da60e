//! `portcullis diff`: what two policies say differently, and which cases and which recorded requests they answer
//! differently.
//!
//! Parts are compared as written, by their names; what has no name is compared by what it says. Whether a change of the
//! text is one of the meaning only questions can tell, and only for what they ask.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::case_files;
use crate::environment::Environment;
use crate::exit;
use crate::policy_file::PolicyFile;
use crate::replay::{self, Format, Replayed};
use crate::source::Source;

/// Show what a new policy adds, removes and changes, and which cases and requests it answers differently.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 no difference, 1 differences, or an answer that cannot be known, 2 a file or a line cannot be read."
)]
pub(crate) struct DiffArgs {
    /// Policy as it was.
    old: PathBuf,
    /// Policy as it will be.
    new: PathBuf,
    /// Put the cases of this file to both policies, whatever policy the file names.
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// Put the requests of this file to both policies: questions as `decide` reads them, audit records or an access log as
    /// `replay` does; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// What the lines of that file are.
    #[arg(long, value_enum, default_value_t = Format::Auto, requires = "requests")]
    format: Format,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &DiffArgs) -> ExitCode {
    match compare(args) {
        Ok(difference) => {
            let said = exit::after_saying(difference.is_none(), |out| {
                if args.json {
                    writeln!(out, "{:#}", difference.to_json())
                } else {
                    difference.write_text(out)
                }
            });
            let requests = difference.requests.as_ref();
            if requests.is_none_or(Replayed::is_whole) { said } else { exit::unreadable_lines() }
        }
        Err(status) => status,
    }
}

/// Everything that differs.
struct Difference {
    parts: Vec<PartChange>,
    answers: Vec<AnswerChange>,
    /// What became of recorded requests, if any were put.
    requests: Option<Replayed>,
}

/// A part of the document that is not as it was.
struct PartChange {
    change: Change,
    /// The list or object it is in.
    list: String,
    name: String,
}

#[derive(Clone, Copy)]
enum Change {
    Added,
    Removed,
    Changed,
}

/// A case that is answered in another way.
struct AnswerChange {
    case: String,
    old: String,
    new: String,
}

fn compare(args: &DiffArgs) -> Result<Difference, ExitCode> {
    let old = PolicyFile::open(&args.old, &Environment::Process)?;
    let new = PolicyFile::open(&args.new, &Environment::Process)?;
    let mut parts = Vec::new();
    let (before, after) = (parts_of(&args.old)?, parts_of(&args.new)?);
    for ((list, name), value) in &before {
        let change = match after.get(&(list.clone(), name.clone())) {
            None => Change::Removed,
            Some(other) if other != value => Change::Changed,
            Some(_) => continue,
        };
        parts.push(PartChange { change, list: list.clone(), name: name.clone() });
    }
    for (list, name) in after.keys().filter(|key| !before.contains_key(*key)) {
        parts.push(PartChange { change: Change::Added, list: list.clone(), name: name.clone() });
    }
    let mut answers = Vec::new();
    for (case, question) in args.cases.as_deref().map(case_files::questions).transpose()?.unwrap_or_default()
    {
        let ask = |policy: &PolicyFile| {
            let answer = question.ask(&policy.config.policy, policy.config.path_mode);
            answer.map_err(|why| exit::unusable(&format_args!("{case}: {why}")))
        };
        let (old, new) = (ask(&old)?, ask(&new)?);
        if (&old.code, &old.tenant, old.cross_tenant) != (&new.code, &new.tenant, new.cross_tenant) {
            answers.push(AnswerChange { case, old: old.to_string(), new: new.to_string() });
        }
    }
    let requests = args.requests.as_deref();
    let requests = requests.map(|file| replay::compare(&new, Some(&old), file, args.format)).transpose()?;
    Ok(Difference { parts, answers, requests })
}

/// The parts of a document by the list they are in and their name. What stands in no list is one part.
fn parts_of(path: &Path) -> Result<BTreeMap<(String, String), Value>, ExitCode> {
    let source = Source::open(path).map_err(|error| exit::unusable(&error))?;
    let unreadable = || exit::unusable(&format_args!("{}: not a policy", path.display()));
    let Ok(Value::Object(mut document)) = source.value else { return Err(unreadable()) };
    // Either shape of a document says the same.
    let mut authorization = match document.remove("authorization") {
        Some(Value::Object(nested)) => nested,
        Some(_) | None => Map::new(),
    };
    for alias in ["rules", "groups"] {
        authorization.extend(document.remove_entry(alias));
    }
    let mut parts = BTreeMap::new();
    for (list, value) in document.into_iter().chain(authorization) {
        match value {
            Value::Array(elements) => parts.extend(elements.into_iter().map(|element| {
                let name = element.get("name").and_then(Value::as_str).map(str::to_owned);
                ((list.clone(), name.unwrap_or_else(|| element.to_string())), element)
            })),
            Value::Object(members) => {
                parts.extend(members.into_iter().map(|(name, member)| ((list.clone(), name), member)));
            }
            value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                parts.insert((list, String::new()), value);
            }
        }
    }
    Ok(parts)
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl PartChange {
    fn to_json(&self) -> Value {
        json!({ "change": self.change.as_str(), "in": self.list, "name": self.name })
    }
}

impl AnswerChange {
    fn to_json(&self) -> Value {
        json!({ "case": self.case, "old": self.old, "new": self.new })
    }
}

impl Difference {
    /// Whether nothing differs that can be known.
    fn is_none(&self) -> bool {
        let same = self.requests.as_ref().is_none_or(|requests| requests.is_good(false));
        self.parts.is_empty() && self.answers.is_empty() && same
    }

    fn to_json(&self) -> Value {
        let parts: Vec<Value> = self.parts.iter().map(PartChange::to_json).collect();
        let answers: Vec<Value> = self.answers.iter().map(AnswerChange::to_json).collect();
        let requests = self.requests.as_ref().map(Replayed::to_json);
        json!({ "parts": parts, "answers": answers, "requests": requests })
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for PartChange { change, list, name } in &self.parts {
            writeln!(out, "{:<8}{}", change.as_str(), format!("{list} {name}").trim_end())?;
        }
        for AnswerChange { case, old, new } in &self.answers {
            writeln!(out, "{case}\n  - {old}\n  + {new}")?;
        }
        writeln!(out, "{} parts differ, {} answers differ", self.parts.len(), self.answers.len())?;
        self.requests.as_ref().map_or(Ok(()), |requests| requests.write_text(out))
    }
}
