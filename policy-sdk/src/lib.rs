//! The decision point of Portcullis: policy documents in, decisions out.
//!
//! This crate knows no proxy, no clock, no log and no environment. The same document and the same request give
//! the same answer on every platform.
//!
//! Load a document once, and ask:
//!
//! ```
//! use portcullis_policy::authzen::EvaluationRequest;
//! use portcullis_policy::document::Document;
//! use portcullis_policy::policy::Policy;
//!
//! let document = br#"{
//!     "version": 1,
//!     "authentication": {},
//!     "authorization": {"rules": [
//!         {"name": "edit", "effect": "allow", "action": "update", "resource": "/record/*", "role": "editor"}
//!     ]}
//! }"#;
//! let policy = Policy::compile(&Document::from_json(document)?)?;
//!
//! let question = EvaluationRequest::from_json(br#"{
//!     "subject": {"type": "user", "id": "alice", "properties": {"roles": ["editor"]}},
//!     "action": {"name": "update"},
//!     "resource": {"type": "record", "id": "7"}
//! }"#)?;
//! let answer = question.decide(&policy);
//! assert!(answer.is_permit());
//! assert_eq!(answer.to_json()["context"]["rules"][0], "edit");
//! # Ok::<(), portcullis_policy::document::Problems>(())
//! ```
//!
//! A document or a question that cannot be read comes back with everything that is wrong with it:
//!
//! ```
//! use portcullis_policy::document::Document;
//!
//! let problems = Document::from_json(br#"{"version": 1, "authentcation": {}}"#).unwrap_err();
//! let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
//! assert_eq!(lines, [
//!     "document: `authentication` is missing; expected `authentication: {methods: [{name: people, jwt: {...}}]}`",
//!     "/authentcation: unknown field; did you mean `authentication`?",
//! ]);
//! ```
//!
//! Whoever has a request in its parts, as a proxy has, asks without JSON:
//!
//! ```
//! use portcullis_policy::document::Document;
//! use portcullis_policy::path::{PathMode, canonicalize};
//! use portcullis_policy::policy::Policy;
//! use portcullis_policy::request::{AccessRequest, Action, Context, Resource, Subject};
//!
//! # let document = br#"{"version": 1, "authentication": {}, "authorization": {"public": [{"methods": ["GET"], "path": "/healthz"}]}}"#;
//! let policy = Policy::compile(&Document::from_json(document)?)?;
//! let target = canonicalize(b"/healthz", PathMode::Refuse)?;
//! let resource = Resource::at("api.example.com", &target.path);
//! let action = Action::of_method("GET");
//! let request = AccessRequest { subject: None, action, resource, context: Context::default() };
//! let answer = policy.decide(&policy.locate(action, resource, &request.context), &request);
//! assert!(answer.outcome.is_ok(), "anyone may");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
// Whoever adds a variant is shown every place that must know of it: no arm decides for cases nobody thought of.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

pub mod authzen;
pub mod bytes;
pub mod condition;
pub mod decision;
pub mod document;
pub mod explain;
pub mod headers;
pub mod host;
#[cfg(feature = "js")]
pub mod js;
pub mod json;
pub mod limits;
pub mod lint;
pub mod moment;
pub mod path;
pub mod path_tree;
pub mod permission;
pub mod policy;
pub mod query;
pub mod request;
pub mod unknown;
