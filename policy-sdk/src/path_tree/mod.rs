//! Which templates a path matches: [`PathTemplate`] and the tree that finds them, [`PathTree`].
//!
//! | template | matches | does not match |
//! | --- | --- | --- |
//! | `/v1/objects` | `/v1/objects` | `/v1/objects/`, `/V1/objects` |
//! | `/v1/objects/` | `/v1/objects/` | `/v1/objects` |
//! | `/v1/objects/{id}`, `/v1/objects/*` | `/v1/objects/7` | `/v1/objects/`, `/v1/objects/7/` |
//! | `/v1/**` | `/v1`, `/v1/`, `/v1/objects/7` | `/v10` |
//! | `/**` | every path | |
//! | `/files/%2A` | `/files/*`, `/files/%2A` | `/files/a` |
//!
//! - `{name}` and `*` stand for exactly one segment with at least one character; `{name}` remembers it.
//! - `**`, last only, stands for the rest, which may be nothing: a guard on `/admin/**` that left `/admin` open
//!   would surprise its author.
//! - A trailing slash counts. To some servers `/admin` and `/admin/` are one resource, to others two; a template that
//!   covered both would grant what it does not name. A rule that denies should therefore end in `/**`.
//! - Segments are compared by their decoded text, so that `%40` and `@` are one literal and a `*` in a request is
//!   only ever a character.
//!
//! When several templates match, the most specific comes first: segment by segment from the left, a literal goes
//! before `{name}` or `*`, and both before `**`. `/a/**` therefore goes before `/{x}/b`.
//!
//! A search is bounded by [`MAX_SEARCH_STEPS`](crate::limits::MAX_SEARCH_STEPS), which only templates that differ in which
//! of many segments are wildcards can reach. It then says so, and nothing may be concluded from what it did not find.
//!
//! What this module does not do: it knows no methods and no hosts. A caller that tells routes apart by those keeps a
//! list at each template, with [`PathTree::get_or_insert_with`].

mod search;
mod spellings;
mod template;
mod texts;
mod tree;
mod way;

pub use search::{Match, Matches};
pub use spellings::Spellings;
pub use template::{Captures, PathTemplate, TemplateError, TemplateFault, TemplateText};
pub use tree::{DuplicateTemplate, PathTree};
