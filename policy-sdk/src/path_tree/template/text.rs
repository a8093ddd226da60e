//! Templates that need not be written anew.

use std::borrow::Cow;

use super::plain::is_plain;
use super::{PathTemplate, TemplateError};

/// A template that borrows the text it was read from, where that is in canonical spelling: most are, and a large document
/// has a hundred thousand of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateText<'a> {
    /// In canonical spelling.
    text: Cow<'a, str>,
}

impl<'a> TemplateText<'a> {
    /// Reads what [`PathTemplate`] reads, as the same.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn read(source: &'a str) -> Result<Self, TemplateError> {
        if is_plain(source) {
            return Ok(Self { text: Cow::Borrowed(source) });
        }
        PathTemplate::taken_apart(source).map(|template| Self { text: Cow::Owned(template.text.into()) })
    }

    /// The template as text, its literals in canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same, kept.
    #[must_use]
    pub fn to_template(&self) -> PathTemplate {
        PathTemplate { text: self.as_str().into() }
    }
}

impl<'a> From<&'a PathTemplate> for TemplateText<'a> {
    fn from(template: &'a PathTemplate) -> Self {
        Self { text: Cow::Borrowed(template.as_str()) }
    }
}
