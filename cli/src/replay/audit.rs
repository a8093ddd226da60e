//! Records of decisions, as `docs/audit.md` describes them.
//!
//! What they do not hold is not known: groups, scopes, permissions and other claims of the caller, the query, and headers
//! besides what asks for an upgrade.

use std::collections::BTreeSet;

use portcullis_filter::audit::{Object, Recorded as Record, Value};
use portcullis_filter::gate::Code;
use portcullis_policy::request::Subject;
use portcullis_policy::unknown::Fact;

use super::recorded::{Asked, Entry, Recorded, Request};
use crate::clock;

/// The facts that a record of a decision holds. A new kind of fact is not among them until somebody says so.
const HELD: [Fact; 8] = [
    Fact::Subject,
    Fact::Id,
    Fact::Tenant,
    Fact::Roles,
    Fact::Method,
    Fact::KeyType,
    Fact::Upgrade,
    Fact::Source,
];

/// Whether a refusal with this code is what a policy said. The others came before a policy was asked, or say nothing of it; and
/// so does a code that nobody knows here.
pub(super) fn is_of_policy(code: &str) -> bool {
    let Some(code) = Code::ALL.into_iter().find(|known| known.as_str() == code) else { return false };
    match code {
        Code::MissingToken
        | Code::InsufficientScope
        | Code::InsufficientRole
        | Code::InsufficientGroup
        | Code::InsufficientPermissions
        | Code::TenantRequired
        | Code::TenantMismatch
        | Code::AccessDenied => true,
        Code::MalformedRequest
        | Code::AmbiguousPath
        | Code::AmbiguousCredentials
        | Code::BodyTimeout
        | Code::BodyTooLarge
        | Code::InvalidToken
        | Code::InvalidSignature
        | Code::KeysUnavailable
        | Code::AuditUnavailable
        | Code::Overloaded
        | Code::InternalError => false,
    }
}

/// The code of a refusal of somebody without a credential.
pub(super) const NO_CREDENTIAL: &str = "missing_token";

/// Reads one record.
pub(super) fn entry(record: &Record<'_>) -> Entry {
    let event = record.event;
    if text(event, "kind") != Some("decision") {
        return Entry::Nothing;
    }
    let is_permit = text(event, "decision") == Some("permit");
    let code = text(event, "code").filter(|_| !is_permit);
    if let Some(code) = code.filter(|code| !is_of_policy(code)) {
        return Entry::LeftOut(code.to_owned());
    }
    let mut request = Request {
        path_normalized: flag(event, "path_normalized"),
        source: text(event, "source").and_then(|source| source.parse().ok()),
        time: seconds(record.time),
        upgrade: text(event, "upgrade").map(str::to_owned),
        unknown: all_but(&HELD),
        ..Request::default()
    };
    if request.time.is_some() {
        request.unknown.remove(&Fact::Time);
    }
    for (name, member) in
        [("method", &mut request.method), ("host", &mut request.host), ("path", &mut request.target)]
    {
        match text(event, name).filter(|text| !is_cut(text)) {
            Some(text) => text.clone_into(member),
            None => request.lacks = Some(name),
        }
    }
    let cross_tenant = flag(event, "cross_tenant");
    match text(event, "authentication") {
        Some(method) => request.subject = Some(subject(event, method, &mut request.unknown)),
        None if is_anonymous(event, code) => {}
        None => {
            request.unknown.insert(Fact::Subject);
        }
    }
    let recorded = Recorded {
        code: code.map(str::to_owned),
        cross_tenant: is_permit.then_some(cross_tenant),
        tenant: (is_permit && !text(event, "tenant").is_some_and(is_cut))
            .then(|| text(event, "tenant").map(str::to_owned)),
    };
    Entry::Asked(Box::new(Asked::Request(request)), Some(recorded))
}

/// Every fact but those that are held.
pub(super) fn all_but(held: &[Fact]) -> BTreeSet<Fact> {
    Fact::ALL.into_iter().filter(|fact| !held.contains(fact)).collect()
}

/// Whether it is known that there was no credential. On a public route and for a preflight nobody looked for one.
fn is_anonymous(event: &Object<'_>, code: Option<&str>) -> bool {
    let rules = texts(event, "rules");
    let was_looked_for =
        || rules.iter().all(|rule| !rule.starts_with("public/") && !rule.starts_with("preflight/"));
    match code {
        Some(code) => code == NO_CREDENTIAL,
        None => !rules.is_empty() && was_looked_for(),
    }
}

fn subject(event: &Object<'_>, method: &str, unknown: &mut BTreeSet<Fact>) -> Subject {
    let mut whole = |fact, name| {
        let text = text(event, name);
        if text.is_some_and(is_cut) {
            unknown.insert(fact);
        }
        text.map(str::to_owned)
    };
    // The tenant on record is the one that it was decided in.
    let own_tenant = match (flag(event, "cross_tenant"), flag(event, "default_tenant")) {
        (true, _) => "subject_tenant",
        (false, true) => "",
        (false, false) => "tenant",
    };
    let (id, tenant) = (
        whole(Fact::Id, "subject"),
        if own_tenant.is_empty() { None } else { whole(Fact::Tenant, own_tenant) },
    );
    let roles = texts(event, "roles");
    if roles.iter().any(|role| is_cut(role)) {
        unknown.insert(Fact::Roles);
    }
    Subject { id, tenant, roles, method: Some(method.to_owned()), ..Subject::default() }
}

/// Whether the gate has cut a text, or left out the end of a list.
fn is_cut(text: &str) -> bool {
    text.contains("…[") && (text.ends_with(" bytes cut]") || text.ends_with(" more]"))
}

fn seconds(time: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(time).ok().and_then(clock::unix)?;
    i64::try_from(time.seconds()).ok()
}

fn text<'o>(event: &'o Object<'_>, name: &'static str) -> Option<&'o str> {
    match event.get(name)? {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn texts(event: &Object<'_>, name: &'static str) -> Vec<String> {
    let Some(Value::List(list)) = event.get(name) else { return Vec::new() };
    let of = |value: &Value<'_>| match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Integer(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => None,
    };
    list.iter().filter_map(of).collect()
}

fn flag(event: &Object<'_>, name: &'static str) -> bool {
    matches!(event.get(name), Some(Value::Boolean(true)))
}
