//! The search of a [`PathTree`]: what matches a path, the most specific first.

use std::borrow::Cow;

use super::template::{Captures, PathTemplate};
use super::tree::{Leaf, LeafNumber, NodeNumber, PathTree, ROOT, hash_of_text};
use crate::limits::MAX_SEARCH_STEPS;
use crate::path::CanonicalPath;

/// A template that matches a path.
#[derive(Debug)]
pub struct Match<'t, 'p, T> {
    /// Its value.
    pub value: &'t T,
    tree: &'t PathTree<T>,
    leaf: &'t Leaf<T>,
    path: &'p CanonicalPath,
}

impl<T> Match<'_, '_, T> {
    /// The template, with the names that were given first. Written anew each time: the characters that may stand in a path
    /// with and without an escape stand without.
    #[must_use]
    pub fn template(&self) -> PathTemplate {
        self.tree.template(self.leaf)
    }

    /// What the template's placeholders stand for.
    #[must_use]
    pub fn captures(&self) -> Captures<'_> {
        Captures::of_match(self.tree.shape_text(self.leaf.shape), self.path)
    }
}

/// The matches of one path, most specific first. Made by [`PathTree::all`].
///
/// It ends for one of two reasons: there are no more matches, or the search went on for too long. Who takes the end for an
/// answer asks [`Self::is_exhausted`].
#[derive(Debug)]
pub struct Matches<'t, 'p, T> {
    tree: &'t PathTree<T>,
    path: &'p CanonicalPath,
    /// The path's segments, as far as the tree is deep.
    segments: Vec<Segment<'p>>,
    /// Whether these are all of the path's segments.
    complete: bool,
    /// What remains to be looked at, the next on top: at most three a level.
    pending: Vec<Pending>,
    steps: usize,
    exhausted: bool,
}

/// The decoded text of a segment, hashed once for all nodes that it is looked for below.
#[derive(Debug)]
struct Segment<'p> {
    text: Cow<'p, str>,
    hash: u64,
}

#[derive(Debug, Clone, Copy)]
enum Pending {
    Node { number: NodeNumber, depth: usize },
    Leaf(LeafNumber),
}

impl<'t, 'p, T> Matches<'t, 'p, T> {
    pub(super) fn of(tree: &'t PathTree<T>, path: &'p CanonicalPath) -> Self {
        let mut matches = Self {
            tree,
            path,
            segments: Vec::new(),
            complete: false,
            pending: Vec::new(),
            steps: 0,
            exhausted: tree.is_overfull(),
        };
        if tree.is_empty() {
            return matches;
        }
        let mut segments = path.segments();
        matches.segments.reserve_exact(tree.depth());
        matches.segments.extend(segments.by_ref().take(tree.depth()).map(|segment| {
            let text = segment.text();
            Segment { hash: hash_of_text(&text), text }
        }));
        matches.complete = segments.next().is_none();
        matches.pending.reserve(EXPECTED_PENDING);
        matches.pending.push(Pending::Node { number: ROOT, depth: 0 });
        matches
    }

    /// The nodes and leaves looked at so far.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Whether the search ended before all was looked at, at [`MAX_SEARCH_STEPS`]: there may be further matches, and
    /// nothing may be concluded from their absence.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Puts what the node offers for the remaining segments on the stack, the least specific first.
    fn visit(&mut self, number: NodeNumber, depth: usize) {
        let Some(node) = self.tree.node(number) else { return };
        self.pending.extend(node.rest().map(Pending::Leaf));
        let Some(segment) = self.segments.get(depth) else {
            self.pending.extend(node.exact().filter(|_| self.complete).map(Pending::Leaf));
            return;
        };
        let depth = depth.saturating_add(1);
        if let Some(number) = node.any()
            && !segment.text.is_empty()
        {
            self.pending.push(Pending::Node { number, depth });
        }
        let literal = self.tree.literal_child(number, &segment.text, segment.hash);
        self.pending.extend(literal.map(|number| Pending::Node { number, depth }));
    }
}

impl<'t, 'p, T> Iterator for Matches<'t, 'p, T> {
    type Item = Match<'t, 'p, T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.exhausted {
                return None;
            }
            let next = self.pending.pop()?;
            if self.steps >= MAX_SEARCH_STEPS {
                self.exhausted = true;
                return None;
            }
            self.steps = self.steps.saturating_add(1);
            match next {
                Pending::Node { number, depth } => self.visit(number, depth),
                Pending::Leaf(number) => {
                    if let Some(leaf) = self.tree.leaf(number) {
                        return Some(Match { value: &leaf.value, tree: self.tree, leaf, path: self.path });
                    }
                }
            }
        }
    }
}

/// Alternatives that most searches have pending at most: room for them is made at once.
const EXPECTED_PENDING: usize = 8;
