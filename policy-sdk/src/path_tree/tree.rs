//! A radix tree over segments: the work of a search depends on the path and not on the number of templates.

use std::collections::BTreeMap;

use super::template::{Captures, PathTemplate, Piece};
use crate::path::{CanonicalPath, Segments};

/// Templates, each with a value, searched by path.
///
/// A search visits a node of the tree at most once: a node is reached by one way only, the pieces of the
/// templates below it. At depth `d` it meets at most `2^d` nodes (the literal child and the wildcard child of each)
/// and never more than there are, so the work is bounded by the number of segments in all templates together; without
/// templates that differ only in which segments are wildcards, it is one node a segment.
#[derive(Debug, Clone)]
pub struct PathTree<T> {
    root: Node<T>,
    len: usize,
}

impl<T> PathTree<T> {
    /// A tree without templates: it matches no path.
    #[must_use]
    pub const fn new() -> Self {
        Self { root: Node::new(), len: 0 }
    }

    /// The number of templates.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no templates.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a template that is not in the tree yet.
    ///
    /// # Errors
    ///
    /// [`DuplicateTemplate`] when a template for the same paths is: templates that differ in the names of
    /// placeholders only are the same, for neither is more specific. The tree is then unchanged.
    pub fn insert(&mut self, template: PathTemplate, value: T) -> Result<(), DuplicateTemplate> {
        let slot = self.root.slot(&template);
        match slot {
            Some(leaf) => Err(DuplicateTemplate { existing: leaf.template.clone(), given: template }),
            None => {
                *slot = Some(Box::new(Leaf { template, value }));
                self.len = self.len.saturating_add(1);
                Ok(())
            }
        }
    }

    /// The value at the template, made first if there is none: for a caller that keeps a list at each.
    ///
    /// The tree keeps the first template it was given for a place. A caller whose lists can hold templates with other
    /// names keeps each template in the list and asks it for the [`captures`](PathTemplate::captures).
    pub fn get_or_insert_with(&mut self, template: &PathTemplate, make: impl FnOnce() -> T) -> &mut T {
        let slot = self.root.slot(template);
        if slot.is_none() {
            self.len = self.len.saturating_add(1);
        }
        let leaf = slot.get_or_insert_with(|| Box::new(Leaf { template: template.clone(), value: make() }));
        &mut leaf.value
    }

    /// The most specific template that matches, by the order in [`crate::path_tree`].
    #[must_use]
    pub fn best<'t, 'p>(&'t self, path: &'p CanonicalPath) -> Option<Match<'t, 'p, T>> {
        self.all(path).next()
    }

    /// Every template that matches, most specific first. Lazy: what is not asked for is not searched.
    #[must_use]
    pub fn all<'t, 'p>(&'t self, path: &'p CanonicalPath) -> Matches<'t, 'p, T> {
        Matches { path, pending: vec![Pending::Node(&self.root, path.segments())] }
    }
}

impl<T> Default for PathTree<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A template that matches a path.
#[derive(Debug)]
pub struct Match<'t, 'p, T> {
    /// The template, as it was first inserted.
    pub template: &'t PathTemplate,
    /// Its value.
    pub value: &'t T,
    path: &'p CanonicalPath,
}

impl<T> Match<'_, '_, T> {
    /// What the template's placeholders stand for.
    #[must_use]
    pub const fn captures(&self) -> Captures<'_> {
        Captures::of_match(self.template, self.path)
    }
}

/// The matches of one path, most specific first. Made by [`PathTree::all`].
#[derive(Debug)]
pub struct Matches<'t, 'p, T> {
    path: &'p CanonicalPath,
    /// What remains to be looked at, the next on top: at most three a level.
    pending: Vec<Pending<'t, 'p, T>>,
}

impl<'t, 'p, T> Iterator for Matches<'t, 'p, T> {
    type Item = Match<'t, 'p, T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.pending.pop()? {
                Pending::Node(node, segments) => self.visit(node, segments),
                Pending::Leaf(Leaf { template, value }) => {
                    return Some(Match { template, value, path: self.path });
                }
            }
        }
    }
}

impl<'t, 'p, T> Matches<'t, 'p, T> {
    /// Puts what `node` offers for the remaining segments on the stack, the least specific first.
    fn visit(&mut self, node: &'t Node<T>, mut segments: Segments<'p>) {
        self.pending.extend(node.rest.as_deref().map(Pending::Leaf));
        let Some(segment) = segments.next() else {
            self.pending.extend(node.exact.as_deref().map(Pending::Leaf));
            return;
        };
        let any = node.any.as_deref().filter(|_| !segment.is_empty());
        self.pending.extend(any.map(|child| Pending::Node(child, segments.clone())));
        let literal = node.literals.get(segment.text().as_ref());
        self.pending.extend(literal.map(|child| Pending::Node(child, segments)));
    }
}

/// Two templates for the same paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template {given} matches the same paths as {existing}")]
pub struct DuplicateTemplate {
    /// The one in the tree.
    pub existing: PathTemplate,
    /// The one that was to be added.
    pub given: PathTemplate,
}

#[derive(Debug)]
enum Pending<'t, 'p, T> {
    Node(&'t Node<T>, Segments<'p>),
    Leaf(&'t Leaf<T>),
}

#[derive(Debug, Clone)]
struct Node<T> {
    /// Boxed, because a map sets aside room for eleven children even where there is one.
    literals: BTreeMap<Box<str>, Box<Node<T>>>,
    any: Option<Box<Node<T>>>,
    exact: Option<Box<Leaf<T>>>,
    rest: Option<Box<Leaf<T>>>,
}

#[derive(Debug, Clone)]
struct Leaf<T> {
    template: PathTemplate,
    value: T,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Node<T> {
    const fn new() -> Self {
        Self { literals: BTreeMap::new(), any: None, exact: None, rest: None }
    }

    /// Where the template's leaf is or would be, with the nodes on the way there.
    fn slot(&mut self, template: &PathTemplate) -> &mut Option<Box<Leaf<T>>> {
        let mut node = self;
        for piece in template.pieces() {
            node = match piece {
                Piece::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Piece::Named(_) | Piece::Any => node.any.get_or_insert_default(),
            };
        }
        if template.has_rest() { &mut node.rest } else { &mut node.exact }
    }
}

#[cfg(test)]
mod tests;
