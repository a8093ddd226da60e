//! A policy document as the commands need it that ask it something: read, checked, and compiled as the filter compiles it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_filter::audit::Digest;
use portcullis_filter::config::Config;
use portcullis_policy::document::{Document, Problems};
use serde_json::Value;

use crate::environment::{Environment, EnvironmentArgs};
use crate::exit;
use crate::report;
use crate::source::Source;

/// The policy that a command asks, and the variables that it will find.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Policy to ask, in YAML or JSON.
    policy: PathBuf,
    /// Ask its candidate instead, as if that were in force.
    #[arg(long)]
    candidate: bool,
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
        Ok((PolicyFile::open_part(&self.policy, self.candidate, &environment)?, environment))
    }
}

/// A policy that loaded.
pub(crate) struct PolicyFile {
    /// What it says.
    pub(crate) document: Document,
    /// What the filter makes of it. A variable that is not set has a stand-in for its value: see
    /// [`Environment::is_set`].
    pub(crate) config: Config,
    /// What its records name it by, whether it keeps any or not.
    pub(crate) digest: Digest,
}

impl PolicyFile {
    /// Reads and compiles the document at `path`; `-` is standard input.
    ///
    /// # Errors
    /// The exit status, after having said what is wrong: a policy with a problem can be asked nothing.
    pub(crate) fn open(path: &Path, environment: &Environment) -> Result<Self, ExitCode> {
        Self::open_part(path, false, environment)
    }

    /// The same, with its candidate in force if `candidate` says so.
    ///
    /// # Errors
    /// The exit status, after having said what is wrong: also where there is no candidate.
    pub(crate) fn open_part(
        path: &Path,
        candidate: bool,
        environment: &Environment,
    ) -> Result<Self, ExitCode> {
        let source = Source::open(path).map_err(|error| exit::unusable(&error))?;
        let decides_nothing = "has problems, so it decides nothing";
        let refused = |problems| report::refuse(&source, problems, decides_nothing);
        let value = source.value.clone().map_err(refused)?;
        let live = compile(value.clone(), environment).map_err(refused)?;
        if !candidate {
            return Ok(live);
        }
        let no_candidate = || exit::unusable(&format_args!("{}: has no candidate", source.name));
        compile(promoted(value).ok_or_else(no_candidate)?, environment).map_err(refused)
    }
}

/// The document with its candidate in force, if it has one.
fn promoted(mut document: Value) -> Option<Value> {
    let members = document.as_object_mut()?;
    let authorization = members.remove("candidate")?.get_mut("authorization")?.take();
    for live in ["rules", "groups"] {
        members.remove(live);
    }
    members.insert("authorization".to_owned(), authorization);
    Some(document)
}

fn compile(value: Value, environment: &Environment) -> Result<PolicyFile, Problems> {
    let text = value.to_string();
    let document = Document::from_value(value)?;
    let config = Config::load(text.as_bytes(), &|name| environment.get_or_stand_in(name))?;
    Ok(PolicyFile { document, config, digest: Digest::of(text.as_bytes()) })
}
