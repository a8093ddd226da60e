//! Why a request is refused, grouped by whose fault it is, and the one place that turns a reason into a code, a status
//! and a challenge.
//!
//! What the caller is told is what the standards say and no more: nothing about keys, tenants or rules.

use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::decision::Refusal;
use portcullis_policy::path::PathAmbiguity;

use crate::authn::error::{AuthnError, ClaimDefect, Fault};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The client sent something that is not a request we can decide on.
    MalformedRequest(Malformed),
    /// The client sent a path that two servers could read differently.
    AmbiguousPath(PathAmbiguity),
    /// The client sent two different credentials.
    AmbiguousCredentials,
    /// The client's credential is not good.
    Credential(AuthnError),
    /// The client's credential is good and does not suffice, or there is none and one is needed.
    Refused(Refusal),
    /// Our keys could not be had; try again after this long.
    KeysUnavailable(Duration),
    /// The client sent a longer body than is looked at.
    BodyTooLarge,
    /// The client's body did not arrive in time.
    BodyTimeout,
    /// Our record could not be written.
    AuditUnavailable,
    /// We have no room for one more waiting request.
    Overloaded,
    /// Our own fault.
    Internal,
}

/// What a request lacks to be decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// `:method` is absent, repeated or not a token (RFC 9110 section 9.1).
    Method,
    /// `:authority` is absent, repeated or not a host.
    Authority,
    /// `:path` is absent, repeated, too long, or not a path: `CONNECT` and `OPTIONS *` have none that a route could name.
    Path,
    /// More headers, or longer ones, than [`crate::gate::MAX_HEADERS`] and [`crate::gate::MAX_HEADER_BYTES`].
    Headers,
    /// A header name or value that is not UTF-8.
    Encoding,
}

impl Malformed {
    /// Every variant.
    pub const ALL: [Malformed; 5] =
        [Malformed::Method, Malformed::Authority, Malformed::Path, Malformed::Headers, Malformed::Encoding];

    fn detail(self) -> &'static str {
        match self {
            Malformed::Method => "The request method is not usable.",
            Malformed::Authority => "The request names no usable host.",
            Malformed::Path => "The request names no usable path.",
            Malformed::Headers => "The request headers are too many or too long.",
            Malformed::Encoding => "A request header is not UTF-8 text.",
        }
    }
}

/// The stable codes of problem documents, records and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// 400: the request cannot be decided on.
    MalformedRequest,
    /// 400: the path has two readings.
    AmbiguousPath,
    /// 400: two different credentials.
    AmbiguousCredentials,
    /// 401: no credential where one is needed.
    MissingToken,
    /// 401: a token that is malformed, expired or not meant for us.
    InvalidToken,
    /// 401: a token whose signature does not hold.
    InvalidSignature,
    /// 403: scopes are lacking.
    InsufficientScope,
    /// 403: roles are lacking.
    InsufficientRole,
    /// 403: groups are lacking.
    InsufficientGroup,
    /// 403: permissions are lacking.
    InsufficientPermissions,
    /// 403: no tenant in the credential.
    TenantRequired,
    /// 403: not this tenant.
    TenantMismatch,
    /// 403: denied by a rule, or permitted by none.
    AccessDenied,
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 413: the body is longer than the document allows.
    BodyTooLarge,
    /// 503: no keys to verify with.
    KeysUnavailable,
    /// 503: no room in the record.
    AuditUnavailable,
    /// 503: too many requests wait.
    Overloaded,
    /// 503: our own fault.
    InternalError,
}

impl Code {
    /// Every code, in the order of the reference.
    pub const ALL: [Code; 19] = [
        Code::MalformedRequest,
        Code::AmbiguousPath,
        Code::AmbiguousCredentials,
        Code::MissingToken,
        Code::InvalidToken,
        Code::InvalidSignature,
        Code::InsufficientScope,
        Code::InsufficientRole,
        Code::InsufficientGroup,
        Code::InsufficientPermissions,
        Code::TenantRequired,
        Code::TenantMismatch,
        Code::AccessDenied,
        Code::BodyTimeout,
        Code::BodyTooLarge,
        Code::KeysUnavailable,
        Code::AuditUnavailable,
        Code::Overloaded,
        Code::InternalError,
    ];

    /// The code as it stands in problem documents, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::MalformedRequest => "malformed_request",
            Code::AmbiguousPath => "ambiguous_path",
            Code::AmbiguousCredentials => "ambiguous_credentials",
            Code::MissingToken => "missing_token",
            Code::InvalidToken => "invalid_token",
            Code::InvalidSignature => "invalid_signature",
            Code::InsufficientScope => "insufficient_scope",
            Code::InsufficientRole => "insufficient_role",
            Code::InsufficientGroup => "insufficient_group",
            Code::InsufficientPermissions => "insufficient_permissions",
            Code::TenantRequired => "tenant_required",
            Code::TenantMismatch => "tenant_mismatch",
            Code::AccessDenied => "access_denied",
            Code::BodyTimeout => "body_timeout",
            Code::BodyTooLarge => "body_too_large",
            Code::KeysUnavailable => "keys_unavailable",
            Code::AuditUnavailable => "audit_unavailable",
            Code::Overloaded => "overloaded",
            Code::InternalError => "internal_error",
        }
    }

    /// The HTTP status (RFC 9110 section 15, RFC 6750 section 3.1). Our own faults are 503 and never 401: a good token
    /// must not look bad because our side is broken.
    pub fn status(self) -> u16 {
        match self {
            Code::MalformedRequest | Code::AmbiguousPath | Code::AmbiguousCredentials => 400,
            Code::MissingToken | Code::InvalidToken | Code::InvalidSignature => 401,
            Code::InsufficientScope
            | Code::InsufficientRole
            | Code::InsufficientGroup
            | Code::InsufficientPermissions
            | Code::TenantRequired
            | Code::TenantMismatch
            | Code::AccessDenied => 403,
            Code::BodyTimeout => 408,
            Code::BodyTooLarge => 413,
            Code::KeysUnavailable | Code::AuditUnavailable | Code::Overloaded | Code::InternalError => 503,
        }
    }

    /// The gRPC status: INVALID_ARGUMENT 3, DEADLINE_EXCEEDED 4, PERMISSION_DENIED 7, RESOURCE_EXHAUSTED 8, UNAVAILABLE 14,
    /// UNAUTHENTICATED 16.
    pub fn grpc_status(self) -> u32 {
        match self.status() {
            400 => 3,
            401 => 16,
            403 => 7,
            408 => 4,
            413 => 8,
            _our_fault => 14,
        }
    }

    /// What `response_code_details` says.
    pub fn response_code_details(self) -> String {
        format!("portcullis_denied{{{}}}", self.as_str())
    }
}

impl Denial {
    /// The code that stands for this reason.
    pub fn code(&self) -> Code {
        match self {
            Denial::MalformedRequest(_what) => Code::MalformedRequest,
            Denial::AmbiguousPath(_kind) => Code::AmbiguousPath,
            Denial::AmbiguousCredentials => Code::AmbiguousCredentials,
            Denial::Credential(error) => credential_code(error),
            Denial::Refused(Refusal::AuthenticationRequired) => Code::MissingToken,
            Denial::Refused(Refusal::TenantRequired) => Code::TenantRequired,
            Denial::Refused(Refusal::TenantMismatch) => Code::TenantMismatch,
            Denial::Refused(Refusal::InsufficientRole) => Code::InsufficientRole,
            Denial::Refused(Refusal::InsufficientScope(_scopes)) => Code::InsufficientScope,
            Denial::Refused(Refusal::InsufficientGroup) => Code::InsufficientGroup,
            Denial::Refused(Refusal::InsufficientPermissions) => Code::InsufficientPermissions,
            Denial::Refused(Refusal::AccessDenied) => Code::AccessDenied,
            Denial::KeysUnavailable(_retry_after) => Code::KeysUnavailable,
            Denial::BodyTooLarge => Code::BodyTooLarge,
            Denial::BodyTimeout => Code::BodyTimeout,
            Denial::AuditUnavailable => Code::AuditUnavailable,
            Denial::Overloaded => Code::Overloaded,
            Denial::Internal => Code::InternalError,
        }
    }

    /// What exactly was wrong, for the record alone: a closed set, and nothing of the request.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Denial::MalformedRequest(Malformed::Method) => Some("method"),
            Denial::MalformedRequest(Malformed::Authority) => Some("authority"),
            Denial::MalformedRequest(Malformed::Path) => Some("path"),
            Denial::MalformedRequest(Malformed::Headers) => Some("headers"),
            Denial::MalformedRequest(Malformed::Encoding) => Some("encoding"),
            Denial::AmbiguousPath(kind) => Some(kind.label()),
            Denial::Credential(error) => Some(error.reason()),
            Denial::AmbiguousCredentials
            | Denial::Refused(_)
            | Denial::KeysUnavailable(_)
            | Denial::BodyTooLarge
            | Denial::BodyTimeout
            | Denial::AuditUnavailable
            | Denial::Overloaded
            | Denial::Internal => None,
        }
    }

    /// The sentence a person reads in the problem document. It repeats nothing of the request.
    pub fn detail(&self) -> &'static str {
        match self {
            Denial::MalformedRequest(what) => what.detail(),
            Denial::AmbiguousPath(_kind) => {
                "The path can be read in more than one way. Send it in its plain form."
            }
            Denial::AmbiguousCredentials => "The request carries more than one credential. Send exactly one.",
            Denial::Credential(AuthnError::Claim(ClaimDefect::Expired)) => "The access token expired.",
            Denial::Credential(error) => match error.fault() {
                Fault::Keys => NO_KEYS,
                Fault::Token if self.code() == Code::InvalidSignature => {
                    "The access token's signature is not valid."
                }
                Fault::Token => "The access token is not valid.",
            },
            Denial::Refused(refusal) => match refusal {
                Refusal::AuthenticationRequired => "This needs a credential, and the request carries none.",
                Refusal::TenantRequired => "The access token names no tenant, and this needs one.",
                Refusal::TenantMismatch => "The access token is not for this tenant.",
                Refusal::InsufficientRole => "The access token carries no role that allows this.",
                Refusal::InsufficientScope(_scopes) => "The access token lacks a scope that this needs.",
                Refusal::InsufficientGroup => "The access token names no group that this needs.",
                Refusal::InsufficientPermissions => {
                    "The access token carries no permission that allows this."
                }
                Refusal::AccessDenied => "This is not allowed.",
            },
            Denial::KeysUnavailable(_retry_after) => NO_KEYS,
            Denial::BodyTooLarge => "The request body is longer than is accepted here.",
            Denial::BodyTimeout => "The request body did not arrive in time.",
            Denial::AuditUnavailable => "The access record cannot be written. Try again.",
            Denial::Overloaded => "Too many requests are waiting. Try again.",
            Denial::Internal => "The request could not be decided.",
        }
    }

    /// The `WWW-Authenticate` challenge (RFC 6750 section 3): always on 401 (RFC 9110 section 15.5.2), on a missing scope,
    /// and on two credentials, which section 3.1 calls `invalid_request`. No error where no credential was sent.
    pub fn challenge(&self, realm: &str) -> Option<String> {
        let error = match self {
            Denial::Refused(Refusal::AuthenticationRequired) => {
                return Some(format!("Bearer realm=\"{realm}\""));
            }
            Denial::Refused(Refusal::InsufficientScope(scopes)) => {
                return Some(insufficient_scope(realm, scopes));
            }
            Denial::AmbiguousCredentials => "invalid_request",
            Denial::Credential(error) => match error.fault() {
                Fault::Token => "invalid_token",
                Fault::Keys => return None,
            },
            Denial::MalformedRequest(_)
            | Denial::AmbiguousPath(_)
            | Denial::Refused(
                Refusal::TenantRequired
                | Refusal::TenantMismatch
                | Refusal::InsufficientRole
                | Refusal::InsufficientGroup
                | Refusal::InsufficientPermissions
                | Refusal::AccessDenied,
            )
            | Denial::KeysUnavailable(_)
            | Denial::BodyTooLarge
            | Denial::BodyTimeout
            | Denial::AuditUnavailable
            | Denial::Overloaded
            | Denial::Internal => return None,
        };
        let description = self.detail().trim_end_matches('.');
        Some(format!("Bearer realm=\"{realm}\", error=\"{error}\", error_description=\"{description}\""))
    }

    /// When to try again, for `Retry-After` (RFC 9110 section 10.2.3), in whole seconds and at least one.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Denial::KeysUnavailable(after) => Some(after.as_secs().max(1)),
            Denial::AuditUnavailable | Denial::Overloaded | Denial::Internal => Some(1),
            Denial::Credential(error) => match error.fault() {
                Fault::Token => None,
                Fault::Keys => Some(1),
            },
            Denial::MalformedRequest(_)
            | Denial::AmbiguousPath(_)
            | Denial::AmbiguousCredentials
            | Denial::BodyTooLarge
            | Denial::BodyTimeout
            | Denial::Refused(_) => None,
        }
    }
}

/// A signature that does not hold has a code of its own; what else is wrong with a token is one code, and the record says
/// what. A missing key set is not the token's fault.
fn credential_code(error: &AuthnError) -> Code {
    match (error.fault(), error) {
        (Fault::Keys, _) => Code::KeysUnavailable,
        (Fault::Token, AuthnError::SignatureMismatch | AuthnError::KeyNotForAlgorithm) => {
            Code::InvalidSignature
        }
        (
            Fault::Token,
            AuthnError::Malformed(_)
            | AuthnError::AlgorithmNotAllowed
            | AuthnError::TokenTypeNotAllowed
            | AuthnError::UnknownKey
            | AuthnError::KeyIdRequired
            | AuthnError::Claim(_)
            | AuthnError::NoKeys,
        ) => Code::InvalidToken,
    }
}

fn insufficient_scope(realm: &str, scopes: &Arc<[String]>) -> String {
    let description = "The access token lacks a scope that this needs";
    let challenge = format!(
        "Bearer realm=\"{realm}\", error=\"insufficient_scope\", error_description=\"{description}\""
    );
    if scopes.is_empty() { challenge } else { format!("{challenge}, scope=\"{}\"", scopes.join(" ")) }
}

const NO_KEYS: &str = "The keys to verify the access token are not available. Try again.";
