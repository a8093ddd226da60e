//! Text of bounded length, cut where one can see it.
//!
//! What a client sends has no place in a record beyond its bound: a request cannot be made to fill the buffer
//! that other requests need. It does not escape: the canonical form does.

use super::canonical::Value;

/// Text of at most `MAX_BYTES` bytes of the original, plus a mark that says how many bytes were cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<const MAX_BYTES: usize>(String);

/// At most `MAX_ITEMS` texts; a last one says how many were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts<const MAX_BYTES: usize, const MAX_ITEMS: usize>(Vec<Text<MAX_BYTES>>);

impl<const MAX_BYTES: usize> Text<MAX_BYTES> {
    /// The text, with the mark if it was cut.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX_BYTES: usize> From<&str> for Text<MAX_BYTES> {
    fn from(text: &str) -> Self {
        let kept = text.get(..text.floor_char_boundary(MAX_BYTES)).unwrap_or_default();
        match text.len().saturating_sub(kept.len()) {
            0 => Self(text.to_owned()),
            cut => Self(format!("{kept}…[{cut} bytes cut]")),
        }
    }
}

impl<const MAX_BYTES: usize, const MAX_ITEMS: usize> Texts<MAX_BYTES, MAX_ITEMS> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'t, const MAX_BYTES: usize, const MAX_ITEMS: usize> FromIterator<&'t str>
    for Texts<MAX_BYTES, MAX_ITEMS>
{
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        let mut texts = texts.into_iter();
        let mut kept: Vec<Text<MAX_BYTES>> = texts.by_ref().take(MAX_ITEMS).map(Text::from).collect();
        match texts.count() {
            0 => {}
            more => kept.push(Text(format!("…[{more} more]"))),
        }
        Self(kept)
    }
}

impl<'a, const MAX_BYTES: usize> From<&'a Text<MAX_BYTES>> for Value<'a> {
    fn from(text: &'a Text<MAX_BYTES>) -> Self {
        Self::from(text.as_str())
    }
}

impl<'a, const MAX_BYTES: usize, const MAX_ITEMS: usize> From<&'a Texts<MAX_BYTES, MAX_ITEMS>> for Value<'a> {
    fn from(texts: &'a Texts<MAX_BYTES, MAX_ITEMS>) -> Self {
        Self::List(texts.0.iter().map(Self::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_visible_and_falls_between_characters() {
        assert_eq!(Text::<4>::from("abcd").as_str(), "abcd");
        assert_eq!(Text::<4>::from("abcde").as_str(), "abcd…[1 bytes cut]");
        assert_eq!(Text::<4>::from("abcé").as_str(), "abc…[2 bytes cut]");
        assert_eq!(Text::<1>::from("😂").as_str(), "…[4 bytes cut]");
    }

    #[test]
    fn a_list_says_how_many_it_left_out() {
        let two: Texts<8, 2> = ["a", "b"].into_iter().collect();
        assert_eq!(Value::from(&two).encode(), r#"["a","b"]"#);
        let four: Texts<8, 2> = ["a", "b", "c", "d"].into_iter().collect();
        assert_eq!(Value::from(&four).encode(), r#"["a","b","…[2 more]"]"#);
    }
}
