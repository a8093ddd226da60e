//! The attributes of a request: how they are named, what is known of them before any request, and how they are found.
//!
//! Where attributes come from is not known here: whoever asks has verified the subject and read the request.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::steps::STEP_BYTES;
use super::value::{Exact, Found, Kind, Value};
use super::{Facts, Fault};
use crate::document::{JsonPointer, Problem};
use crate::limits::MAX_NAME_BYTES;
use crate::query;
use crate::request::Subject;
use crate::unknown::Fact;

/// An attribute of a request.
pub(super) enum Attribute {
    /// One that every request has, or could have.
    Known(&'static Known),
    /// `context.header.` and this name, in lower case.
    Header(Box<str>),
    /// `context.query.` and this name.
    Query(Box<str>),
    /// What stands in the body at the steps of a JSON Pointer.
    Body(Box<[Box<str>]>),
    /// A property, or what stands in it at the steps of a JSON Pointer (RFC 6901).
    Property { root: Root, name: Box<str>, below: Box<[Box<str>]> },
}

/// The four parts of a question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Subject,
    Action,
    Resource,
    Context,
}

/// How many values an attribute can have.
#[derive(Clone, Copy)]
pub(super) enum Count {
    One,
    List,
    /// A list that is as good as its only element: a header, a parameter, a property of which nothing is known.
    Either,
}

/// An attribute with a name of ours.
pub(super) struct Known {
    name: &'static str,
    count: Count,
    kind: Kind,
    /// What has to be known of a request to say what it is. Absent for what is known of every request.
    fact: Option<Fact>,
    find: for<'a> fn(&Facts<'a>) -> Result<Found<'a>, Fault>,
}

/// Every attribute with a name of ours. A new one is a row here and in the reference of the policy language.
static KNOWN: [Known; 17] = [
    one("subject.id", Some(Fact::Id), |facts| subject(facts, |subject| Found::text(subject.id.as_deref()))),
    one("subject.type", None, |facts| subject(facts, |subject| Found::text(subject.kind.as_deref()))),
    one("subject.tenant", Some(Fact::Tenant), |facts| Ok(Found::text(facts.tenant))),
    one("subject.method", Some(Fact::Method), |facts| {
        subject(facts, |subject| Found::text(subject.method.as_deref()))
    }),
    one("subject.key_type", Some(Fact::KeyType), |facts| {
        subject(facts, |subject| Found::text(subject.key_type.as_deref()))
    }),
    list("subject.roles", Fact::Roles, |facts| subject_list(facts, |subject| &subject.roles)),
    list("subject.groups", Fact::Groups, |facts| subject_list(facts, |subject| &subject.groups)),
    list("subject.scopes", Fact::Scopes, |facts| subject_list(facts, |subject| &subject.scopes)),
    list("subject.permissions", Fact::Permissions, |facts| {
        subject_list(facts, |subject| &subject.permissions)
    }),
    one("action.name", None, |facts| Ok(Found::text(facts.request.action.name()))),
    one("action.method", None, |facts| Ok(Found::text(facts.request.action.method()))),
    one("resource.host", None, |facts| Ok(Found::text(Some(facts.request.resource.host)))),
    one("resource.path", None, |facts| Ok(Found::text(Some(facts.request.resource.path.as_str())))),
    one("resource.type", None, |facts| Ok(of_resource(facts, "type", facts.request.resource.kind))),
    one("resource.id", None, |facts| Ok(of_resource(facts, "id", facts.request.resource.id))),
    Known { name: "context.time", count: Count::One, kind: Kind::Number, fact: Some(Fact::Time), find: time },
    Known {
        name: "context.source",
        count: Count::One,
        kind: Kind::Address,
        fact: Some(Fact::Source),
        find: source,
    },
];

impl Attribute {
    /// Reads the name that stands at `place`.
    ///
    /// # Errors
    ///
    /// Why no request can have such an attribute.
    pub(super) fn parse(text: &str, place: &JsonPointer) -> Result<Attribute, Problem> {
        let problem = |message: &str| Problem::new(place.clone(), message);
        if text.is_empty() || text.len() > MAX_NAME_BYTES || text.chars().any(char::is_control) {
            let bound = format!("a name of 1 to {MAX_NAME_BYTES} bytes without control characters");
            return Err(problem("not the name of an attribute").expected(bound));
        }
        // A name alone is an attribute of the subject. One with a point in it is more likely a misspelt root.
        let whole = text.split('/').next().unwrap_or_default();
        let qualified =
            if whole.contains('.') { Cow::Borrowed(text) } else { format!("subject.{text}").into() };
        let whole = qualified.split('/').next().unwrap_or_default();
        // The host of a request is the resource's, and some look for it in the context.
        let known_as = if whole == "context.host" { "resource.host" } else { whole };
        if let Some(known) = KNOWN.iter().find(|known| known.name == known_as) {
            return if whole.len() == qualified.len() {
                Ok(Attribute::Known(known))
            } else {
                Err(problem("an attribute without parts").expected(format!("`{whole}` as a whole")))
            };
        }
        if let Some(header) = qualified.strip_prefix("context.header.") {
            return if is_token(header) {
                Ok(Attribute::Header(header.to_ascii_lowercase().into()))
            } else {
                Err(problem("not the name of a header").expected("a name such as `context.header.x-region`"))
            };
        }
        if let Some(parameter) = qualified.strip_prefix("context.query.").filter(|name| !name.is_empty()) {
            return Ok(Attribute::Query(parameter.into()));
        }
        let (prefix, property) = qualified.split_once('.').unwrap_or_default();
        let root = Root::ALL.into_iter().find(|root| root.name() == prefix).ok_or_else(|| {
            problem("no such kind of attribute")
                .expected("a name, or `subject.`, `action.`, `resource.` or `context.` and a name")
                .nearest(prefix, Root::ALL.map(Root::name))
        })?;
        let mut steps = property.split('/').map(unescape);
        let name = steps.next().flatten().filter(|name| !name.is_empty());
        let below: Option<Box<[_]>> = steps.collect();
        let (name, below) = name.zip(below).ok_or_else(|| {
            problem("not the name of an attribute")
                .expected("a name, and steps such as `/region` into what it names")
        })?;
        match (root, &*name) {
            (Root::Context, "body") => Ok(Attribute::Body(below)),
            (Root::Context, name) if name.starts_with("body.") => {
                Err(problem("no such attribute")
                    .expected("steps into the body, such as `context.body/amount`"))
            }
            (Root::Subject | Root::Action | Root::Resource | Root::Context, _) => {
                Ok(Attribute::Property { root, name, below })
            }
        }
    }

    /// How many values it can have.
    pub(super) const fn count(&self) -> Count {
        match self {
            Attribute::Known(known) => known.count,
            Attribute::Header(_) | Attribute::Query(_) | Attribute::Body(_) | Attribute::Property { .. } => {
                Count::Either
            }
        }
    }

    /// The type of its values, if that does not depend on who asks.
    pub(super) const fn kind(&self) -> Option<Kind> {
        match self {
            Attribute::Known(known) => Some(known.kind),
            Attribute::Header(_) | Attribute::Query(_) => Some(Kind::Text),
            Attribute::Body(_) | Attribute::Property { .. } => None,
        }
    }

    /// Whether it looks at the peer's address.
    pub(super) const fn is_of_source(&self) -> bool {
        matches!(self, Attribute::Known(Known { fact: Some(Fact::Source), .. }))
    }

    /// Whether it looks at the body.
    pub(super) const fn is_of_body(&self) -> bool {
        match self {
            Attribute::Body(_) => true,
            Attribute::Known(_) | Attribute::Header(_) | Attribute::Query(_) | Attribute::Property { .. } => {
                false
            }
        }
    }

    /// The subject's own attribute that this looks into, if it is one.
    pub(super) fn of_subject(&self) -> Option<&str> {
        match self {
            Attribute::Property { root: Root::Subject, name, .. } => Some(name),
            Attribute::Property { root: Root::Action | Root::Resource | Root::Context, .. } => None,
            Attribute::Known(_) | Attribute::Header(_) | Attribute::Query(_) | Attribute::Body(_) => None,
        }
    }

    /// The steps that it takes to find: every header line is looked at for one header, and the whole query for one
    /// parameter.
    pub(super) fn steps_to(&self, facts: &Facts<'_>) -> usize {
        match self {
            Attribute::Header(_) => facts.request.context.headers.len(),
            Attribute::Query(_) => facts.request.context.query.map_or(0, str::len) / STEP_BYTES,
            Attribute::Known(_) | Attribute::Body(_) | Attribute::Property { .. } => 0,
        }
    }

    /// What the attribute is in this request. A header or a parameter that was not sent is nothing.
    ///
    /// # Errors
    ///
    /// [`Fault::Malformed`] for values that cannot be read, [`Fault::Unreadable`] for a body that cannot, and for one that is
    /// not there: whoever leaves it out must not switch a denial off. [`Fault::TooLarge`] for too many.
    pub(super) fn find<'a>(&'a self, facts: &Facts<'a>) -> Result<Found<'a>, Fault> {
        let request = facts.request;
        if self.is_hidden(facts) {
            request.context.unknown.costs_anything();
            return Err(Fault::NotKnown);
        }
        match self {
            Attribute::Known(known) => (known.find)(facts),
            Attribute::Header(name) => {
                // Every line counts, in every spelling that a server could take for it, and is one value as a whole: a comma
                // separates what only some servers split.
                let lines = request.context.header_values(name).map(|value| match str::from_utf8(value) {
                    Ok(text) => Ok(Value::text(text.trim_matches([' ', '\t']))),
                    Err(_) => Err(Fault::Malformed),
                });
                sent(lines.collect::<Result<Vec<_>, _>>()?)
            }
            Attribute::Query(name) => {
                let values = query::values(request.context.query.unwrap_or_default(), name);
                sent(values.map_err(|_| Fault::Malformed)?.into_iter().map(Value::Text).collect())
            }
            Attribute::Body(steps) => at(Some(request.context.body.ok_or(Fault::Unreadable)?), steps),
            Attribute::Property { root, name, below } => {
                // What the path says is beyond dispute; what else is said of a resource is not.
                if let (Root::Resource, Some(text)) =
                    (root, facts.captures.and_then(|captures| captures.get(name)))
                {
                    return if below.is_empty() { Ok(Found::text(Some(text))) } else { Ok(Found::Nothing) };
                }
                let property = match root {
                    Root::Subject => request.subject.and_then(|subject| subject.attributes.get(&**name)),
                    Root::Action => request.action.attribute(name),
                    Root::Resource => request.resource.attributes.and_then(|map| map.get(&**name)),
                    Root::Context => request.context.attributes.and_then(|map| map.get(&**name)),
                };
                at(property, below)
            }
        }
    }
}

impl Attribute {
    /// Whether it is not known what the attribute is. An anonymous caller has no attributes, and that is known.
    fn is_hidden(&self, facts: &Facts<'_>) -> bool {
        let unknown = facts.request.context.unknown;
        let of_subject = |fact, name: &str| facts.request.subject.is_some() && unknown.hides(fact, name);
        match self {
            Attribute::Known(known) => match known.fact {
                Some(fact @ (Fact::Source | Fact::Time)) => unknown.hides(fact, ""),
                Some(fact) => of_subject(fact, ""),
                None => false,
            },
            Attribute::Header(name) => unknown.hides(Fact::Header, name),
            Attribute::Query(_) => unknown.hides(Fact::Query, ""),
            Attribute::Body(_) => unknown.hides(Fact::Body, ""),
            Attribute::Property { root: Root::Subject, name, .. } => of_subject(Fact::Attribute, name),
            Attribute::Property { root: Root::Action | Root::Resource | Root::Context, .. } => false,
        }
    }
}

/// The full name, as a document may write it.
impl fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Known(known) => formatter.write_str(known.name),
            Attribute::Header(name) => write!(formatter, "context.header.{name}"),
            Attribute::Query(name) => write!(formatter, "context.query.{name}"),
            Attribute::Body(steps) => write_steps(formatter.write_str("context.body"), steps, formatter),
            Attribute::Property { root, name, below } => {
                let name = write!(formatter, "{}.{}", root.name(), escape(name));
                write_steps(name, below, formatter)
            }
        }
    }
}

impl Root {
    const ALL: [Root; 4] = [Root::Subject, Root::Action, Root::Resource, Root::Context];

    const fn name(self) -> &'static str {
        match self {
            Root::Subject => "subject",
            Root::Action => "action",
            Root::Resource => "resource",
            Root::Context => "context",
        }
    }
}

/// The names of ours, in the order of the reference.
#[cfg(test)]
pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name)
}

type Find = for<'a> fn(&Facts<'a>) -> Result<Found<'a>, Fault>;

const fn one(name: &'static str, fact: Option<Fact>, find: Find) -> Known {
    Known { name, count: Count::One, kind: Kind::Text, fact, find }
}

const fn list(name: &'static str, fact: Fact, find: Find) -> Known {
    Known { name, count: Count::List, kind: Kind::Text, fact: Some(fact), find }
}

fn subject<'a>(facts: &Facts<'a>, find: impl FnOnce(&'a Subject) -> Found<'a>) -> Result<Found<'a>, Fault> {
    Ok(facts.request.subject.map_or(Found::Nothing, find))
}

fn subject_list<'a>(
    facts: &Facts<'a>,
    find: impl FnOnce(&'a Subject) -> &'a [String],
) -> Result<Found<'a>, Fault> {
    facts.request.subject.map_or(Ok(Found::Nothing), |subject| Found::texts(find(subject)))
}

/// The placeholder `name` of the path, or else what whoever asks says.
fn of_resource<'a>(facts: &Facts<'a>, name: &str, said: Option<&'a str>) -> Found<'a> {
    Found::text(facts.captures.and_then(|captures| captures.get(name)).or(said.map(Cow::Borrowed)))
}

fn time<'a>(facts: &Facts<'a>) -> Result<Found<'a>, Fault> {
    let time = facts.request.context.time;
    Ok(time.map_or(Found::Nothing, |time| Found::One(Value::Number(Exact::Whole(time.into())))))
}

fn source<'a>(facts: &Facts<'a>) -> Result<Found<'a>, Fault> {
    let source = facts.request.context.source;
    Ok(source.map_or(Found::Nothing, |address| Found::One(Value::Address(address.to_canonical()))))
}

/// What a client sent: nothing, or a list.
fn sent(values: Vec<Value<'_>>) -> Result<Found<'_>, Fault> {
    if values.is_empty() { Ok(Found::Nothing) } else { Found::list(values.into_iter()) }
}

/// What stands in `value` at these steps.
fn at<'a>(value: Option<&'a Json>, steps: &[Box<str>]) -> Result<Found<'a>, Fault> {
    let found = steps.iter().try_fold(value, |value, step| Some(part(value?, step)));
    found.flatten().map_or(Ok(Found::Nothing), Found::json)
}

fn write_steps(begun: fmt::Result, steps: &[Box<str>], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    begun.and_then(|()| steps.iter().try_for_each(|step| write!(formatter, "/{}", escape(step))))
}

/// What stands in `value` at one step of a JSON Pointer (RFC 6901 section 4).
fn part<'a>(value: &'a Json, step: &str) -> Option<&'a Json> {
    match value {
        Json::Object(members) => Map::get(members, step),
        Json::Array(elements) => {
            let is_index = step == "0" || !step.starts_with(['0', '+']);
            elements.get(step.parse::<usize>().ok().filter(|_| is_index)?)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

/// A step of a JSON Pointer as it is meant (RFC 6901 section 3): `~1` is `/`, `~0` is `~`, and no other `~` is one.
fn unescape(step: &str) -> Option<Box<str>> {
    let strays = step.split('~').skip(1).any(|after| !after.starts_with(['0', '1']));
    (!strays).then(|| step.replace("~1", "/").replace("~0", "~").into())
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether it is a `token` (RFC 9110 section 5.1), as names of headers are.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
