//! A policy document as the commands need it that ask it something: read, checked, and compiled as the filter compiles it.

use std::path::Path;
use std::process::ExitCode;

use portcullis_filter::config::Config;
use portcullis_policy::document::{Document, Problems};

use crate::environment::Environment;
use crate::exit;
use crate::report::Report;
use crate::source::Source;

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
            Err(problems) => {
                let report = Report::new(&source, Err(problems));
                // Nothing can be done when standard error is closed.
                let _written = report.write_text(&mut anstream::stderr().lock());
                Err(exit::unusable(&format_args!("{}: has problems, so it decides nothing", source.name)))
            }
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
