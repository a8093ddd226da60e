//! What a path template covers, taken apart for comparing templates with each other.

use crate::path_tree::PathTemplate;

/// The pieces of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    pub(super) pieces: Vec<Piece>,
    /// Whether it ends in `**`.
    pub(super) rest: bool,
}

/// One segment of a template, `**` apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// A segment in canonical spelling; empty for what follows a slash at the end.
    Literal(Box<str>),
    /// `{name}` or `*`: exactly one segment that is not empty.
    Any,
}

impl Shape {
    /// Every path.
    pub(super) const fn everything() -> Shape {
        Shape { pieces: Vec::new(), rest: true }
    }

    /// The shape of a template as a document writes it; `None` if it is none.
    pub(super) fn of(template: &str) -> Option<Shape> {
        let canonical: PathTemplate = template.parse().ok()?;
        // Whether a segment is a wildcard shows in what was written, what a literal says in its canonical spelling.
        let written = template.strip_prefix('/')?.split('/');
        let spelt = canonical.as_str().strip_prefix('/')?.split('/');
        let mut shape = Shape { pieces: Vec::new(), rest: false };
        for (written, spelt) in written.zip(spelt) {
            match written {
                "**" => shape.rest = true,
                "*" => shape.pieces.push(Piece::Any),
                name if name.starts_with('{') => shape.pieces.push(Piece::Any),
                _literal => shape.pieces.push(Piece::Literal(spelt.into())),
            }
        }
        Some(shape)
    }

    /// The shape of a rule's resource: a template, or `*` for everything.
    pub(super) fn of_resource(resource: &str) -> Option<Shape> {
        if resource == "*" { Some(Shape::everything()) } else { Shape::of(resource) }
    }

    /// Whether it covers every path.
    pub(super) fn is_everything(&self) -> bool {
        self.pieces.is_empty() && self.rest
    }

    /// The other spelling: with the slash at the end taken away or put there. `None` where both are covered already.
    pub(super) fn slash_twin(&self) -> Option<Shape> {
        if self.rest {
            return None;
        }
        let slash = Piece::Literal("".into());
        let mut twin = self.clone();
        if twin.pieces.last() == Some(&slash) {
            twin.pieces.pop();
        } else {
            twin.pieces.push(slash);
        }
        (!twin.pieces.is_empty()).then_some(twin)
    }

    /// Everything below the paths of this shape, and not those themselves.
    pub(super) fn below(&self) -> Shape {
        let mut below = self.clone();
        if below.pieces.last() == Some(&Piece::Literal("".into())) {
            below.pieces.pop();
        }
        below.pieces.push(Piece::Any);
        below.rest = true;
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_told_from_their_characters() {
        let shape = Shape::of("/a/{x}/*/%2A/**").unwrap();
        assert_eq!(shape.pieces.len(), 4);
        assert_eq!(shape.pieces[1], Piece::Any);
        assert_eq!(shape.pieces[2], Piece::Any);
        assert_ne!(shape.pieces[3], Piece::Any);
        assert!(shape.rest);
        assert_eq!(Shape::of("/%61"), Shape::of("/a"), "one literal has one spelling");
        assert!(Shape::of_resource("*").unwrap().is_everything());
        assert_eq!(Shape::of("a"), None);
    }

    #[test]
    fn a_spelling_has_a_twin() {
        let shape = |text: &str| Shape::of(text).unwrap();
        assert_eq!(shape("/a").slash_twin(), Some(shape("/a/")));
        assert_eq!(shape("/a/").slash_twin(), Some(shape("/a")));
        assert_eq!(shape("/a/**").slash_twin(), None);
        assert_eq!(shape("/").slash_twin(), None);
    }
}
