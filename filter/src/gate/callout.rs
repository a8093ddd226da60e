//! Callouts: what each one is for, and that each ends once.

use crate::audit::BatchId;
use crate::gate::{CalloutId, CalloutReply, Gate, Turn};

/// What a callout is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The JWKS of the method at this place.
    Keys { method: usize },
    /// A batch of records.
    Records { batch: BatchId },
}

impl Gate {
    pub(super) fn next_callout(&mut self, purpose: Purpose) -> CalloutId {
        self.last_callout = self.last_callout.wrapping_add(1);
        let id = CalloutId(self.last_callout);
        self.callouts.insert(id, purpose);
        id
    }

    /// A reply to a callout that has ended already, or was never sent, changes nothing.
    pub(super) fn callout_ended(&mut self, callout: CalloutId, reply: CalloutReply, turn: &mut Turn<'_>) {
        match self.callouts.remove(&callout) {
            Some(Purpose::Keys { method }) => self.keys_arrived(method, &reply, turn),
            Some(Purpose::Records { batch }) => self.records_answered(batch, &reply, turn),
            None => {}
        }
    }
}
