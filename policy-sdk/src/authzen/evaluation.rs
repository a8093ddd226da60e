//! One question: Access Evaluation, AuthZEN 1.0 section 6.1.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::part::{Part, missing, one_or_more};
use super::response::EvaluationResponse;
use super::{concluded, parse};
use crate::document::{JsonPointer, Problem, Problems};
use crate::headers::Headers;
use crate::host::canonical_host;
use crate::moment::Moment;
use crate::path::{CanonicalPath, PathMode, canonicalize};
use crate::policy::Policy;
use crate::request::{AccessRequest, Action, Context, Resource, Subject};

/// One question, read and owned.
#[derive(Clone)]
pub struct EvaluationRequest {
    subject: Option<Subject>,
    action: Doing,
    resource: Thing,
    context: Surroundings,
}

/// What is to be done, by method or by name.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    name: String,
    attributes: Map<String, Value>,
}

/// What it is to be done to.
#[derive(Clone)]
pub(super) struct Thing {
    host: String,
    path: CanonicalPath,
    query: Option<String>,
    kind: Option<String>,
    id: Option<String>,
    attributes: Map<String, Value>,
}

/// What else is known.
#[derive(Clone, Default)]
pub(super) struct Surroundings {
    headers: Headers,
    query: Option<String>,
    source: Option<IpAddr>,
    time: Option<i64>,
    attributes: Map<String, Value>,
}

impl EvaluationRequest {
    /// Reads the text of a question.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_json(text: &[u8]) -> Result<Self, Problems> {
        Self::from_value(&parse(text)?)
    }

    /// Reads a question.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each problem with its place.
    pub fn from_value(question: &Value) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let whole = Part::of(question, JsonPointer::root(), &mut problems);
        let read = whole.and_then(|whole| {
            let mut part = |name| match whole.get(name) {
                Some(_) => whole.part(name, &mut problems),
                None => {
                    problems.push(missing(whole.at(), name));
                    None
                }
            };
            let (subject, action, resource) = (part("subject"), part("action"), part("resource"));
            let context = whole.part("context", &mut problems);
            Self::of_parts(
                subject.as_ref(),
                action.as_ref(),
                resource.as_ref(),
                context.as_ref(),
                &mut problems,
            )
        });
        concluded(read, problems)
    }

    /// A question of its four parts; `None` when one is absent, which is for the caller to say, or wrong.
    pub(super) fn of_parts(
        subject: Option<&Part<'_>>,
        action: Option<&Part<'_>>,
        resource: Option<&Part<'_>>,
        context: Option<&Part<'_>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let subject = subject.and_then(|part| asked_by(part, problems));
        let action = action.and_then(|part| Doing::of(part, problems));
        let context = context.map(|part| Surroundings::of(part, problems)).unwrap_or_default();
        let resource = resource.and_then(|part| Thing::of(part, problems));
        Self::assembled(subject?, action?, resource?, context, problems)
    }

    /// The parts together. A query is known to the resource's path or to the context, and not to both.
    pub(super) fn assembled(
        subject: Option<Subject>,
        action: Doing,
        resource: Thing,
        mut context: Surroundings,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        match (&resource.query, &context.query) {
            (Some(_), Some(_)) => {
                let at = JsonPointer::members(&["context", "query"]);
                problems
                    .push(Problem::new(at, "the resource's path has a query too").expected("one of them"));
                return None;
            }
            (Some(query), None) => context.query = Some(query.clone()),
            (None, _) => {}
        }
        Some(Self { subject, action, resource, context })
    }

    /// The same question, asked by `subject`.
    #[must_use]
    pub fn with_subject(self, subject: Option<Subject>) -> Self {
        Self { subject, ..self }
    }

    /// Who asks; `None` for a caller without a credential.
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// The question as the decision point takes it.
    pub fn access_request(&self) -> AccessRequest<'_> {
        let name = self.action.name.as_str();
        let action = if is_method(name) { Action::of_method(name) } else { Action::named(name) };
        AccessRequest {
            subject: self.subject.as_ref(),
            action: action.with_attributes(&self.action.attributes),
            resource: Resource {
                host: &self.resource.host,
                path: &self.resource.path,
                kind: self.resource.kind.as_deref(),
                id: self.resource.id.as_deref(),
                attributes: Some(&self.resource.attributes),
            },
            context: Context {
                headers: &self.context.headers,
                query: self.context.query.as_deref(),
                source: self.context.source,
                time: self.context.time,
                body: self.context.attributes.get("body"),
                attributes: Some(&self.context.attributes),
                ..Context::default()
            },
        }
    }

    /// Asks `policy`.
    pub fn decide(&self, policy: &Policy) -> EvaluationResponse {
        let request = self.access_request();
        let located = policy.locate(request.action, request.resource, &request.context);
        EvaluationResponse::of(&policy.decide(&located, &request))
    }
}

/// Questions carry headers and queries, and those carry credentials: only who asks for what is shown.
impl std::fmt::Debug for EvaluationRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EvaluationRequest")
            .field("subject", &self.subject.as_ref().map(|subject| &subject.id))
            .field("action", &self.action.name)
            .field("path", &self.resource.path)
            .finish_non_exhaustive()
    }
}

/// The subject type of a caller without a credential. AuthZEN demands a subject of every question.
const ANONYMOUS: &str = "anonymous";

/// The resource type whose id is a path.
const ROUTE: &str = "route";

/// Names in `subject.properties` that are no attributes.
const SUBJECT_MEMBERS: [&str; 7] =
    ["tenant", "roles", "groups", "scopes", "permissions", "method", "key_type"];

/// What a path segment cannot hold unescaped (RFC 3986 section 3.3). What is a delimiter to some server stays refused
/// when escaped: [`crate::path`] says which.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b';')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Whether an action's name is a request method: RFC 9110 section 9.1 has them in capitals.
fn is_method(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

/// The subject of a question: `Some(None)` is an anonymous caller.
fn asked_by(part: &Part<'_>, problems: &mut Vec<Problem>) -> Option<Option<Subject>> {
    let kind = part.demanded_text("type", problems);
    let id = part.demanded_text("id", problems);
    let properties = part.part("properties", problems);
    let mut subject = properties.map(|part| described(&part, problems)).unwrap_or_default();
    let (kind, id) = (kind?, id?);
    if kind == ANONYMOUS {
        return Some(None);
    }
    subject.kind = Some(kind.to_owned());
    subject.id = Some(id.to_owned());
    Some(Some(subject))
}

/// A subject without id and kind, as its properties describe it.
pub(super) fn described(part: &Part<'_>, problems: &mut Vec<Problem>) -> Subject {
    let text = |name, problems: &mut Vec<Problem>| part.text(name, problems).map(str::to_owned);
    Subject {
        id: None,
        kind: None,
        tenant: text("tenant", problems),
        roles: part.texts("roles", problems),
        groups: part.texts("groups", problems),
        scopes: part.texts("scopes", problems),
        permissions: part.texts("permissions", problems),
        method: text("method", problems),
        key_type: text("key_type", problems),
        attributes: part.others(&SUBJECT_MEMBERS),
    }
}

impl Doing {
    fn of(part: &Part<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let name = part.demanded_text("name", problems);
        let properties = part.part("properties", problems);
        let attributes = properties.map(|part| part.others(&[])).unwrap_or_default();
        Some(Self { name: name?.to_owned(), attributes })
    }

    /// An action known by its name alone.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Map::new() }
    }
}

impl Thing {
    pub(super) fn of(part: &Part<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let kind = part.demanded_text("type", problems);
        let id = part.demanded_text("id", problems);
        let properties = part.part("properties", problems);
        let path = properties.as_ref().and_then(|part| part.text("path", problems));
        let host = properties.as_ref().and_then(|part| part.text("host", problems));
        let (kind, id) = (kind?, id?);
        let (target, place) = match (path, kind) {
            (Some(path), _) => (path.to_owned(), part.place("properties").member("path")),
            (None, ROUTE) => (id.to_owned(), part.place("id")),
            (None, kind) => {
                let segment = |text| utf8_percent_encode(text, SEGMENT).to_string();
                for (name, text) in [("type", kind), ("id", id)] {
                    if text.is_empty() {
                        problems.push(Problem::new(part.place(name), "is empty").expected("a name"));
                    }
                }
                (format!("/{}/{}", segment(kind), segment(id)), part.place("id"))
            }
        };
        let host = match host.map(|host| canonical_host(host.as_bytes())) {
            None => String::new(),
            Some(Some(host)) => host,
            Some(None) => {
                let place = part.place("properties").member("host");
                problems.push(
                    Problem::new(place, "not a host").expected("a host name, such as `api.example.com`"),
                );
                return None;
            }
        };
        let attributes = properties.map(|part| part.others(&["path", "host"])).unwrap_or_default();
        let mut thing = Self::at(&target, place, problems)?;
        thing.host = host;
        thing.kind = Some(kind.to_owned());
        thing.id = Some(id.to_owned());
        thing.attributes = attributes;
        Some(thing)
    }

    /// A resource known by path and query alone.
    pub(super) fn at(target: &str, place: JsonPointer, problems: &mut Vec<Problem>) -> Option<Self> {
        match canonicalize(target.as_bytes(), PathMode::Refuse) {
            Ok(target) => Some(Self {
                host: String::new(),
                path: target.path,
                query: target.query,
                kind: None,
                id: None,
                attributes: Map::new(),
            }),
            Err(error) => {
                problems
                    .push(Problem::new(place, error.to_string()).expected("one path, such as `/objects/7`"));
                None
            }
        }
    }
}

impl Surroundings {
    fn of(part: &Part<'_>, problems: &mut Vec<Problem>) -> Self {
        let headers = many(part, "headers", problems);
        let headers = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let query = part.get("query").map(|_| {
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pairs = many(part, "query", problems);
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            pairs.join("&")
        });
        let source = part.text("source", problems).and_then(|text| {
            let address = text.parse().ok();
            if address.is_none() {
                problems.push(
                    Problem::new(part.place("source"), "not an address").expected("such as `10.0.0.1`"),
                );
            }
            address
        });
        let time = part.text("time", problems).and_then(|text| {
            let moment = moment(text);
            if moment.is_none() {
                let problem = Problem::new(part.place("time"), "not a moment");
                problems.push(problem.expected("RFC 3339, such as `2026-11-23T09:00:00Z`"));
            }
            moment.map(Moment::unix_seconds)
        });
        Self {
            headers,
            query,
            source,
            time,
            attributes: part.others(&["headers", "query", "source", "time"]),
        }
    }
}

/// Every value of every name in the member `name`.
fn many(part: &Part<'_>, name: &str, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let Some(listed) = part.part(name, problems) else { return all };
    for (name, value) in listed.iter() {
        let place = listed.place(name);
        let values = one_or_more(value, &place, problems);
        all.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    all
}

/// A moment, with or without seconds: AuthZEN's own examples leave them out (`2025-06-27T18:03-07:00`).
fn moment(text: &str) -> Option<Moment> {
    /// Bytes of `2025-06-27T18:03`.
    const TO_THE_MINUTE: usize = 16;
    let with_seconds = || {
        let (minute, offset) = text.split_at_checked(TO_THE_MINUTE)?;
        format!("{minute}:00{offset}").parse().ok()
    };
    text.parse().ok().or_else(with_seconds)
}
