//! Three-valued truth: what holds, what does not, and what could not be decided.

/// Whether conditions hold, in the three-valued logic of Kleene.
///
/// An error is never false: who could make a test fail could otherwise switch off a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// They hold.
    True,
    /// They do not hold.
    False,
    /// Whether they hold could not be decided. Of several faults the greatest is named, whatever their order.
    Unknown(Fault),
}

impl Truth {
    /// Whether all of `truths` hold: one that does not decides, whatever could not be decided. All of none hold.
    #[must_use]
    pub fn all(truths: impl IntoIterator<Item = Truth>) -> Truth {
        truths.into_iter().fold(Truth::True, Truth::and)
    }

    /// Whether at least one of `truths` holds: one that does decides, whatever could not be decided.
    #[must_use]
    pub fn any(truths: impl IntoIterator<Item = Truth>) -> Truth {
        truths.into_iter().fold(Truth::False, |any, truth| any.negated().and(truth.negated()).negated())
    }

    /// The opposite. What could not be decided has none.
    #[must_use]
    pub const fn negated(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown(fault) => Truth::Unknown(fault),
        }
    }

    /// Whether both hold.
    ///
    /// [`Fault::Exhausted`] swallows even what does not hold: how far the steps reached depends on the order in which
    /// they were spent, and the answer must not.
    fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::Unknown(Fault::Exhausted), _) | (_, Truth::Unknown(Fault::Exhausted)) => {
                Truth::Unknown(Fault::Exhausted)
            }
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown(one), Truth::Unknown(other)) => Truth::Unknown(one.max(other)),
            (Truth::Unknown(fault), Truth::True) | (Truth::True, Truth::Unknown(fault)) => {
                Truth::Unknown(fault)
            }
            (Truth::True, Truth::True) => Truth::True,
        }
    }
}

impl From<Result<bool, Fault>> for Truth {
    fn from(result: Result<bool, Fault>) -> Truth {
        match result {
            Ok(true) => Truth::True,
            Ok(false) => Truth::False,
            Err(fault) => Truth::Unknown(fault),
        }
    }
}

/// Why a test could not be decided. Never repeats a value: attributes are personal data, and some are secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// The attribute is not there, or holds nothing.
    #[error("the attribute is missing")]
    Missing,
    /// A list of several values where the operator looks at one.
    #[error("the attribute has more than one value")]
    Several,
    /// One value where the operator looks at a list.
    #[error("the attribute is not a list")]
    NotAList,
    /// Values of different types, or of a type that the operator does not take.
    #[error("the attribute has another type")]
    WrongType,
    /// A number that its reader may have rounded: one with a point or an exponent of 2^49 or more, or a whole one beyond 64
    /// bits.
    #[error("the number cannot be compared exactly")]
    Inexact,
    /// Text that is not what the operator needs: not UTF-8, a broken escape, no address, no moment.
    #[error("the attribute is malformed")]
    Malformed,
    /// There is no body, or none that can be read as JSON in one way only.
    #[error("the body is absent or cannot be read")]
    Unreadable,
    /// More values or longer text than are compared.
    #[error("the attribute is too large")]
    TooLarge,
    /// Whether the attribute is there is not known: see [`crate::unknown`].
    #[error("the attribute is not known")]
    NotKnown,
    /// The decision took more steps than it may.
    #[error("the decision took too many steps")]
    Exhausted,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn truth() -> impl Strategy<Value = Truth> {
        prop_oneof![
            Just(Truth::True),
            Just(Truth::False),
            Just(Truth::Unknown(Fault::Missing)),
            Just(Truth::Unknown(Fault::WrongType)),
            Just(Truth::Unknown(Fault::Exhausted)),
        ]
    }

    fn or(one: Truth, other: Truth) -> Truth {
        Truth::any([one, other])
    }

    /// Kleene's tables, line by line.
    #[test]
    fn the_tables_are_those_of_kleene() {
        use Truth::{False, True};
        let unknown = Truth::Unknown(Fault::Missing);
        for (one, other, both, either) in [
            (True, True, True, True),
            (True, False, False, True),
            (True, unknown, unknown, True),
            (False, False, False, False),
            (False, unknown, False, unknown),
            (unknown, unknown, unknown, unknown),
        ] {
            assert_eq!((one.and(other), other.and(one)), (both, both), "{one:?} and {other:?}");
            assert_eq!((or(one, other), or(other, one)), (either, either), "{one:?} or {other:?}");
        }
        assert_eq!((Truth::all([]), Truth::any([])), (True, False));
        let exhausted = Truth::Unknown(Fault::Exhausted);
        assert_eq!((exhausted.and(False), or(exhausted, True)), (exhausted, exhausted));
    }

    proptest! {
        #[test]
        fn the_laws_hold(a in truth(), b in truth(), c in truth()) {
            prop_assert_eq!(a.negated().negated(), a);
            prop_assert_eq!(a.and(a), a);
            prop_assert_eq!(a.and(b), b.and(a));
            prop_assert_eq!(a.and(b).and(c), a.and(b.and(c)));
            prop_assert_eq!(or(or(a, b), c), or(a, or(b, c)));
            prop_assert_eq!(a.and(b).negated(), or(a.negated(), b.negated()));
            prop_assert_eq!(a.and(Truth::True), a);
            prop_assert_eq!(or(a, Truth::False), a);
        }

        #[test]
        fn order_does_not_matter(truths in prop::collection::vec(truth(), 0..6)) {
            let mut reversed = truths.clone();
            reversed.reverse();
            prop_assert_eq!(Truth::all(truths.clone()), Truth::all(reversed.clone()));
            prop_assert_eq!(Truth::any(truths), Truth::any(reversed));
        }
    }
}
