//! The search of a [`PathTree`]: what matches a path, the most specific first.

use super::template::{Captures, PathTemplate};
use super::tree::{NodeNumber, PathTree, Place, ROOT};
use crate::limits::MAX_SEARCH_STEPS;
use crate::path::CanonicalPath;

/// A template that matches a path.
#[derive(Debug)]
pub struct Match<'t, 'p, T> {
    /// Its value.
    pub value: &'t T,
    tree: &'t PathTree<T>,
    place: Place,
    shape: u32,
    path: &'p CanonicalPath,
}

impl<T> Match<'_, '_, T> {
    /// The template, with the names that were given first. Written anew each time: the characters that may stand in a path
    /// with and without an escape stand without.
    #[must_use]
    pub fn template(&self) -> PathTemplate {
        self.tree.template(self.place, self.shape)
    }

    /// What the template's placeholders stand for.
    #[must_use]
    pub fn captures(&self) -> Captures<'_> {
        Captures::of_match(self.tree.shape_text(self.shape), self.path)
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
    /// The path's segments by number, as far as the tree is deep. `None` for a text that no template has.
    segments: Vec<Segment>,
    /// Whether these are all of the path's segments.
    complete: bool,
    /// What remains to be looked at, the next on top: at most three a level.
    pending: Vec<Pending>,
    steps: usize,
    exhausted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    number: Option<u32>,
    is_empty: bool,
}

#[derive(Debug, Clone, Copy)]
enum Pending {
    Node { number: NodeNumber, depth: usize },
    Leaf(Place),
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
        matches.segments.extend(
            segments.by_ref().take(tree.depth()).map(|segment| Segment {
                number: tree.segment(&segment.text()),
                is_empty: segment.is_empty(),
            }),
        );
        matches.complete = segments.next().is_none();
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
        if node.ends_in_rest {
            self.pending.push(Pending::Leaf(Place::in_rest(number)));
        }
        let Some(segment) = self.segments.get(depth) else {
            if node.ends_exactly && self.complete {
                self.pending.push(Pending::Leaf(Place::exactly(number)));
            }
            return;
        };
        let depth = depth.saturating_add(1);
        if let Some(number) = node.any()
            && !segment.is_empty
        {
            self.pending.push(Pending::Node { number, depth });
        }
        let literal = segment.number.and_then(|segment| self.tree.literal_child(number, segment));
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
                Pending::Leaf(place) => {
                    if let Some(leaf) = self.tree.leaf(place) {
                        let (tree, path) = (self.tree, self.path);
                        return Some(Match { value: &leaf.value, tree, place, shape: leaf.shape, path });
                    }
                }
            }
        }
    }
}
