//! Lines for the host's log, and the last words of a panic.

use std::panic;

use super::abi::{self, Level};

/// Writes one line, unless the host would not write it: `line` is not even made then.
///
/// Control characters are escaped, so that no text can pretend to be a second line. That the log fails changes nothing.
pub(crate) fn write(level: Level, line: impl FnOnce() -> String) {
    if abi::log_level().is_ok_and(|least| (level as u32) < least) {
        return;
    }
    let line = line();
    let _ = if line.chars().any(char::is_control) {
        abi::log(level, escaped(&line).as_bytes())
    } else {
        abi::log(level, line.as_bytes())
    };
}

/// Has a panic say where it happened, and nothing of what it was about, for that may hold a client's data.
pub(crate) fn install_panic_hook() {
    panic::set_hook(Box::new(|panic| {
        let line =
            panic.location().map_or_else(|| "panic".to_owned(), |location| format!("panic at {location}"));
        let _ = abi::log(Level::Critical, line.as_bytes());
    }));
}

fn escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for character in line.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}
