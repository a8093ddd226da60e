//! Which rules and lists look at the body of a request.

use crate::path_tree::Spellings;

use super::Entries;
use super::building::Building;

impl Entries {
    /// Whether conditions of an entry that is about one of these spellings look at the body, whoever asks and whatever for.
    pub(in crate::policy) fn read_body(&self, paths: &Spellings<'_>) -> bool {
        !self.body_spans.is_empty()
            && self.tree.all(paths).any(|found| self.body_spans.contains(&found.value.first))
    }

    /// Whether conditions of any entry look at the body.
    pub(in crate::policy) fn ever_read_body(&self) -> bool {
        !self.body_spans.is_empty()
    }
}

impl Building {
    /// Notes that `conditions` of an entry in `span` look at the body, if they do.
    pub(super) fn note_body(&mut self, span: u32, conditions: u32) {
        let place = conditions.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        let conditioned = place.and_then(|place| self.whole.conditioned.get(place));
        if conditioned.is_some_and(|conditioned| conditioned.conditions.read_body()) {
            self.body_spans.insert(span);
        }
    }
}
