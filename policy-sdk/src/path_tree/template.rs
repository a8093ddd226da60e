//! Path templates: their grammar, and what they capture.

mod plain;
mod text;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::limits::{MAX_PLACEHOLDER_NAME_BYTES, MAX_TEMPLATE_BYTES, MAX_TEMPLATE_SEGMENTS};
use crate::path::{CanonicalPath, PathAmbiguity, PathMode, between_slashes, canonicalize_segment, decoded};
use plain::is_name;
pub use text::TemplateText;

/// A pattern over the segments of a [`CanonicalPath`]. The grammar is in [`crate::path_tree`].
///
/// ```
/// # use portcullis_policy::path_tree::PathTemplate;
/// let template: PathTemplate = "/tenants/{tenant}/**".parse()?;
/// assert_eq!(template.placeholders().collect::<Vec<_>>(), ["tenant"]);
/// # Ok::<(), portcullis_policy::path_tree::TemplateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathTemplate {
    /// In canonical spelling: whatever is no `{name}`, `*` or `**` is a literal, for in that spelling those characters
    /// are escaped.
    text: Box<str>,
}

impl PathTemplate {
    /// The template as text, its literals in canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the placeholders, from left to right. No name occurs twice.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Named(name) => Some(name),
            Piece::Literal(_) | Piece::Any | Piece::Rest => None,
        })
    }

    /// Which segment the placeholder stands for, counted from 0.
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.pieces().position(|piece| piece == Piece::Named(name))
    }

    /// What the placeholders stand for in `path`; `None` when the template does not match it.
    ///
    /// For one template or few: to search many, use a [`PathTree`](super::PathTree).
    #[must_use]
    pub fn captures<'a>(&'a self, path: &'a CanonicalPath) -> Option<Captures<'a>> {
        let captures = Captures { pieces: &self.text, path };
        let mut segments = path.segments();
        for piece in self.pieces() {
            let matches = match piece {
                Piece::Rest => return Some(captures),
                Piece::Literal(text) => segments.next()?.text() == text,
                Piece::Named(_) | Piece::Any => !segments.next()?.is_empty(),
            };
            if !matches {
                return None;
            }
        }
        segments.next().is_none().then_some(captures)
    }

    /// Its pieces, from left to right. [`Piece::Rest`] comes last only.
    fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        pieces_of(&self.text)
    }

    /// Reads a template segment by segment, and says what is wrong with it.
    fn taken_apart(source: &str) -> Result<Self, TemplateError> {
        let at = |offset| move |fault| TemplateError { fault, offset };
        let relative = source.strip_prefix('/').ok_or_else(|| at(0)(TemplateFault::NoLeadingSlash))?;
        if source.len() > MAX_TEMPLATE_BYTES {
            return Err(at(MAX_TEMPLATE_BYTES)(TemplateFault::TooLong));
        }
        let mut template = Builder { text: String::with_capacity(source.len()), ..Builder::default() };
        let mut offset: usize = 1;
        let mut segments = between_slashes(relative).peekable();
        while let Some(segment) = segments.next() {
            template.push(segment, segments.peek().is_none()).map_err(at(offset))?;
            offset = offset.saturating_add(segment.len()).saturating_add(1);
        }
        Ok(Self::of_canonical_text(template.text))
    }

    /// For a text that is known to be a template in canonical spelling.
    pub(super) fn of_canonical_text(text: String) -> Self {
        Self { text: text.into() }
    }
}

impl FromStr for PathTemplate {
    type Err = TemplateError;

    fn from_str(source: &str) -> Result<Self, TemplateError> {
        TemplateText::read(source).map(|template| template.to_template())
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What the placeholders of a template stand for in a path that it matches. Reads the path when asked, so a match
/// that nobody looks into costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Captures<'a> {
    /// The template, or its shape, in which the literals are left blank.
    pieces: &'a str,
    path: &'a CanonicalPath,
}

impl<'a> Captures<'a> {
    /// Only for the shape of a template and a path known to match.
    pub(super) const fn of_match(pieces: &'a str, path: &'a CanonicalPath) -> Self {
        Self { pieces, path }
    }

    /// The decoded text of the segment that the placeholder stands for. Never empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.iter().find_map(|(placeholder, text)| (placeholder == name).then_some(text))
    }

    /// Every placeholder with its segment's decoded text, from left to right.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        let pieces = pieces_of(self.pieces).zip(self.path.segments());
        pieces.filter_map(|(piece, segment)| match piece {
            Piece::Named(name) => Some((name, segment.text())),
            Piece::Literal(_) | Piece::Any | Piece::Rest => None,
        })
    }
}

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The decoded text of a segment; empty for what follows a trailing slash.
    Literal(Cow<'a, str>),
    /// `{name}`, without the braces.
    Named(&'a str),
    /// `*`.
    Any,
    /// `**`.
    Rest,
}

/// The pieces of a template in canonical spelling, or of the shape of one.
pub(super) fn pieces_of(text: &str) -> impl Iterator<Item = Piece<'_>> {
    // The text before the first slash is empty and belongs to no piece.
    segments_of(text).map(Piece::of)
}

/// The segments of a template in canonical spelling, or of what is left of one from a slash on.
pub(super) fn segments_of(text: &str) -> impl Iterator<Item = &str> {
    // The text before the first slash is empty and belongs to no segment.
    between_slashes(text).skip(1)
}

impl<'a> Piece<'a> {
    /// What a segment in canonical spelling is.
    pub(super) fn of(segment: &'a str) -> Self {
        match segment {
            "*" => Piece::Any,
            "**" => Piece::Rest,
            _ => match placeholder(segment) {
                Some(name) => Piece::Named(name),
                None => Piece::Literal(decoded(segment)),
            },
        }
    }
}

fn placeholder(segment: &str) -> Option<&str> {
    match segment.as_bytes() {
        [b'{', .., b'}'] => segment.get(1..segment.len().wrapping_sub(1)),
        _ => None,
    }
}

/// Why a text is no path template, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (at byte {offset})")]
pub struct TemplateError {
    /// What is wrong.
    pub fault: TemplateFault,
    /// Bytes of the template before the segment that is wrong.
    pub offset: usize,
}

/// What can be wrong with a path template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// It does not begin with a slash.
    #[error("a path template begins with `/`")]
    NoLeadingSlash,
    /// It exceeds [`MAX_TEMPLATE_BYTES`].
    #[error("a path template has at most {MAX_TEMPLATE_BYTES} bytes")]
    TooLong,
    /// It exceeds [`MAX_TEMPLATE_SEGMENTS`].
    #[error("a path template has at most {MAX_TEMPLATE_SEGMENTS} segments")]
    TooManySegments,
    /// `{}`, `{a-b}`, `{1}` and the like.
    #[error(
        "the name of a placeholder is a letter or `_`, then letters, digits and `_`, at most {MAX_PLACEHOLDER_NAME_BYTES} in all"
    )]
    PlaceholderName,
    /// The same `{name}` in two segments: they would have to be equal, which a template cannot demand.
    #[error("the placeholder's name is already taken in this template")]
    DuplicatePlaceholder,
    /// `/a/**/b`.
    #[error("`**` can only be the last segment")]
    RestNotLast,
    /// `/a*` or `/***`.
    #[error("`*` stands for a whole segment; inside one write `%2A` for the character")]
    WildcardInsideSegment,
    /// `/a{b}` or `/{a`.
    #[error(
        "a placeholder `{{name}}` is a whole segment; inside one write `%7B` and `%7D` for the characters"
    )]
    BraceInsideSegment,
    /// `/a?b`.
    #[error("a path template has no query")]
    Query,
    /// No request's canonical path could ever match it (see [`crate::path`]).
    #[error("such a path is refused in every request, as ambiguous: {0}")]
    Ambiguous(PathAmbiguity),
}

#[derive(Default)]
struct Builder<'a> {
    text: String,
    pieces: usize,
    names: BTreeSet<&'a str>,
}

impl<'a> Builder<'a> {
    fn push(&mut self, segment: &'a str, last: bool) -> Result<(), TemplateFault> {
        if self.pieces >= MAX_TEMPLATE_SEGMENTS {
            return Err(TemplateFault::TooManySegments);
        }
        self.pieces = self.pieces.saturating_add(1);
        self.text.push('/');
        if segment == "**" && !last {
            return Err(TemplateFault::RestNotLast);
        }
        if let Some(name) = placeholder(segment) {
            self.name(name)?;
        } else if !matches!(segment, "*" | "**") {
            return self.literal(segment, last);
        }
        self.text.push_str(segment);
        Ok(())
    }

    fn name(&mut self, name: &'a str) -> Result<(), TemplateFault> {
        if !is_name(name.as_bytes()) {
            return Err(TemplateFault::PlaceholderName);
        }
        if self.names.insert(name) { Ok(()) } else { Err(TemplateFault::DuplicatePlaceholder) }
    }

    /// Appends the canonical spelling of a literal segment.
    fn literal(&mut self, segment: &str, last: bool) -> Result<(), TemplateFault> {
        let has = |wanted: &[u8]| segment.bytes().any(|byte| wanted.contains(&byte));
        if has(b"*{}?") {
            return Err(match () {
                () if has(b"*") => TemplateFault::WildcardInsideSegment,
                () if has(b"{}") => TemplateFault::BraceInsideSegment,
                () => TemplateFault::Query,
            });
        }
        let start = self.text.len();
        canonicalize_segment(segment.as_bytes(), PathMode::Refuse, &mut self.text)
            .map_err(TemplateFault::Ambiguous)?;
        match self.text.get(start..).unwrap_or_default() {
            "" if !last => Err(TemplateFault::Ambiguous(PathAmbiguity::DoubleSlash)),
            "." | ".." => Err(TemplateFault::Ambiguous(PathAmbiguity::DotSegment)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::canonicalize;

    fn path(text: &str) -> CanonicalPath {
        canonicalize(text.as_bytes(), PathMode::Refuse).unwrap().path
    }

    fn template(text: &str) -> PathTemplate {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_template_prints_as_it_was_written_in_canonical_spelling() {
        for text in ["/", "/a", "/a/", "/{a}/*/**", "/**", "/*", "/a,b/%2A/c@d", "/{_x1}/"] {
            assert_eq!(template(text).to_string(), text);
            assert_eq!(template(template(text).as_str()), template(text));
        }
        assert_eq!(template("/%61%2a/%c3%a9").as_str(), "/a%2A/%C3%A9");
    }

    #[test]
    fn a_fault_says_what_and_where() {
        use TemplateFault::*;
        for (text, fault, offset) in [
            ("", NoLeadingSlash, 0),
            ("a/b", NoLeadingSlash, 0),
            ("*", NoLeadingSlash, 0),
            ("/a/{}", PlaceholderName, 3),
            ("/{1a}", PlaceholderName, 1),
            ("/{a-b}", PlaceholderName, 1),
            ("/{é}", PlaceholderName, 1),
            ("/{a}/{b}/{a}", DuplicatePlaceholder, 9),
            ("/a/**/b", RestNotLast, 3),
            ("/**/", RestNotLast, 1),
            ("/a/b*", WildcardInsideSegment, 3),
            ("/***", WildcardInsideSegment, 1),
            ("/a{b}", BraceInsideSegment, 1),
            ("/{a", BraceInsideSegment, 1),
            ("/a}", BraceInsideSegment, 1),
            ("/a/b?c=d", Query, 3),
            ("/a//b", Ambiguous(PathAmbiguity::DoubleSlash), 3),
            ("//", Ambiguous(PathAmbiguity::DoubleSlash), 1),
            ("/a/../b", Ambiguous(PathAmbiguity::DotSegment), 3),
            ("/a/%2e", Ambiguous(PathAmbiguity::DotSegment), 3),
            ("/a%2fb", Ambiguous(PathAmbiguity::EncodedSlash), 1),
            ("/a;b", Ambiguous(PathAmbiguity::PathParameter), 1),
            ("/a#b", Ambiguous(PathAmbiguity::Fragment), 1),
            ("/a\\b", Ambiguous(PathAmbiguity::Backslash), 1),
            ("/a b", Ambiguous(PathAmbiguity::NonUriCharacter), 1),
            ("/é", Ambiguous(PathAmbiguity::NonUriCharacter), 1),
            ("/%zz", Ambiguous(PathAmbiguity::BadEscape), 1),
        ] {
            assert_eq!(text.parse::<PathTemplate>(), Err(TemplateError { fault, offset }), "{text}");
        }
        let fault = "/a/{}".parse::<PathTemplate>().unwrap_err().to_string();
        assert_eq!(
            fault,
            "the name of a placeholder is a letter or `_`, then letters, digits and `_`, at most 64 in all (at byte 3)"
        );
    }

    #[test]
    fn size_is_bounded() {
        assert!(format!("/{}", "a".repeat(MAX_TEMPLATE_BYTES - 1)).parse::<PathTemplate>().is_ok());
        let long = format!("/{}", "a".repeat(MAX_TEMPLATE_BYTES));
        assert_eq!(long.parse::<PathTemplate>().unwrap_err().fault, TemplateFault::TooLong);
        assert!("/a".repeat(MAX_TEMPLATE_SEGMENTS).parse::<PathTemplate>().is_ok());
        let deep = "/a".repeat(MAX_TEMPLATE_SEGMENTS + 1);
        assert_eq!(deep.parse::<PathTemplate>().unwrap_err().fault, TemplateFault::TooManySegments);
        let name = format!("/{{{}}}", "n".repeat(MAX_PLACEHOLDER_NAME_BYTES + 1));
        assert_eq!(name.parse::<PathTemplate>().unwrap_err().fault, TemplateFault::PlaceholderName);
    }

    #[test]
    fn captures_are_the_decoded_segments() {
        let template = template("/tenants/{tenant}/*/{file}/**");
        let path = path("/tenants/caf%c3%a9/x/a%40b/c/d");
        let captures = template.captures(&path).unwrap();
        assert_eq!(captures.get("tenant").as_deref(), Some("café"));
        assert_eq!(captures.get("file").as_deref(), Some("a@b"));
        assert_eq!(captures.get("x"), None);
        assert_eq!(captures.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["tenant", "file"]);
    }

    /// The table in the module's documentation, line by line.
    #[test]
    fn the_documented_examples_hold() {
        for (pattern, matching, others) in [
            ("/v1/objects", &["/v1/objects"][..], &["/v1/objects/", "/V1/objects"][..]),
            ("/v1/objects/", &["/v1/objects/"], &["/v1/objects"]),
            ("/v1/objects/{id}", &["/v1/objects/7"], &["/v1/objects/", "/v1/objects/7/", "/v1/objects"]),
            ("/v1/objects/*", &["/v1/objects/7", "/v1/objects/*"], &["/v1/objects/", "/v1/objects/7/"]),
            ("/v1/**", &["/v1", "/v1/", "/v1/objects/7"], &["/v10", "/"]),
            ("/**", &["/", "/a", "/a/"], &[]),
            ("/files/%2A", &["/files/*", "/files/%2A"], &["/files/a", "/files/"]),
            ("/a@b", &["/a@b", "/a%40b"], &["/a%40b/"]),
        ] {
            for text in matching {
                assert!(template(pattern).captures(&path(text)).is_some(), "{pattern} {text}");
            }
            for text in others {
                assert!(template(pattern).captures(&path(text)).is_none(), "{pattern} {text}");
            }
        }
    }
}
