//! The host of this module: Envoy, or another proxy that speaks proxy-wasm ABI 0.2.1.
//!
//! Translates callbacks into events of the gate, and commands of the gate into calls of the host, and decides nothing:
//! there is no `if` about policy here. Every call goes through [`abi`], in bytes and with a typed status. Nothing here
//! panics; what cannot be done refuses the request.
//!
//! A request goes on in two places only, and in both because of [`perform::prepare`], which demands the permit: by the
//! action that [`gatehouse::Passage`] returns, and by `proxy_continue_stream` for a request that waited.

mod abi;
mod callbacks;
mod callout;
mod configuration;
mod crypto;
mod gatehouse;
mod log;
mod metrics;
mod perform;
mod schedule;
mod status;
