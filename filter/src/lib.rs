//! The enforcement point of Portcullis: a proxy-wasm module over a sans-IO state machine.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
// Whoever adds a variant is shown every place that must know of it: no arm decides for cases nobody thought of.
#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

pub mod audit;
pub mod authn;
pub mod config;
pub mod credential;
pub mod gate;
pub mod header_pairs;
#[cfg(target_arch = "wasm32")]
mod host;
pub mod metrics;
pub mod secret;
pub mod time;
pub mod verify_signature;
