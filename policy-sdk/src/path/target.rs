//! What a request's target is once it has been read, and why it could not be.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;

use super::slashes::Slashes;
use super::{PathAmbiguities, PathAmbiguity};

/// What to do with a path that two servers could read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathMode {
    /// Refuse it, whatever it means.
    #[default]
    Refuse,
    /// Bring it into the canonical form where one reading is defined; refuse it otherwise.
    Normalize,
}

/// A request's target in origin-form (RFC 9112 section 3.2.1), read in the one way it can be.
///
/// Queries carry tokens (RFC 6750 section 2.3): there is no `Display`, and `Debug` gives the length of the query only.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestTarget {
    /// The path policy decides on.
    pub path: CanonicalPath,
    /// What follows the first `?`, as it came; `Some` and empty when nothing does.
    pub query: Option<String>,
    /// Whether `path` differs from the text received. The gate then forwards [`origin_form`](Self::origin_form)
    /// instead: otherwise the upstream would read for itself what policy has already read.
    pub rewritten: bool,
    /// What was mended on the way. Empty unless the mode is [`PathMode::Normalize`]; a path can be rewritten without
    /// having been ambiguous, when an escape is spelt anew.
    pub normalized: PathAmbiguities,
}

impl RequestTarget {
    /// The text to forward: path and query.
    #[must_use]
    pub fn origin_form(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_string(),
        }
    }
}

impl fmt::Debug for RequestTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestTarget")
            .field("path", &self.path)
            .field("query_bytes", &self.query.as_ref().map(String::len))
            .field("rewritten", &self.rewritten)
            .field("normalized", &self.normalized)
            .finish()
    }
}

/// A path with exactly one reading, made by [`canonicalize`](super::canonicalize) alone.
///
/// Starts with `/`, is ASCII, has no empty segment but possibly the last, no dot segments, and no escape that would
/// be a delimiter when decoded. Two requests for the same path can still differ in escapes of reserved characters
/// (`@` and `%40`), which RFC 3986 section 2.2 keeps apart; compare [`Segment::text`] to see through those.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CanonicalPath {
    text: String,
    slashes: Slashes,
    has_escape: bool,
}

impl CanonicalPath {
    /// For who reads paths.
    pub(super) fn from_canonical_text(text: String) -> Self {
        Self { slashes: Slashes::of(&text), has_escape: text.contains('%'), text }
    }

    /// For who reads plain paths, without an escape, and notes the slashes meanwhile.
    pub(super) fn from_plain_text(text: String, slashes: Slashes) -> Self {
        Self { text, slashes, has_escape: false }
    }

    /// The same path with the slash at its end taken away, or put there; `None` for `/` alone.
    ///
    /// The two are different resources (RFC 3986 section 6.2.3), and many servers answer both alike: what guards one
    /// spelling must not be evaded by the other.
    #[must_use]
    pub fn slash_twin(&self) -> Option<Self> {
        match self.text.strip_suffix('/') {
            Some("") => None,
            Some(without) => Some(Self::from_canonical_text(without.to_owned())),
            None => {
                let mut with = String::with_capacity(self.text.len().saturating_add(1));
                with.push_str(&self.text);
                with.push('/');
                Some(Self::from_canonical_text(with))
            }
        }
    }

    /// The path as text, with its escapes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments from left to right: at least one, and the last is empty when the path ends with a slash.
    #[must_use]
    pub fn segments(&self) -> Segments<'_> {
        // The text before the first slash is empty and belongs to no segment.
        let mut parts = between_slashes(&self.text);
        parts.next();
        Segments(parts)
    }

    /// How many segments there are, the empty one behind a slash at the end included. Where there are more than a template
    /// can have ([`MAX_TEMPLATE_SEGMENTS`](crate::limits::MAX_TEMPLATE_SEGMENTS)), two more than that at most.
    pub(crate) fn segment_count(&self) -> usize {
        self.slashes.len()
    }

    /// The bytes of the segment with this number, counted from 0, with its escapes. Only for those that a template can have.
    #[inline]
    pub(crate) fn segment_bytes(&self, number: usize) -> Option<&[u8]> {
        let start = self.slashes.get(number)?.saturating_add(1);
        let end = self.slashes.get(number.saturating_add(1)).unwrap_or(self.text.len());
        self.text.as_bytes().get(start..end)
    }

    /// Whether a segment has an escape, and stands for another text.
    pub(crate) fn has_escape(&self) -> bool {
        self.has_escape
    }
}

impl fmt::Debug for CanonicalPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CanonicalPath").field(&self.text).finish()
    }
}

impl fmt::Display for CanonicalPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// One segment of a [`CanonicalPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a>(&'a str);

impl<'a> Segment<'a> {
    /// The segment with its escapes, as it stands in the path.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The text the segment stands for, escapes decoded. Borrowed unless there are any.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        decoded(self.0)
    }

    /// Whether the segment has no characters: what follows a trailing slash.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// The texts between the slashes of `text`, as `split('/')` has them: for texts of a few bytes each, which searching word by
/// word makes dearer.
pub(crate) fn between_slashes(text: &str) -> BetweenSlashes<'_> {
    BetweenSlashes { rest: Some(text) }
}

/// Made by [`between_slashes`].
#[derive(Debug, Clone)]
pub(crate) struct BetweenSlashes<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for BetweenSlashes<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let slash = rest.bytes().position(|byte| byte == b'/');
        let Some((text, rest)) = slash.and_then(|slash| rest.split_at_checked(slash)) else {
            return self.rest.take();
        };
        self.rest = rest.get(1..);
        Some(text)
    }
}

/// What a segment in canonical spelling stands for. Most have no escapes, and are looked through and no more.
pub(crate) fn decoded(segment: &str) -> Cow<'_, str> {
    if segment.bytes().all(|byte| byte != b'%') {
        return Cow::Borrowed(segment);
    }
    // Lossy never loses: the canonical spelling holds no escapes that decode to anything but UTF-8.
    percent_decode_str(segment).decode_utf8_lossy()
}

/// The segments of a [`CanonicalPath`], from left to right. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Segments<'a>(BetweenSlashes<'a>);

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Segment)
    }
}

/// Why a target has no canonical path. Never repeats the target: queries carry tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Two servers could read the path differently. The first such place, from the left, gives the kind.
    #[error("the path can be read in two ways: {0}")]
    Ambiguous(PathAmbiguity),
    /// The target is not in origin-form (RFC 9112 section 3.2.1).
    #[error("the request target is malformed: {0}")]
    Malformed(MalformedTarget),
    /// The path exceeds [`MAX_PATH_BYTES`](crate::limits::MAX_PATH_BYTES) or the query
    /// [`MAX_QUERY_BYTES`](crate::limits::MAX_QUERY_BYTES).
    #[error("the request target is too long")]
    TooLong,
}

/// The forms of a request target that name no path of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedTarget {
    /// No bytes at all.
    #[error("it is empty")]
    Empty,
    /// `*`, the whole server (RFC 9112 section 3.2.4).
    #[error("it is in asterisk-form")]
    AsteriskForm,
    /// `http://host/path` (RFC 9112 section 3.2.2): a proxy resolves it before we are asked.
    #[error("it is in absolute-form")]
    AbsoluteForm,
    /// `host:port`, the target of `CONNECT` (RFC 9112 section 3.2.3).
    #[error("it is in authority-form")]
    AuthorityForm,
    /// Anything else that does not begin with a slash.
    #[error("it does not begin with a slash")]
    NoLeadingSlash,
}
