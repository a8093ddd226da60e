//! The moment a decision is made at, as the host tells it.
//!
//! This module reads no clock: time enters every function of this crate as an argument, so the same bytes, keys and
//! time give the same answer in a test, in a replay and in a proxy.

use std::time::Duration;

/// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time). Reaches into the year 2554.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The latest moment this type can express.
    pub const MAX: Self = Self(u64::MAX);

    /// A moment `nanoseconds` after the epoch, the unit proxy-wasm hosts report.
    #[must_use]
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// A moment `seconds` after the epoch, or `None` when it lies beyond [`UnixTime::MAX`].
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Option<Self> {
        match seconds.checked_mul(NANOSECONDS_PER_SECOND) {
            Some(nanoseconds) => Some(Self(nanoseconds)),
            None => None,
        }
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / NANOSECONDS_PER_SECOND
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The moment `duration` later; [`UnixTime::MAX`] when that cannot be expressed.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// The moment `duration` earlier; the epoch when that cannot be expressed.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Whether this moment, which was set at most `within` ahead, has come. It also has when it lies further ahead than
    /// that: the host's clock was set back, and what was to wait for seconds must not wait for the hours of the step.
    #[must_use]
    pub fn has_come(self, now: Self, within: Duration) -> bool {
        self <= now || self.saturating_since(now) > within
    }

    /// How long ago `earlier` was: zero when it lies ahead, which a host clock set back can make happen.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_and_overflow_is_told() {
        assert_eq!(UnixTime::from_nanos(1_999_999_999).seconds(), 1);
        assert_eq!(UnixTime::from_seconds(7).map(UnixTime::as_nanos), Some(7_000_000_000));
        assert_eq!(UnixTime::from_seconds(u64::MAX), None);
    }

    #[test]
    fn sums_stop_at_the_ends() {
        let second = Duration::from_secs(1);
        assert_eq!(UnixTime::MAX.saturating_add(second), UnixTime::MAX);
        assert_eq!(UnixTime::default().saturating_sub(second), UnixTime::default());
        assert_eq!(UnixTime::MAX.saturating_add(Duration::MAX), UnixTime::MAX);
    }

    #[test]
    fn a_moment_comes_even_if_the_clock_is_set_back() {
        let second = Duration::from_secs(1);
        let at = UnixTime::from_nanos(10_000_000_000);
        assert!(!at.has_come(at.saturating_sub(second), second));
        assert!(at.has_come(at, second) && at.has_come(at.saturating_add(second), second));
        assert!(at.has_come(at.saturating_sub(second + Duration::from_nanos(1)), second));
    }

    #[test]
    fn a_clock_set_back_gives_no_elapsed_time() {
        let (early, late) = (UnixTime::from_nanos(5), UnixTime::from_nanos(9));
        assert_eq!(late.saturating_since(early), Duration::from_nanos(4));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
    }
}
