//! What tells most names of headers apart at one look: a number made of their length and one letter.

/// The shape of a name. Names that some server could take for one another ([`crate::request::is_read_as`]) have the same;
/// others may have it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape(u8);

impl Shape {
    /// That of `name`: of its length and its fourth byte, behind the `x-` that many names begin with.
    pub const fn of(name: &[u8]) -> Shape {
        let letter = match name {
            [_, _, _, letter, ..] => folded(*letter),
            _ => 0,
        };
        Shape::with(name.len() as u8, letter)
    }

    /// The same, with one look into a table.
    #[inline]
    pub(super) fn looked_up(name: &[u8]) -> Shape {
        let letter = match name {
            [_, _, _, letter, ..] => FOLDED.get(usize::from(*letter)).copied().unwrap_or_default(),
            _ => 0,
        };
        Shape::with(name.len() as u8, letter)
    }

    /// By this factor few of the names that most requests have meet one of those that the gate asks for.
    #[inline]
    const fn with(length: u8, letter: u8) -> Shape {
        Shape(length.wrapping_mul(58).wrapping_add(letter) & 63)
    }
}

/// Either case is one, and so is all that is no letter and no digit, as it is to those who fold it.
const fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte & 0x1f } else { 0 }
}

static FOLDED: [u8; 256] = folded_bytes();

const fn folded_bytes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let [first, others @ ..] = rest {
        *first = folded(byte);
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
}

/// Some shapes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shapes(u64);

impl Shapes {
    /// Those of `names`.
    pub const fn of(mut names: &[&str]) -> Shapes {
        let mut shapes = Shapes(0);
        while let [name, rest @ ..] = names {
            shapes = shapes.with(Shape::of(name.as_bytes()));
            names = rest;
        }
        shapes
    }

    /// These, and one more.
    #[inline]
    #[must_use]
    pub const fn with(self, Shape(shape): Shape) -> Shapes {
        Shapes(self.0 | 1 << (shape & 63))
    }

    /// These, and the others.
    #[must_use]
    pub const fn and(self, others: Shapes) -> Shapes {
        Shapes(self.0 | others.0)
    }

    /// Whether this one is among them.
    #[inline]
    pub const fn has(self, Shape(shape): Shape) -> bool {
        self.0 >> (shape & 63) & 1 != 0
    }

    /// Whether one of them is among the `others`.
    #[inline]
    pub const fn meet(self, others: Shapes) -> bool {
        self.0 & others.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::is_read_as;

    proptest! {
        #[test]
        fn names_that_are_read_alike_have_one_shape(
            (name, other) in "[a-zA-Z0-9._~-]{0,70}".prop_flat_map(|name| {
                let spelt = name.chars().map(|c| match c {
                    letter if letter.is_ascii_alphanumeric() =>
                        prop::sample::select(vec![letter.to_ascii_lowercase(), letter.to_ascii_uppercase()]).boxed(),
                    _ => prop::sample::select(vec!['-', '_', '.', ' ', '\u{7f}']).boxed(),
                });
                let spelt: Vec<_> = spelt.collect();
                (Just(name), spelt.prop_map(|letters| letters.into_iter().collect::<String>()))
            })
        ) {
            prop_assert!(is_read_as(other.as_bytes(), name.as_bytes()));
            prop_assert_eq!(Shape::of(other.as_bytes()), Shape::of(name.as_bytes()));
        }
    }

    #[test]
    fn whatever_bytes_are_read_alike_have_one_shape() {
        for (one, other) in (0..=u8::MAX).flat_map(|one| (0..=u8::MAX).map(move |other| (one, other))) {
            let names = [[b'x', b'-', b'a', one], [b'x', b'-', b'a', other]];
            if is_read_as(&names[0], &names[1]) {
                assert_eq!(Shape::of(&names[0]), Shape::of(&names[1]), "{one} {other}");
            }
        }
    }

    #[test]
    fn the_table_says_the_same() {
        for (length, byte) in (0..300).flat_map(|length| (0..=u8::MAX).map(move |byte| (length, byte))) {
            let name = vec![byte; length];
            assert_eq!(Shape::looked_up(&name), Shape::of(&name), "{length} {byte}");
        }
    }

    #[test]
    fn a_shape_is_among_those_that_it_was_put_in() {
        let shapes = Shapes::of(&["x-user-id", "cookie"]);
        assert!(shapes.has(Shape::of(b"X_USER_ID")) && shapes.has(Shape::of(b"cookie")));
        assert!(!shapes.has(Shape::of(b"accept")) && !shapes.has(Shape::of(b"")));
        assert!(shapes.meet(Shapes::of(&["cookie", "accept"])) && !shapes.meet(Shapes::of(&["accept"])));
    }
}
