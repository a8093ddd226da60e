//! Text of bounded length, cut where one can see it.
//!
//! What a client sends has no place in a record beyond its bound: a request cannot be made to fill the buffer
//! that other requests need. It does not escape: the canonical form does.

use std::fmt::Write as _;

use super::canonical::{write_escaped, write_text};
use super::members::Canonical;

/// Text of which at most `MAX_BYTES` bytes are written, plus a mark that says how many bytes were cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text<'a, const MAX_BYTES: usize>(&'a str);

/// At most `MAX_ITEMS` texts; a last one says how many were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts<'a, const MAX_BYTES: usize, const MAX_ITEMS: usize> {
    kept: Vec<Text<'a, MAX_BYTES>>,
    left_out: usize,
}

impl<'a, const MAX_BYTES: usize> From<&'a str> for Text<'a, MAX_BYTES> {
    fn from(text: &'a str) -> Self {
        Self(text)
    }
}

impl<const MAX_BYTES: usize, const MAX_ITEMS: usize> Texts<'_, MAX_BYTES, MAX_ITEMS> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl<'a, const MAX_BYTES: usize, const MAX_ITEMS: usize> FromIterator<&'a str>
    for Texts<'a, MAX_BYTES, MAX_ITEMS>
{
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut texts = texts.into_iter();
        let kept = texts.by_ref().take(MAX_ITEMS).map(Text::from).collect();
        Self { kept, left_out: texts.count() }
    }
}

impl<const MAX_BYTES: usize> Canonical for Text<'_, MAX_BYTES> {
    fn write(&self, out: &mut String) {
        let Self(text) = self;
        let kept = text.get(..text.floor_char_boundary(MAX_BYTES)).unwrap_or_default();
        match text.len().saturating_sub(kept.len()) {
            0 => write_text(text, out),
            cut => {
                out.push('"');
                write_escaped(kept, out);
                // Writing into a text cannot fail.
                let _written = write!(out, "…[{cut} bytes cut]\"");
            }
        }
    }
}

impl<const MAX_BYTES: usize, const MAX_ITEMS: usize> Canonical for Texts<'_, MAX_BYTES, MAX_ITEMS> {
    fn write(&self, out: &mut String) {
        let mut before = '[';
        for text in &self.kept {
            out.push(before);
            text.write(out);
            before = ',';
        }
        match (self.left_out, self.kept.is_empty()) {
            (0, false) => out.push(']'),
            (0, true) => out.push_str("[]"),
            (more, _) => {
                // Writing into a text cannot fail.
                let _written = write!(out, "{before}\"…[{more} more]\"]");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &impl Canonical) -> String {
        let mut out = String::new();
        value.write(&mut out);
        out
    }

    #[test]
    fn a_cut_is_visible_and_falls_between_characters() {
        assert_eq!(written(&Text::<4>::from("abcd")), r#""abcd""#);
        assert_eq!(written(&Text::<4>::from("abcde")), r#""abcd…[1 bytes cut]""#);
        assert_eq!(written(&Text::<4>::from("abcé")), r#""abc…[2 bytes cut]""#);
        assert_eq!(written(&Text::<1>::from("😂")), r#""…[4 bytes cut]""#);
        assert_eq!(written(&Text::<2>::from("\"\n\"")), r#""\"\n…[1 bytes cut]""#);
    }

    #[test]
    fn a_list_says_how_many_it_left_out() {
        let texts = |of: &[&'static str]| written(&of.iter().copied().collect::<Texts<'_, 8, 2>>());
        assert_eq!(texts(&[]), "[]");
        assert_eq!(texts(&["a"]), r#"["a"]"#);
        assert_eq!(texts(&["a", "b"]), r#"["a","b"]"#);
        assert_eq!(texts(&["a", "b", "c", "d"]), r#"["a","b","…[2 more]"]"#);
    }
}
