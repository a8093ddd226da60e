//! Where traffic goes: each kind has a listener of its own in each lane.

use crate::lane::Lane;
use crate::traffic::Traffic;

/// A listener: a lane for one kind of traffic. What a filter remembers of one is not pushed out by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) lane: Lane,
    pub(crate) traffic: Traffic,
}

impl Place {
    /// Where this lane gets warm traffic.
    pub(crate) const fn warm(lane: Lane) -> Self {
        Self { lane, traffic: Traffic::Warm }
    }

    /// The listener's name: the lane's where it gets warm traffic.
    pub(crate) fn name(self) -> String {
        match self.traffic {
            Traffic::Warm => self.lane.name().to_owned(),
            other => format!("{}_{}", self.lane.name(), other.name().replace(' ', "_").to_lowercase()),
        }
    }
}
