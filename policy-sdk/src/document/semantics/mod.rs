//! What the shape of a document cannot say: how its parts must fit together.
//!
//! Each module holds one idea. All of them look at the whole document, add every problem they find and depend on
//! nothing outside it: whether an environment variable is set, a cluster exists or a key can be used is not known
//! here.

mod audit;
mod bounds;
mod candidate;
mod credential_sources;
mod headers;
mod identity_headers;
mod issuers;
mod jwt;
mod keys;
mod names;
mod permissions;
mod role_inheritance;
mod role_names;
mod route_table;
mod rules;
mod slips;
mod superusers;
mod syntax;
mod tenancy;

#[cfg(test)]
pub(crate) mod testing;

use super::{Document, Problem};

/// Everything that is wrong with how the parts of `document` fit together.
///
/// The document comes back as it was: it is changed for a moment, to be looked at with its candidate in force.
pub(super) fn problems(document: &mut Document) -> Vec<Problem> {
    let mut found = Vec::new();
    look(document, &mut found);
    candidate::look_behind(document, &mut found, look);
    found
}

fn look(document: &Document, found: &mut Vec<Problem>) {
    for idea in IDEAS {
        idea(document, found);
    }
}

type Idea = fn(&Document, &mut Vec<Problem>);

const IDEAS: &[Idea] = &[
    names::problems,
    bounds::problems,
    jwt::problems,
    keys::problems,
    issuers::problems,
    credential_sources::problems,
    identity_headers::problems,
    tenancy::problems,
    role_inheritance::problems,
    role_names::problems,
    permissions::problems,
    route_table::problems,
    rules::problems,
    superusers::problems,
    audit::problems,
    candidate::problems,
];
