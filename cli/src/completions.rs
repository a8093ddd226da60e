//! `portcullis completions` and `portcullis man`: what shells and manuals know of this command.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

use crate::exit;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Write manual pages, one a command.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Folder to write them to.
    folder: PathBuf,
}

/// Prints the completion script of `command`.
pub(crate) fn completions(args: &CompletionsArgs, mut command: Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "portcullis", &mut script);
    exit::after_saying(true, |out| out.write_all(&script))
}

/// Writes the manual pages of `command`.
pub(crate) fn man(args: &ManArgs, command: Command) -> ExitCode {
    match clap_mangen::generate_to(command, &args.folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::unusable(&format_args!("{}: {error}", args.folder.display())),
    }
}
