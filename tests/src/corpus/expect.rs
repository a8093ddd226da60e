//! What came of a case, and everything that is wrong with it.

use super::case::Want;
use serde_json::Value;

/// What a ring saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The upstream got the request.
    Permitted {
        /// Its target.
        target: Vec<u8>,
        /// Its headers.
        headers: Vec<(String, Vec<u8>)>,
        /// Its body, where the ring can see it.
        body: Option<Vec<u8>>,
    },
    /// The gate answered.
    Refused {
        /// HTTP status.
        status: u16,
        /// Response headers.
        headers: Vec<(String, Vec<u8>)>,
        /// Response body.
        body: Vec<u8>,
        /// Response code details, where the ring can see them.
        details: Option<String>,
    },
    /// Neither: a trap, a hang, a request let through without the gate's mark.
    Broken(String),
}

/// Compares. The document's name is the realm of challenges. Returns all differences; none means the case holds.
pub fn compare(want: &Want, seen: &Seen, realm: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    match seen {
        Seen::Broken(what) => wrong.push(what.clone()),
        Seen::Permitted { target, headers, .. } if want.permitted => {
            upstream(want, target, headers, &mut wrong);
        }
        Seen::Permitted { .. } => wrong.push("permitted; wanted a refusal".to_owned()),
        Seen::Refused { status, headers, body, details } => {
            let answer = Answer { status: *status, headers, body, details: details.as_deref() };
            if want.permitted {
                wrong.push(format!(
                    "refused with {status} {}; wanted a permit",
                    String::from_utf8_lossy(body)
                ));
            } else {
                answer.check(want, realm, &mut wrong);
            }
        }
    }
    wrong
}

fn joined(headers: &[(String, Vec<u8>)], wanted: &str) -> Option<String> {
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let values: Vec<_> = values.map(|(_, value)| String::from_utf8_lossy(value)).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn upstream(want: &Want, target: &[u8], headers: &[(String, Vec<u8>)], wrong: &mut Vec<String>) {
    for (name, value) in &want.upstream_headers {
        let seen = joined(headers, name);
        if seen != *value {
            wrong.push(format!("upstream {name}: {seen:?}, wanted {value:?}"));
        }
    }
    if let Some(path) = &want.upstream_path
        && path.as_bytes() != target
    {
        wrong.push(format!("upstream path: {:?}, wanted {path:?}", String::from_utf8_lossy(target)));
    }
}

struct Answer<'a> {
    status: u16,
    headers: &'a [(String, Vec<u8>)],
    body: &'a [u8],
    details: Option<&'a str>,
}

impl Answer<'_> {
    fn check(&self, want: &Want, realm: &str, wrong: &mut Vec<String>) {
        let mut demand = |held: bool, what: String| {
            if !held {
                wrong.push(what);
            }
        };
        if let Some(status) = want.status {
            demand(status == self.status, format!("status {}, wanted {status}", self.status));
        }
        let code = want.code.as_deref();
        if let (Some(code), Some(details)) = (code, self.details) {
            demand(details.contains(code), format!("details {details:?} do not name {code}"));
        }
        if let Some(status) = want.grpc_status {
            let seen = joined(self.headers, "grpc-status");
            demand(seen == Some(status.to_string()), format!("grpc-status {seen:?}, wanted {status}"));
            return;
        }
        let challenge = joined(self.headers, "www-authenticate");
        for part in challenge_parts(self.status, code, realm).iter().chain(&want.challenge) {
            let held = challenge.as_ref().is_some_and(|challenge| challenge.contains(part));
            demand(held, format!("challenge {challenge:?} lacks {part:?}"));
        }
        if code == Some("missing_token") {
            let bare = challenge.as_ref().is_none_or(|challenge| !challenge.contains("error="));
            demand(bare, format!("RFC 6750 3.1: no error code without a token: {challenge:?}"));
        }
        if code == Some("keys_unavailable") {
            demand(joined(self.headers, "retry-after").is_some(), "503 without Retry-After".to_owned());
        }
        if want.body_absent {
            demand(self.body.is_empty(), format!("a body of {} bytes, wanted none", self.body.len()));
        } else if let Some(code) = code {
            let media = joined(self.headers, "content-type");
            demand(
                media.as_deref() == Some("application/problem+json"),
                format!("RFC 9457: content-type is {media:?}"),
            );
            let problem: Value = serde_json::from_slice(self.body).unwrap_or_default();
            demand(problem["code"] == code, format!("code {}, wanted {code}", problem["code"]));
            demand(
                problem["status"] == self.status,
                format!("RFC 9457: status member {}", problem["status"]),
            );
            let texts = ["type", "title"].iter().all(|name| problem[*name].is_string());
            demand(texts, format!("RFC 9457: type and title in {problem}"));
        }
    }
}

/// What RFC 6750 section 3 demands of the challenge.
fn challenge_parts(status: u16, code: Option<&str>, realm: &str) -> Vec<String> {
    let mut parts = Vec::new();
    if status == 401 {
        parts.push(format!("Bearer realm=\"{realm}\""));
    }
    match code {
        Some("invalid_token" | "invalid_signature") => parts.push("error=\"invalid_token\"".to_owned()),
        Some("insufficient_scope") => {
            parts.push("error=\"insufficient_scope\"".to_owned());
            parts.push("scope=\"".to_owned());
        }
        _ => {}
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Seen {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Seen::Refused { status, headers, body: body.into(), details: None }
    }

    #[test]
    fn a_permit_is_never_taken_for_a_refusal_nor_the_other_way_round() {
        let permitted = Seen::Permitted { target: b"/".to_vec(), headers: Vec::new(), body: None };
        let refusal = Want { status: Some(401), ..Want::default() };
        let permit = Want { permitted: true, ..Want::default() };
        assert!(!compare(&refusal, &permitted, "shop").is_empty());
        assert!(!compare(&permit, &refused(401, &[], ""), "shop").is_empty());
        assert!(!compare(&permit, &Seen::Broken("trap".to_owned()), "shop").is_empty());
    }

    #[test]
    fn an_invalid_token_is_held_to_its_standards() {
        let want = Want { status: Some(401), code: Some("invalid_token".to_owned()), ..Want::default() };
        let body = r#"{"type":"about:blank","title":"t","status":401,"code":"invalid_token"}"#;
        let challenge = ("www-authenticate", r#"Bearer realm="shop", error="invalid_token""#);
        let media = ("content-type", "application/problem+json");
        assert_eq!(compare(&want, &refused(401, &[challenge, media], body), "shop"), Vec::<String>::new());
        assert_eq!(compare(&want, &refused(401, &[media], body), "shop").len(), 2);
        assert_eq!(compare(&want, &refused(401, &[challenge], body), "shop").len(), 1);
    }
}
