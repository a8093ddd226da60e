//! The plain fields of a JWT method: audience, algorithms, times, claims, token type.

use std::collections::BTreeSet;

use super::syntax::{is_token, is_word};
use crate::document::{Audience, Claims, Document, Duration, JsonPointer, Jwt, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let methods = JsonPointer::members(&["authentication", "methods"]);
    for (index, method) in document.authentication.methods.iter().enumerate() {
        let jwt = methods.element(index).member("jwt");
        audience(&method.jwt.audience, &jwt, found);
        algorithms(&method.jwt, &jwt, found);
        times(&method.jwt, &jwt, found);
        claims(&method.jwt.claims, &jwt.member("claims"), found);
        if method.jwt.token_type.as_deref().is_some_and(|kind| !kind.split('/').all(is_token)) {
            found.push(
                Problem::new(jwt.member("token_type"), "not a media type")
                    .expected("a type such as `at+jwt`"),
            );
        }
    }
}

fn audience(audience: &Audience, jwt: &JsonPointer, found: &mut Vec<Problem>) {
    let Audience::OneOf(audiences) = audience else { return };
    let pointer = jwt.member("audience");
    if audiences.is_empty() {
        found.push(
            Problem::new(pointer.clone(), "empty").expected("at least one audience, or the word `any`"),
        );
    }
    for (index, audience) in audiences.iter().enumerate() {
        if !is_word(audience) {
            found.push(
                Problem::new(pointer.element(index), "not an audience")
                    .expected("1 to 256 bytes without spaces"),
            );
        } else if audience == "any" && audiences.len() > 1 {
            found.push(
                Problem::new(pointer.element(index), "`any` beside other audiences")
                    .expected("`audience: any` alone"),
            );
        }
    }
}

fn algorithms(jwt: &Jwt, pointer: &JsonPointer, found: &mut Vec<Problem>) {
    let pointer = pointer.member("algorithms");
    if jwt.algorithms.is_empty() {
        found.push(Problem::new(pointer.clone(), "empty").expected("at least one algorithm"));
    }
    let has_secret = jwt.secret.is_some();
    let has_public_keys = jwt.jwks.is_some() || jwt.jwks_uri.is_some();
    let mut seen = BTreeSet::new();
    for (index, algorithm) in jwt.algorithms.iter().enumerate() {
        let problem =
            |message: &str| Problem::new(pointer.element(index), format!("{} {message}", algorithm.as_str()));
        if !seen.insert(algorithm) {
            found.push(problem("is listed twice"));
        }
        // RFC 8725 section 3.1: a public key taken for a shared secret is a signature anyone can make.
        if algorithm.is_symmetric() && has_public_keys && !has_secret {
            found
                .push(problem("needs a shared secret").expected("an algorithm for public keys, or `secret`"));
        }
        if !algorithm.is_symmetric() && has_secret && !has_public_keys {
            found.push(problem("needs public keys").expected("`HS256`, `HS384` or `HS512` with `secret`"));
        }
    }
}

fn times(jwt: &Jwt, pointer: &JsonPointer, found: &mut Vec<Problem>) {
    within(jwt.jwks_cache_ttl, JWKS_CACHE_TTL, pointer.member("jwks_cache_ttl"), found);
    within(jwt.jwks_timeout, JWKS_TIMEOUT, pointer.member("jwks_timeout"), found);
    if let Some(age) = jwt.max_token_age {
        within(age, MAX_TOKEN_AGE, pointer.member("max_token_age"), found);
    }
    if jwt.clock_skew_seconds > MAX_CLOCK_SKEW_SECONDS {
        let problem =
            Problem::new(pointer.member("clock_skew_seconds"), format!("{} seconds", jwt.clock_skew_seconds));
        found.push(problem.expected(format!("0 to {MAX_CLOCK_SKEW_SECONDS}")));
    }
}

/// Adds a problem unless `duration` is within the bounds, which belong to them.
pub(super) fn within(
    duration: Duration,
    bounds: (Duration, Duration),
    at: JsonPointer,
    found: &mut Vec<Problem>,
) {
    let (shortest, longest) = bounds;
    if duration < shortest || duration > longest {
        found.push(Problem::new(at, duration.to_string()).expected(format!("`{shortest}` to `{longest}`")));
    }
}

fn claims(claims: &Claims, pointer: &JsonPointer, found: &mut Vec<Problem>) {
    let paths = [
        ("user_id", Some(&claims.user_id)),
        ("tenant", claims.tenant.as_ref()),
        ("roles", claims.roles.as_ref()),
        ("scopes", claims.scopes.as_ref()),
        ("permissions", claims.permissions.as_ref()),
    ];
    for (field, path) in paths {
        let Some(path) = path else { continue };
        if path.is_empty() || path.len() > MAX_CLAIM_PATH_BYTES {
            let expected = format!("1 to {MAX_CLAIM_PATH_BYTES} bytes");
            found.push(Problem::new(pointer.member(field), "not the name of a claim").expected(expected));
        } else if path.starts_with('/') && !escapes_well(path) {
            let problem = Problem::new(pointer.member(field), "not a JSON Pointer");
            found.push(problem.expected("`~` only as `~0` or `~1` (RFC 6901 section 3)"));
        }
    }
}

fn escapes_well(pointer: &str) -> bool {
    pointer.split('~').skip(1).all(|after| after.starts_with('0') || after.starts_with('1'))
}

/// Shorter would fetch keys all the time; longer would trust a withdrawn key for longer than a day.
const JWKS_CACHE_TTL: (Duration, Duration) =
    (Duration::from_millis(10_000), Duration::from_millis(86_400_000));

/// Requests wait for this long at most: beyond it their clients are gone.
const JWKS_TIMEOUT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(30_000));

/// A year and a day: whoever wants more does not want a limit.
const MAX_TOKEN_AGE: (Duration, Duration) =
    (Duration::from_millis(1_000), Duration::from_millis(366 * 86_400_000));

/// RFC 7519 section 4.1.4 speaks of no more than a few minutes.
const MAX_CLOCK_SKEW_SECONDS: u32 = 300;

/// Longest name of a claim, or pointer to one, in bytes. Names that are URLs fit.
const MAX_CLAIM_PATH_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    const JWT: &str = "/authentication/methods/0/jwt";

    fn after(field: &str, value: serde_json::Value) -> Vec<String> {
        let all = problems_after(&[(&format!("{JWT}/{field}"), value)]);
        all.into_iter().map(|problem| problem.replace(JWT, "")).collect()
    }

    #[test]
    fn an_audience_is_required_in_so_many_words() {
        assert_eq!(
            after("audience", json!(null)),
            [": `audience` is missing; expected the names that the issuer has for this service, or `any`"]
        );
        assert_eq!(
            after("audience", json!([])),
            ["/audience: empty; expected at least one audience, or the word `any`"]
        );
        assert_eq!(
            after("audience", json!(["", "any"])),
            [
                "/audience/0: not an audience; expected 1 to 256 bytes without spaces",
                "/audience/1: `any` beside other audiences; expected `audience: any` alone"
            ]
        );
        assert_eq!(after("audience", json!("any")), [""; 0]);
    }

    #[test]
    fn algorithms_fit_the_keys() {
        assert_eq!(after("algorithms", json!([])), ["/algorithms: empty; expected at least one algorithm"]);
        assert_eq!(
            after("algorithms", json!(["RS256", "HS256", "RS256"])),
            [
                "/algorithms/1: HS256 needs a shared secret; expected an algorithm for public keys, or `secret`",
                "/algorithms/2: RS256 is listed twice"
            ]
        );
        assert_eq!(
            problems_after(&[("/authentication/methods/1/jwt/algorithms/1", json!("ES256"))]),
            ["/authentication/methods/1/jwt/algorithms/1: ES256 needs public keys; \
              expected `HS256`, `HS384` or `HS512` with `secret`"]
        );
    }

    #[test]
    fn times_are_bounded() {
        assert_eq!(after("jwks_cache_ttl", json!("9s")), ["/jwks_cache_ttl: 9s; expected `10s` to `1d`"]);
        assert_eq!(after("jwks_timeout", json!("31s")), ["/jwks_timeout: 31s; expected `100ms` to `30s`"]);
        assert_eq!(after("max_token_age", json!("367d")), ["/max_token_age: 367d; expected `1s` to `366d`"]);
        assert_eq!(
            after("clock_skew_seconds", json!(301)),
            ["/clock_skew_seconds: 301 seconds; expected 0 to 300"]
        );
    }

    #[test]
    fn claims_are_names_or_pointers() {
        assert_eq!(
            after("claims", json!({ "user_id": "" })),
            ["/claims/user_id: not the name of a claim; expected 1 to 256 bytes"]
        );
        assert_eq!(
            after("claims", json!({ "roles": "/realm~2access" })),
            ["/claims/roles: not a JSON Pointer; expected `~` only as `~0` or `~1` (RFC 6901 section 3)"]
        );
        assert_eq!(
            after("claims", json!({ "roles": "https://example.com/~roles", "tenant": "/a~1b/~0" })),
            [""; 0]
        );
    }

    #[test]
    fn a_token_type_is_a_media_type() {
        assert_eq!(
            after("token_type", json!("at jwt")),
            ["/token_type: not a media type; expected a type such as `at+jwt`"]
        );
        assert_eq!(after("token_type", json!("at+jwt")), [""; 0]);
    }
}
