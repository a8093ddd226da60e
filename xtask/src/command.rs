//! Running other programs, cargo above all, with what they print kept.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::progress::{Progress, Step};

/// What a program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether it ended well and in time.
    pub(crate) success: bool,
    /// What it printed, stdout and stderr as they came.
    pub(crate) text: String,
}

/// Cargo in the root of the repository, the same cargo that runs us.
pub(crate) fn cargo<A: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root);
    // Set for us by `cargo run`: to what we start they would be a change, and cause for building anew.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a program to its end and keeps what it prints; its last line shows in `step`. One that takes longer than
/// `limit` is stopped and counts as failed.
///
/// # Errors
/// When it cannot be started.
pub(crate) async fn run(mut command: Command, step: &Step, limit: Duration) -> Result<Outcome> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    // One pipe for both, so that what belongs together stays together.
    let (printed, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("cannot run {name}"))?;
    drop(command);
    let mut lines = read_lines(printed);
    let mut text = String::new();
    let to_the_end = async {
        while let Some(line) = lines.recv().await {
            step.passing_detail(&line);
            text.push_str(&line);
            text.push('\n');
        }
        child.wait().await
    };
    let ended = tokio::time::timeout(limit, to_the_end).await;
    let success = match ended {
        Ok(status) => status?.success(),
        Err(_) => {
            text.push_str(&format!("{name} did not end within {limit:?} and was stopped\n"));
            false
        }
    };
    Ok(Outcome { success, text })
}

/// Runs a program as one step that people see, and returns what it printed.
///
/// # Errors
/// When it cannot be started, fails, or takes longer than `limit`; then with what it printed.
pub(crate) async fn run_step(
    progress: &Progress,
    what: &str,
    command: Command,
    limit: Duration,
) -> Result<String> {
    let step = progress.step(what);
    let outcome = run(command, &step, limit).await?;
    if outcome.success {
        step.done("");
    } else {
        step.failed();
    }
    ensure!(outcome.success, "{what} failed:\n{}", outcome.text);
    Ok(outcome.text)
}

/// Reads in a thread of its own: a pipe cannot be waited for, and the thread ends with the program.
fn read_lines(from: PipeReader) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}
