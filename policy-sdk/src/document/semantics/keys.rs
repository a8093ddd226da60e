//! Each JWT method has exactly one source of keys, and a way to it.

use super::syntax::is_word;
use crate::document::{Document, JsonPointer, Jwt, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let methods = JsonPointer::members(&["authentication", "methods"]);
    for (index, method) in document.authentication.methods.iter().enumerate() {
        source(&method.jwt, &methods.element(index).member("jwt"), found);
    }
}

fn source(jwt: &Jwt, pointer: &JsonPointer, found: &mut Vec<Problem>) {
    let given = [
        ("jwks", jwt.jwks.is_some()),
        ("jwks_uri", jwt.jwks_uri.is_some()),
        ("secret", jwt.secret.is_some()),
    ];
    let given: Vec<&str> = given.iter().filter(|(_, is_given)| *is_given).map(|(field, _)| *field).collect();
    let expected = "exactly one of `jwks`, `jwks_uri`, `secret`";
    match given.as_slice() {
        [_] => {}
        [] => found.push(Problem::new(pointer.clone(), "no source of keys").expected(expected)),
        several => {
            let message = format!("several sources of keys: {}", several.join(", "));
            found.push(Problem::new(pointer.clone(), message).expected(expected));
        }
    }
    match (&jwt.jwks_uri, &jwt.cluster) {
        (Some(_), None) => {
            let problem = Problem::new(pointer.clone(), "`jwks_uri` without `cluster`");
            found.push(
                problem.expected("`cluster`, the proxy's name of the cluster that leads to the issuer"),
            );
        }
        (None, Some(_)) if given.len() == 1 => {
            found.push(
                Problem::new(pointer.member("cluster"), "leads nowhere")
                    .expected("`jwks_uri` beside `cluster`"),
            );
        }
        (Some(_), Some(_)) | (None, Some(_) | None) => {}
    }
    if jwt.cluster.as_deref().is_some_and(|cluster| !is_word(cluster)) {
        let problem = Problem::new(pointer.member("cluster"), "not the name of a cluster");
        found.push(problem.expected("1 to 256 bytes without spaces"));
    }
    if let Some(unfit) = jwt.jwks_uri.as_deref().and_then(|uri| unfit(uri)) {
        found.push(
            Problem::new(pointer.member("jwks_uri"), unfit).expected("`https://` with a host and a path"),
        );
    }
}

/// Why keys cannot be fetched from `uri`. A key set that travels in the clear can be replaced on its way, so that
/// `http` is for a loopback address only, where tests and sidecars listen.
fn unfit(uri: &str) -> Option<&'static str> {
    let is_printable = uri.len() <= MAX_URI_BYTES && uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_printable {
        return Some("not a URI");
    }
    let (secure, rest) = match (uri.strip_prefix("https://"), uri.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Some("not an `https` URI"),
    };
    if rest.contains('#') {
        return Some("a URI with a fragment");
    }
    let (authority, _) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Some("a URI with credentials");
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => authority,
    };
    match host {
        "" => Some("a URI without a host"),
        "localhost" | "127.0.0.1" | "[::1]" => None,
        _ if secure => None,
        _ => Some("keys fetched in the clear"),
    }
}

/// Longest `jwks_uri`, in bytes; what servers accept as a request target (RFC 9110 section 4.1).
const MAX_URI_BYTES: usize = 8_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;
    use super::unfit;

    #[test]
    fn exactly_one_source() {
        assert_eq!(
            problems_after(&[("/authentication/methods/1/jwt/secret", json!(null))]),
            [
                "/authentication/methods/1/jwt: no source of keys; expected exactly one of `jwks`, `jwks_uri`, `secret`"
            ]
        );
        assert_eq!(
            problems_after(&[("/authentication/methods/0/jwt/secret", json!("${A}"))]),
            ["/authentication/methods/0/jwt: several sources of keys: jwks_uri, secret; \
              expected exactly one of `jwks`, `jwks_uri`, `secret`"]
        );
    }

    #[test]
    fn a_cluster_with_a_uri_and_only_then() {
        assert_eq!(
            problems_after(&[("/authentication/methods/0/jwt/cluster", json!(null))]),
            ["/authentication/methods/0/jwt: `jwks_uri` without `cluster`; \
              expected `cluster`, the proxy's name of the cluster that leads to the issuer"]
        );
        assert_eq!(
            problems_after(&[("/authentication/methods/1/jwt/cluster", json!("idp"))]),
            ["/authentication/methods/1/jwt/cluster: leads nowhere; expected `jwks_uri` beside `cluster`"]
        );
        assert_eq!(
            problems_after(&[("/authentication/methods/0/jwt/cluster", json!(""))]),
            [
                "/authentication/methods/0/jwt/cluster: not the name of a cluster; expected 1 to 256 bytes without spaces"
            ]
        );
    }

    #[test]
    fn keys_do_not_travel_in_the_clear() {
        for uri in [
            "https://a.example/jwks",
            "https://a.example",
            "http://127.0.0.1:8080/jwks",
            "http://[::1]/",
            "http://localhost/x",
        ] {
            assert_eq!(unfit(uri), None, "{uri}");
        }
        for (uri, why) in [
            ("http://a.example/jwks", "keys fetched in the clear"),
            ("http://localhost.a.example/jwks", "keys fetched in the clear"),
            ("http://127.0.0.1@a.example/", "a URI with credentials"),
            ("https:///jwks", "a URI without a host"),
            ("https://a.example/#x", "a URI with a fragment"),
            ("ftp://a.example/", "not an `https` URI"),
            ("https://a.example/a b", "not a URI"),
        ] {
            assert_eq!(unfit(uri), Some(why), "{uri}");
        }
        assert_eq!(
            problems_after(&[(
                "/authentication/methods/0/jwt/jwks_uri",
                json!("http://auth.example.com/jwks")
            )]),
            [
                "/authentication/methods/0/jwt/jwks_uri: keys fetched in the clear; expected `https://` with a host and a path"
            ]
        );
    }
}
