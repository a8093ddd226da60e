//! Requests that wait: for keys, for their body, or for their record to be acknowledged.
//!
//! Waiting is bounded in number and in time, and ends in an answer whatever happens to what is waited for.

use std::sync::Arc;

use portcullis_policy::decision::Permit;

use crate::audit::Sequence;
use crate::credential::Credential;
use crate::gate::body::{Body, MAX_HELD_BODY_BYTES};
use crate::gate::command::{HeaderEdit, LogLevel};
use crate::gate::conclusion::Caller;
use crate::gate::request::Request;
use crate::gate::{Denial, ExchangeId, Gate, Turn};
use crate::metrics::{FAILURE_REASONS, Metric};
use crate::time::UnixTime;

/// One waiting request.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) request: Request,
    pub(super) since: UnixTime,
    pub(super) deadline: UnixTime,
    pub(super) wanted: Wanted,
}

/// What a request waits for.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Keys of the method at this place.
    Keys { method: usize, credential: Credential<'static> },
    /// The rest of its body; then it is decided.
    Body { caller: Option<Arc<Caller>> },
    /// The acknowledgement of its record; then it goes on.
    Record { sequence: Sequence, permit: Permit, edits: Vec<HeaderEdit>, caller: Option<Arc<Caller>> },
}

impl Gate {
    /// Lets a request wait, or refuses it when too many wait already.
    pub(super) fn wait(&mut self, exchange: ExchangeId, waiting: Waiting, turn: &mut Turn<'_>) {
        let same_kind = |other: &&Waiting| {
            std::mem::discriminant(&other.wanted) == std::mem::discriminant(&waiting.wanted)
        };
        if self.waiting.values().filter(same_kind).count() >= MAX_WAITING {
            if let Wanted::Keys { method, .. } = waiting.wanted {
                let [.., exhausted] = FAILURE_REASONS;
                self.count(Metric::AuthFailures(Some(method), exhausted), turn);
            }
            return self.refuse(exchange, &waiting.request, None, &Denial::Overloaded, waiting.since, turn);
        }
        self.waiting.insert(exchange, waiting);
    }

    /// A body has arrived, is too long, or cannot be had. A request that waits for keys besides goes on waiting for these.
    pub(super) fn body_arrived(&mut self, exchange: ExchangeId, body: Body, turn: &mut Turn<'_>) {
        self.has_bodies = true;
        let held = self.waiting.values().map(|waiting| waiting.request.body.held_bytes());
        let has_room = held.chain([body.held_bytes()]).fold(0, usize::saturating_add) <= MAX_HELD_BODY_BYTES;
        if !self.waiting.get(&exchange).is_some_and(|waiting| waiting.request.body.is_awaited()) {
            return;
        }
        let Some(mut waiting) = self.waiting.remove(&exchange) else { return };
        let is_too_large = body == Body::TooLarge;
        waiting.request.body = body;
        let since = waiting.since;
        match waiting.wanted {
            Wanted::Body { caller } => {
                self.conclude(exchange, waiting.request, caller, since, turn);
            }
            Wanted::Keys { .. } | Wanted::Record { .. }
                if is_too_large && self.config.candidate.is_none() =>
            {
                self.refuse(exchange, &waiting.request, None, &Denial::BodyTooLarge, since, turn);
            }
            Wanted::Keys { .. } | Wanted::Record { .. } if !has_room => {
                self.refuse(exchange, &waiting.request, None, &Denial::Overloaded, since, turn);
            }
            Wanted::Keys { .. } | Wanted::Record { .. } => {
                self.waiting.insert(exchange, waiting);
            }
        }
    }

    /// Takes out every waiting request that `wanted` is true for.
    pub(super) fn wake(&mut self, wanted: impl Fn(&Waiting) -> bool) -> Vec<(ExchangeId, Waiting)> {
        let ids: Vec<ExchangeId> =
            self.waiting.iter().filter(|(_, waiting)| wanted(waiting)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| Some((id, self.waiting.remove(&id)?))).collect()
    }

    /// Refuses what has waited too long: a host may fail to report how a callout ended.
    pub(super) fn expire_waiting(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        // A clock set back must not make anyone wait for the length of the step.
        let over = |waiting: &Waiting| waiting.deadline <= now || waiting.since > now;
        for (exchange, waiting) in self.wake(over) {
            match waiting.wanted {
                Wanted::Keys { method, .. } => {
                    let retry_after = self.authenticator.retry_after(method, now);
                    self.refuse_for_keys(
                        exchange,
                        &waiting.request,
                        method,
                        retry_after,
                        waiting.since,
                        turn,
                    );
                }
                Wanted::Body { caller } => {
                    if !self.has_bodies {
                        turn.log(LogLevel::Error, NO_BODIES.to_owned());
                    }
                    let denial = Denial::BodyTimeout;
                    self.refuse(exchange, &waiting.request, caller.as_deref(), &denial, waiting.since, turn);
                }
                Wanted::Record { caller, .. } => {
                    let denial = Denial::AuditUnavailable;
                    self.refuse(exchange, &waiting.request, caller.as_deref(), &denial, waiting.since, turn);
                }
            }
        }
    }
}

/// What is said of a proxy that seems to deliver no bodies.
const NO_BODIES: &str = "no body of a request that is held has ever arrived: the proxy must deliver them, as Envoy does with \
    `allow_on_headers_stop_iteration: true` beside `vm_config`";

/// Requests that may wait at once for keys, in one worker, and as many again for their body, and for their record. Each holds
/// its headers, at most 64 KiB: 64 MiB in the worst case and about 2 MiB with usual requests.
pub(super) const MAX_WAITING: usize = 1024;
