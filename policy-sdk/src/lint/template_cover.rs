//! A tree of templates that is asked which of them cover another template, or have a path in common with it.

use std::collections::BTreeMap;

use super::template_shape::{Piece, Shape};

/// Templates, each with a value.
#[derive(Debug)]
pub(super) struct CoverTree<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    literals: BTreeMap<Box<str>, usize>,
    any: Option<usize>,
    exact: Option<T>,
    rest: Option<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node { literals: BTreeMap::new(), any: None, exact: None, rest: None }
    }
}

/// A template of the tree that a search came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covering<'t, T> {
    /// Segments before its end, or before its `**`.
    pub(super) depth: usize,
    pub(super) value: &'t T,
}

impl<T: Default> CoverTree<T> {
    /// A tree without templates.
    pub(super) fn new() -> CoverTree<T> {
        CoverTree { nodes: vec![Node::default()] }
    }

    /// The value at the template, made first if there is none.
    pub(super) fn value_at(&mut self, shape: &Shape) -> Option<&mut T> {
        let mut at = ROOT;
        for piece in &shape.pieces {
            let next = self.nodes.len();
            let node = self.nodes.get_mut(at)?;
            at = match piece {
                Piece::Literal(text) => *node.literals.entry(text.clone()).or_insert(next),
                Piece::Any => *node.any.get_or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        let node = self.nodes.get_mut(at)?;
        let slot = if shape.rest { &mut node.rest } else { &mut node.exact };
        Some(slot.get_or_insert_with(T::default))
    }
}

impl<T> CoverTree<T> {
    /// The first template for which `pick` says something, among those that match every path that `shape` matches.
    /// Looks at [`MAX_NODES`] nodes at most.
    pub(super) fn covering<R>(
        &self,
        shape: &Shape,
        mut pick: impl FnMut(Covering<'_, T>) -> Option<R>,
    ) -> Option<R> {
        let mut pending = vec![(ROOT, 0_usize)];
        let mut visited = 0_usize;
        while let Some((at, depth)) = pending.pop() {
            visited = visited.saturating_add(1);
            if visited > MAX_NODES {
                return None;
            }
            let Some(node) = self.nodes.get(at) else { continue };
            let rest = node.rest.as_ref().map(|value| Covering { depth, value });
            if let Some(found) = rest.and_then(&mut pick) {
                return Some(found);
            }
            let below = depth.saturating_add(1);
            match shape.pieces.get(depth) {
                None if shape.rest => {}
                None => {
                    let exact = node.exact.as_ref().map(|value| Covering { depth, value });
                    if let Some(found) = exact.and_then(&mut pick) {
                        return Some(found);
                    }
                }
                Some(Piece::Any) => pending.extend(node.any.map(|next| (next, below))),
                Some(Piece::Literal(text)) => {
                    pending.extend(node.any.filter(|_| !text.is_empty()).map(|next| (next, below)));
                    pending.extend(node.literals.get(text).map(|next| (*next, below)));
                }
            }
        }
        None
    }

    /// Whether `meets` is true of some template that matches a path which `shape` matches too. A search that is given up
    /// after [`MAX_NODES`] nodes says yes.
    pub(super) fn any_in_common(&self, shape: &Shape, mut meets: impl FnMut(&T) -> bool) -> bool {
        let mut pending = vec![(ROOT, 0_usize)];
        let mut visited = 0_usize;
        while let Some((at, depth)) = pending.pop() {
            visited = visited.saturating_add(1);
            if visited > MAX_NODES {
                return true;
            }
            let Some(node) = self.nodes.get(at) else { continue };
            if node.rest.as_ref().is_some_and(&mut meets) {
                return true;
            }
            let below = depth.saturating_add(1);
            match shape.pieces.get(depth) {
                None => {
                    if node.exact.as_ref().is_some_and(&mut meets) {
                        return true;
                    }
                    if shape.rest {
                        pending.extend(node.any.map(|next| (next, below)));
                        pending.extend(node.literals.values().map(|next| (*next, below)));
                    }
                }
                Some(Piece::Any) => {
                    pending.extend(node.any.map(|next| (next, below)));
                    let literals = node.literals.iter().filter(|(text, _)| !text.is_empty());
                    pending.extend(literals.map(|(_, next)| (*next, below)));
                }
                Some(Piece::Literal(text)) => {
                    pending.extend(node.any.filter(|_| !text.is_empty()).map(|next| (next, below)));
                    pending.extend(node.literals.get(text).map(|next| (*next, below)));
                }
            }
        }
        false
    }

    /// Whether templates of the tree, for which `counts` is true, together match every path below and at the place where
    /// `shape`, which ends in `**`, has its `**`: the paths are taken apart into "nothing more", "a slash" and "a segment
    /// and the rest".
    pub(super) fn rest_is_divided(&self, shape: &Shape, counts: impl Fn(&T) -> bool) -> bool {
        let mut at = ROOT;
        for piece in &shape.pieces {
            let next = self.nodes.get(at).and_then(|node| match piece {
                Piece::Literal(text) => node.literals.get(text).copied(),
                Piece::Any => node.any,
            });
            let Some(next) = next else { return false };
            at = next;
        }
        let mut is_root = shape.pieces.is_empty();
        loop {
            let Some(node) = self.nodes.get(at) else { return false };
            let slash = node.literals.get("").and_then(|slash| self.nodes.get(*slash));
            let has_exact = is_root || node.exact.as_ref().is_some_and(&counts);
            let has_slash = slash.and_then(|slash| slash.exact.as_ref()).is_some_and(&counts);
            let below = node.any.and_then(|any| self.nodes.get(any).map(|node| (any, node)));
            let Some((next, below)) = below else { return false };
            if !has_exact || !has_slash {
                return false;
            }
            if below.rest.as_ref().is_some_and(&counts) {
                return true;
            }
            (at, is_root) = (next, false);
        }
    }
}

const ROOT: usize = 0;

/// Most nodes that one search visits: a path of 64 segments among templates that differ in their wildcards has far more,
/// and a document of a hundred thousand rules has to be through in seconds.
const MAX_NODES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Shape {
        Shape::of(text).unwrap()
    }

    fn tree(templates: &[&'static str]) -> CoverTree<&'static str> {
        let mut tree = CoverTree::new();
        for template in templates {
            *tree.value_at(&shape(template)).unwrap() = *template;
        }
        tree
    }

    #[test]
    fn what_covers_what() {
        for (broad, narrow, covers) in [
            ("/a/**", "/a", true),
            ("/a/**", "/a/", true),
            ("/a/**", "/a/b/{c}", true),
            ("/a/**", "/{x}", false),
            ("/a/{x}", "/a/b", true),
            ("/a/{x}", "/a/", false),
            ("/a/{x}", "/a/*", true),
            ("/a/{x}", "/a/b/c", false),
            ("/a/b", "/a/{x}", false),
            ("/a/{x}", "/a/**", false),
            ("/a/{x}/**", "/a/b/**", true),
            ("/**", "/", true),
        ] {
            let found = tree(&[broad]).covering(&shape(narrow), |covering| Some(*covering.value));
            assert_eq!(found.is_some(), covers, "{broad} covers {narrow}");
        }
    }

    #[test]
    fn what_meets_what() {
        for (one, other, meet) in [
            ("/a/{x}", "/{x}/b", true),
            ("/a/**", "/a", true),
            ("/a", "/a/**", true),
            ("/a/b/c", "/a/**", true),
            ("/a/{x}", "/a/", false),
            ("/a/b", "/a/c", false),
            ("/a", "/b/**", false),
        ] {
            assert_eq!(tree(&[one]).any_in_common(&shape(other), |_| true), meet, "{one} meets {other}");
            assert_eq!(tree(&[other]).any_in_common(&shape(one), |_| true), meet, "{other} meets {one}");
        }
    }

    #[test]
    fn a_rest_can_be_divided() {
        let all = |_: &&str| true;
        assert!(tree(&["/a", "/a/", "/a/{x}/**"]).rest_is_divided(&shape("/a/**"), all));
        assert!(
            tree(&["/a", "/a/", "/a/{x}", "/a/*/", "/a/{x}/{y}/**"]).rest_is_divided(&shape("/a/**"), all)
        );
        assert!(tree(&["/", "/{x}/**"]).rest_is_divided(&shape("/**"), all));
        assert!(!tree(&["/a", "/a/{x}/**"]).rest_is_divided(&shape("/a/**"), all));
        assert!(!tree(&["/a", "/a/", "/a/b/**"]).rest_is_divided(&shape("/a/**"), all));
    }

    #[test]
    fn a_search_ends() {
        let mut tree = CoverTree::new();
        for bits in 0..4096_u32 {
            let pieces =
                (0..12).map(|bit| if bits >> bit & 1 == 1 { Piece::Any } else { Piece::Literal("a".into()) });
            *tree.value_at(&Shape { pieces: pieces.collect(), rest: false }).unwrap() = bits;
        }
        let mut seen = 0;
        let none = tree.covering(&shape("/a/a/a/a/a/a/a/a/a/a/a/a"), |_| {
            seen += 1;
            None::<()>
        });
        assert!(none.is_none() && seen < MAX_NODES);
    }
}
