//! A path taken apart once, for every tree that is searched with it.

use std::cell::{Cell, OnceCell};

use smallvec::SmallVec;

use super::tree::hash_of_text;
use crate::limits::MAX_TEMPLATE_SEGMENTS;
use crate::path::CanonicalPath;

/// A path in both of its spellings, with and without a slash at its end. What is about one and what is about the other is
/// found in one search.
#[derive(Debug)]
pub struct Spellings<'p> {
    own: &'p CanonicalPath,
    /// The other spelling, written when somebody asks for it.
    twin: OnceCell<Option<CanonicalPath>>,
    /// How many segments both have, as far as a template can go. None of them is empty.
    count: usize,
    /// Whether these are all.
    complete: bool,
    ends_with_slash: bool,
    /// The texts of the segments, where one of them has an escape.
    decoded: Option<Vec<String>>,
    /// The hash of each segment's text that somebody asked for: at most once for all nodes that it is looked for below. 0
    /// where nobody did.
    hashes: SmallVec<[Cell<u64>; EXPECTED_SEGMENTS]>,
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
    #[inline]
    pub fn of(path: &'p CanonicalPath) -> Self {
        let ends_with_slash = path.as_str().ends_with('/');
        let all = path.segment_count();
        let all = if ends_with_slash { all.saturating_sub(1) } else { all };
        let decoded = path.has_escape().then(|| {
            let texts = path.segments().take(MAX_TEMPLATE_SEGMENTS);
            texts.map(|segment| segment.text().into_owned()).collect()
        });
        let count = all.min(MAX_TEMPLATE_SEGMENTS);
        let hashes = SmallVec::from_elem(Cell::new(0), count);
        Self {
            own: path,
            twin: OnceCell::new(),
            count,
            complete: all == count,
            ends_with_slash,
            decoded,
            hashes,
        }
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

    /// The decoded text of the segment at `place`, counted from 0; none where a spelling has an empty one. It is UTF-8.
    #[must_use]
    #[inline]
    pub fn segment(&self, place: usize) -> Option<&[u8]> {
        if place >= self.count {
            return None;
        }
        match &self.decoded {
            None => self.own.segment_bytes(place),
            Some(texts) => texts.get(place).map(String::as_bytes),
        }
    }

    /// The hash of [`Self::segment`].
    #[inline]
    pub(super) fn hash(&self, place: usize) -> u64 {
        let known = self.hashes.get(place).map_or(0, Cell::get);
        if known != 0 {
            return known;
        }
        let hash = hash_of_text(self.segment(place).unwrap_or_default());
        if let Some(kept) = self.hashes.get(place) {
            kept.set(hash);
        }
        hash
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
        self.count > 0
            && match end {
                End::WithSlash => !self.ends_with_slash,
                End::WithoutSlash => self.ends_with_slash,
                End::Both => true,
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
            ("/a/caf%C3%A9/b%40c/d", Some("/a/caf%C3%A9/b%40c/d/"), &["a", "café", "b@c", "d"]),
        ] {
            let path = canonicalize(text.as_bytes(), PathMode::Refuse).unwrap().path;
            let spellings = Spellings::of(&path);
            assert_eq!(spellings.own().as_str(), text);
            assert_eq!(spellings.twin().map(CanonicalPath::as_str), twin);
            let found: Vec<_> = (0..).map_while(|place| spellings.segment(place)).collect();
            assert_eq!(found, segments.iter().map(|segment| segment.as_bytes()).collect::<Vec<_>>());
            assert!(spellings.is_complete());
        }
    }

    #[test]
    fn a_path_is_taken_apart_as_far_as_a_template_can_go() {
        for (count, complete) in
            [(MAX_TEMPLATE_SEGMENTS, true), (MAX_TEMPLATE_SEGMENTS + 1, false), (200, false)]
        {
            for end in ["", "/"] {
                let text = "/a".repeat(count) + end;
                let path = canonicalize(text.as_bytes(), PathMode::Refuse).unwrap().path;
                let spellings = Spellings::of(&path);
                assert_eq!(spellings.count, MAX_TEMPLATE_SEGMENTS);
                assert_eq!(spellings.is_complete(), complete);
            }
        }
    }
}
