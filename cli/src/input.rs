//! A file or standard input, read with a progress bar for who waits long at a terminal.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The input, and a progress bar that shows itself only on a terminal, and only after [`PATIENCE`]. `-` is standard input.
pub(crate) fn open(path: &Path) -> io::Result<(Box<dyn Read>, ProgressBar)> {
    let (input, bar): (Box<dyn Read>, ProgressBar) = if path == Path::new("-") {
        let style = ProgressStyle::with_template("{spinner} {bytes} read, {bytes_per_sec}");
        (Box::new(io::stdin().lock()), styled(ProgressBar::new_spinner(), style))
    } else {
        let file = File::open(path)?;
        let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left");
        let bar = styled(ProgressBar::new(file.metadata()?.len()), style);
        (Box::new(file), bar)
    };
    bar.set_draw_target(ProgressDrawTarget::hidden());
    let patient =
        Patient { input: bar.wrap_read(input), bar: bar.clone(), since: Instant::now(), is_shown: false };
    Ok((Box::new(patient), bar))
}

/// Reads, and shows the bar once it has taken long.
struct Patient<R> {
    input: R,
    bar: ProgressBar,
    since: Instant,
    is_shown: bool,
}

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_shown && !self.bar.is_finished() && self.since.elapsed() > PATIENCE {
            self.is_shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.input.read(buffer)
    }
}

/// How long a command may take without saying how far it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// All of a small file, such as a token or a key set: at most `limit` bytes.
///
/// # Errors
/// What the system says, or that the file is longer.
pub(crate) fn read_small(path: &Path, limit: usize) -> Result<Vec<u8>, InputError> {
    let unreadable = |error| InputError::Unreadable { name: Name(path).to_string(), error };
    let file: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut bytes = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(bound).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(InputError::TooLong { name: Name(path).to_string(), limit });
    }
    Ok(bytes)
}

/// The token in a file, without white space behind it: at most `limit` bytes.
///
/// # Errors
/// As [`read_small`]. A token in place of a file's name is not repeated.
pub(crate) fn read_token(path: &Path, limit: usize) -> Result<Vec<u8>, InputError> {
    let looks_like_a_token =
        || path.to_str().is_some_and(|text| text.starts_with("eyJ") && text.matches('.').count() == 2);
    if looks_like_a_token() && !path.exists() {
        return Err(InputError::TokenForFile);
    }
    // A line end of two bytes may follow it.
    let token = read_small(path, limit.saturating_add(2))?;
    Ok(token.trim_ascii_end().to_vec())
}

/// Why an input is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// The system would not give it.
    #[error("{name}: {error}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// A token on the command line.
    #[error(
        "expected a file that holds the token, or `-`; a token on the command line is seen by others: put it in a file, \
         and revoke this one"
    )]
    TokenForFile,
    /// Longer than such a file can be.
    #[error("{name}: longer than {limit} bytes")]
    TooLong {
        /// The file.
        name: String,
        /// The bound in bytes.
        limit: usize,
    },
}

/// A file as it is shown.
pub(crate) struct Name<'p>(pub(crate) &'p Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Path::new("-") { f.write_str("standard input") } else { self.0.display().fmt(f) }
    }
}

fn styled<E>(bar: ProgressBar, style: Result<ProgressStyle, E>) -> ProgressBar {
    match style {
        Ok(style) => bar.with_style(style),
        Err(_wrong_template) => bar,
    }
}
