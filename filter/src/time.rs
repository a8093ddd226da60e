//! Time as an argument: the filter never asks a clock, the host tells it.

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted; reaches the year 2554.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The instant `nanos` nanoseconds after 1970.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970: a `NumericDate` of RFC 7519 section 2.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000_000_000
    }
}
