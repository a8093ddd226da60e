//! What the host calls, brought to the root context that it is about.
//!
//! Contexts are numbers of the host's. A root context is a configuration; the context of a request belongs to one. A number
//! that means nothing here refuses, and so does a host that calls back while it is being called.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use rustc_hash::FxHasher;

use super::abi::{Action, Level};
use super::gatehouse::Gatehouse;
use super::{callout, configuration, log, perform};
use crate::gate::{Answer, ExchangeId};

/// The contexts of this VM, by the host's numbers.
struct Contexts {
    /// The gatehouse of every root context.
    roots: BTreeMap<u32, Gatehouse>,
    /// The root context that each request belongs to. The host counts requests up, so no client chooses where they fall.
    holders: HashMap<ExchangeId, u32, BuildHasherDefault<FxHasher>>,
}

thread_local! {
    /// A VM has one thread.
    static CONTEXTS: RefCell<Contexts> = const {
        RefCell::new(Contexts {
            roots: BTreeMap::new(),
            holders: HashMap::with_hasher(BuildHasherDefault::new()),
        })
    };
}

/// Before everything else, once.
pub(super) fn initialize() {
    log::install_panic_hook();
}

/// A context has begun: a root context if its parent is zero, or else that of a request. One whose parent is unknown stays
/// unknown.
pub(super) fn on_context_create(context: u32, parent: u32) {
    with_contexts(|Contexts { roots, holders }| {
        let exchange = ExchangeId(context);
        // A request made anew is another one, and nothing that the one before waits for may let it pass.
        if let Some(gatehouse) = holders.remove(&exchange).and_then(|root| roots.get_mut(&root)) {
            gatehouse.finish(exchange);
        }
        if parent == 0 {
            // A root context made anew knows no request: those of the one before are answered here, or when they are heard of.
            if let Some(mut before) = roots.insert(context, Gatehouse::new(context)) {
                before.refuse_undecided();
            }
            holders.retain(|_, root| *root != context);
        } else if let Some(gatehouse) = roots.get_mut(&parent) {
            gatehouse.expect(exchange);
            holders.insert(exchange, parent);
        }
    });
}

/// A configuration of this many bytes is there. Whether it can come into force.
pub(super) fn on_configure(root: u32, size: usize) -> bool {
    with_root(root, |gatehouse| configuration::bring_into_force(gatehouse, size)).unwrap_or_else(|| {
        log::write(Level::Error, || format!("a configuration for the unknown context {root}"));
        true
    })
}

/// The timer has run out.
pub(super) fn on_tick(root: u32) {
    with_root(root, Gatehouse::tick);
}

/// A callout has ended.
pub(super) fn on_http_call_response(root: u32, token: u32, headers: usize, body_bytes: usize) {
    let reply = callout::reply(headers, body_bytes);
    with_root(root, |gatehouse| gatehouse.reply(token, reply));
}

/// A request's headers are there.
pub(super) fn on_request_headers(context: u32, ended: bool) -> Action {
    let exchange = ExchangeId(context);
    with_holder(exchange, |gatehouse| gatehouse.arrive(exchange, ended)).unwrap_or_else(|| cut_off(exchange))
}

/// More of a request's body is there, `size` bytes in all as long as it is held.
///
/// It is held with the headers. A host that goes on delivering the body of a paused request, as Envoy does with
/// `allow_on_headers_stop_iteration`, would take `Continue` here as leave to send both.
pub(super) fn on_request_body(context: u32, size: usize, ended: bool) -> Action {
    let exchange = ExchangeId(context);
    with_holder(exchange, |gatehouse| gatehouse.receive_body(exchange, Some(size), ended))
        .unwrap_or_else(|| cut_off(exchange))
}

/// A request's trailers are there, and so its body has ended.
pub(super) fn on_request_trailers(context: u32) -> Action {
    let exchange = ExchangeId(context);
    with_holder(exchange, |gatehouse| gatehouse.receive_trailers(exchange))
        .unwrap_or_else(|| cut_off(exchange))
}

/// A context is over: a request, or a configuration. Whether it may go at once; if not, `proxy_done` will say when.
pub(super) fn on_done(context: u32) -> bool {
    let exchange = ExchangeId(context);
    let was_request = with_contexts(|Contexts { roots, holders }| {
        let gatehouse = roots.get_mut(&holders.remove(&exchange)?)?;
        gatehouse.finish(exchange);
        Some(())
    });
    if was_request.flatten().is_some() { true } else { with_root(context, Gatehouse::retire).unwrap_or(true) }
}

/// The request cannot be decided here: nobody knows it, or the host called back while it was being called.
fn cut_off(exchange: ExchangeId) -> Action {
    if let Err(error) = perform::answer(&Answer::internal_error()) {
        log::write(Level::Error, || format!("request {} stays unanswered: {error}", exchange.0));
    }
    Action::Pause
}

fn with_contexts<T>(act: impl FnOnce(&mut Contexts) -> T) -> Option<T> {
    CONTEXTS.with(|contexts| contexts.try_borrow_mut().ok().map(|mut contexts| act(&mut contexts)))
}

/// Acts on one root context, and drops it when it is over.
fn with_root<T>(root: u32, act: impl FnOnce(&mut Gatehouse) -> T) -> Option<T> {
    with_contexts(|Contexts { roots, .. }| {
        let gatehouse = roots.get_mut(&root)?;
        let outcome = act(gatehouse);
        if gatehouse.is_over() {
            roots.remove(&root);
        }
        Some(outcome)
    })?
}

/// Acts on the root context that a request belongs to.
fn with_holder<T>(exchange: ExchangeId, act: impl FnOnce(&mut Gatehouse) -> T) -> Option<T> {
    with_contexts(|Contexts { roots, holders }| roots.get_mut(holders.get(&exchange)?).map(act))?
}
