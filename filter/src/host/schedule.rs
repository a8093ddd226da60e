//! The one timer that a root context has, shared between the gate and the callouts that wait to be sent.

use std::time::Duration;

use super::abi::{self, Level};
use super::log;
use crate::time::UnixTime;

/// How soon a callback of the root context is asked for when a callout waits for one. The shortest period there is.
const SOON_MILLISECONDS: u32 = 1;

/// How long counts are kept here before the host is told of them, in milliseconds: a scrape comes every few seconds at most.
const FLUSH_MILLISECONDS: u32 = 500;

/// When the host is to call next.
#[derive(Default)]
pub(crate) struct Schedule {
    /// What the gate asked for, in milliseconds; zero for never.
    asked: u32,
    /// What the host has been told.
    armed: u32,
    /// When the gate's tick is due, should the timer run faster than the gate asked.
    due: UnixTime,
}

impl Schedule {
    /// Notes what the gate asks for. Zero stops its ticks.
    pub(crate) fn ask(&mut self, period: Duration, now: UnixTime) {
        let milliseconds = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
        let asked = if period.is_zero() { 0 } else { milliseconds.max(SOON_MILLISECONDS) };
        if asked != self.asked {
            self.asked = asked;
            self.due = now.saturating_add(period);
        }
    }

    /// Tells the host what is wanted now, if that is not what it was told last. Whether the host knows now.
    pub(crate) fn arm(&mut self, soon: bool, has_unflushed: bool) -> bool {
        let wanted = match (soon, has_unflushed, self.asked) {
            (true, _, _) => SOON_MILLISECONDS,
            (false, true, 0) => FLUSH_MILLISECONDS,
            (false, true, asked) => asked.min(FLUSH_MILLISECONDS),
            (false, false, asked) => asked,
        };
        if wanted == self.armed {
            return true;
        }
        match abi::set_tick_period_milliseconds(wanted) {
            Ok(()) => {
                self.armed = wanted;
                true
            }
            Err(error) => {
                // Tried again at the next event.
                log::write(Level::Error, || format!("no timer: {error}"));
                false
            }
        }
    }

    /// Whether a tick of the host is one that the gate asked for.
    pub(crate) fn is_due(&mut self, now: UnixTime) -> bool {
        // The timer runs on another clock than `now`: at the gate's own pace, each tick is the gate's.
        let period = Duration::from_millis(u64::from(self.asked));
        let due = self.asked != 0 && (self.armed == self.asked || self.due.has_come(now, period));
        if due {
            self.due = now.saturating_add(period);
        }
        due
    }
}
