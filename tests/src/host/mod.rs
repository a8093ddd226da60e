//! A proxy-wasm 0.2.1 host that behaves as Envoy does, with time and failure in the test's hands.
//!
//! ```no_run
//! use portcullis_tests::host::{Answer, Host, Module, Outcome, Request};
//! use std::time::Duration;
//!
//! let module = Module::built()?;
//! let mut envoy = Host::load(&module)
//!     .env("JWT_SECRET", "0123456789abcdef0123456789abcdef")
//!     .cluster("idp")
//!     .cluster("audit")
//!     .workers(2)
//!     .start(r#"{"version": 1}"#)?;
//!
//! let stream = envoy.worker(0).request(Request::get("/v1/objects/1").header("authorization", "Bearer ..."));
//! assert_eq!(envoy.outcome(stream), Outcome::Paused);
//!
//! let callout = envoy.worker(0).callouts().remove(0);
//! envoy.worker(0).answer(&callout, Answer::json(200, r#"{"keys": []}"#));
//! envoy.advance(Duration::from_secs(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it imitates, because each has surprised somebody in a real proxy:
//! - A canary, a main-thread VM and N workers, each with its own memory and its own copy of every static; one store of
//!   shared data. `on_configure` runs in all of them; a failure on the canary refuses the configuration, a failure on a
//!   worker *removes the filter there* ([`Outcome::Bypassed`]) and refuses every later configuration.
//! - A new configuration makes a new root context in the same VM; streams in flight finish under the old one.
//! - `continue`, local replies and callout completions happen after the guest's call returns, never inside it.
//! - Two `authorization` lines arrive as one, joined by a comma; so do other headers that Envoy keeps one of.
//! - Request headers are gone in the response phase and back in `on_log`; a getter sees the first of several values.
//! - A trap kills the VM: see [`FailurePolicy`].
//!
//! What it does not imitate: gRPC callouts and shared queues (`Unimplemented`), CEL expressions, per-route
//! configuration, response bodies and trailers, and the time that guest code takes: a call that spends its whole
//! [`Host::fuel`] traps here, where Envoy would hang.

mod callout;
mod cost;
mod envoy;
mod fault;
mod foreign;
mod guest;
mod headers;
mod imports;
mod metrics;
mod module;
mod outcome;
mod process;
mod property;
mod request;
mod setup;
mod shared_data;
mod state;
mod status;
mod vm;
mod worker;

pub use callout::{Answer, Callout};
pub use cost::Cost;
pub use envoy::{Envoy, Rejected};
pub use fault::{Call, Fault};
pub use headers::HeaderMap;
pub use metrics::{Metric, MetricKind};
pub use module::Module;
pub use outcome::{LocalReply, Outcome, Stream};
pub use process::{LogLevel, LogLine, VmName};
pub use property::Property;
pub use request::Request;
pub use setup::{FailurePolicy, Host, StartError};
pub use shared_data::SharedData;
pub use status::Status;
pub use worker::{MainVm, Worker};
