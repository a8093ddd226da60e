//! A radix tree over segments, laid out in vectors: what a search does depends on the path and not on the number of
//! templates.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rustc_hash::FxBuildHasher;

use super::search::Matches;
use super::spellings::Spellings;
use super::template::{PathTemplate, Piece, TemplateText, pieces_of, segments_of};
use super::texts::Texts;
use super::way::Way;
use crate::bytes::is_same;

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
/// No template is stored as text: each node has its own segment, and a template is the way to its leaf.
#[derive(Debug, Clone)]
pub struct PathTree<T> {
    frame: Frame,
    /// The value of each leaf.
    values: Vec<T>,
}

/// A tree without its values: what building and searching need, whatever is kept in it.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The decoded texts of the nodes, one after the other.
    text: String,
    /// The templates with their literals left blank, such as `//{id}`: few, however many templates there are.
    shapes: Texts,
    /// The way to the template that was added last.
    way: Way,
    /// The root first, each node after its parent.
    nodes: Vec<Node>,
    /// The nodes of literals, found by parent and text.
    literals: HashTable<NodeNumber>,
    leaves: Vec<Leaf>,
    /// Something found no room: what a search would miss is not known.
    overfull: bool,
}

impl<T> PathTree<T> {
    /// A tree without templates: it matches no path.
    #[must_use]
    pub const fn new() -> Self {
        Self { frame: Frame::new(), values: Vec::new() }
    }

    /// The number of templates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no templates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a template that is not in the tree yet.
    ///
    /// # Errors
    ///
    /// [`DuplicateTemplate`] when a template for the same paths is: templates that differ in the names of
    /// placeholders only are the same, for neither is more specific. The tree is then unchanged.
    pub fn insert(&mut self, template: PathTemplate, value: T) -> Result<(), DuplicateTemplate> {
        let Some(place) = self.frame.place(&TemplateText::from(&template)) else { return Ok(()) };
        match self.frame.leaf_at(place) {
            None => {
                self.frame.add_leaf(place);
                self.values.push(value);
                Ok(())
            }
            Some(there) => Err(DuplicateTemplate { existing: self.frame.template(there), given: template }),
        }
    }

    /// The value at the template, made first if there is none: for a caller that keeps a list at each. `None` when there is
    /// no room for it: the tree then finds nothing any more, and says so.
    ///
    /// The tree keeps the names of the first template it was given for a place. A caller whose lists can hold templates
    /// with other names keeps each template in the list and asks it for the [`captures`](PathTemplate::captures).
    pub fn get_or_insert_with(
        &mut self,
        template: &TemplateText<'_>,
        make: impl FnOnce() -> T,
    ) -> Option<&mut T> {
        let place = self.frame.place(template)?;
        let number = match self.frame.leaf_at(place) {
            Some(there) => there,
            None => {
                let number = self.frame.add_leaf(place);
                self.values.push(make());
                number?
            }
        };
        self.values.get_mut(index(number))
    }

    /// Makes room for so many templates, so that a tree that is to hold many is laid out once.
    pub fn reserve(&mut self, templates: usize) {
        self.values.reserve(templates);
        self.frame.reserve(templates);
    }

    /// Every template that matches one of the spellings; of those of one spelling the most specific first, by the order in
    /// [`crate::path_tree`]. Lazy: what is not asked for is not searched.
    #[must_use]
    pub fn all<'t, 'p>(&'t self, path: &'p Spellings<'p>) -> Matches<'t, 'p, T> {
        Matches::of(&self.frame, &self.values, path)
    }

    /// The same templates, each with what `change` makes of its value.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> PathTree<U> {
        PathTree { frame: self.frame, values: self.values.into_iter().map(change).collect() }
    }

    /// The most steps that the search of any path could take, or a little more: an upper bound.
    ///
    /// It assumes that below each node the worst segments follow, even where one path cannot have them all. A tree that had
    /// no room for a template needs more than there are.
    #[must_use]
    pub fn worst_case_steps(&self) -> usize {
        self.frame.worst_case_steps()
    }

    /// Gives back the room that was set aside for more templates.
    pub fn shrink_to_fit(&mut self) {
        self.values.shrink_to_fit();
        self.frame.shrink_to_fit();
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
impl Frame {
    pub(super) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    pub(super) const fn is_overfull(&self) -> bool {
        self.overfull
    }

    #[inline]
    pub(super) fn node(&self, number: NodeNumber) -> Option<&Node> {
        self.nodes.get(index(number))
    }

    /// The child of `node`, whose number is `parent`, for a literal whose text has this [`hash_of_text`].
    pub(super) fn literal_child(
        &self,
        parent: NodeNumber,
        node: &Node,
        text: &[u8],
        hash: impl FnOnce() -> u64,
    ) -> Option<NodeNumber> {
        let is_it = |number: &NodeNumber| is_child(&self.nodes, &self.text, *number, parent, text);
        match node.literal {
            NONE => None,
            SEVERAL => self.literals.find(hash_below(parent, hash()), is_it).copied(),
            only => Some(only).filter(is_it),
        }
    }

    /// The template of a leaf, with its literals left blank.
    pub(super) fn shape(&self, leaf: LeafNumber) -> &str {
        self.leaves.get(index(leaf)).map_or("", |leaf| self.shapes.get(leaf.shape))
    }

    /// The template of a leaf, written anew.
    pub(super) fn template(&self, leaf: LeafNumber) -> PathTemplate {
        let mut way = Vec::new();
        let mut number = self.leaves.get(index(leaf)).map_or(ROOT, |leaf| leaf.node);
        while let Some(node) = self.node(number)
            && number != ROOT
        {
            way.push(node);
            number = node.parent;
        }
        let mut text = String::new();
        for piece in pieces_of(self.shape(leaf)) {
            let node = way.pop();
            text.push('/');
            match piece {
                Piece::Literal(_blank) => {
                    let literal = node.map_or(b"".as_slice(), |node| node.text(&self.text));
                    text.extend(percent_encode(literal, ESCAPED_IN_LITERALS));
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
impl Frame {
    const fn new() -> Self {
        Self {
            text: String::new(),
            shapes: Texts::new(),
            way: Way::new(),
            nodes: Vec::new(),
            literals: HashTable::new(),
            leaves: Vec::new(),
            overfull: false,
        }
    }

    fn reserve(&mut self, templates: usize) {
        self.nodes.reserve(templates);
        self.leaves.reserve(templates);
        let (nodes, text) = (&self.nodes, &self.text);
        self.literals.reserve(templates, |number| hash_of(nodes, text, *number));
    }

    fn shrink_to_fit(&mut self) {
        self.way = Way::new();
        self.text.shrink_to_fit();
        self.shapes.shrink_to_fit();
        self.nodes.shrink_to_fit();
        self.leaves.shrink_to_fit();
        let (nodes, text) = (&self.nodes, &self.text);
        self.literals.shrink_to_fit(|number| hash_of(nodes, text, *number));
    }

    fn worst_case_steps(&self) -> usize {
        if self.overfull {
            return usize::MAX;
        }
        let mut below = vec![Below::default(); self.nodes.len()];
        let mut steps = 0;
        for node in self.nodes.iter().rev() {
            // Both vectors are as long, and children come after their parents.
            let Below { any, literal } = below.pop().unwrap_or_default();
            steps = usize::from(node.exact != NONE)
                .saturating_add(usize::from(node.rest != NONE))
                .saturating_add(any)
                .saturating_add(literal)
                .saturating_add(1);
            if let Some(parent) = below.get_mut(index(node.parent)) {
                match node.start {
                    NONE => parent.any = steps,
                    _literal => parent.literal = parent.literal.max(steps),
                }
            }
        }
        steps
    }

    /// Where the template's leaf is or would be, with the nodes on the way there.
    fn place(&mut self, template: &TemplateText<'_>) -> Option<Place> {
        let place = self.try_place(template.as_str());
        self.overfull |= place.is_none();
        place
    }

    fn try_place(&mut self, template: &str) -> Option<Place> {
        if self.nodes.is_empty() {
            self.nodes.push(Node::child(ROOT, NONE, 0));
        }
        let (mut node, rest) = self.way.turn_to(template);
        let mut in_rest = false;
        for segment in segments_of(rest) {
            let piece = Piece::of(segment);
            node = match &piece {
                Piece::Literal(text) => self.add_literal(node, text)?,
                Piece::Named(_) | Piece::Any => self.add_wildcard(node)?,
                // Nothing comes behind it.
                Piece::Rest => {
                    in_rest = true;
                    node
                }
            };
            self.way.go(segment, &piece, node);
        }
        Some(Place { node, in_rest, shape: self.shapes.add(self.way.shape())? })
    }

    fn leaf_at(&self, place: Place) -> Option<LeafNumber> {
        let node = self.node(place.node)?;
        if place.in_rest { node.rest() } else { node.exact() }
    }

    fn add_leaf(&mut self, place: Place) -> Option<LeafNumber> {
        let free = LeafNumber::try_from(self.leaves.len()).ok().filter(|number| *number != NONE);
        let number = free.zip(self.nodes.get_mut(index(place.node))).map(|(number, node)| {
            let end = if place.in_rest { &mut node.rest } else { &mut node.exact };
            *end = number;
            number
        });
        self.overfull |= number.is_none();
        self.leaves.push(Leaf { node: place.node, shape: place.shape });
        number
    }

    fn add_literal(&mut self, parent: NodeNumber, literal: &str) -> Option<NodeNumber> {
        let Frame { nodes, text, literals, .. } = self;
        let is_it = |number: &NodeNumber| is_child(nodes, text, *number, parent, literal.as_bytes());
        // The only one there is need not be looked up.
        if let Some(only) = nodes.get(index(parent)).map(|parent| parent.literal).filter(is_it) {
            return Some(only);
        }
        let hash = hash_below(parent, hash_of_text(literal.as_bytes()));
        match literals.entry(hash, is_it, |number| hash_of(nodes, text, *number)) {
            Entry::Occupied(there) => Some(*there.get()),
            Entry::Vacant(free) => {
                let start = u32::try_from(text.len()).ok().filter(|start| *start != NONE)?;
                let node = Node::child(parent, start, u32::try_from(literal.len()).ok()?);
                let number = add_node(nodes, node)?;
                free.insert(number);
                text.push_str(literal);
                let of_parent = &mut nodes.get_mut(index(parent))?.literal;
                *of_parent = if *of_parent == NONE { number } else { SEVERAL };
                Some(number)
            }
        }
    }

    fn add_wildcard(&mut self, parent: NodeNumber) -> Option<NodeNumber> {
        if let Some(there) = self.node(parent)?.any() {
            return Some(there);
        }
        let number = add_node(&mut self.nodes, Node::child(parent, NONE, 0))?;
        self.nodes.get_mut(index(parent))?.any = number;
        Some(number)
    }
}

fn add_node(nodes: &mut Vec<Node>, node: Node) -> Option<NodeNumber> {
    let number = NodeNumber::try_from(nodes.len()).ok().filter(|number| *number < SEVERAL)?;
    nodes.push(node);
    Some(number)
}

/// The index of a node in `nodes`.
pub(super) type NodeNumber = u32;

/// The index of a leaf in `leaves`.
pub(super) type LeafNumber = u32;

/// Where each search begins.
pub(super) const ROOT: NodeNumber = 0;

/// No node, no leaf, no place in the text.
const NONE: u32 = u32::MAX;

/// More than one node.
const SEVERAL: NodeNumber = u32::MAX - 1;

#[derive(Debug, Clone)]
pub(super) struct Node {
    parent: NodeNumber,
    /// Where its text begins; [`NONE`] for `{name}` and `*`.
    start: u32,
    /// Bytes of its text.
    len: u32,
    /// The child for `{name}` and `*`.
    any: NodeNumber,
    /// The child for a literal where there is one only, which then need not be looked up; [`SEVERAL`] where there are more.
    literal: NodeNumber,
    /// The leaf of the template that ends here.
    exact: LeafNumber,
    /// The leaf of the template that ends here with `**`.
    rest: LeafNumber,
}

impl Node {
    const fn child(parent: NodeNumber, start: u32, len: u32) -> Self {
        Self { parent, start, len, any: NONE, literal: NONE, exact: NONE, rest: NONE }
    }

    pub(super) fn any(&self) -> Option<NodeNumber> {
        (self.any != NONE).then_some(self.any)
    }

    pub(super) fn exact(&self) -> Option<LeafNumber> {
        (self.exact != NONE).then_some(self.exact)
    }

    pub(super) fn rest(&self) -> Option<LeafNumber> {
        (self.rest != NONE).then_some(self.rest)
    }

    fn text<'a>(&self, all: &'a str) -> &'a [u8] {
        let start = index(self.start);
        all.as_bytes().get(start..start.saturating_add(index(self.len))).unwrap_or_default()
    }
}

/// The node at which a template ends, whether with `**`, and the number of its shape.
#[derive(Debug, Clone, Copy)]
struct Place {
    node: NodeNumber,
    in_rest: bool,
    shape: u32,
}

#[derive(Debug, Clone)]
struct Leaf {
    node: NodeNumber,
    shape: u32,
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

/// Whether a node is the child of `parent` for this literal. A wildcard has no text, and is not found by one.
#[inline]
fn is_child(nodes: &[Node], all: &str, number: NodeNumber, parent: NodeNumber, text: &[u8]) -> bool {
    nodes.get(index(number)).is_some_and(|node| node.parent == parent && is_same(node.text(all), text))
}

/// Without a seed, so that every run and every worker does the same. Texts of requests are only looked for, never added:
/// a client cannot make a chain longer.
#[inline]
pub(super) fn hash_of_text(text: &[u8]) -> u64 {
    FxBuildHasher.hash_one(text)
}

#[inline]
fn hash_below(parent: NodeNumber, text: u64) -> u64 {
    FxBuildHasher.hash_one((parent, text))
}

fn hash_of(nodes: &[Node], text: &str, number: NodeNumber) -> u64 {
    nodes.get(index(number)).map_or(0, |node| hash_below(node.parent, hash_of_text(node.text(text))))
}

pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
