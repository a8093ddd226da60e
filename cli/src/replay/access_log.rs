//! Lines of Envoy's access log in the JSON format of `docs/replay.md`.
//!
//! A log tells less than the audit record: who was refused is not in it, and of a permitted caller what the gate told the
//! upstream. Identity is only read of requests that bear the gate's mark; of others those headers are the client's own words.

use percent_encoding::percent_decode_str;
use portcullis_policy::document::Document;
use portcullis_policy::host::canonical_host;
use portcullis_policy::request::Subject;
use portcullis_policy::unknown::Fact;
use serde_json::{Map, Value};

use super::audit::{NO_CREDENTIAL, all_but, is_of_policy};
use super::recorded::{Asked, Entry, Recorded, Request};

/// The facts that a line can hold. When the gate decided is not among them: a request may have waited for keys.
const HELD: [Fact; 10] = [
    Fact::Subject,
    Fact::Id,
    Fact::Tenant,
    Fact::Roles,
    Fact::Scopes,
    Fact::Method,
    Fact::KeyType,
    Fact::Upgrade,
    Fact::Query,
    Fact::Source,
];

/// Reads one line. `in_force` is the document that decided then, if it is known.
///
/// # Errors
/// What the line lacks.
pub(super) fn entry(line: &Value, in_force: Option<&Document>) -> Result<Entry, String> {
    let line = line.as_object().ok_or("not a JSON object")?;
    for member in ["method", "authority", "path", "details"] {
        if !line.contains_key(member) {
            return Err(format!("no `{member}`; the format of the log is not that of docs/replay.md"));
        }
    }
    let details = text(line, "details").unwrap_or_default();
    let code = details.strip_prefix("portcullis_denied{").and_then(|rest| rest.strip_suffix('}'));
    let is_permit = text(line, "permit") == Some("1");
    if let Some(code) = code.filter(|code| !is_of_policy(code)) {
        return Ok(Entry::LeftOut(code.to_owned()));
    }
    if code.is_none() && !is_permit {
        return Ok(Entry::LeftOut("not decided by the gate".to_owned()));
    }
    let mut request = Request {
        method: text(line, "method").unwrap_or_default().to_owned(),
        source: text(line, "source").and_then(|source| source.parse().ok()),
        unknown: all_but(&HELD),
        query_is_edited: is_permit,
        ..Request::default()
    };
    match text(line, "authority").and_then(|host| canonical_host(host.as_bytes())) {
        Some(host) => request.host = host,
        None => request.lacks = Some("authority"),
    }
    // The router keeps the path that it rewrote. Of a refused request that header would be the client's.
    let original = text(line, "original_path").filter(|_| code.is_none());
    match original.or(text(line, "path")) {
        Some(path) => path.clone_into(&mut request.target),
        None => request.lacks = Some("path"),
    }
    if request.source.is_none() {
        request.unknown.insert(Fact::Source);
    }
    upgrade(line, &mut request);
    caller(line, code, in_force, &mut request);
    let recorded = Recorded { code: code.map(str::to_owned), cross_tenant: None, tenant: None };
    Ok(Entry::Asked(Box::new(Asked::Request(request)), Some(recorded)))
}

fn upgrade(line: &Map<String, Value>, request: &mut Request) {
    let is_told = line.contains_key("upgrade") && line.contains_key("connection");
    if !is_told {
        request.unknown.insert(Fact::Upgrade);
    }
    let asks = text(line, "connection").is_some_and(|connection| {
        connection.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
    });
    request.upgrade = text(line, "upgrade").filter(|_| asks).map(str::to_owned);
}

/// Who asked, as far as the gate told the upstream.
fn caller(line: &Map<String, Value>, code: Option<&str>, in_force: Option<&Document>, request: &mut Request) {
    if code == Some(NO_CREDENTIAL) {
        return;
    }
    let Some(method) = text(line, "authentication").filter(|_| code.is_none()) else {
        // Refused, or nobody whom the gate told of: on a public route it does not look.
        request.unknown.insert(Fact::Subject);
        return;
    };
    let mut told = |fact: Fact, name: &str| {
        let value = text(line, name);
        if value.is_none() {
            // No such caller, or no such header: the document may say not to send it.
            request.unknown.insert(fact);
        }
        value
    };
    let list = |text: Option<&str>, separator: char| {
        text.into_iter().flat_map(|text| text.split(separator)).map(decoded).collect::<Vec<_>>()
    };
    let id = told(Fact::Id, "user").map(decoded);
    let roles = list(told(Fact::Roles, "roles"), ',');
    let scopes = list(told(Fact::Scopes, "scopes"), ' ');
    // The tenant that is told is the one acted in. It is the caller's own where there is no other way to act in one.
    let tenant = text(line, "tenant").map(decoded);
    let is_own = tenant.is_some()
        && in_force.is_some_and(|document| {
            document.tenancy.default.is_none() && document.tenancy.cross_tenant.roles.is_empty()
        });
    if !is_own {
        request.unknown.insert(Fact::Tenant);
    }
    request.subject = Some(Subject {
        id,
        roles,
        scopes,
        tenant: tenant.filter(|_| is_own),
        method: Some(decoded(method)),
        ..Subject::default()
    });
}

/// What the gate has percent-encoded for a header.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn text<'l>(line: &'l Map<String, Value>, name: &str) -> Option<&'l str> {
    line.get(name).and_then(Value::as_str)
}

/// The members by which a line is known to be one of such a log.
pub(super) fn is_one(line: &Map<String, Value>) -> bool {
    ["method", "authority", "path"].iter().all(|member| line.contains_key(*member))
}
