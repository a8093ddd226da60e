//! Where the slashes of a path are, noted while it is read, so that nobody looks for them again.

use smallvec::SmallVec;

use crate::limits::MAX_TEMPLATE_SEGMENTS;

/// Places of slashes in a canonical path, in bytes from its beginning, as far as a template can go.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slashes(SmallVec<[u16; EXPECTED_SLASHES]>);

impl Slashes {
    /// Those of `path`.
    pub(super) fn of(path: &str) -> Self {
        let mut slashes = Self::default();
        let places = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        places.for_each(|(place, _)| slashes.add(place));
        slashes
    }

    /// Adds the next, unless it is behind every template.
    #[inline]
    pub(super) fn add(&mut self, place: usize) {
        if self.0.len() < MAX_SLASHES {
            // A path is much shorter than this can count.
            self.0.push(u16::try_from(place).unwrap_or(u16::MAX));
        }
    }

    /// How many of them are noted.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the one with this number is, counted from 0.
    #[inline]
    pub(super) fn get(&self, number: usize) -> Option<usize> {
        self.0.get(number).copied().map(usize::from)
    }
}

/// Slashes that are noted: one before each segment that a template can have, and two more. So it can be told whether the
/// path goes on, be it with a slash at its end or with a segment.
const MAX_SLASHES: usize = MAX_TEMPLATE_SEGMENTS + 2;

/// Slashes that most paths have at most: room for them is where the path is.
const EXPECTED_SLASHES: usize = 12;
