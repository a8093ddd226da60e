//! The gate in a real Envoy, with the shipped configuration and the module as it is shipped, against real parts and
//! against bad ones. One file a story.
//!
//! `$ENVOY` names another Envoy, `$PORTCULLIS_WASM` another module. Nothing is skipped: what is missing fails with the
//! command that mends it.

mod audit;
mod bodies;
mod candidate;
mod environment;
mod examples;
mod grpc;
mod guard;
mod hosts_bytes;
mod keys;
mod metrics;
mod oidc_provider;
mod paths;
mod policy_push;
mod replay;
mod support;
mod trap;
mod upgrades;
