//! `portcullis test`: runs tables of cases beside a policy, and says which of its rules no case has decided by.
//!
//! A case that brings a credential of its own is left out, and said to be: only a gate reads credentials.

mod coverage;
mod junit;
mod table;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_policy::document::{JsonPointer, Problem, Problems};
use portcullis_policy::policy::Policy;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::exit;
use crate::file;
use crate::policy_file::PolicyFile;
use crate::question::{Answer, Question};
use crate::report;
use crate::source::Source;

use coverage::Coverage;
use table::Table;

pub(crate) use table::subject;

/// Run the cases of policies, with coverage by rule.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 all as expected, 1 a case fails or coverage is too low, 2 a file cannot be read."
)]
pub(crate) struct TestArgs {
    /// Files of cases, or folders that hold `cases.yaml` or `cases/*.yaml`.
    #[arg(default_value = "cases.yaml")]
    files: Vec<PathBuf>,
    /// The least share of rules, in percent, that a case must have decided by.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: u8,
    /// Write JUnit XML to this file as well, which is replaced in one step.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Ask the candidates of the policies instead, as if they were in force.
    #[arg(long)]
    candidate: bool,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &TestArgs) -> ExitCode {
    let mut results = Vec::new();
    for file in args.files.iter().flat_map(|path| files(path)) {
        match run_file(&file, args.candidate) {
            Ok(result) => results.push(result),
            Err(status) => return status,
        }
    }
    if let Some(path) = &args.junit {
        let written = junit::xml(&results).map_err(io::Error::other);
        if let Err(error) = written.and_then(|xml| file::replace(path, xml.as_bytes())) {
            return exit::unusable(&format_args!("{}: {error}", path.display()));
        }
    }
    let is_good = |result: &Outcome| {
        result.failed().next().is_none() && result.coverage.percent() >= usize::from(args.min_coverage)
    };
    let all_good = results.iter().all(is_good);
    exit::after_saying(all_good, |out| {
        if args.json {
            let all: Vec<Value> = results.iter().map(Outcome::to_json).collect();
            return writeln!(out, "{:#}", Value::from(all));
        }
        results.iter().try_for_each(|result| result.write_text(out))
    })
}

/// The cases of `file` that can be asked without a gate: name and question.
///
/// # Errors
/// The exit status, after having said what is wrong.
pub(crate) fn questions(file: &Path) -> Result<Vec<(String, Question)>, ExitCode> {
    let (source, table) = open(file)?;
    let asked = table.cases.iter().filter(|case| !case.needs_a_gate());
    asked
        .map(|case| match table.question(case) {
            Ok(question) => Ok((case.name.clone(), question)),
            Err(why) => Err(exit::unusable(&format_args!("{}: {}: {why}", source.name, case.name))),
        })
        .collect()
}

/// What the cases of one file came to.
struct Outcome {
    file: String,
    /// Every case, in the order of the file.
    ran: Vec<Ran>,
    coverage: Coverage,
}

/// A case, and what it came to.
struct Ran {
    name: String,
    line: usize,
    came_to: CameTo,
}

enum CameTo {
    Passed,
    /// The answer is not the expected one.
    Failed {
        expected: String,
        actual: String,
    },
    /// Only a gate can answer it.
    LeftOut,
}

impl Outcome {
    /// Name, line, what was expected and what came.
    fn failed(&self) -> impl Iterator<Item = (&str, usize, &str, &str)> {
        self.ran.iter().filter_map(|ran| match &ran.came_to {
            CameTo::Failed { expected, actual } => {
                Some((ran.name.as_str(), ran.line, expected.as_str(), actual.as_str()))
            }
            CameTo::Passed | CameTo::LeftOut => None,
        })
    }

    fn left_out(&self) -> impl Iterator<Item = &Ran> {
        self.ran.iter().filter(|ran| matches!(ran.came_to, CameTo::LeftOut))
    }

    fn passed(&self) -> usize {
        self.ran.iter().filter(|ran| matches!(ran.came_to, CameTo::Passed)).count()
    }

    fn to_json(&self) -> Value {
        let failed = self.failed().map(|(name, line, expected, actual)| {
            json!({ "name": name, "line": line, "expected": expected, "actual": actual })
        });
        let left_out = self.left_out().map(|ran| json!({ "name": ran.name, "line": ran.line }));
        json!({ "file": self.file, "passed": self.passed(), "failed": failed.collect::<Vec<_>>(),
                "needs_a_gateway": left_out.collect::<Vec<_>>(), "coverage_percent": self.coverage.percent(),
                "never_decided": self.coverage.missing().collect::<Vec<_>>() })
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, line, expected, actual) in self.failed() {
            writeln!(out, "{}", difference(&self.file, line, name, expected, actual))?;
        }
        for Ran { name, line, .. } in self.left_out() {
            writeln!(out, "{}:{line}: {name}: left out: needs a gateway", self.file)?;
        }
        for rule in self.coverage.missing() {
            writeln!(out, "{}: no case is decided by `{rule}`", self.file)?;
        }
        let (file, passed, failed) = (&self.file, self.passed(), self.failed().count());
        let (left_out, percent) = (self.left_out().count(), self.coverage.percent());
        writeln!(
            out,
            "{file}: {passed} passed, {failed} failed, {left_out} left out; {percent} % of the rules decided a case"
        )
    }
}

/// A failure, as people read it.
fn difference(file: &str, line: usize, name: &str, expected: &str, actual: &str) -> String {
    format!("{file}:{line}: {name}\n  - expected {expected}\n  + actual   {actual}")
}

fn run_file(file: &Path, candidate: bool) -> Result<Outcome, ExitCode> {
    let (source, table) = open(file)?;
    let policy =
        PolicyFile::open_part(&file.with_file_name(&table.policy), candidate, &Environment::Process)?;
    let mut coverage = Coverage::of(&policy);
    let (mut ran, mut asked) = (Vec::new(), Vec::new());
    for (index, case) in table.cases.iter().enumerate() {
        let line = source.positions.nearest(&place(index)).map_or(0, |place| place.line);
        let name = case.name.clone();
        if case.needs_a_gate() {
            ran.push(Ran { name, line, came_to: CameTo::LeftOut });
            continue;
        }
        let unreadable =
            |why: String| exit::unusable(&format_args!("{}:{line}: {}: {why}", source.name, case.name));
        let question = table.question(case).map_err(unreadable)?;
        let answer = question.ask(&policy.config.policy, policy.config.path_mode).map_err(unreadable)?;
        coverage.decided(&policy, &answer.rules);
        let came_to = if case.expect.is_met_by(&answer) {
            CameTo::Passed
        } else {
            CameTo::Failed { expected: case.expect.to_text(), actual: case.expect.text_of(&answer) }
        };
        ran.push(Ran { name, line, came_to });
        asked.push((question, answer));
    }
    coverage.decided(&policy, &grants_that_matter(&policy, &asked));
    Ok(Outcome { file: source.name, ran, coverage })
}

fn open(file: &Path) -> Result<(Source, Table), ExitCode> {
    let source = Source::open(file).map_err(|error| exit::unusable(&error))?;
    let table =
        read(&source).map_err(|problems| report::refuse(&source, problems, "not a table of cases"))?;
    Ok((source, table))
}

fn read(source: &Source) -> Result<Table, Problems> {
    let table: Table = deserr::deserialize(source.value.clone()?)?;
    if table.cases.is_empty() {
        return Err(Problem::new(JsonPointer::members(&["cases"]), "no case")
            .expected("at least one")
            .into());
    }
    let mut names = BTreeSet::new();
    let twice = table.cases.iter().enumerate().filter(|(_, case)| !names.insert(&case.name));
    let problems = twice.map(|(index, _)| {
        Problem::new(place(index).member("name"), "a case before has this name").expected("a name of its own")
    });
    match Problems::from_list(problems) {
        Some(problems) => Err(problems),
        None => Ok(table),
    }
}

fn place(index: usize) -> JsonPointer {
    JsonPointer::members(&["cases"]).element(index)
}

/// The grants without which an answer would be another.
fn grants_that_matter(policy: &PolicyFile, asked: &[(Question, Answer)]) -> Vec<String> {
    let grants = policy.document.authorization.grants.iter().enumerate();
    let matters = |index: usize| {
        let mut document = policy.document.clone();
        document.authorization.grants.remove(index);
        let Ok(without) = Policy::compile(&document) else { return false };
        asked.iter().any(|(question, answer)| {
            question.ask(&without, policy.config.path_mode).is_ok_and(|other| other.code != answer.code)
        })
    };
    grants
        .filter(|(index, _)| matters(*index))
        .map(|(index, grant)| coverage::grant_id(index, grant.name.as_deref()))
        .collect()
}

/// The files of cases that `path` means: itself, or those in a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut more: Vec<PathBuf> = std::fs::read_dir(path.join("cases"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    more.sort();
    let one = path.join("cases.yaml");
    if one.exists() || more.is_empty() {
        more.insert(0, one);
    }
    more
}
