//! The closed list of spellings that two servers could read differently.

use std::fmt;

/// A way in which a path means different things to different servers. The table in [`crate::path`] gives the reason
/// for each, what becomes of it in either mode, and what Envoy makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathAmbiguity {
    /// `%2F`: a slash inside a segment.
    EncodedSlash,
    /// `\` or `%5C`.
    Backslash,
    /// `//`: a segment without characters, other than after the last slash.
    DoubleSlash,
    /// A segment that is `.` or `..`, in any spelling.
    DotSegment,
    /// `;` or `%3B`: parameters of a segment (RFC 3986 section 3.3).
    PathParameter,
    /// `#` or `%23`.
    Fragment,
    /// `%3F`: a question mark inside the path.
    EncodedQuestionMark,
    /// NUL, any other C0 or C1 control character or DEL, raw or escaped.
    ControlCharacter,
    /// `%` without two hexadecimal digits (RFC 3986 section 2.1).
    BadEscape,
    /// `%25` before two hexadecimal digits: an escape that only a second decoding reveals.
    DoubleEncoding,
    /// Escapes that decode to something other than UTF-8 (RFC 3629 section 3), overlong forms included.
    InvalidUtf8,
    /// A raw byte that RFC 3986 section 3.3 has no place for: space, `"<>[]^{|}`, backtick, anything beyond ASCII.
    NonUriCharacter,
}

impl PathAmbiguity {
    /// Every kind, in the order of the table in [`crate::path`]: the label set of a counter is bounded by this.
    pub const ALL: [Self; 12] = [
        Self::EncodedSlash,
        Self::Backslash,
        Self::DoubleSlash,
        Self::DotSegment,
        Self::PathParameter,
        Self::Fragment,
        Self::EncodedQuestionMark,
        Self::ControlCharacter,
        Self::BadEscape,
        Self::DoubleEncoding,
        Self::InvalidUtf8,
        Self::NonUriCharacter,
    ];

    /// The stable name of the kind, in metrics, audit records and messages.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// A path of this kind, for messages and documentation.
    #[must_use]
    pub const fn example(self) -> &'static str {
        self.row().example
    }

    /// What [`PathMode::Normalize`](super::PathMode::Normalize) makes of [`example`](Self::example); `None` for a
    /// kind without a defined reading, which stays refused.
    #[must_use]
    pub const fn normalized_example(self) -> Option<&'static str> {
        self.row().normalized
    }

    const fn row(self) -> Row {
        match self {
            Self::EncodedSlash => Row::refused("encoded_slash", "/a%2Fb"),
            Self::Backslash => Row::refused("backslash", "/a\\b"),
            Self::DoubleSlash => Row::normalized("double_slash", "/a//b", "/a/b"),
            Self::DotSegment => Row::normalized("dot_segment", "/a/../b", "/b"),
            Self::PathParameter => Row::refused("path_parameter", "/a;b/c"),
            Self::Fragment => Row::refused("fragment", "/a#b"),
            Self::EncodedQuestionMark => Row::refused("encoded_question_mark", "/a%3Fb"),
            Self::ControlCharacter => Row::refused("control_character", "/a%00"),
            Self::BadEscape => Row::refused("bad_escape", "/a%zz"),
            Self::DoubleEncoding => Row::refused("double_encoding", "/a%252Fb"),
            Self::InvalidUtf8 => Row::refused("invalid_utf8", "/a%C0%AF"),
            Self::NonUriCharacter => Row::normalized("non_uri_character", "/a b", "/a%20b"),
        }
    }
}

/// Kinds that stand in one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathAmbiguities(u16);

impl PathAmbiguities {
    /// These and `kind`.
    #[must_use]
    pub(super) const fn with(self, kind: PathAmbiguity) -> Self {
        Self(self.0 | bit(kind))
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds, in the order of [`PathAmbiguity::ALL`].
    pub fn iter(self) -> impl Iterator<Item = PathAmbiguity> {
        PathAmbiguity::ALL.into_iter().filter(move |kind| self.0 & bit(*kind) != 0)
    }
}

/// A place for each kind: there are twelve of them and sixteen bits.
const fn bit(kind: PathAmbiguity) -> u16 {
    1_u16.wrapping_shl(kind as u32)
}

impl fmt::Display for PathAmbiguity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.label())
    }
}

/// What there is to know about one kind; labels, documentation and tests all read it from here.
struct Row {
    label: &'static str,
    example: &'static str,
    normalized: Option<&'static str>,
}

impl Row {
    const fn refused(label: &'static str, example: &'static str) -> Self {
        Self { label, example, normalized: None }
    }

    const fn normalized(label: &'static str, example: &'static str, normalized: &'static str) -> Self {
        Self { label, example, normalized: Some(normalized) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{PathError, PathMode, canonicalize};

    #[test]
    fn every_kind_refuses_its_example_and_normalises_it_as_the_row_says() {
        for kind in PathAmbiguity::ALL {
            let example = kind.example().as_bytes();
            let refusal = Err(PathError::Ambiguous(kind));
            assert_eq!(canonicalize(example, PathMode::Refuse), refusal, "{kind}");
            match kind.normalized_example() {
                None => assert_eq!(canonicalize(example, PathMode::Normalize), refusal, "{kind}"),
                Some(normalized) => {
                    let target = canonicalize(example, PathMode::Normalize).unwrap();
                    assert_eq!(target.path.as_str(), normalized, "{kind}");
                    assert!(target.rewritten, "{kind}");
                    assert_eq!(target.normalized.iter().collect::<Vec<_>>(), [kind]);
                }
            }
        }
    }

    #[test]
    fn labels_are_distinct_and_fit_a_metric_label() {
        let labels: std::collections::BTreeSet<_> =
            PathAmbiguity::ALL.iter().map(|kind| kind.label()).collect();
        assert_eq!(labels.len(), PathAmbiguity::ALL.len());
        assert!(
            labels
                .iter()
                .all(|label| label.bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b == b'8'))
        );
    }

    /// The compiler demands a row for a new kind, and this test its place in `ALL`.
    #[test]
    fn all_lists_the_kinds_in_order() {
        let rows = include_str!("ambiguity.rs").lines().filter(|line| line.trim().starts_with("Self::"));
        assert_eq!(rows.filter(|line| line.contains("=> Row::")).count(), PathAmbiguity::ALL.len());
        assert!(PathAmbiguity::ALL.iter().enumerate().all(|(index, kind)| *kind as usize == index));
    }
}
