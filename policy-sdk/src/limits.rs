//! Every bound of the decision point, with its unit and its reason.
//!
//! A bound is part of what the gate promises: input beyond it is refused, never truncated. Nothing here is
//! configurable; a bound that operators may choose belongs to the document.

/// Bytes of one JSON text read by [`json::parse`](crate::json::parse): a document with 100 000 routes at about
/// 120 bytes each fits, and one that does not would hold a proxy's worker for seconds while it loads.
pub const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// Levels of nested arrays and objects in a JSON text. The deepest legitimate input, a policy document, uses
/// fewer than 12; the parser recurses once a level, and a module's stack must never be for the sender to fill.
pub const MAX_JSON_DEPTH: usize = 64;

/// Characters of one member name repeated in an error: enough to recognise it, too few to flood a log.
pub const MAX_REPORTED_NAME_CHARS: usize = 128;

/// Bytes of a request's path, as received and as canonical. RFC 9110 section 4.1 asks for 8000 octets; common
/// servers stop at 8 KiB, so a longer path has no upstream that agrees on what it means.
pub const MAX_PATH_BYTES: usize = 8 * 1024;

/// Bytes of a request's query. As much as the path: a token in a query parameter still fits.
pub const MAX_QUERY_BYTES: usize = 8 * 1024;

/// Bytes of a path template: templates are typed by people, and longer than this none is matched by intent.
pub const MAX_TEMPLATE_BYTES: usize = 1024;

/// Segments of a path template; with it the depth of a [`PathTree`](crate::path_tree::PathTree), and so the
/// number of pending alternatives one search can hold (three a level).
pub const MAX_TEMPLATE_SEGMENTS: usize = 64;

/// Nodes and leaves that one search of a [`PathTree`](crate::path_tree::PathTree) looks at. Templates for every choice of
/// literal and wildcard at ten segments need 3071; one node a segment is what other documents need. At the bound a search
/// has taken about a tenth of a millisecond, in a worker that everyone waits for.
pub const MAX_SEARCH_STEPS: usize = 4096;

/// Bytes of a placeholder's name: it becomes an attribute name, which the field keeps short.
pub const MAX_PLACEHOLDER_NAME_BYTES: usize = 64;

/// Bytes of a name in a document: a permission, a role, a scope. People type them, and records repeat them.
pub const MAX_NAME_BYTES: usize = 256;

/// Roles that one role inherits, directly and through others. Every decision about a caller who has the role works with all
/// of them; a hierarchy that people can follow has a few dozen.
pub const MAX_INHERITED_ROLES: usize = 1024;

/// Steps of one decision: comparisons of two values, values and header lines that are read, and pieces of 64 bytes that are
/// read or searched. A policy that fits on a
/// screen takes dozens; this many take milliseconds, which is what a request may be made to wait for a decision.
pub const MAX_DECISION_STEPS: usize = 100_000;

/// Conditions in one list. People read them as one sentence, and no sentence is longer.
pub const MAX_CONDITIONS: usize = 64;

/// Groups of conditions within groups. Two suffice for every normal form; more than this nobody checks by eye, and reading
/// them recurses.
pub const MAX_CONDITION_DEPTH: usize = 4;

/// Values in the operand of one test. Longer lists are data, and belong into a claim or a group.
pub const MAX_OPERAND_VALUES: usize = 1024;

/// Bytes of one text in an operand: as much as the longest header line that servers take.
pub const MAX_OPERAND_BYTES: usize = 8 * 1024;

/// Values of one attribute that are compared. A token of 8 KiB holds fewer; beyond it a test cannot be decided.
pub const MAX_ATTRIBUTE_VALUES: usize = 4096;

/// Bytes of a regular expression: people read them character by character.
pub const MAX_PATTERN_BYTES: usize = 512;

/// States of a regular expression, each repetition counted. The work for a text is its length times this and the ranges.
pub const MAX_PATTERN_STATES: usize = 1024;

/// Ranges of characters in all classes of a regular expression, each repetition counted: eight for each state. `\w` has four.
/// Each takes eight bytes.
pub const MAX_PATTERN_RANGES: usize = 8 * 1024;

/// Bytes of a text that a regular expression is held against: as much as a path or a query.
pub const MAX_MATCHED_BYTES: usize = 8 * 1024;

/// Bytes of one question in JSON: a thousand evaluations with the properties of a token each fit, and a caller waits
/// milliseconds for it to be read.
pub const MAX_QUESTION_BYTES: usize = 1024 * 1024;

/// Bytes of a request's body that a decision may rest on: what Envoy holds of a request unless told otherwise
/// (`per_connection_buffer_limit_bytes`). A worker holds as many of them as there are requests that wait.
pub const MAX_BODY_BYTES: u32 = 1024 * 1024;

/// Evaluations in one request. Each is a decision of its own, and one caller must not keep all others waiting.
pub const MAX_EVALUATIONS: usize = 1000;

/// Rules, entries and policies listed in one place of an explanation: what a person reads through.
pub const MAX_EXPLAINED_ENTRIES: usize = 64;

/// Reasons named for one decision: enough to know what to mend, few enough for a record.
pub const MAX_REASONS: usize = 16;
