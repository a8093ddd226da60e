//! `portcullis replay`: which recorded requests a policy answers otherwise.
//!
//! What a record does not hold is not guessed: an answer that depends on it cannot be known, and is said to be so with the
//! name of what is missing. Requests that were refused before a policy was asked are left out and counted.

mod access_log;
mod audit;
mod comparison;
mod reading;
mod recorded;
mod telling;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::exit;
use crate::input::{InputError, Name};
use crate::policy_file::{PolicyArgs, PolicyFile};
use reading::Met;
use recorded::{Entry, Foreseen};

use comparison::Comparison;
pub(crate) use reading::Format;

/// Show which recorded requests a policy answers otherwise than they were.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 every answer is as it was, 1 one is not or cannot be known, 2 wrong usage, \
    unreadable file, a line that cannot be read, or records that are not what was written."
)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Recorded requests, one a line; `-` reads standard input.
    records: PathBuf,
    /// Compare with what this policy answers, not with the answers on record: the policy that was in force.
    #[arg(long, value_name = "POLICY")]
    old: Option<PathBuf>,
    /// What the lines are.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// Let the exit status say nothing of answers that cannot be known.
    #[arg(long)]
    allow_unknown: bool,
    /// Let the exit status say nothing of lines that cannot be read and of a broken chain. They are still named.
    #[arg(long)]
    allow_unreadable: bool,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs) -> ExitCode {
    match replay(args) {
        Ok(replayed) => {
            let said = exit::after_saying(replayed.is_good(args.allow_unknown), |out| {
                if args.json { writeln!(out, "{:#}", replayed.to_json()) } else { replayed.write_text(out) }
            });
            if replayed.is_whole() || args.allow_unreadable { said } else { exit::unreadable_lines() }
        }
        Err(status) => status,
    }
}

fn replay(args: &ReplayArgs) -> Result<Replayed, ExitCode> {
    let (new, environment) = args.policy.open()?;
    let old = args.old.as_deref().map(|old| PolicyFile::open(old, &environment)).transpose()?;
    compare(&new, old.as_ref(), &args.records, args.format)
}

/// What was replayed, and what could not be.
pub(crate) struct Replayed {
    comparison: Comparison,
    problems: Problems,
}

/// Lines that could not be read, and findings about the chain.
#[derive(Default)]
struct Problems {
    unreadable: u64,
    findings: u64,
    /// The first of both, at most [`MAX_PROBLEMS`], with their lines.
    first: Vec<(u64, String)>,
}

/// Problems that are told one by one.
const MAX_PROBLEMS: usize = 20;

/// Asks `new` the requests in `file`, and `old` if there is one: else the answers on record are compared with.
///
/// # Errors
/// The exit status, after having said what is wrong.
pub(crate) fn compare(
    new: &PolicyFile,
    old: Option<&PolicyFile>,
    file: &Path,
    format: Format,
) -> Result<Replayed, ExitCode> {
    let mut comparison = Comparison::default();
    let mut problems = Problems::default();
    let in_force = old.map(|old| &old.document);
    let read = reading::read(file, format, in_force, |line, met| match met {
        Met::Entry(Entry::Nothing) => {}
        Met::Entry(Entry::LeftOut(reason)) => comparison.leave_out(reason),
        Met::Entry(Entry::Asked(asked, recorded)) => {
            let was = match (old, recorded) {
                (Some(old), _) => Some(asked.ask(old)),
                (None, Some(answer)) => Some(Foreseen::Exact { answer, rules: Vec::new() }),
                (None, None) => None,
            };
            match was {
                Some(was) => comparison.add(line, &asked, &was, &asked.ask(new)),
                None => {
                    problems.unreadable(line, "a question has no answer on record; give --old".to_owned())
                }
            }
        }
        Met::Unreadable(why) => problems.unreadable(line, why),
        Met::Broken(finding) => problems.finding(line, finding),
    });
    if let Err(error) = read {
        return Err(exit::unusable(&InputError::Unreadable { name: Name(file).to_string(), error }));
    }
    problems.tell(file);
    Ok(Replayed { comparison, problems })
}

impl Replayed {
    /// Whether every line could be read, and is what was written.
    pub(crate) fn is_whole(&self) -> bool {
        self.problems.unreadable == 0 && self.problems.findings == 0
    }

    /// Writes it as text.
    pub(crate) fn write_text(&self, out: &mut impl io::Write) -> io::Result<()> {
        self.comparison.write_text(out)
    }

    /// Whether every answer is as it was.
    pub(crate) fn is_good(&self, allow_unknown: bool) -> bool {
        !self.comparison.has_changes() && (allow_unknown || !self.comparison.is_open())
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let mut said = self.comparison.to_json();
        let Problems { unreadable, findings, first } = &self.problems;
        let first: Vec<Value> =
            first.iter().map(|(line, message)| json!({ "line": line, "message": message })).collect();
        if let Some(members) = said.as_object_mut() {
            members.insert("unreadable".to_owned(), Value::from(*unreadable));
            members.insert("chain_findings".to_owned(), Value::from(*findings));
            members.insert("problems".to_owned(), Value::from(first));
        }
        said
    }
}

impl Problems {
    fn unreadable(&mut self, line: u64, why: String) {
        self.unreadable = self.unreadable.saturating_add(1);
        self.keep(line, why);
    }

    fn finding(&mut self, line: u64, what: String) {
        self.findings = self.findings.saturating_add(1);
        self.keep(line, what);
    }

    fn keep(&mut self, line: u64, what: String) {
        if self.first.len() < MAX_PROBLEMS {
            self.first.push((line, what));
        }
    }

    /// Says on standard error what is wrong, as loud as that gets.
    fn tell(&self, file: &Path) {
        let mut out = io::stderr().lock();
        let name = Name(file);
        let tell = |out: &mut io::StderrLock<'_>| -> io::Result<()> {
            for (line, what) in &self.first {
                match line {
                    0 => writeln!(out, "{name}: {what}")?,
                    line => writeln!(out, "{name}:{line}: {what}")?,
                }
            }
            if self.unreadable > 0 {
                writeln!(out, "{name}: {} lines could not be read", self.unreadable)?;
            }
            if self.findings > 0 {
                writeln!(
                    out,
                    "{name}: NOT INTACT: {} findings; what was edited was not asked. See `portcullis audit verify`",
                    self.findings
                )?;
            }
            Ok(())
        };
        // Nothing can be done when standard error is closed.
        let _written = tell(&mut out);
    }
}
