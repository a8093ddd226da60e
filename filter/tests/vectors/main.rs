//! Published vectors against the whole of token verification, through both crypto paths.
//!
//! The vectors are other people's and not part of this project. Their folder is `$PORTCULLIS_VECTORS`, or
//! `../shared/vectors` seen from the workspace; without it this says so and checks nothing. One line a suite, one line a
//! failure; the exit code is that of a test. There is no harness: what it prints is the point.

#[cfg(test)]
#[path = "../authn/host.rs"]
mod host;
#[cfg(test)]
mod jose;
#[cfg(test)]
mod path;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the vectors are files in a folder that the environment names")]
mod suite;
#[cfg(test)]
mod wycheproof;

#[cfg(test)]
fn main() -> std::process::ExitCode {
    suite::run()
}
