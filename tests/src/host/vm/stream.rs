//! One stream's way through the guest: request, response, end, in Envoy's order.

use super::Vm;
use crate::host::{
    HeaderMap, LocalReply, Outcome, Request,
    state::{Phase, StreamState},
};
use std::collections::BTreeMap;

impl Vm {
    pub(in crate::host) fn request(&mut self, request: Request, exchange: usize) {
        let Some(root) = self.state().newest_root() else { return };
        let id = self.new_context();
        let process = self.state().process.clone();
        let started = process.borrow().now;
        process.borrow_mut().exchanges[exchange].context = id;
        let has_more = !request.body.is_empty() || !request.trailers.is_empty() || request.unfinished;
        let (count, ends) = (request.headers.len() as u32, u32::from(!has_more));
        let stream = StreamState {
            exchange,
            root,
            started,
            request: request.headers,
            request_visible: true,
            response: HeaderMap::new(),
            response_visible: false,
            body: request.body,
            arrived: 0,
            piece: request.piece,
            unfinished: request.unfinished,
            delivered: false,
            body_visible: false,
            trailers: request.trailers,
            trailers_visible: false,
            log_phase: false,
            phase: Phase::RequestHeaders,
            local_reply: None,
            properties: request.properties,
            filter_state: BTreeMap::new(),
        };
        self.state_mut().streams.insert(id, stream);
        self.enter(id, "proxy_on_context_create", &[id, root], 0);
        let action = self.enter(id, "proxy_on_request_headers", &[id, count, ends], 0);
        self.perform_deferred();
        if action == 0 && self.phase(id) == Some(Phase::RequestHeaders) {
            self.continue_request(id);
        } else if self.state().process.borrow().stops_iteration_only {
            self.deliver_held_body(id);
        }
    }

    /// Body and trailers of a request whose headers are held, piece by piece; each time the guest sees all that has arrived.
    /// `Continue` sends everything on.
    fn deliver_held_body(&mut self, id: u32) {
        if self.phase(id) != Some(Phase::RequestHeaders) {
            return;
        }
        while self.has_body(id) && self.phase(id) == Some(Phase::RequestHeaders) {
            let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
            let piece = if stream.piece == 0 { stream.body.len() } else { stream.piece };
            stream.arrived = (stream.arrived + piece).min(stream.body.len());
            let is_all = stream.arrived == stream.body.len();
            stream.delivered = is_all;
            let ends = is_all && stream.trailers.is_empty() && !stream.unfinished;
            if self.show_body(id, ends) == 0 {
                return self.go_on_from_held(id);
            }
        }
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        stream.delivered = true;
        let count = stream.trailers.len() as u32;
        if count == 0 || stream.unfinished || stream.phase != Phase::RequestHeaders {
            return;
        }
        stream.trailers_visible = true;
        let action = self.enter(id, "proxy_on_request_trailers", &[id, count], 0);
        self.perform_deferred();
        if action == 0 {
            self.go_on_from_held(id);
        }
    }

    fn go_on_from_held(&mut self, id: u32) {
        if self.phase(id) == Some(Phase::RequestHeaders) {
            self.continue_request(id);
        }
    }

    pub(in crate::host) fn respond(&mut self, id: u32, headers: HeaderMap) {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        let count = headers.len() as u32;
        stream.response = headers;
        stream.response_visible = true;
        stream.phase = Phase::Response;
        let action = self.enter(id, "proxy_on_response_headers", &[id, count, 1], 0);
        self.perform_deferred();
        if action == 0 && self.phase(id) == Some(Phase::Response) {
            self.continue_response(id);
        }
    }

    /// The stream is over: log, done, delete, in Envoy's order.
    pub(in crate::host) fn end(&mut self, id: u32) {
        match self.state_mut().streams.get_mut(&id) {
            Some(stream) if stream.phase != Phase::Ended => {
                stream.phase = Phase::Ended;
                stream.log_phase = true;
            }
            _ => return,
        }
        self.enter(id, "proxy_on_log", &[id], 0);
        if let Some(stream) = self.state_mut().streams.get_mut(&id) {
            stream.log_phase = false;
        }
        if self.enter(id, "proxy_on_done", &[id], 1) != 0 {
            self.delete_stream(id);
        }
        self.perform_deferred();
    }

    /// The client goes away, or the guest closes the stream.
    pub(in crate::host) fn abort(&mut self, id: u32) {
        let Some(stream) = self.state().streams.get(&id) else { return };
        let exchange = stream.exchange;
        let process = self.state().process.clone();
        let waiting = process.borrow().exchanges[exchange].outcome == Outcome::Paused;
        if waiting {
            self.state_mut().conclude(id, Outcome::Aborted);
        }
        self.end(id);
    }

    pub(super) fn continue_request(&mut self, id: u32) {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        if let Some(reply) = refusal_by_the_proxy(&stream.request) {
            return self.reply(id, reply);
        }
        stream.request_visible = false;
        stream.phase = Phase::RequestBody;
        let headers = stream.request.clone();
        self.state_mut().conclude(id, Outcome::Continued { headers });
        if let Some(stream) = self.state_mut().streams.get_mut(&id) {
            stream.arrived = stream.body.len();
        }
        let ends = self.state().streams.get(&id).is_some_and(|stream| stream.trailers.is_empty());
        let action = if self.has_body(id) { self.show_body(id, ends) } else { 0 };
        if action == 0 && self.phase(id) == Some(Phase::RequestBody) {
            self.deliver_trailers(id);
        }
    }

    fn has_body(&self, id: u32) -> bool {
        self.state().streams.get(&id).is_some_and(|stream| !stream.body.is_empty() && !stream.delivered)
    }

    /// Shows the guest what has arrived of the body. Returns its action.
    fn show_body(&mut self, id: u32, ends: bool) -> i32 {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return 1 };
        stream.body_visible = true;
        let length = stream.arrived as u32;
        let action = self.enter(id, "proxy_on_request_body", &[id, length, u32::from(ends)], 0);
        self.perform_deferred();
        action
    }

    pub(super) fn deliver_trailers(&mut self, id: u32) {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        stream.body_visible = false;
        stream.phase = Phase::RequestTrailers;
        let count = stream.trailers.len() as u32;
        if count == 0 || stream.delivered {
            return self.complete_request(id);
        }
        stream.trailers_visible = true;
        let action = self.enter(id, "proxy_on_request_trailers", &[id, count], 0);
        self.perform_deferred();
        if action == 0 && self.phase(id) == Some(Phase::RequestTrailers) {
            self.complete_request(id);
        }
    }

    /// The upstream has the whole request.
    pub(super) fn complete_request(&mut self, id: u32) {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        stream.trailers_visible = false;
        stream.phase = Phase::Upstream;
        let (exchange, trailers) = (stream.exchange, stream.trailers.clone());
        self.state().process.borrow_mut().exchanges[exchange].trailers = Some(trailers);
    }

    pub(super) fn continue_response(&mut self, id: u32) {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        stream.response_visible = false;
        let (exchange, headers) = (stream.exchange, stream.response.clone());
        self.state().process.borrow_mut().exchanges[exchange].response = Some(headers);
    }

    /// Sends a local reply. The module sees its headers come by, as it sees any response's, and then the stream ends.
    pub(super) fn reply(&mut self, id: u32, mut reply: LocalReply) {
        let Some(stream) = self.state_mut().streams.get_mut(&id) else { return };
        if stream.local_reply.is_some() || stream.phase == Phase::Ended {
            return;
        }
        stream.local_reply = Some(reply.clone());
        stream.response = reply.headers.clone();
        stream.response_visible = true;
        stream.phase = Phase::Response;
        let ends = u32::from(reply.body.is_empty());
        self.state_mut().conclude(id, Outcome::Replied(reply.clone()));
        self.enter(id, "proxy_on_response_headers", &[id, reply.headers.len() as u32, ends], 0);
        if let Some(stream) = self.state_mut().streams.get_mut(&id) {
            reply.headers = stream.response.clone();
            stream.response_visible = false;
        }
        self.state_mut().conclude(id, Outcome::Replied(reply));
        self.end(id);
    }

    pub(super) fn delete_stream(&mut self, id: u32) {
        self.enter(id, "proxy_on_delete", &[id], 0);
        if let Some(stream) = self.state_mut().streams.remove(&id) {
            self.state().process.borrow_mut().exchanges[stream.exchange].ended = true;
            self.release_roots();
        }
    }

    pub(super) fn phase(&self, id: u32) -> Option<Phase> {
        self.state().streams.get(&id).map(|stream| stream.phase)
    }
}

/// What the proxy says to a request no upstream should see: a header value that cannot be written, no route to match.
fn refusal_by_the_proxy(headers: &HeaderMap) -> Option<LocalReply> {
    let unwritable =
        headers.iter().find(|(_, value)| value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
    let (status, details) = match unwritable {
        Some((name, _)) => {
            (503, format!("filter_removed_required_request_headers{{invalid_header_value_for:_{name}}}"))
        }
        None if [":method", ":path", ":authority"].iter().all(|name| headers.contains(name)) => return None,
        None => (404, "route_not_found".to_owned()),
    };
    let headers = [(":status", status.to_string())].into_iter().collect();
    Some(LocalReply { status, headers, body: Vec::new(), details })
}
