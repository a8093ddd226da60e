//! Cookies of a request (RFC 6265 section 5.4): finding one, and leaving one out.
//!
//! This module sets no cookies and decodes nothing: cookie values have no encoding of their own.

use portcullis_policy::headers::Headers;

use super::Twice;

/// The value of the cookie `name`, over all `cookie` lines (HTTP/2 may split them, RFC 9113 section 8.2.3).
///
/// # Errors
///
/// [`Twice`] when two cookies of that name have different values: servers differ in which of them they read.
pub(super) fn find<'h>(headers: &'h Headers, name: &[u8]) -> Result<Option<&'h [u8]>, Twice> {
    let mut found: Option<&[u8]> = None;
    let lines = headers.values(b"cookie");
    for (cookie, value) in lines.flat_map(pairs) {
        if cookie != name {
            continue;
        }
        match found {
            Some(other) if other != value => return Err(Twice),
            _first_or_same => found = Some(value),
        }
    }
    Ok(found)
}

/// Whether there is a cookie `name`, in any line.
pub fn has_cookie(headers: &Headers, name: &[u8]) -> bool {
    let lines = headers.values(b"cookie");
    lines.flat_map(pairs).any(|(cookie, _value)| cookie == name)
}

/// All `cookie` lines as one, without the cookies of these `names`; `None` when nothing is left.
pub fn without_cookies(headers: &Headers, names: &[&[u8]]) -> Option<Vec<u8>> {
    let lines = headers.values(b"cookie");
    let kept: Vec<&[u8]> = lines
        .flat_map(|line| line.split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty() && !names.contains(&split(pair).0))
        .collect();
    (!kept.is_empty()).then(|| kept.join(b"; ".as_slice()))
}

fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    line.split(|byte| *byte == b';').map(|pair| split(pair.trim_ascii()))
}

/// A cookie without `=` has an empty value here, and servers that take it for an empty name read no token from it.
fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = pair.iter().position(|byte| *byte == b'=') else { return (pair, &[]) };
    let (name, value) = pair.split_at_checked(at).unwrap_or((pair, &[]));
    let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\""));
    (name.trim_ascii(), unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(values: &[&str]) -> Headers {
        values.iter().map(|value| ("cookie", value)).collect()
    }

    #[test]
    fn a_cookie_is_found_in_any_line() {
        for (values, found) in [
            (&["session=abc"][..], Ok(Some(b"abc".to_vec()))),
            (&["a=1; session=abc; b=2"], Ok(Some(b"abc".to_vec()))),
            (&["a=1", "session=abc"], Ok(Some(b"abc".to_vec()))),
            (&["session=\"abc\""], Ok(Some(b"abc".to_vec()))),
            (&["session=a=b"], Ok(Some(b"a=b".to_vec()))),
            (&["session="], Ok(Some(Vec::new()))),
            (&["session"], Ok(Some(Vec::new()))),
            (&["Session=abc"], Ok(None)),
            (&["xsession=abc"], Ok(None)),
            (&["session=a; session=a"], Ok(Some(b"a".to_vec()))),
            (&["session=a; session=b"], Err(Twice)),
            (&["session=a", "session=b"], Err(Twice)),
        ] {
            assert_eq!(
                find(&lines(values), b"session").map(|found| found.map(<[u8]>::to_vec)),
                found,
                "{values:?}"
            );
        }
    }

    #[test]
    fn leaving_a_cookie_out_keeps_the_others() {
        for (values, left) in [
            (&["session=abc"][..], None),
            (&["a=1; session=abc;b=2"], Some("a=1; b=2")),
            (&["a=1", "session=x; c=3"], Some("a=1; c=3")),
            (&["session=a; session=b"], None),
        ] {
            let left = left.map(|text: &str| text.as_bytes().to_vec());
            assert_eq!(without_cookies(&lines(values), &[b"session"]), left, "{values:?}");
        }
    }
}
