//! Templates that are known at one look to be in canonical spelling.
//!
//! What is said no to here may be fine nevertheless: nothing is reported, and the slow reader has the last word.

use smallvec::SmallVec;

use crate::limits::{MAX_PLACEHOLDER_NAME_BYTES, MAX_TEMPLATE_BYTES, MAX_TEMPLATE_SEGMENTS};

/// Whether a text is a template in canonical spelling. Most are, and a large document has a hundred thousand of them: one
/// look at each byte spares them everything else. What this says no to may be fine nevertheless.
pub(super) fn is_plain(source: &str) -> bool {
    let Some(relative) = source.strip_prefix('/').filter(|_| source.len() <= MAX_TEMPLATE_BYTES) else {
        return false;
    };
    let mut names: SmallVec<[&str; EXPECTED_PLACEHOLDERS]> = SmallVec::new();
    let mut rest = Some(relative);
    for _segment in 0..MAX_TEMPLATE_SEGMENTS {
        let Some(segments) = rest else { return true };
        // Nothing but unreserved characters (RFC 3986 section 2.3), and not dots alone.
        let (mut length, mut seen) = (0_usize, 0_u8);
        for byte in segments.bytes() {
            let class = CLASSES.get(usize::from(byte)).copied().unwrap_or(OTHER);
            if class == SLASH {
                break;
            }
            seen |= class;
            length = length.wrapping_add(1);
        }
        let Some((segment, further)) = segments.split_at_checked(length) else { return false };
        rest = further.get(1..);
        let is_literal = seen == UNRESERVED || seen == UNRESERVED | DOT;
        let is_plain = is_literal
            || match segment.as_bytes() {
                [] | b"**" => rest.is_none(),
                b"*" => true,
                [b'{', name @ .., b'}'] => {
                    let is_new = is_name(name) && !names.contains(&segment);
                    names.push(segment);
                    is_new
                }
                _other => false,
            };
        if !is_plain {
            return false;
        }
    }
    rest.is_none()
}

/// What a byte is in a template, as bits.
const UNRESERVED: u8 = 1;
const DOT: u8 = 2;
const OTHER: u8 = 4;
const SLASH: u8 = 8;

/// The class of every byte. A dot is unreserved too, but dots alone are no name.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [OTHER; 256];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0_u8;
    while let [first, others @ ..] = rest {
        *first = match byte {
            b'/' => SLASH,
            b'.' => DOT,
            b'-' | b'_' | b'~' => UNRESERVED,
            _ if byte.is_ascii_alphanumeric() => UNRESERVED,
            _ => OTHER,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    classes
}

/// The name of a placeholder: a letter or `_`, then letters, digits and `_`.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.len() <= MAX_PLACEHOLDER_NAME_BYTES
        && name.first().is_some_and(|first| !first.is_ascii_digit())
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Placeholders that most templates have at most: room for them is on the stack.
const EXPECTED_PLACEHOLDERS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path_tree::template::{PathTemplate, TemplateText};

    #[test]
    fn unreserved_bytes_make_a_literal_and_no_others() {
        for byte in 0..=0x7f_u8 {
            let unreserved = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
            let text = format!("/a{}a", char::from(byte));
            assert_eq!(is_plain(&text), unreserved, "{text:?}");
        }
        for dots in ["/.", "/..", "/...", "/a/../b", "/é"] {
            assert!(!is_plain(dots), "{dots}");
        }
    }

    proptest! {
        /// The slow twin says yes to whatever is plain, and leaves it as it was written.
        #[test]
        fn what_is_plain_is_read_segment_by_segment_as_the_same(
            text in r"(/(\{[ab]1?\}|\{[0-9a_.]{0,2}\}|\*{1,3}|[a.~%]{0,3}|abc|2F|%[24][1Ff]|[{}?;é ]|a\{b\})?){0,5}",
        ) {
            let slow = PathTemplate::taken_apart(&text);
            if is_plain(&text) {
                let same = PathTemplate { text: text.as_str().into() };
                prop_assert_eq!(slow.as_ref(), Ok(&same));
            }
            prop_assert_eq!(text.parse::<PathTemplate>(), slow.clone());
            prop_assert_eq!(TemplateText::read(&text).map(|template| template.to_template()), slow);
        }
    }

    #[test]
    fn plain_ones_are_known_as_such() {
        for text in ["/", "/a/", "/tenants/{tenant}/area-7/**", "/{a}/{b}/*", "/*/*/**", "/...a/{_}"] {
            assert!(is_plain(text), "{text}");
        }
        for (count, plain) in [(MAX_TEMPLATE_SEGMENTS, true), (MAX_TEMPLATE_SEGMENTS + 1, false)] {
            assert_eq!(is_plain(&"/a".repeat(count)), plain, "{count}");
            assert_eq!(PathTemplate::taken_apart(&"/a".repeat(count)).is_ok(), plain, "{count}");
        }
        for (length, plain) in [(MAX_TEMPLATE_BYTES, true), (MAX_TEMPLATE_BYTES + 1, false)] {
            let text = format!("/{}", "a".repeat(length - 1));
            assert_eq!(
                (is_plain(&text), PathTemplate::taken_apart(&text).is_ok()),
                (plain, plain),
                "{length}"
            );
        }
        for (length, plain) in [(MAX_PLACEHOLDER_NAME_BYTES, true), (MAX_PLACEHOLDER_NAME_BYTES + 1, false)] {
            let text = format!("/{{{}}}", "a".repeat(length));
            assert_eq!(
                (is_plain(&text), PathTemplate::taken_apart(&text).is_ok()),
                (plain, plain),
                "{length}"
            );
        }
    }
}
