//! A policy document as the commands need it that ask it something: read, checked, and compiled as the filter compiles it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_filter::config::Config;
use portcullis_policy::document::{Document, Problems};

use crate::environment::{Environment, EnvironmentArgs};
use crate::exit;
use crate::report;
use crate::source::Source;

/// The policy that a command asks, and the variables that it will find.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Policy to ask, in YAML or JSON.
    policy: PathBuf,
    #[command(flatten)]
    environment: EnvironmentArgs,
}

impl PolicyArgs {
    /// Opens both.
    ///
    /// # Errors
    /// The exit status, after having said what is wrong.
    pub(crate) fn open(&self) -> Result<(PolicyFile, Environment), ExitCode> {
        let environment = self.environment.open()?;
        Ok((PolicyFile::open(&self.policy, &environment)?, environment))
    }
}

/// A policy that loaded.
pub(crate) struct PolicyFile {
    /// What it says.
    pub(crate) document: Document,
    /// What the filter makes of it. A variable that is not set has a stand-in for its value: see
    /// [`Environment::is_set`].
    pub(crate) config: Config,
}

impl PolicyFile {
    /// Reads and compiles the document at `path`; `-` is standard input.
    ///
    /// # Errors
    /// The exit status, after having said what is wrong: a policy with a problem can be asked nothing.
    pub(crate) fn open(path: &Path, environment: &Environment) -> Result<Self, ExitCode> {
        let source = Source::open(path).map_err(|error| exit::unusable(&error))?;
        match compile(&source, environment) {
            Ok((document, config)) => Ok(Self { document, config }),
            Err(problems) => Err(report::refuse(&source, problems, "has problems, so it decides nothing")),
        }
    }
}

fn compile(source: &Source, environment: &Environment) -> Result<(Document, Config), Problems> {
    let value = source.value.clone()?;
    let text = value.to_string();
    let document = Document::from_value(value)?;
    let config = Config::load(text.as_bytes(), &|name| environment.get_or_stand_in(name))?;
    Ok((document, config))
}
