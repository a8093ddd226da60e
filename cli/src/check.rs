//! `portcullis check`: says everything that is wrong with policy documents.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_filter::config::Config;
use portcullis_policy::document::{Document, Problems, Warning};
use serde_json::Value;

use crate::environment::Environment;
use crate::exit;
use crate::report::Report;
use crate::source::Source;

/// Check policy documents: every problem at once, with its line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 no problems, 1 problems, 2 wrong usage or unreadable file.")]
pub(crate) struct CheckArgs {
    /// Documents, in YAML or JSON; `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
    /// Look for the variables that documents name as `${NAME}` in this file of `NAME=value` lines, not in the
    /// environment of this command.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    let environment = match &args.env_file {
        Some(path) => match Environment::open(path) {
            Ok(environment) => environment,
            Err(error) => return exit::unusable(&error),
        },
        None => Environment::Process,
    };
    let mut sources = Vec::new();
    for path in &args.files {
        match Source::open(path) {
            Ok(source) => sources.push(source),
            Err(error) => return exit::unusable(&error),
        }
    }
    let reports: Vec<Report<'_>> = sources
        .iter()
        .map(|source| Report::new(source, load(source, &environment).map(|(_, warnings)| warnings)))
        .collect();
    let all_good = reports.iter().all(Report::is_good);
    exit::after_writing(if args.json { write_json(&reports) } else { write_text(&reports) }, all_good)
}

/// What `source` holds, compiled as the filter compiles it, and what should be said about it all the same.
pub(crate) fn load(source: &Source, environment: &Environment) -> Result<(Value, Vec<Warning>), Problems> {
    let value = source.value.clone()?;
    let document = Document::from_value(value.clone())?;
    Config::load(value.to_string().as_bytes(), &|name| environment.get_or_stand_in(name))?;
    let mut warnings = document.warnings();
    warnings.extend(environment.missing(&document));
    warnings.sort();
    Ok((value, warnings))
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
