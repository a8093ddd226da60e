//! What one policy is compiled from: the live part of a document, or its candidate.
//!
//! Tenants and authentication are the document's, and so the same for both.

use crate::document::{Authorization, Document, JsonPointer, Rule};

/// One policy as the document has it.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) document: &'a Document,
    pub(super) authorization: &'a Authorization,
    /// Where the authorization stands.
    pub(super) place: JsonPointer,
    /// The rules of everyone, with the place they stand in.
    pub(super) rules: (JsonPointer, &'a [Rule]),
    /// The groups demanded of everyone.
    pub(super) groups: &'a [String],
}

impl<'a> Source<'a> {
    /// What is in force.
    pub(super) fn live(document: &'a Document) -> Source<'a> {
        let (_place, groups) = document.groups();
        Source {
            document,
            authorization: &document.authorization,
            place: JsonPointer::members(&["authorization"]),
            rules: document.rules(),
            groups,
        }
    }

    /// What is on trial.
    pub(super) fn candidate(document: &'a Document) -> Option<Source<'a>> {
        let authorization = &document.candidate.as_ref()?.authorization;
        let place = JsonPointer::members(&["candidate", "authorization"]);
        let rules = (place.member("rules"), authorization.rules.as_slice());
        Some(Source { document, authorization, place, rules, groups: &authorization.groups })
    }
}
