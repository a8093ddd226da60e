//! What a host answers to a call, as a closed set.

/// Why a call of the host did not succeed (proxy-wasm ABI 0.2.1, `proxy_status_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostStatus {
    /// The thing asked for does not exist.
    NotFound,
    /// An argument is not acceptable, or the call is not allowed now.
    BadArgument,
    /// The host could not serialize its answer.
    SerializationFailure,
    /// The host could not read an argument.
    ParseFailure,
    /// An expression is not well formed.
    BadExpression,
    /// A pointer does not lie in our memory.
    InvalidMemoryAccess,
    /// There is nothing to read.
    Empty,
    /// Another VM wrote first.
    CasMismatch,
    /// The host has a result of another type.
    ResultMismatch,
    /// The host failed, or the call is withheld from this module.
    InternalFailure,
    /// A connection broke.
    BrokenConnection,
    /// The host does not have the call.
    Unimplemented,
    /// A status that the ABI does not define. It is a failure like any other.
    Unknown(u32),
    /// Not a status of the ABI: the host reported success, and what it returned cannot be so.
    ImpossibleResult,
}

impl HostStatus {
    /// Success, or why not.
    pub(crate) fn from_code(code: u32) -> Result<(), HostStatus> {
        Err(match code {
            0 => return Ok(()),
            1 => Self::NotFound,
            2 => Self::BadArgument,
            3 => Self::SerializationFailure,
            4 => Self::ParseFailure,
            5 => Self::BadExpression,
            6 => Self::InvalidMemoryAccess,
            7 => Self::Empty,
            8 => Self::CasMismatch,
            9 => Self::ResultMismatch,
            10 => Self::InternalFailure,
            11 => Self::BrokenConnection,
            12 => Self::Unimplemented,
            unknown => Self::Unknown(unknown),
        })
    }
}

/// A call of the host that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {status:?}")]
pub(crate) struct HostError {
    /// The call, by its name in the ABI.
    pub(crate) call: &'static str,
    /// Why.
    pub(crate) status: HostStatus,
}
