//! The status every hostcall returns.

use std::fmt;

/// A proxy-wasm status, as the number the guest sees: a host may return numbers no specification lists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(pub u32);

impl Status {
    /// The call did what it says.
    pub const OK: Self = Self(0);
    /// No such thing.
    pub const NOT_FOUND: Self = Self(1);
    /// The arguments make no sense, or not now.
    pub const BAD_ARGUMENT: Self = Self(2);
    /// A value cannot be serialized.
    pub const SERIALIZATION_FAILURE: Self = Self(3);
    /// A value cannot be parsed; also what a gRPC call to an unknown cluster gets.
    pub const PARSE_FAILURE: Self = Self(4);
    /// A pointer outside the guest's memory, or the guest's allocator returned nothing.
    pub const INVALID_MEMORY_ACCESS: Self = Self(6);
    /// An empty queue.
    pub const EMPTY: Self = Self(7);
    /// Somebody else wrote the shared value first.
    pub const CAS_MISMATCH: Self = Self(8);
    /// The host failed; also what a callout to a cluster without hosts gets.
    pub const INTERNAL_FAILURE: Self = Self(10);
    /// The host does not have this call.
    pub const UNIMPLEMENTED: Self = Self(12);
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({})", self.0)
    }
}
