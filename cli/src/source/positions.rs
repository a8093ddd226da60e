//! Where in a text the parts of a value stand.

use std::collections::BTreeMap;
use std::ops::Range;

use portcullis_policy::document::JsonPointer;

/// Where one part of a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// Column in characters, counted from 1.
    pub(crate) column: usize,
    /// The bytes of the text.
    pub(crate) bytes: Range<usize>,
    /// Whether the text there could be read. What could not be is not shown: it may be half of a secret.
    pub(crate) is_legible: bool,
}

/// The places of all parts of a value: of a member its name, of an element its value.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    names: BTreeMap<JsonPointer, Place>,
    scalars: BTreeMap<JsonPointer, Place>,
    orphans: Vec<Place>,
}

impl Positions {
    /// The part at `pointer` has its name here.
    pub(super) fn name(&mut self, pointer: JsonPointer, place: Place) {
        self.names.entry(pointer).or_insert(place);
    }

    /// The part at `pointer` is a scalar that stands here.
    pub(super) fn scalar(&mut self, pointer: JsonPointer, place: Place) {
        self.scalars.entry(pointer).or_insert(place);
    }

    /// A scalar that belongs to no member stands here.
    pub(super) fn orphan(&mut self, place: Place) {
        self.orphans.push(place);
    }

    /// Every scalar, with its pointer if it has one.
    pub(crate) fn scalars(&self) -> impl Iterator<Item = (Option<&JsonPointer>, &Place)> {
        let placed = self.scalars.iter().map(|(pointer, place)| (Some(pointer), place));
        placed.chain(self.orphans.iter().map(|place| (None, place)))
    }

    /// Where to point for a problem at `pointer`: at the scalar itself, else at the name of the list or object, else
    /// at what is around it.
    pub(crate) fn nearest(&self, pointer: &JsonPointer) -> Option<&Place> {
        let mut pointer = pointer.clone();
        loop {
            if let Some(place) = self.scalars.get(&pointer).or_else(|| self.names.get(&pointer)) {
                return Some(place);
            }
            pointer = pointer.split_last()?.0;
        }
    }

    /// Where the name of the member at `pointer` stands.
    pub(crate) fn of_name(&self, pointer: &JsonPointer) -> Option<&Place> {
        self.names.get(pointer)
    }

    /// The part at `pointer` has its name here, and not where it was before.
    pub(super) fn rename(&mut self, pointer: JsonPointer, place: Place) {
        self.orphans.extend(self.scalars.remove(&pointer));
        self.names.insert(pointer, place);
    }
}
