//! The way to the template that was added to a tree last: the next one mostly begins as it does.
//!
//! It knows numbers of nodes and looks at none.

use super::template::Piece;
use super::tree::{NodeNumber, ROOT};
use crate::bytes::is_same;

/// The template that was added last, segment by segment.
#[derive(Debug, Clone)]
pub(super) struct Way {
    text: String,
    /// The template with its literals left blank.
    shape: String,
    steps: Vec<Step>,
}

/// A segment, and the node that it led to.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Where the segment ends in the text.
    end: usize,
    /// Where it ends in the shape.
    shape_end: usize,
    node: NodeNumber,
}

impl Way {
    pub(super) const fn new() -> Self {
        Self { text: String::new(), shape: String::new(), steps: Vec::new() }
    }

    /// Goes back to where the way to `template` leaves this one. Says which node that is, and what is left of the template.
    pub(super) fn turn_to<'t>(&mut self, template: &'t str) -> (NodeNumber, &'t str) {
        let is_shared = |step: &Step| {
            let (begin, rest) = template.as_bytes().split_at_checked(step.end)?;
            let known = self.text.as_bytes().get(..step.end)?;
            (matches!(rest, [] | [b'/', ..]) && is_same(begin, known)).then_some(())
        };
        let shared = self.steps.iter().rposition(|step| is_shared(step).is_some());
        self.steps.truncate(shared.map_or(0, |last| last.saturating_add(1)));
        let (end, shape_end, node) =
            self.steps.last().map_or((0, 0, ROOT), |step| (step.end, step.shape_end, step.node));
        self.text.truncate(end);
        self.shape.truncate(shape_end);
        (node, template.get(end..).unwrap_or_default())
    }

    /// Goes on by a segment to the node that it leads to. From `**` nothing goes on.
    pub(super) fn go(&mut self, segment: &str, piece: &Piece<'_>, node: NodeNumber) {
        self.shape.push('/');
        match piece {
            Piece::Literal(_) => {}
            Piece::Named(_) | Piece::Any => self.shape.push_str(segment),
            Piece::Rest => return self.shape.push_str(segment),
        }
        self.text.push('/');
        self.text.push_str(segment);
        self.steps.push(Step { end: self.text.len(), shape_end: self.shape.len(), node });
    }

    /// The template with its literals left blank, such as `//{id}`.
    pub(super) fn shape(&self) -> &str {
        &self.shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_tree::template::segments_of;

    /// A node for each segment, numbered from 1.
    fn way(template: &str) -> Way {
        let mut way = Way::new();
        for (node, segment) in (1..).zip(segments_of(template)) {
            way.go(segment, &Piece::of(segment), node);
        }
        way
    }

    #[test]
    fn whole_segments_are_shared_and_no_others() {
        for (last, next, shared) in [
            ("/a/b", "/a/b", (2, "")),
            ("/a/b", "/a/c", (1, "/c")),
            ("/a/b", "/a/bc", (1, "/bc")),
            ("/a/bc", "/a/b", (1, "/b")),
            ("/a/b", "/a", (1, "")),
            ("/a", "/a/", (1, "/")),
            ("/a/", "/a/b", (1, "/b")),
            ("/a/", "/a/", (2, "")),
            ("/", "/a", (0, "/a")),
            ("/", "/", (1, "")),
            ("/a/**", "/a/**", (1, "/**")),
            ("/a/**", "/a/b", (1, "/b")),
            ("/**", "/", (0, "/")),
            ("/a/{x}/b", "/a/{y}/b", (1, "/{y}/b")),
            ("/a/{x}/b", "/a/{x}/c", (2, "/c")),
            ("/a/b", "/c", (0, "/c")),
        ] {
            assert_eq!(way(last).turn_to(next), shared, "{next} after {last}");
        }
    }

    #[test]
    fn a_shape_is_that_of_the_template_whatever_came_before() {
        for last in ["/", "/a/{x}/**", "/a/{x}/b", "/c/*/d/"] {
            for (next, shape) in
                [("/", "/"), ("/a/{x}/**", "//{x}/**"), ("/a/{x}", "//{x}"), ("/c/*/%2A/", "//*//")]
            {
                let mut way = way(last);
                let (_, rest) = way.turn_to(next);
                segments_of(rest).for_each(|segment| way.go(segment, &Piece::of(segment), 9));
                assert_eq!(way.shape(), shape, "{next} after {last}");
            }
        }
    }
}
