//! The callbacks of one request.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::Level;
use super::gatehouse::{Passage, SharedGatehouse};
use super::{log, perform};
use crate::gate::{Answer, ExchangeId};

/// One request and its response, to the host.
pub(crate) struct Exchange {
    id: ExchangeId,
    gatehouse: SharedGatehouse,
    passage: Rc<Cell<Passage>>,
    /// Bytes of the body that have arrived, while it is held.
    body_bytes: usize,
}

impl Exchange {
    /// The exchange with this context id, before its headers arrive.
    pub(crate) fn new(id: u32, gatehouse: SharedGatehouse) -> Exchange {
        Exchange {
            id: ExchangeId(id),
            gatehouse,
            passage: Rc::new(Cell::new(Passage::Undecided)),
            body_bytes: 0,
        }
    }

    /// Hands on what has arrived of the body of a request that is held.
    fn receive_body(&self, ended: bool) {
        if let (Passage::Undecided, Ok(mut gatehouse)) = (self.passage.get(), self.gatehouse.try_borrow_mut())
        {
            gatehouse.receive_body(self.id, self.body_bytes, ended);
        }
    }

    /// The one place that says `Continue`.
    fn action(&self) -> Action {
        match self.passage.get() {
            Passage::Permitted => Action::Continue,
            Passage::Undecided | Passage::Refused => Action::Pause,
        }
    }
}

impl Context for Exchange {
    fn on_done(&mut self) -> bool {
        if let Ok(mut gatehouse) = self.gatehouse.try_borrow_mut() {
            gatehouse.finish(self.id);
        }
        true
    }
}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _headers: usize, end_of_stream: bool) -> Action {
        match self.gatehouse.try_borrow_mut() {
            Ok(mut gatehouse) => gatehouse.arrive(self.id, end_of_stream, &self.passage),
            Err(_) => {
                // Only a host that calls back while it is being called gets here.
                self.passage.set(Passage::Refused);
                if let Err(error) = perform::answer(&Answer::internal_error()) {
                    log::write(Level::Error, || format!("request {} stays unanswered: {error}", self.id.0));
                }
            }
        }
        self.action()
    }

    /// Holds the body with the headers. A host that goes on delivering the body of a paused request, as Envoy does with
    /// `allow_on_headers_stop_iteration`, would take `Continue` here as leave to send both. While it is held, `size` is of all
    /// that has arrived.
    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.body_bytes = size;
        self.receive_body(end_of_stream);
        self.action()
    }

    /// As for the body, which ends here. What a client may not send as a header it may not send as a trailer either: some
    /// servers read both alike. They are cleaned before the decision, for it may be made where they cannot be seen.
    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        if self.passage.get() != Passage::Refused {
            let outcome = self
                .gatehouse
                .try_borrow()
                .map_err(|_| None)
                .and_then(|gatehouse| gatehouse.clean_trailers().map_err(Some));
            if let Err(error) = outcome {
                self.passage.set(Passage::Refused);
                log::write(Level::Error, || {
                    format!("request {} is cut off at its trailers: {error:?}", self.id.0)
                });
                // The upstream may have had the headers; all that can be done is to end the request.
                let _ = perform::answer(&Answer::internal_error());
            }
        }
        self.receive_body(true);
        self.action()
    }
}
