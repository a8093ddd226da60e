//! What one virtual machine's host side knows: contexts, streams, callouts, and what must wait for the guest to return.

use super::{
    Answer, Call, Callout, HeaderMap, LocalReply, Outcome, Property, VmName, metrics::MetricIds,
    process::Shared,
};
use std::collections::{BTreeMap, VecDeque};
use wasmtime::StoreLimits;

pub(super) struct State {
    pub(super) process: Shared,
    pub(super) name: VmName,
    /// `NAME=value`, in order.
    pub(super) environment: Vec<String>,
    pub(super) limits: StoreLimits,
    /// While `_initialize` runs most hostcalls trap.
    pub(super) initializing: bool,
    /// The context the guest was called for.
    pub(super) current: u32,
    /// The context hostcalls act on: the same, until the guest asks for another.
    pub(super) effective: u32,
    pub(super) roots: BTreeMap<u32, Root>,
    pub(super) streams: BTreeMap<u32, StreamState>,
    pub(super) callouts: BTreeMap<u32, Callout>,
    pub(super) deferred: VecDeque<Deferred>,
    /// Readable inside `proxy_on_http_call_response` only.
    pub(super) answer: Option<Answer>,
    /// Readable inside `proxy_on_configure` only.
    pub(super) plugin_configuration: Option<Vec<u8>>,
    pub(super) metric_ids: MetricIds,
    pub(super) last_context: u32,
    pub(super) last_token: u32,
    /// How often the guest has made each hostcall.
    pub(super) calls: BTreeMap<Call, u64>,
}

/// A root context: one plugin configuration in one VM.
#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) tick: Option<Tick>,
    /// Replaced by a newer configuration: it goes once its streams are gone.
    pub(super) retired: bool,
    /// `proxy_on_done` has been called.
    pub(super) done: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    pub(super) period: u64,
    pub(super) due: u64,
}

/// What a guest asked for in a call and gets after it.
#[derive(Debug)]
pub(super) enum Deferred {
    ContinueRequest(u32),
    ContinueResponse(u32),
    Close(u32),
    LocalReply(u32, LocalReply),
    /// `proxy_done` on a context whose `proxy_on_done` said "not yet".
    Done(u32),
}

/// A stream's context, from `proxy_on_context_create` to `proxy_on_delete`.
#[derive(Debug)]
pub(super) struct StreamState {
    pub(super) exchange: usize,
    pub(super) root: u32,
    pub(super) started: u64,
    pub(super) request: HeaderMap,
    /// Headers can be read and changed now.
    pub(super) request_visible: bool,
    pub(super) response: HeaderMap,
    pub(super) response_visible: bool,
    pub(super) body: Vec<u8>,
    /// Bytes of the body that have arrived.
    pub(super) arrived: usize,
    /// Bytes that arrive at once; 0 is all.
    pub(super) piece: usize,
    /// The rest of the request never comes.
    pub(super) unfinished: bool,
    /// The guest has seen body and trailers, and sees neither again.
    pub(super) delivered: bool,
    pub(super) body_visible: bool,
    pub(super) trailers: HeaderMap,
    pub(super) trailers_visible: bool,
    /// In `proxy_on_log`: both maps can be read again, neither changed.
    pub(super) log_phase: bool,
    pub(super) phase: Phase,
    pub(super) local_reply: Option<LocalReply>,
    pub(super) properties: BTreeMap<Vec<u8>, Property>,
    pub(super) filter_state: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    RequestHeaders,
    RequestBody,
    RequestTrailers,
    Upstream,
    Response,
    /// The client has its answer, or is gone; `proxy_on_done` may still be open.
    Ended,
}

impl StreamState {
    pub(super) fn response_code(&self) -> Option<i64> {
        self.response.text(":status")?.parse().ok()
    }
}

/// Which header map, by the ABI's numbers.
pub(super) const REQUEST_HEADERS: u32 = 0;
pub(super) const REQUEST_TRAILERS: u32 = 1;
pub(super) const RESPONSE_HEADERS: u32 = 2;
pub(super) const CALLOUT_HEADERS: u32 = 6;

impl State {
    /// The stream that hostcalls act on, unless they act on a root context.
    pub(super) fn stream(&self) -> Option<&StreamState> {
        self.streams.get(&self.effective)
    }

    pub(super) fn stream_mut(&mut self) -> Option<&mut StreamState> {
        self.streams.get_mut(&self.effective)
    }

    /// The root context behind whatever hostcalls act on.
    pub(super) fn root(&self) -> u32 {
        self.stream().map_or(self.effective, |stream| stream.root)
    }

    pub(super) fn is_context(&self, id: u32) -> bool {
        id == 0 || self.roots.contains_key(&id) || self.streams.contains_key(&id)
    }

    /// Whether `proxy_on_log` runs for the stream that hostcalls act on.
    pub(super) fn in_log_phase(&self) -> bool {
        self.stream().is_some_and(|stream| stream.log_phase)
    }

    /// The map, where it can be read now.
    pub(super) fn map(&self, kind: u32) -> Option<&HeaderMap> {
        if kind == CALLOUT_HEADERS {
            return self.answer.as_ref().map(|answer| &answer.headers);
        }
        let stream = self.stream()?;
        match kind {
            REQUEST_HEADERS if stream.request_visible || stream.log_phase => Some(&stream.request),
            REQUEST_TRAILERS if stream.trailers_visible => Some(&stream.trailers),
            RESPONSE_HEADERS if stream.response_visible || stream.log_phase => Some(&stream.response),
            _ => None,
        }
    }

    /// The map, where it can be changed now.
    pub(super) fn map_mut(&mut self, kind: u32) -> Option<&mut HeaderMap> {
        let stream = self.stream_mut()?;
        match kind {
            REQUEST_HEADERS if stream.request_visible && !stream.log_phase => Some(&mut stream.request),
            REQUEST_TRAILERS if stream.trailers_visible => Some(&mut stream.trailers),
            RESPONSE_HEADERS if stream.response_visible && !stream.log_phase => Some(&mut stream.response),
            _ => None,
        }
    }

    /// The newest root context: new requests go there.
    pub(super) fn newest_root(&self) -> Option<u32> {
        self.roots.iter().rev().find(|(_, root)| !root.retired).map(|(id, _)| *id)
    }

    /// Writes down what became of a stream's request.
    pub(super) fn conclude(&mut self, context: u32, outcome: Outcome) {
        if let Some(stream) = self.streams.get(&context) {
            self.process.borrow_mut().exchanges[stream.exchange].outcome = outcome;
        }
    }
}
