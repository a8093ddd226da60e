//! Where in a document something stands: JSON Pointer, RFC 6901.

use std::fmt;

use deserr::ValuePointerRef;

/// A place in a document: the steps from its root. Ordered as the document is: members by name, elements by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JsonPointer(Vec<Step>);

/// One step of a [`JsonPointer`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the element of an array.
    Element(usize),
    /// Into the member of an object.
    Member(String),
}

impl JsonPointer {
    /// The whole document.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The member at the end of the path of members `names`.
    pub fn members(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Step::Member((*name).to_owned())).collect())
    }

    /// The member `name` of what this points to.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.then(Step::Member(name.to_owned()))
    }

    /// The element `index` of what this points to, counted from 0.
    #[must_use]
    pub fn element(&self, index: usize) -> Self {
        self.then(Step::Element(index))
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this points to `outer` or to something inside it.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// What this points into, and the last step; `None` for the root.
    pub fn split_last(&self) -> Option<(Self, &Step)> {
        let (last, outer) = self.0.split_last()?;
        Some((Self(outer.to_vec()), last))
    }

    /// The first `steps` steps of this pointer.
    #[must_use]
    pub fn truncated(&self, steps: usize) -> Self {
        Self(self.0.iter().take(steps).cloned().collect())
    }

    /// What this points to in a document whose candidate is in force, where it stands while the candidate is one.
    #[must_use]
    pub(crate) fn of_candidate(mut self) -> Self {
        if self.0.first() == Some(&Step::Member("authorization".to_owned())) {
            self.0.insert(0, Step::Member("candidate".to_owned()));
        }
        self
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl From<ValuePointerRef<'_>> for JsonPointer {
    fn from(location: ValuePointerRef<'_>) -> Self {
        let mut steps = Vec::new();
        let mut here = &location;
        loop {
            match here {
                ValuePointerRef::Origin => break,
                ValuePointerRef::Key { key, prev } => {
                    steps.push(Step::Member((*key).to_owned()));
                    here = prev;
                }
                ValuePointerRef::Index { index, prev } => {
                    steps.push(Step::Element(*index));
                    here = prev;
                }
            }
        }
        steps.reverse();
        Self(steps)
    }
}

/// RFC 6901 section 3: `~` is written `~0` and `/` is written `~1`. Control characters, which a name may hold, are
/// shown as a replacement character, so that a pointer is always one line.
impl fmt::Display for JsonPointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Element(index) => write!(formatter, "/{index}")?,
                Step::Member(name) => {
                    let name: String =
                        name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
                    write!(formatter, "/{}", name.replace('~', "~0").replace('/', "~1"))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_rfc_6901_says() {
        let pointer = JsonPointer::root().member("a/b").element(10).member("m~n").member("");
        assert_eq!(pointer.to_string(), "/a~1b/10/m~0n/");
        assert_eq!(JsonPointer::root().to_string(), "");
        assert_eq!(JsonPointer::root().member("a\nb").to_string(), "/a\u{fffd}b");
    }

    #[test]
    fn elements_are_ordered_by_number() {
        let root = JsonPointer::root();
        assert!(root.element(2) < root.element(10));
        assert!(root.element(2).member("z").is_within(&root.element(2)));
        assert!(!root.element(2).is_within(&root.element(2).member("z")));
    }
}
