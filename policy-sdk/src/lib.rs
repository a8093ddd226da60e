//! The decision point of Portcullis: policy documents in, decisions out.
//!
//! This crate knows no proxy, no clock, no log and no environment. The same document and the same request give
//! the same answer on every platform.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
// Whoever adds a variant is shown every place that must know of it: no arm decides for cases nobody thought of.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

pub mod authzen;
pub mod condition;
pub mod decision;
pub mod document;
pub mod host;
pub mod json;
pub mod limits;
pub mod moment;
pub mod path;
pub mod path_tree;
pub mod permission;
pub mod policy;
pub mod query;
pub mod request;
