//! Callouts: what each one is for, and that each ends once, whatever the host reports.

use std::time::Duration;

use crate::audit::BatchId;
use crate::gate::{CalloutId, CalloutReply, Gate, Turn};
use crate::time::UnixTime;

/// What a callout is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The JWKS of the method at this place.
    Keys { method: usize },
    /// A batch of records.
    Records { batch: BatchId },
}

/// A callout that has not ended.
#[derive(Debug)]
pub(super) struct Ongoing {
    purpose: Purpose,
    deadline: UnixTime,
    timeout: Duration,
}

impl Gate {
    /// Notes a callout that is about to be sent with this timeout.
    pub(super) fn next_callout(&mut self, purpose: Purpose, timeout: Duration, now: UnixTime) -> CalloutId {
        self.last_callout = self.last_callout.wrapping_add(1);
        let id = CalloutId(self.last_callout);
        let timeout = timeout.saturating_add(REPLY_GRACE);
        self.callouts.insert(id, Ongoing { purpose, deadline: now.saturating_add(timeout), timeout });
        id
    }

    /// A reply to a callout that has ended already, or was never sent, changes nothing.
    pub(super) fn callout_ended(&mut self, callout: CalloutId, reply: CalloutReply, turn: &mut Turn<'_>) {
        match self.callouts.remove(&callout).map(|ongoing| ongoing.purpose) {
            Some(Purpose::Keys { method }) => self.keys_arrived(method, &reply, turn),
            Some(Purpose::Records { batch }) => self.records_answered(batch, &reply, turn),
            None => {}
        }
    }

    /// Ends what the host should have ended: a reply that never comes must not keep keys or records from being sent for
    /// again.
    pub(super) fn expire_callouts(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let over = |ongoing: &Ongoing| ongoing.deadline.has_come(now, ongoing.timeout);
        let overdue: Vec<CalloutId> =
            self.callouts.iter().filter(|(_, ongoing)| over(ongoing)).map(|(id, _)| *id).collect();
        for callout in overdue {
            self.callout_ended(callout, CalloutReply::Failed, turn);
        }
    }
}

/// How long after a callout's own timeout a host may take to report it.
pub(super) const REPLY_GRACE: Duration = Duration::from_secs(1);
