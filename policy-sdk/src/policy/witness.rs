//! Who watches a decision: nobody in the gate, whoever explains elsewhere.
//!
//! A witness changes nothing: it gets no votes and no steps. What it is told is made by the `telling` of each part, and only
//! if somebody listens, so that for [`Nobody`] no code is left.

use crate::explain::Node;

/// Is told what was looked at.
pub(super) trait Witness: Default {
    /// Takes note of what `tell` says, if it says anything.
    fn note(&mut self, tell: impl FnOnce() -> Option<Node>);

    /// What was noted.
    fn into_nodes(self) -> Vec<Node>;

    /// What was noted as one, if anything was.
    fn into_group(self, label: &str) -> Option<Node> {
        let nodes = self.into_nodes();
        (!nodes.is_empty()).then(|| Node::of(label, nodes))
    }
}

/// Does not listen.
#[derive(Debug, Default)]
pub(super) struct Nobody;

impl Witness for Nobody {
    fn note(&mut self, _tell: impl FnOnce() -> Option<Node>) {}

    fn into_nodes(self) -> Vec<Node> {
        Vec::new()
    }
}

/// Keeps everything.
impl Witness for Vec<Node> {
    fn note(&mut self, tell: impl FnOnce() -> Option<Node>) {
        self.extend(tell());
    }

    fn into_nodes(self) -> Vec<Node> {
        self
    }
}
