//! `portcullis check`: says everything that is wrong with policy documents, and what in them is probably not meant.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;

use portcullis_filter::config::Config;
use portcullis_filter::time::UnixTime;
use portcullis_policy::document::{Document, Problems};
use portcullis_policy::lint::{self, Finding, LINTS};
use portcullis_policy::policy::Policy;
use serde_json::Value;

use crate::clock;
use crate::environment::{Environment, EnvironmentArgs, UNSET_VARIABLE};
use crate::exit;
use crate::lints;
use crate::report::Report;
use crate::source::Source;

/// Check policy documents: every problem at once, with its line, and what is probably not meant.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 no problems, 1 problems (with --deny-warnings also warnings), 2 wrong usage or \
    unreadable file."
)]
pub(crate) struct CheckArgs {
    /// Documents, in YAML or JSON; `-` reads standard input.
    #[arg(required_unless_present = "list")]
    files: Vec<PathBuf>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    environment: EnvironmentArgs,
    /// Count warnings as problems.
    #[arg(long)]
    deny_warnings: bool,
    /// Leave out the warnings of this lint; may be given more than once.
    #[arg(long, value_name = "CODE", value_parser = codes(), hide_possible_values = true)]
    allow: Vec<String>,
    /// Look for grants that have expired at this moment, not at the present: RFC 3339 in UTC, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = clock::parse)]
    now: Option<UnixTime>,
    /// Print every lint with what it finds and what to do, as Markdown or, with `--json`, as JSON.
    #[arg(long, conflicts_with_all = ["files", "env_file", "deny_warnings", "allow", "now"])]
    list: bool,
}

/// Runs the command.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    if args.list {
        return exit::after_writing(lints::write(args.json), true);
    }
    let environment = match args.environment.open() {
        Ok(environment) => environment,
        Err(status) => return status,
    };
    let mut sources = Vec::new();
    for path in &args.files {
        match Source::open(path) {
            Ok(source) => sources.push(source),
            Err(error) => return exit::unusable(&error),
        }
    }
    let reports: Vec<Report<'_>> =
        sources.iter().map(|source| args.report(source, load(source, &environment, args.now))).collect();
    let all_good = reports.iter().all(Report::is_good);
    exit::after_writing(if args.json { write_json(&reports) } else { write_text(&reports) }, all_good)
}

impl CheckArgs {
    fn report<'s>(&self, source: &'s Source, loaded: Result<(Value, Vec<Finding>), Problems>) -> Report<'s> {
        let found = loaded.map(|(_, mut findings)| {
            findings.retain(|finding| !self.allow.iter().any(|code| code == finding.code));
            findings
        });
        let report = Report::new(source, found);
        if self.deny_warnings { report.denying_findings() } else { report }
    }
}

/// What `source` holds, compiled as the filter compiles it, and what should be said about it all the same at the moment
/// `now`, or at the present.
pub(crate) fn load(
    source: &Source,
    environment: &Environment,
    now: Option<UnixTime>,
) -> Result<(Value, Vec<Finding>), Problems> {
    let value = source.value.clone()?;
    // What does not compile is said in the same breath as what does not read.
    let document = Document::from_value_with(value.clone(), |rest| Policy::compile(rest).err())?;
    Config::load(value.to_string().as_bytes(), &|name| environment.get_or_stand_in(name))?;
    let mut findings = match i64::try_from(clock::or_now(now).seconds()) {
        Ok(now) => lint::findings_at(&document, now),
        Err(_) => lint::findings(&document),
    };
    findings.extend(environment.missing(&document));
    findings.sort();
    Ok((value, findings))
}

/// The codes that `--allow` takes.
fn codes() -> PossibleValuesParser {
    PossibleValuesParser::new(LINTS.iter().map(|lint| lint.code).chain([UNSET_VARIABLE]))
}

fn write_text(reports: &[Report<'_>]) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    for report in reports {
        if report.is_good() {
            report.write_text(&mut out)?;
        } else {
            report.write_text(&mut err)?;
        }
    }
    out.flush()
}

fn write_json(reports: &[Report<'_>]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let all: Vec<Value> = reports.iter().map(Report::to_json).collect();
    serde_json::to_writer_pretty(&mut out, &all)?;
    writeln!(out)?;
    out.flush()
}
