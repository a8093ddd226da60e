//! The search of a [`PathTree`](super::PathTree): what matches a path in either spelling, the most specific first.

use smallvec::SmallVec;

use super::spellings::{End, Spellings};
use super::template::{Captures, PathTemplate};
use super::tree::{Frame, LeafNumber, NodeNumber, ROOT, hash_of_text, index};
use crate::limits::MAX_SEARCH_STEPS;

/// A template that matches a path in one of its spellings, or in both.
#[derive(Debug)]
pub struct Match<'t, 'p, T> {
    /// Its value.
    pub value: &'t T,
    frame: &'t Frame,
    leaf: LeafNumber,
    path: &'p Spellings<'p>,
    end: End,
}

impl<T> Match<'_, '_, T> {
    /// Whether it matches the path as it came.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.path.is_own(self.end)
    }

    /// Whether it matches the path's other spelling.
    #[must_use]
    pub fn is_twin(&self) -> bool {
        self.path.is_twin(self.end)
    }

    /// The template, with the names that were given first. Written anew each time: the characters that may stand in a path
    /// with and without an escape stand without.
    #[must_use]
    pub fn template(&self) -> PathTemplate {
        self.frame.template(self.leaf)
    }

    /// What the template's placeholders stand for: the same in both spellings.
    #[must_use]
    pub fn captures(&self) -> Captures<'_> {
        Captures::of_match(self.frame.shape(self.leaf), self.path.own())
    }
}

/// The matches of one path. Of those of one spelling the most specific comes first. Made by
/// [`PathTree::all`](super::PathTree::all).
///
/// It ends for one of two reasons: there are no more matches, or the search went on for too long. Who takes the end for an
/// answer asks [`Self::is_exhausted`].
#[derive(Debug)]
pub struct Matches<'t, 'p, T> {
    values: &'t [T],
    search: Search<'t, 'p>,
}

/// A search, whatever is kept in the tree.
#[derive(Debug)]
struct Search<'t, 'p> {
    frame: &'t Frame,
    path: &'p Spellings<'p>,
    /// The node to go on with, and its depth.
    next: Option<(NodeNumber, usize)>,
    /// What is to be looked at when there is none, the first on top: at most three a level.
    pending: SmallVec<[Pending; EXPECTED_PENDING]>,
    steps: usize,
    exhausted: bool,
}

#[derive(Debug, Clone, Copy)]
enum Pending {
    Node { number: NodeNumber, depth: usize },
    Leaf { number: LeafNumber, end: End },
}

impl<'t, 'p, T> Matches<'t, 'p, T> {
    #[inline]
    pub(super) fn of(frame: &'t Frame, values: &'t [T], path: &'p Spellings<'p>) -> Self {
        let next = (!frame.is_empty()).then_some((ROOT, 0));
        let exhausted = frame.is_overfull();
        Self { values, search: Search { frame, path, next, pending: SmallVec::new(), steps: 0, exhausted } }
    }

    /// The nodes and leaves looked at so far.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.search.steps
    }

    /// Whether the search ended before all was looked at, at [`MAX_SEARCH_STEPS`]: there may be further matches, and
    /// nothing may be concluded from their absence.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        self.search.exhausted
    }
}

impl<'t, 'p, T> Iterator for Matches<'t, 'p, T> {
    type Item = Match<'t, 'p, T>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (leaf, end) = self.search.next_leaf()?;
        let Search { frame, path, .. } = self.search;
        Some(Match { value: self.values.get(index(leaf))?, frame, leaf, path, end })
    }
}

impl Search<'_, '_> {
    #[inline]
    fn next_leaf(&mut self) -> Option<(LeafNumber, End)> {
        loop {
            if self.exhausted {
                return None;
            }
            let next = match self.next.take() {
                Some((number, depth)) => Pending::Node { number, depth },
                None => self.pending.pop()?,
            };
            if self.steps >= MAX_SEARCH_STEPS {
                self.exhausted = true;
                return None;
            }
            self.steps = self.steps.saturating_add(1);
            match next {
                Pending::Node { number, depth } => self.visit(number, depth),
                Pending::Leaf { number, end } => return Some((number, end)),
            }
        }
    }

    /// Goes on with the most specific that the node offers for the remaining segments, and puts the rest on the stack.
    #[inline]
    fn visit(&mut self, number: NodeNumber, depth: usize) {
        let Some(node) = self.frame.node(number) else { return };
        if let Some(number) = node.rest() {
            self.pending.push(Pending::Leaf { number, end: End::Both });
        }
        let Some(segment) = self.path.segment(depth) else {
            if self.path.is_complete() {
                self.visit_end(number);
            }
            return;
        };
        let next = depth.saturating_add(1);
        let literal = self.frame.literal_child(number, node, segment, || self.path.hash(depth));
        if let Some((number, _)) = node.any().zip(literal) {
            self.pending.push(Pending::Node { number, depth: next });
        }
        self.next = literal.or(node.any()).map(|number| (number, next));
    }

    /// Where the segments that both spellings have end: one of them ends here, the other goes on with an empty one.
    fn visit_end(&mut self, number: NodeNumber) {
        let Some(node) = self.frame.node(number) else { return };
        if let Some(number) = node.exact() {
            self.pending.push(Pending::Leaf { number, end: End::WithoutSlash });
        }
        let slash = self.frame.literal_child(number, node, b"", || hash_of_text(b""));
        if let Some(number) = slash.and_then(|slash| self.frame.node(slash)?.exact()) {
            self.pending.push(Pending::Leaf { number, end: End::WithSlash });
        }
    }
}

/// Alternatives that most searches have pending at most: room for them is on the stack.
const EXPECTED_PENDING: usize = 8;
