//! How much work one decision may be.

use super::Fault;
use crate::limits::MAX_DECISION_STEPS;

/// Bytes of text that are read or searched in one step: about as dear as a comparison.
pub(super) const STEP_BYTES: usize = 64;

/// The steps that a decision has left. A step is one test, one comparison of two values, one value of a list or one header
/// line that is read, or [`STEP_BYTES`] of text that are read or searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    left: Option<usize>,
}

impl Steps {
    /// A budget of `steps`.
    #[must_use]
    pub const fn new(steps: usize) -> Self {
        Self { left: Some(steps) }
    }

    /// Takes `steps` from the budget. Once it did not suffice nothing is left, for smaller costs either.
    ///
    /// # Errors
    ///
    /// [`Fault::Exhausted`] when fewer are left.
    pub fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        self.left = self.left.and_then(|left| left.checked_sub(steps));
        self.left.map(|_| ()).ok_or(Fault::Exhausted)
    }

    /// Whether the budget did not suffice. Whatever was decided with it since is not to be relied on.
    #[must_use]
    pub const fn are_exhausted(&self) -> bool {
        self.left.is_none()
    }
}

/// The budget of one decision, [`MAX_DECISION_STEPS`].
impl Default for Steps {
    fn default() -> Self {
        Self::new(MAX_DECISION_STEPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone() {
        let mut steps = Steps::new(3);
        assert_eq!(steps.spend(3), Ok(()));
        assert!(!steps.are_exhausted());
        assert_eq!((steps.spend(1), steps.spend(0)), (Err(Fault::Exhausted), Err(Fault::Exhausted)));
        assert!(steps.are_exhausted());
    }
}
