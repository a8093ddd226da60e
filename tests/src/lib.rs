//! What the rings share: a proxy-wasm host under the test's control, and the corpus of cases.
//!
//! - [`host`] simulates the *state* of an Envoy that runs the module: virtual machines, shared data, streams, callouts,
//!   clock, metrics. Tests say what the world does and look at what came of it; they never list hostcalls in order.
//! - [`corpus`] reads `cases/**/*.yaml`, mints the tokens the cases ask for and compares answers.
//! - [`instructions`] counts what requests cost in the module, and holds the counts to those of before.
//! - [`scene`] sets up what most other tests need.
//!
//! It does not start Envoy, an issuer or an upstream: real parts live in `portcullis-testbed`.

pub mod corpus;
pub mod host;
pub mod instructions;
pub mod scene;
