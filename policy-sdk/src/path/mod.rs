//! One path: the reading of a request's target that policy decides on and the upstream receives.
//!
//! Proxies, frameworks and file servers disagree about dozens of spellings, and each disagreement has let
//! somebody past a gate. [`canonicalize`] knows two answers: the one path the target stands for, or a refusal that
//! names the [`PathAmbiguity`]. What it accepts is written in one way: escapes of unreserved characters become
//! the character (RFC 3986 section 6.2.2.2), the other escapes keep their meaning and get capital digits
//! (section 6.2.2.1). When that differs from the text received, [`RequestTarget::rewritten`] says so and the
//! gate forwards the canonical text, so that nobody behind it reads another path than policy did.
//!
//! What this module does not do: it does not fold case, apply Unicode normalisation, equate look-alike characters,
//! or strip the trailing dots and spaces that Windows file systems ignore. `/Admin`, `/admin.` and `/admin` are
//! three paths, and so are `/admin` and `/admin/`.
//!
#![doc = include_str!("../../../docs/paths.md")]

mod ambiguity;
mod canonical;
mod plain;
mod slashes;
mod target;

pub use ambiguity::{PathAmbiguities, PathAmbiguity};
pub use canonical::canonicalize;
pub use target::{CanonicalPath, MalformedTarget, PathError, PathMode, RequestTarget, Segment, Segments};

pub(crate) use canonical::canonicalize_segment;
pub(crate) use target::{between_slashes, decoded};

#[cfg(test)]
use canonical::read;

#[cfg(test)]
mod table;
