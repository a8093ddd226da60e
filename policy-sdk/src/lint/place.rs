//! Places in a document that are only put together when something was found there.

use std::rc::Rc;

use crate::document::JsonPointer;

/// A pointer that is only put together when something was found there.
#[derive(Clone)]
pub(super) struct Place {
    outer: Rc<JsonPointer>,
    steps: [Option<PlaceStep>; 5],
}

/// One step of a place.
#[derive(Clone, Copy)]
pub(super) enum PlaceStep {
    Member(&'static str),
    Element(usize),
}

impl Place {
    pub(super) fn new(outer: &JsonPointer) -> Place {
        Place { outer: Rc::new(outer.clone()), steps: [None; 5] }
    }

    pub(super) fn member(self, name: &'static str) -> Place {
        self.then(PlaceStep::Member(name))
    }

    pub(super) fn element(self, index: usize) -> Place {
        self.then(PlaceStep::Element(index))
    }

    pub(super) fn pointer(&self) -> JsonPointer {
        below((*self.outer).clone(), self.steps.iter().flatten())
    }

    fn then(mut self, step: PlaceStep) -> Place {
        if let Some(free) = self.steps.iter_mut().find(|step| step.is_none()) {
            *free = Some(step);
        }
        self
    }
}

/// What `steps` lead to from `pointer`.
pub(super) fn below<'s>(pointer: JsonPointer, steps: impl IntoIterator<Item = &'s PlaceStep>) -> JsonPointer {
    steps.into_iter().fold(pointer, |pointer, step| match step {
        PlaceStep::Member(name) => pointer.member(name),
        PlaceStep::Element(index) => pointer.element(*index),
    })
}
