//! Query parameters (application/x-www-form-urlencoded, RFC 6750 section 2.3): finding one, and leaving one out.

use super::Twice;

/// The value of the parameter `name`, decoded.
///
/// # Errors
///
/// [`Twice`] when the parameter stands there twice, or in a form that is not well encoded: servers differ in how they
/// read either.
pub(super) fn find(query: &str, name: &str) -> Result<Option<Vec<u8>>, Twice> {
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match decode(key) {
            Some(key) if key == name.as_bytes() => {
                if found.replace(decode(value).ok_or(Twice)?).is_some() {
                    return Err(Twice);
                }
            }
            Some(_other_key) => {}
            // A name that cannot be decoded might be ours to a more forgiving server.
            None => return Err(Twice),
        }
    }
    Ok(found)
}

/// The query without the parameter `name`; `None` when nothing is left.
pub fn without_parameter(query: &str, name: &str) -> Option<String> {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let key = pair.split_once('=').map_or(*pair, |(key, _)| key);
            decode(key).as_deref() != Some(name.as_bytes())
        })
        .collect();
    let kept = kept.join("&");
    (!kept.is_empty()).then_some(kept)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_once_or_not_at_all() {
        for (query, found) in [
            ("access_token=abc", Ok(Some(b"abc".to_vec()))),
            ("a=1&access_token=abc&b=2", Ok(Some(b"abc".to_vec()))),
            ("access%5ftoken=a%62c", Ok(Some(b"abc".to_vec()))),
            ("access_token", Ok(Some(Vec::new()))),
            ("a=access_token", Ok(None)),
            ("", Ok(None)),
            ("access_token=a&access_token=a", Err(Twice)),
            ("access_token=a&access%5Ftoken=b", Err(Twice)),
            ("access_token=%zz", Err(Twice)),
            ("%zz=1&access_token=a", Err(Twice)),
            ("access_token=%4", Err(Twice)),
            ("access_token=%+1", Err(Twice)),
        ] {
            assert_eq!(find(query, "access_token"), found, "{query}");
        }
    }

    #[test]
    fn leaving_a_parameter_out_keeps_the_others_as_they_were() {
        assert_eq!(without_parameter("a=1&t=x&b=%20", "t").as_deref(), Some("a=1&b=%20"));
        assert_eq!(without_parameter("t=x", "t"), None);
        assert_eq!(without_parameter("%74=x&a", "t").as_deref(), Some("a"));
    }
}
