//! A radix tree over segments, laid out in vectors: what a search does depends on the path and not on the number of
//! templates.

use std::hash::BuildHasher;

use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashTable};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustc_hash::FxBuildHasher;

use super::search::{Match, Matches};
use super::template::{PathTemplate, Piece, pieces_of};
use super::texts::Texts;
use crate::path::CanonicalPath;

/// Templates, each with a value, searched by path.
///
/// A search visits a node of the tree at most once: a node is reached by one way only, the pieces of the
/// templates below it. At depth `d` it meets at most `2^d` nodes (the literal child and the wildcard child of each);
/// without templates that differ only in which segments are wildcards, it is one node a segment. A child is found by
/// its hash, among ten as among a hundred thousand.
///
/// A search takes at most [`MAX_SEARCH_STEPS`](crate::limits::MAX_SEARCH_STEPS). [`Self::worst_case_steps`] says
/// beforehand whether a path could need more; [`Matches::is_exhausted`] says afterwards whether one did.
///
/// No template is stored as text: segments are numbers, and the same text has the same number.
#[derive(Debug, Clone)]
pub struct PathTree<T> {
    /// The decoded texts of the literal segments.
    segments: Texts,
    /// The templates with their literals left blank, such as `//{id}`: few, however many templates there are.
    shapes: Texts,
    /// The root first, each node after its parent.
    nodes: Vec<Node>,
    /// The nodes of literals, found by parent and segment.
    literals: HashTable<NodeNumber>,
    leaves: HashMap<Place, Leaf<T>, FxBuildHasher>,
    /// Segments of the longest template, `**` apart.
    depth: usize,
    /// Something found no room: what a search would miss is not known.
    overfull: bool,
}

impl<T> PathTree<T> {
    /// A tree without templates: it matches no path.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            segments: Texts::new(),
            shapes: Texts::new(),
            nodes: Vec::new(),
            literals: HashTable::new(),
            leaves: HashMap::with_hasher(FxBuildHasher),
            depth: 0,
            overfull: false,
        }
    }

    /// The number of templates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are no templates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Adds a template that is not in the tree yet.
    ///
    /// # Errors
    ///
    /// [`DuplicateTemplate`] when a template for the same paths is: templates that differ in the names of
    /// placeholders only are the same, for neither is more specific. The tree is then unchanged.
    pub fn insert(&mut self, template: PathTemplate, value: T) -> Result<(), DuplicateTemplate> {
        let place = self.place(&template);
        let shape = self.shape(&template);
        match self.leaves.entry(place) {
            Entry::Vacant(free) => {
                free.insert(Leaf { shape, value });
                Ok(())
            }
            Entry::Occupied(taken) => {
                let shape = taken.get().shape;
                Err(DuplicateTemplate { existing: self.template(place, shape), given: template })
            }
        }
    }

    /// The value at the template, made first if there is none: for a caller that keeps a list at each.
    ///
    /// The tree keeps the names of the first template it was given for a place. A caller whose lists can hold templates
    /// with other names keeps each template in the list and asks it for the [`captures`](PathTemplate::captures).
    pub fn get_or_insert_with(&mut self, template: &PathTemplate, make: impl FnOnce() -> T) -> &mut T {
        let place = self.place(template);
        let shape = self.shape(template);
        &mut self.leaves.entry(place).or_insert_with(|| Leaf { shape, value: make() }).value
    }

    /// The most specific template that matches, by the order in [`crate::path_tree`].
    #[must_use]
    pub fn best<'t, 'p>(&'t self, path: &'p CanonicalPath) -> Option<Match<'t, 'p, T>> {
        self.all(path).next()
    }

    /// Every template that matches, most specific first. Lazy: what is not asked for is not searched.
    #[must_use]
    pub fn all<'t, 'p>(&'t self, path: &'p CanonicalPath) -> Matches<'t, 'p, T> {
        Matches::of(self, path)
    }

    /// The most steps that the search of any path could take, or a little more: an upper bound.
    ///
    /// It assumes that below each node the worst segments follow, even where one path cannot have them all.
    #[must_use]
    pub fn worst_case_steps(&self) -> usize {
        let mut below = vec![Below::default(); self.nodes.len()];
        let mut steps = 0;
        for node in self.nodes.iter().rev() {
            // Both vectors are as long, and children come after their parents.
            let Below { any, literal } = below.pop().unwrap_or_default();
            steps = usize::from(node.ends_exactly)
                .saturating_add(usize::from(node.ends_in_rest))
                .saturating_add(any)
                .saturating_add(literal)
                .saturating_add(1);
            if let Some(parent) = below.get_mut(index(node.parent)) {
                match node.segment {
                    WILDCARD => parent.any = steps,
                    _literal => parent.literal = parent.literal.max(steps),
                }
            }
        }
        steps
    }

    /// Gives back the room that was set aside for more templates.
    pub fn shrink_to_fit(&mut self) {
        self.segments.shrink_to_fit();
        self.shapes.shrink_to_fit();
        self.nodes.shrink_to_fit();
        let nodes = &self.nodes;
        self.literals.shrink_to_fit(|number| hash_of(nodes, *number));
        self.leaves.shrink_to_fit();
    }
}

impl<T> Default for PathTree<T> {
    fn default() -> Self {
        Self::new()
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

/// What a search needs to know of the tree.
impl<T> PathTree<T> {
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) const fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// The number of a literal's text, if any template has it.
    pub(super) fn segment(&self, text: &str) -> Option<u32> {
        self.segments.find(text)
    }

    pub(super) fn node(&self, number: NodeNumber) -> Option<&Node> {
        self.nodes.get(index(number))
    }

    pub(super) fn literal_child(&self, parent: NodeNumber, segment: u32) -> Option<NodeNumber> {
        let is_it = |number: &NodeNumber| {
            self.node(*number).is_some_and(|node| (node.parent, node.segment) == (parent, segment))
        };
        self.literals.find(hash(parent, segment), is_it).copied()
    }

    pub(super) fn leaf(&self, place: Place) -> Option<&Leaf<T>> {
        self.leaves.get(&place)
    }

    pub(super) fn shape_text(&self, shape: u32) -> &str {
        self.shapes.get(shape)
    }

    /// The template at `place`, written anew.
    pub(super) fn template(&self, place: Place, shape: u32) -> PathTemplate {
        let mut way = Vec::new();
        let mut number = place.node();
        while let Some(node) = self.node(number)
            && number != ROOT
        {
            way.push(node.segment);
            number = node.parent;
        }
        let mut text = String::new();
        for piece in pieces_of(self.shapes.get(shape)) {
            let segment = way.pop();
            text.push('/');
            match piece {
                Piece::Literal(_blank) => {
                    let literal = segment.map_or("", |segment| self.segments.get(segment));
                    text.extend(utf8_percent_encode(literal, ESCAPED_IN_LITERALS));
                }
                Piece::Named(name) => text.extend(["{", name, "}"]),
                Piece::Any => text.push('*'),
                Piece::Rest => text.push_str("**"),
            }
        }
        PathTemplate::of_canonical_text(text)
    }
}

/// What adding a template takes.
impl<T> PathTree<T> {
    /// Where the template's leaf is or would be, with the nodes on the way there.
    fn place(&mut self, template: &PathTemplate) -> Place {
        match self.try_place(template) {
            Some(place) => place,
            None => {
                self.overfull = true;
                Place::NOWHERE
            }
        }
    }

    fn try_place(&mut self, template: &PathTemplate) -> Option<Place> {
        if self.nodes.is_empty() {
            self.nodes.push(Node::child(ROOT, WILDCARD));
        }
        let mut number = ROOT;
        let mut depth: usize = 0;
        for piece in template.pieces() {
            number = match piece {
                Piece::Rest => {
                    self.nodes.get_mut(index(number))?.ends_in_rest = true;
                    return Some(Place::in_rest(number));
                }
                Piece::Literal(text) => self.add_literal(number, &text)?,
                Piece::Named(_) | Piece::Any => self.add_wildcard(number)?,
            };
            depth = depth.saturating_add(1);
            self.depth = self.depth.max(depth);
        }
        self.nodes.get_mut(index(number))?.ends_exactly = true;
        Some(Place::exactly(number))
    }

    fn add_literal(&mut self, parent: NodeNumber, text: &str) -> Option<NodeNumber> {
        let segment = self.segments.add(text)?;
        if let Some(there) = self.literal_child(parent, segment) {
            return Some(there);
        }
        let number = self.add_node(Node::child(parent, segment))?;
        let nodes = &self.nodes;
        self.literals.insert_unique(hash(parent, segment), number, |number| hash_of(nodes, *number));
        Some(number)
    }

    fn add_wildcard(&mut self, parent: NodeNumber) -> Option<NodeNumber> {
        if let Some(there) = self.node(parent)?.any() {
            return Some(there);
        }
        let number = self.add_node(Node::child(parent, WILDCARD))?;
        self.nodes.get_mut(index(parent))?.any = number;
        Some(number)
    }

    fn add_node(&mut self, node: Node) -> Option<NodeNumber> {
        let number = NodeNumber::try_from(self.nodes.len()).ok().filter(|number| *number < MAX_NODES)?;
        self.nodes.push(node);
        Some(number)
    }

    /// The number of the template's shape.
    fn shape(&mut self, template: &PathTemplate) -> u32 {
        let mut shape = String::new();
        for piece in template.pieces() {
            shape.push('/');
            match piece {
                Piece::Literal(_) => {}
                Piece::Named(name) => shape.extend(["{", name, "}"]),
                Piece::Any => shape.push('*'),
                Piece::Rest => shape.push_str("**"),
            }
        }
        let number = self.shapes.add(&shape);
        self.overfull |= number.is_none();
        number.unwrap_or_default()
    }
}

/// The index of a node in `nodes`.
pub(super) type NodeNumber = u32;

/// Where each search begins.
pub(super) const ROOT: NodeNumber = 0;

/// Nodes of one tree: a place has one bit of its number left for itself. A document is too short for a hundredth of them.
const MAX_NODES: NodeNumber = NodeNumber::MAX >> 1;

/// No literal's number: a text takes a byte at least, or is the one that is empty.
const WILDCARD: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct Node {
    parent: NodeNumber,
    /// The number of the literal's text, or [`WILDCARD`].
    segment: u32,
    /// The child for `{name}` and `*`. [`ROOT`], which is nobody's child, for none.
    any: NodeNumber,
    /// Whether a template ends here.
    pub(super) ends_exactly: bool,
    /// Whether a template ends here with `**`.
    pub(super) ends_in_rest: bool,
}

impl Node {
    const fn child(parent: NodeNumber, segment: u32) -> Self {
        Self { parent, segment, any: ROOT, ends_exactly: false, ends_in_rest: false }
    }

    pub(super) fn any(&self) -> Option<NodeNumber> {
        (self.any != ROOT).then_some(self.any)
    }
}

/// The node at which a template ends, and in its lowest bit whether with `**`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place(u32);

impl Place {
    /// No search comes here.
    const NOWHERE: Self = Self(u32::MAX);

    pub(super) const fn exactly(node: NodeNumber) -> Self {
        Self(node << 1)
    }

    pub(super) const fn in_rest(node: NodeNumber) -> Self {
        Self(node << 1 | 1)
    }

    const fn node(self) -> NodeNumber {
        self.0 >> 1
    }
}

#[derive(Debug, Clone)]
pub(super) struct Leaf<T> {
    pub(super) shape: u32,
    pub(super) value: T,
}

/// The steps below a node, by way of its wildcard and of its most costly literal.
#[derive(Debug, Clone, Default)]
struct Below {
    any: usize,
    literal: usize,
}

/// What the canonical spelling of a path escapes: all but the characters of a segment (RFC 3986 section 3.3). `*` is
/// among them in a path, and would be a wildcard in a template.
const ESCAPED_IN_LITERALS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Without a seed, so that every run and every worker does the same.
fn hash(parent: NodeNumber, segment: u32) -> u64 {
    FxBuildHasher.hash_one((parent, segment))
}

fn hash_of(nodes: &[Node], number: NodeNumber) -> u64 {
    nodes.get(index(number)).map_or(0, |node| hash(node.parent, node.segment))
}

fn index(number: NodeNumber) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
