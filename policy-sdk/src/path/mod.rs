//! One path: the reading of a request's target that policy decides on and the upstream receives.
//!
//! Proxies, frameworks and file servers disagree about dozens of spellings, and each disagreement has let
//! somebody past a gate. [`canonicalize`] knows two answers: the one path the target stands for, or a refusal that
//! names the [`PathAmbiguity`]. What it accepts is written in one way: escapes of unreserved characters become
//! the character (RFC 3986 section 6.2.2.2), the other escapes keep their meaning and get capital digits
//! (section 6.2.2.1). When that differs from the text received, [`RequestTarget::rewritten`] says so and the
//! gate forwards the canonical text, so that nobody behind it reads another path than policy did.
//!
//! | kind | such as | [`PathMode::Refuse`] | [`PathMode::Normalize`] | because |
//! | --- | --- | --- | --- | --- |
//! | `encoded_slash` | `/a%2Fb` | refused | refused | one segment to RFC 3986, two to whoever decodes first |
//! | `backslash` | `/a\b`, `/a%5Cb` | refused | refused | `/` to browsers and Windows, a character elsewhere |
//! | `double_slash` | `/a//b` | refused | `/a/b` | kept by RFC 3986, merged by most servers |
//! | `dot_segment` | `/a/../b`, `/a/%2E./b` | refused | `/b` | some resolve it after choosing the route |
//! | `path_parameter` | `/a;b`, `/a%3Bb` | refused | refused | stripped by Java containers, kept elsewhere |
//! | `fragment` | `/a#b`, `/a%23b` | refused | refused | stripped, kept or sent on; decoded, it is cut at the next hop |
//! | `encoded_question_mark` | `/a%3Fb` | refused | refused | decoded, it becomes a query at the next hop |
//! | `control_character` | `/a%00` | refused | refused | ends a C string, splits a line, disappears |
//! | `bad_escape` | `/a%zz`, `/a%4` | refused | refused | kept, dropped or replaced: no rule exists |
//! | `double_encoding` | `/a%252Fb` | refused | refused | another path to whoever decodes twice |
//! | `invalid_utf8` | `/a%C0%AF` | refused | refused | overlong `/` to lenient decoders, Latin-1 to others |
//! | `non_uri_character` | `/a b`, `/é`, `/a[1]` | refused | `/a%20b` | outside RFC 3986; truncates or fails elsewhere |
//!
//! Even when normalising, two dot segments stay refused: one that climbs above the root, and `..` right after an
//! empty segment (`/a//../b` is `/a/b` to RFC 3986 and `/b` to a server that merges slashes first).
//!
//! A query is kept as it came, to the byte: it has no common grammar to bring it into a canonical form. It is only
//! refused what could end it or the request line: `#`, control characters, space and bytes outside ASCII.
//!
//! What this module does not do: it does not fold case, apply Unicode normalisation, equate look-alike characters,
//! or strip the trailing dots and spaces that Windows file systems ignore. `/Admin`, `/admin.` and `/admin` are
//! three paths, and so are `/admin` and `/admin/`.

mod ambiguity;
mod canonical;
mod target;

pub use ambiguity::PathAmbiguity;
pub use canonical::canonicalize;
pub use target::{CanonicalPath, MalformedTarget, PathError, PathMode, RequestTarget, Segment, Segments};

pub(crate) use canonical::canonicalize_segment;

#[cfg(test)]
mod tests {
    use super::*;

    /// The table above is what people read; the rows in `ambiguity` are what runs.
    #[test]
    fn the_table_in_the_module_documentation_has_one_line_a_kind() {
        let documented: Vec<&str> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .filter(|line| line.contains("| refused |"))
            .filter_map(|line| line.split('`').next())
            .collect();
        let known: Vec<&str> = PathAmbiguity::ALL.iter().map(|kind| kind.label()).collect();
        assert_eq!(documented, known);
    }
}
