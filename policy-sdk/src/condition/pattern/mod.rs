//! Regular expressions that take time in proportion to the text, whatever the expression.
//!
//! The language is what crates, editors and languages agree on: `.`, `[a-z]`, `[^a-z]`, `\d`, `\w`, `\s` and their
//! opposites, groups, `|`, `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}`. An expression describes a text from its first character
//! to its last; `^` in front and `$` at the end are welcome and change nothing. `\d`, `\w` and `\s` are ASCII.
//!
//! There are no captures, no flags, no look-around and no back-references: a test asks for yes or no, and the last two
//! cannot be had in linear time. Whoever writes one of them is told so when the document is loaded. The whole is a
//! hundredth of the module; a general engine would be a tenth of it.

mod program;
mod syntax;

use program::Program;

use super::steps::STEP_BYTES;
use super::{Fault, Steps};
use crate::limits::{MAX_MATCHED_BYTES, MAX_PATTERN_BYTES, MAX_PATTERN_RANGES, MAX_PATTERN_STATES};

/// A regular expression, ready to be asked about texts.
pub(super) struct Pattern(Program);

impl Pattern {
    /// Reads an expression of at most [`MAX_PATTERN_BYTES`] bytes, [`MAX_PATTERN_STATES`] states and
    /// [`MAX_PATTERN_RANGES`] ranges of characters.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub(super) fn parse(text: &str) -> Result<Pattern, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError { fault: PatternFault::TooLong, offset: MAX_PATTERN_BYTES });
        }
        let expression = syntax::parse(text)?;
        let too_large = PatternError { fault: PatternFault::TooManyStates, offset: text.len() };
        Program::of(&expression).map(Pattern).ok_or(too_large)
    }

    /// Whether the expression describes the whole of `text`.
    ///
    /// # Errors
    ///
    /// [`Fault::TooLarge`] beyond [`MAX_MATCHED_BYTES`], [`Fault::Exhausted`] when it would take more than `steps`.
    pub(super) fn matches(&self, text: &str, steps: &mut Steps) -> Result<bool, Fault> {
        if text.len() > MAX_MATCHED_BYTES {
            return Err(Fault::TooLarge);
        }
        // Each character meets each state once at most, and there each range of a class.
        steps.spend(text.len().saturating_mul(self.0.comparisons()) / STEP_BYTES)?;
        Ok(self.0.matches(text))
    }
}

/// Why a text is no expression of this language. The offset counts bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (at byte {offset})")]
pub(super) struct PatternError {
    pub(super) fault: PatternFault,
    pub(super) offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PatternFault {
    #[error("longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    #[error(
        "more than {MAX_PATTERN_STATES} states or {MAX_PATTERN_RANGES} ranges of characters; counted repetitions count each time"
    )]
    TooManyStates,
    #[error("groups are nested too deeply")]
    TooDeep,
    #[error("nothing between two borders; write `?` after what may be absent")]
    Empty,
    #[error("a group that is not closed")]
    OpenGroup,
    #[error("a `)` that closes nothing")]
    StrayClose,
    #[error("`(?:` is the only group with a `?`: there are no flags, no names and no look-around")]
    SpecialGroup,
    #[error("nothing to repeat")]
    NothingToRepeat,
    #[error("a repetition of a repetition; put the inner one in a group")]
    RepeatedTwice,
    #[error(
        "not a repetition: `{{m}}`, `{{m,}}` or `{{m,n}}`, from 1 to 255, the smaller first; `\\{{` is the character"
    )]
    BadCount,
    #[error("`^` stands in front of the whole and `$` at its end: an expression describes the whole text")]
    Anchor,
    #[error(
        "not an escape: `\\` and a punctuation mark, or one of `\\d`, `\\w`, `\\s`, `\\D`, `\\W`, `\\S`, `\\n`, `\\r`, `\\t`"
    )]
    BadEscape,
    #[error("a class that is not closed")]
    OpenClass,
    #[error("a class of nothing")]
    EmptyClass,
    #[error("a range that ends before it begins, or that does not end with one character")]
    BadRange,
    #[error("a character that must be escaped with `\\` here")]
    Unescaped,
}

#[cfg(test)]
mod tests;
