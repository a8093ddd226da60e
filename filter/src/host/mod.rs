//! The host of this module: Envoy, or another proxy that speaks proxy-wasm ABI 0.2.1.
//!
//! Translates callbacks into events of the gate, and commands of the gate into calls of the host, and decides nothing:
//! there is no `if` about policy here. Every call goes through [`abi`], in bytes and with a typed status, except HTTP
//! callouts ([`callout`]). Nothing here panics; what cannot be done refuses the request.
//!
//! A request goes on in two places only, and in both because of [`perform::prepare`], which demands the permit: by the
//! action that [`http::Exchange`] returns, and by `proxy_continue_stream` for a request that waited.

mod abi;
mod callout;
mod crypto;
mod gatehouse;
mod http;
mod log;
mod metrics;
mod perform;
mod root;
mod schedule;
mod status;

proxy_wasm::main! {{
    log::install_panic_hook();
    proxy_wasm::set_root_context(|context_id| Box::new(root::Root::new(context_id)));
}}
