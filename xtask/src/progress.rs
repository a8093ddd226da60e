//! What is going on, on stderr: a spinner on a terminal, plain lines elsewhere. Results go to stdout, never from here.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Says what is going on.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: bool,
}

/// One thing that takes time; says how long when it is done.
#[derive(Debug)]
pub(crate) struct Step {
    what: String,
    started: Instant,
    spinner: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    /// Begins something.
    pub(crate) fn step(&self, what: impl Into<String>) -> Step {
        let what = what.into();
        let spinner = self.terminal.then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {prefix} {elapsed:.dim} {wide_msg:.dim}")
            {
                spinner.set_style(style);
            }
            spinner.set_prefix(what.clone());
            spinner.enable_steady_tick(TURN);
            spinner
        });
        if spinner.is_none() {
            eprintln!("... {what}");
        }
        Step { what, started: Instant::now(), spinner }
    }
}

impl Step {
    /// Shows where in the step we are.
    pub(crate) fn detail(&self, detail: &str) {
        match &self.spinner {
            Some(spinner) => spinner.set_message(detail.trim().to_owned()),
            None => eprintln!("    {detail}"),
        }
    }

    /// As [`Step::detail`], but only on a terminal: for details by the hundred, such as crates compiled.
    pub(crate) fn passing_detail(&self, detail: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(detail.trim().to_owned());
        }
    }

    /// Ends the step well.
    pub(crate) fn done(self, result: &str) -> Duration {
        let took = self.started.elapsed();
        self.clear();
        eprintln!(
            " ok {} ({:.1} s){}{result}",
            self.what,
            took.as_secs_f64(),
            if result.is_empty() { "" } else { ": " }
        );
        took
    }

    /// Ends the step badly.
    pub(crate) fn failed(self) -> Duration {
        let took = self.started.elapsed();
        self.clear();
        eprintln!("BAD {} ({:.1} s)", self.what, took.as_secs_f64());
        took
    }

    fn clear(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
