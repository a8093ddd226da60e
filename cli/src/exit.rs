//! How a command ends: 0 when all is well, 1 when something was found, 2 when it could not be looked for.

use std::fmt::Display;
use std::io::{self, StdoutLock, Write as _};
use std::process::ExitCode;

/// The command could not do what it was asked to.
pub(crate) fn unusable(error: &impl Display) -> ExitCode {
    // Nothing can be done when standard error is closed as well.
    let _written = writeln!(io::stderr(), "portcullis: {error}");
    ExitCode::from(UNUSABLE)
}

/// The command has written what it had to say, if it could. Whoever closes the pipe has read enough.
pub(crate) fn after_writing(written: io::Result<()>, all_good: bool) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => unusable(&error),
        Ok(()) | Err(_) if all_good => ExitCode::SUCCESS,
        Ok(()) | Err(_) => ExitCode::FAILURE,
    }
}

/// Writes all that the command has to say to standard output.
pub(crate) fn after_saying(
    all_good: bool,
    say: impl FnOnce(&mut StdoutLock<'static>) -> io::Result<()>,
) -> ExitCode {
    let mut out = io::stdout().lock();
    after_writing(say(&mut out).and_then(|()| out.flush()), all_good)
}

/// Everything was looked at that could be, and some of it could not.
pub(crate) fn unreadable_lines() -> ExitCode {
    ExitCode::from(UNUSABLE)
}

/// Exit status of wrong usage, of unreadable input and of output that cannot be written.
const UNUSABLE: u8 = 2;
