//! A request as a record holds it, and what a policy says of it.
//!
//! A caller is taken as recorded: whether a policy would accept its credential cannot be asked, for no record holds one.

use std::collections::BTreeSet;
use std::net::IpAddr;

use portcullis_filter::credential::Location;
use portcullis_policy::authzen::EvaluationRequest;
use portcullis_policy::path::{self, PathError, PathMode};
use portcullis_policy::policy::Foresight;
use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
use portcullis_policy::unknown::Fact;

use crate::policy_file::PolicyFile;

/// What one line came to.
pub(super) enum Entry {
    /// A request that can be asked again, with the answer it had, if one is on record.
    Asked(Box<Asked>, Option<Recorded>),
    /// A request that was answered before a policy was asked, or by somebody else: why.
    LeftOut(String),
    /// Nothing about a request.
    Nothing,
}

/// A request that can be asked again.
pub(super) enum Asked {
    Request(Request),
    /// A question as `decide` reads it: everything about it is known.
    Question(EvaluationRequest),
}

/// A request of which some facts are known.
#[derive(Default)]
pub(super) struct Request {
    pub(super) subject: Option<Subject>,
    pub(super) method: String,
    pub(super) host: String,
    /// Path, and query if it is known.
    pub(super) target: String,
    /// The path was sent in a form that two servers could read differently.
    pub(super) path_normalized: bool,
    pub(super) source: Option<IpAddr>,
    /// Seconds since 1970.
    pub(super) time: Option<i64>,
    /// The protocol asked for.
    pub(super) upgrade: Option<String>,
    pub(super) unknown: BTreeSet<Fact>,
    /// What was cut or is not told, and no policy can do without.
    pub(super) lacks: Option<&'static str>,
    /// A parameter with a credential may have been taken out of the query.
    pub(super) query_is_edited: bool,
}

/// The answer that is on record.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The code of the refusal; none for a permit.
    pub(super) code: Option<String>,
    /// Whether the caller acted in another tenant, if the record tells.
    pub(super) cross_tenant: Option<bool>,
    /// The tenant acted in, if the record tells.
    pub(super) tenant: Option<Option<String>>,
}

/// What a policy says.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Foreseen {
    /// Exactly this.
    Exact { answer: Recorded, rules: Vec<String> },
    /// Permitted or refused, whatever is not known.
    Settled { is_permit: bool, missed: BTreeSet<String> },
    /// It cannot be known without these facts.
    Open { missed: BTreeSet<String> },
}

impl Asked {
    /// What `policy` says.
    pub(super) fn ask(&self, policy: &PolicyFile) -> Foreseen {
        match self {
            Asked::Request(request) => request.ask(policy),
            Asked::Question(question) => {
                let foresight = policy.config.policy.foresee(&question.access_request(), &BTreeSet::new());
                Foreseen::of(foresight, |_name| None)
            }
        }
    }

    /// The request as it is shown: no query, which may hold a credential.
    pub(super) fn shown(&self) -> String {
        let (method, host, target, subject) = match self {
            Asked::Request(request) => {
                let id = request.subject.as_ref().and_then(|subject| subject.id.clone());
                (request.method.clone(), request.host.clone(), request.target.clone(), id)
            }
            Asked::Question(question) => {
                let request = question.access_request();
                let action = request.action.method().or(request.action.name()).unwrap_or_default();
                let id = request.subject.and_then(|subject| subject.id.clone());
                let path = request.resource.path.as_str();
                (action.to_owned(), request.resource.host.to_owned(), path.to_owned(), id)
            }
        };
        let path = target.split('?').next().unwrap_or_default();
        match subject {
            Some(subject) => format!("{method} {host}{path} by {subject}"),
            None => format!("{method} {host}{path}"),
        }
    }
}

impl Request {
    fn ask(&self, policy: &PolicyFile) -> Foreseen {
        let config = &policy.config;
        if let Some(lacks) = self.lacks {
            return Foreseen::Open { missed: [lacks.to_owned()].into() };
        }
        if self.path_normalized && config.path_mode == PathMode::Refuse {
            return Foreseen::refused("ambiguous_path");
        }
        let target = match path::canonicalize(self.target.as_bytes(), config.path_mode) {
            Ok(target) => target,
            Err(PathError::Ambiguous(_)) => return Foreseen::refused("ambiguous_path"),
            Err(PathError::Malformed(_) | PathError::TooLong) => {
                return Foreseen::refused("malformed_request");
            }
        };
        let mut unknown = self.unknown.clone();
        let mut subject = self.subject.clone();
        let named = subject.as_ref().and_then(|subject| subject.method.clone());
        let method = config.methods.iter().find(|method| Some(&method.name) == named.as_ref());
        match (&mut subject, method) {
            (Some(subject), Some(method)) => subject.key_type.clone_from(&method.key_type),
            (Some(_), None) => {
                unknown.insert(Fact::Subject);
            }
            (None, _) => {}
        }
        let takes_parameters =
            || config.locations.iter().any(|(_, location)| matches!(location, Location::Query { .. }));
        if self.query_is_edited && takes_parameters() {
            unknown.insert(Fact::Query);
        }
        let upgrade =
            self.upgrade.as_ref().map(|upgrade| [("connection", "upgrade"), ("upgrade", upgrade.as_str())]);
        let headers = upgrade.into_iter().flatten().collect();
        let context = Context {
            headers: &headers,
            query: target.query.as_deref(),
            source: self.source,
            time: self.time,
            ..Context::default()
        };
        let request = AccessRequest {
            subject: subject.as_ref(),
            action: Action::of_method(&self.method),
            resource: Resource::at(&self.host, &target.path),
            context,
        };
        // A method that this policy does not have makes a stranger of the caller.
        let stranger = named
            .filter(|_| method.is_none())
            .map(|name| format!("subject (this policy has no method `{name}`)"));
        Foreseen::of(config.policy.foresee(&request, &unknown), |name| {
            stranger.clone().filter(|_| name == Fact::Subject.as_str())
        })
    }
}

impl Foreseen {
    /// `said_better` has another name for a fact, where there is one.
    fn of(foresight: Foresight, said_better: impl Fn(&str) -> Option<String>) -> Self {
        let named = |missed: BTreeSet<String>| {
            missed.into_iter().map(|name| said_better(&name).unwrap_or(name)).collect()
        };
        match foresight {
            Foresight::Exact(response) => {
                let code = response.outcome.as_ref().err().map(|refusal| refusal.code().to_owned());
                let is_permit = code.is_none();
                Self::Exact {
                    answer: Recorded {
                        code,
                        cross_tenant: is_permit.then_some(response.cross_tenant),
                        tenant: is_permit.then_some(response.tenant),
                    },
                    rules: response.reasons.iter().map(ToString::to_string).collect(),
                }
            }
            Foresight::Settled { is_permit, missed } => Self::Settled { is_permit, missed: named(missed) },
            Foresight::Open { missed } => Self::Open { missed: named(missed) },
        }
    }

    fn refused(code: &str) -> Self {
        let answer = Recorded { code: Some(code.to_owned()), cross_tenant: None, tenant: None };
        Self::Exact { answer, rules: Vec::new() }
    }
}
