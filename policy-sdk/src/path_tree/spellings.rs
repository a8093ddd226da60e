//! A path taken apart once, for every tree that is searched with it.

use std::cell::{Cell, OnceCell};

use smallvec::SmallVec;

use super::tree::hash_of_text;
use crate::limits::MAX_TEMPLATE_SEGMENTS;
use crate::path::{CanonicalPath, decoded};

/// A path in both of its spellings, with and without a slash at its end. What is about one and what is about the other is
/// found in one search.
#[derive(Debug)]
pub struct Spellings<'p> {
    own: &'p CanonicalPath,
    /// The other spelling, written when somebody asks for it.
    twin: OnceCell<Option<CanonicalPath>>,
    /// The segments that both have, as far as a template can go. None of them is empty.
    segments: SmallVec<[Segment; EXPECTED_SEGMENTS]>,
    /// Whether these are all.
    complete: bool,
    ends_with_slash: bool,
}

/// Where a segment stands in the path.
#[derive(Debug)]
struct Segment {
    start: usize,
    end: usize,
    /// Its decoded text, where it has an escape.
    decoded: Option<Box<str>>,
    /// The hash of its decoded text, once somebody asked for it: at most once for all nodes that it is looked for below.
    hash: Cell<Option<u64>>,
}

/// The spellings that end where a template ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    WithSlash,
    WithoutSlash,
    Both,
}

impl<'p> Spellings<'p> {
    /// Takes `path` apart.
    #[must_use]
    pub fn of(path: &'p CanonicalPath) -> Self {
        let text = path.as_str();
        let mut spellings = Self {
            own: path,
            twin: OnceCell::new(),
            segments: SmallVec::new(),
            complete: true,
            ends_with_slash: text.ends_with('/'),
        };
        let (mut start, mut has_escape): (usize, bool) = (1, false);
        // The text before the first slash is empty and belongs to no segment.
        for (at, byte) in text.bytes().enumerate().skip(1) {
            match byte {
                b'/' => {
                    spellings.push(start, at, has_escape);
                    (start, has_escape) = (at.saturating_add(1), false);
                }
                b'%' => has_escape = true,
                _other => {}
            }
        }
        if start < text.len() {
            spellings.push(start, text.len(), has_escape);
        }
        spellings
    }

    /// The path as it came.
    #[must_use]
    pub const fn own(&self) -> &'p CanonicalPath {
        self.own
    }

    /// The other spelling; `/` has none.
    #[must_use]
    pub fn twin(&self) -> Option<&CanonicalPath> {
        self.twin.get_or_init(|| self.own.slash_twin()).as_ref()
    }

    /// The decoded text of the segment at `place`, counted from 0; none where a spelling has an empty one.
    #[must_use]
    pub fn segment(&self, place: usize) -> Option<&str> {
        self.segments.get(place).map(|segment| segment.text(self.own))
    }

    /// The hash of [`Self::segment`].
    pub(super) fn hash(&self, place: usize) -> u64 {
        let Some(segment) = self.segments.get(place) else { return hash_of_text("") };
        segment.hash.get().unwrap_or_else(|| {
            let hash = hash_of_text(segment.text(self.own));
            segment.hash.set(Some(hash));
            hash
        })
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether what ends so is about the path as it came.
    pub(super) fn is_own(&self, end: End) -> bool {
        match end {
            End::WithSlash => self.ends_with_slash,
            End::WithoutSlash => !self.ends_with_slash,
            End::Both => true,
        }
    }

    /// Whether what ends so is about the other spelling.
    pub(super) fn is_twin(&self, end: End) -> bool {
        !self.segments.is_empty()
            && match end {
                End::WithSlash => !self.ends_with_slash,
                End::WithoutSlash => self.ends_with_slash,
                End::Both => true,
            }
    }

    fn push(&mut self, start: usize, end: usize, has_escape: bool) {
        if self.segments.len() >= MAX_TEMPLATE_SEGMENTS {
            self.complete = false;
            return;
        }
        let mut segment = Segment { start, end, decoded: None, hash: Cell::new(None) };
        if has_escape {
            segment.decoded = Some(decoded(segment.text(self.own)).into());
        }
        self.segments.push(segment);
    }
}

impl Segment {
    fn text<'a>(&'a self, path: &'a CanonicalPath) -> &'a str {
        match &self.decoded {
            Some(decoded) => decoded,
            None => path.as_str().get(self.start..self.end).unwrap_or_default(),
        }
    }
}

/// Segments that most paths have at most: room for them is on the stack.
const EXPECTED_SEGMENTS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{PathMode, canonicalize};

    #[test]
    fn both_spellings_have_the_same_segments() {
        for (text, twin, segments) in [
            ("/", None, &[][..]),
            ("/a", Some("/a/"), &["a"]),
            ("/a/", Some("/a"), &["a"]),
            ("/a/caf%C3%A9/b%40c", Some("/a/caf%C3%A9/b%40c/"), &["a", "café", "b@c"]),
        ] {
            let path = canonicalize(text.as_bytes(), PathMode::Refuse).unwrap().path;
            let spellings = Spellings::of(&path);
            assert_eq!(spellings.own().as_str(), text);
            assert_eq!(spellings.twin().map(CanonicalPath::as_str), twin);
            let found: Vec<&str> = (0..).map_while(|place| spellings.segment(place)).collect();
            assert_eq!(found, segments);
            assert!(spellings.is_complete());
        }
    }

    #[test]
    fn a_path_is_taken_apart_as_far_as_a_template_can_go() {
        for (count, complete) in [(MAX_TEMPLATE_SEGMENTS, true), (MAX_TEMPLATE_SEGMENTS + 1, false)] {
            for end in ["", "/"] {
                let text = "/a".repeat(count) + end;
                let path = canonicalize(text.as_bytes(), PathMode::Refuse).unwrap().path;
                let spellings = Spellings::of(&path);
                assert_eq!(spellings.segments.len(), MAX_TEMPLATE_SEGMENTS);
                assert_eq!(spellings.is_complete(), complete);
            }
        }
    }
}
