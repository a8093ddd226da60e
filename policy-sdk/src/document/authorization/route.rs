//! Routes: what each kind of request demands.

use std::borrow::Cow;

use deserr::Deserr;
use schemars::JsonSchema;

use super::Requirement;
use crate::document::{Condition, Problems};

/// Requests that anyone may make, without a credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Public {
    /// Request methods, in capitals (RFC 9110 section 9.1). The one entry `*` stands for every method.
    #[schemars(length(min = 1))]
    pub methods: Vec<String>,
    /// Path template: literal segments, `{name}` or `*` for one segment, `**` as the last one for the rest.
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// Host the request is for, in lower case without port; `*.example.com` for every host below it. Absent: every
    /// host.
    #[deserr(default)]
    pub host: Option<String>,
}

/// What one kind of request demands. Everything it names must hold. Either `methods` and `path` say which requests it is
/// about, or `grpc` does.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Route {
    /// Name under which this route appears in reasons and records. Absent: `routes/` and its number, from 0.
    #[deserr(default)]
    pub name: Option<String>,
    /// Request methods, in capitals (RFC 9110 section 9.1). The one entry `*` stands for every method.
    #[deserr(default)]
    #[schemars(default)]
    pub methods: Vec<String>,
    /// Path template: literal segments, `{name}` or `*` for one segment, `**` as the last one for the rest. A slash at
    /// the end counts; but where only a route with `**` is about a request's own spelling, and this one is about the
    /// other, both must permit.
    #[deserr(default)]
    #[schemars(regex(pattern = "^/"))]
    pub path: Option<String>,
    /// A gRPC method, or all of a service.
    #[deserr(default)]
    pub grpc: Option<Grpc>,
    /// Host the request is for, in lower case without port; `*.example.com` for every host below it. Absent: every
    /// host.
    #[deserr(default)]
    pub host: Option<String>,
    /// The protocol that the request asks to change to. Absent: the route is about no request that asks for one.
    #[deserr(default)]
    pub upgrade: Option<Upgrade>,
    /// Values that headers and query parameters must have for the route to be about a request.
    #[deserr(default, rename = "match")]
    #[schemars(default, rename = "match")]
    pub matches: Match,
    /// Permission the caller must have, such as `objects:read`. A wildcard here demands the wildcard itself.
    #[deserr(default)]
    pub permission: Option<String>,
    /// Roles, scopes and groups the caller must or must not have.
    #[deserr(default)]
    #[schemars(default)]
    pub require: Requirement,
    /// What must be true of the request.
    #[deserr(default)]
    #[schemars(default)]
    pub conditions: Vec<Condition>,
    /// Whether the caller must be authenticated. `optional`: a request without a credential goes on as anonymous; one
    /// with a bad credential is refused all the same.
    #[deserr(default)]
    #[schemars(default)]
    pub authentication: RequiredAuthentication,
    /// When the request goes on: after its record was acknowledged by the sink, or at once.
    #[deserr(default)]
    #[schemars(default)]
    pub audit: RecordKeeping,
}

impl Route {
    /// The path template of the requests it is about: that of a gRPC method is `/service/method` (gRPC over HTTP/2,
    /// section Requests). Empty only in a document that does not read.
    pub fn path_template(&self) -> Cow<'_, str> {
        match (&self.path, &self.grpc) {
            (Some(path), _) => Cow::Borrowed(path),
            (None, Some(Grpc { service, method })) => {
                Cow::Owned(format!("/{service}/{}", method.as_deref().unwrap_or("*")))
            }
            (None, None) => Cow::Borrowed(""),
        }
    }

    /// Whether its template, host and methods alone say which requests it is about, WebSocket apart.
    pub fn is_plain(&self) -> bool {
        self.upgrade.is_none() && self.matches == Match::default()
    }

    /// Whether the bodies of its requests need not end before they are answered: streams of gRPC, and what follows an
    /// upgrade.
    pub fn has_endless_body(&self) -> bool {
        self.grpc.is_some() || self.upgrade.is_some()
    }

    /// The request methods it is about: gRPC knows only `POST`.
    pub fn request_methods(&self) -> Cow<'_, [String]> {
        match &self.grpc {
            Some(_) if self.methods.is_empty() => Cow::Owned(vec!["POST".to_owned()]),
            Some(_) | None => Cow::Borrowed(&self.methods),
        }
    }
}

/// A gRPC method, or all of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Grpc {
    /// The service with its package, such as `shop.v1.Orders`.
    pub service: String,
    /// The method, such as `Get`. Absent: all of the service.
    #[deserr(default)]
    pub method: Option<String>,
}

/// Protocols that a request may ask to change to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[schemars(rename_all = "lowercase")]
pub enum Upgrade {
    /// WebSocket (RFC 6455; over HTTP/2 RFC 8441).
    Websocket,
}

/// Values that headers and query parameters must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Match {
    /// Headers.
    #[deserr(default)]
    #[schemars(default)]
    pub headers: Vec<ValueMatch>,
    /// Query parameters.
    #[deserr(default)]
    #[schemars(default)]
    pub query: Vec<ValueMatch>,
}

/// The values that one header or query parameter must have: it must be there, and every value that is sent must be one of
/// these. A request in which some are and others are not is refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct ValueMatch {
    /// Name of the header, in lower case, or of the parameter.
    pub name: String,
    /// The values.
    #[schemars(length(min = 1))]
    pub one_of: Vec<String>,
}

/// Whether the caller of a route must be authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum RequiredAuthentication {
    /// A request without a credential is refused with 401.
    #[default]
    Required,
    /// A request without a credential goes on as anonymous.
    Optional,
}

/// When a request goes on with respect to its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum RecordKeeping {
    /// At once; the record follows in the next batch.
    #[default]
    Batched,
    /// When the sink has acknowledged the record; if it does not, 503 `audit_unavailable`.
    Acknowledged,
}
