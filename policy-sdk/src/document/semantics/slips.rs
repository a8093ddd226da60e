//! Which known name a name was probably meant to be, where there are many of both.
//!
//! What a slip is, is said by [`nearest`](crate::document::nearest). Here is only how many names are compared to find one.

use std::collections::BTreeMap;

use crate::document::nearest::{length_and_slips, nearest};

/// Known names, to find the one that was meant.
pub(super) struct Known<'a> {
    by_length: BTreeMap<usize, Vec<&'a str>>,
    left: usize,
}

/// Too many names were compared already. Whether this one is a slip is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl<'a> Known<'a> {
    pub(super) fn new(names: impl Iterator<Item = &'a str>) -> Known<'a> {
        let mut by_length: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for name in names {
            by_length.entry(length_and_slips(name).0).or_default().push(name);
        }
        Known { by_length, left: MAX_COMPARISONS }
    }

    /// The known name that `name` was probably meant to be. A name that is longer or shorter by more than the slips that are
    /// forgiven is none.
    ///
    /// # Errors
    ///
    /// [`TooMany`] after [`MAX_COMPARISONS`], from then on.
    pub(super) fn nearest(&mut self, name: &str) -> Result<Option<String>, TooMany> {
        let (length, slips) = length_and_slips(name);
        let lengths = length.saturating_sub(slips)..=length.saturating_add(slips);
        let alike = self.by_length.range(lengths).flat_map(|(_, names)| names.iter().copied());
        match self.left.checked_sub(alike.clone().count()) {
            Some(left) => {
                self.left = left;
                Ok(nearest(name, alike))
            }
            None => {
                self.left = 0;
                Err(TooMany)
            }
        }
    }
}

/// Comparisons of two names in one look through a document: with ten thousand known names, a hundred that are none.
const MAX_COMPARISONS: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_comparisons_are_counted() {
        let names: Vec<String> = (0..10_000).map(|number| format!("team-{number:05}")).collect();
        let mut known = Known::new(names.iter().map(String::as_str));
        assert_eq!(known.nearest("Team-00007"), Ok(Some("team-00007".to_owned())));
        assert_eq!(known.left, MAX_COMPARISONS - 10_000);
        // Too long to be any of them: nothing is compared.
        assert_eq!(known.nearest("a-team-of-a-hundred"), Ok(None));
        assert_eq!(known.left, MAX_COMPARISONS - 10_000);
        known.left = 10_000;
        assert_eq!(known.nearest("visitors"), Ok(None));
        assert_eq!((known.nearest("visitors"), known.nearest("team-00007")), (Err(TooMany), Err(TooMany)));
    }
}
