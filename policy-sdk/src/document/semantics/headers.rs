//! Which header names a document may give a meaning to.

use super::syntax::is_token;
use crate::document::JsonPointer;
use crate::document::Problem;

/// Adds a problem unless `name` is a header field name in lower case (RFC 9113 section 8.2) that is not the
/// connection's own.
pub(super) fn well_named(name: &str, at: &JsonPointer, found: &mut Vec<Problem>) -> bool {
    let problem = if name.starts_with(':') {
        Problem::new(at.clone(), "a pseudo-header field").expected("an ordinary header")
    } else if !is_token(name) {
        Problem::new(at.clone(), "not a header name").expected("a token (RFC 9110 section 5.1)")
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let mut problem = Problem::new(at.clone(), "a header name in capitals").expected("lower case");
        problem.nearest = Some(name.to_ascii_lowercase());
        problem
    } else if CONNECTION_HEADERS.contains(&name) {
        Problem::new(at.clone(), format!("`{name}` belongs to the connection"))
            .expected("a header of the request itself")
    } else {
        return true;
    };
    found.push(problem);
    false
}

/// Headers of the connection and of framing (RFC 9110 sections 7.6.1, 8.6, 10.1.4; RFC 9112 section 6.1).
const CONNECTION_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
