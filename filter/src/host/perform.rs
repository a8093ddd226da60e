//! The commands of the gate about one request, as calls of the host on the effective context.

use portcullis_policy::decision::Permit;

use super::abi::{self, HeaderMap};
use super::status::HostError;
use crate::gate::{Answer, HeaderEdit};
use crate::header_pairs::HeaderPairsError;

/// The property that marks a permitted request. Envoy keeps it as filter state `wasm.portcullis_permit`, which the guard
/// in `envoy/` demands: if this module is ever left out of the chain, nothing passes the guard.
const PERMIT_MARK: &[u8] = b"portcullis_permit";

/// What the mark says.
const PERMIT_MARK_VALUE: &[u8] = b"1";

/// The host's function that lets a request be routed anew. A host without it does not let a rewritten path pass.
const CLEAR_ROUTE_CACHE: &[u8] = b"clear_route_cache";

/// Why a command could not be performed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PerformError {
    /// The host did not do it.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A header must not be written to a connection.
    #[error(transparent)]
    Header(#[from] HeaderPairsError),
}

/// Edits a permitted request, and marks it if that is `marked`. It may go on when all of that was done, and only then.
///
/// # Errors
///
/// One edit, or the mark, could not be made. The request must be refused: a client's copy of an identity header may still
/// be in it.
pub(crate) fn prepare(_proof: &Permit, edits: &[HeaderEdit], marked: bool) -> Result<(), PerformError> {
    let mut rerouted = false;
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => abi::remove_header(HeaderMap::Request, name)?,
            HeaderEdit::Set(line) => {
                let (name, value) = line.to_send()?;
                abi::replace_header(HeaderMap::Request, name, value)?;
                rerouted |= name == b":path";
            }
        }
    }
    if rerouted {
        // The host may have chosen a route by the path as it was sent, which is not the path that was decided on.
        abi::call_foreign_function(CLEAR_ROUTE_CACHE, &[])?;
    }
    if marked {
        abi::set_property(PERMIT_MARK, PERMIT_MARK_VALUE)?;
    }
    Ok(())
}

/// Answers a refused request.
///
/// # Errors
///
/// The host did not take the answer. The request stays where it is.
pub(crate) fn answer(answer: &Answer) -> Result<(), PerformError> {
    let headers = answer.encoded_headers()?;
    let Answer { status, grpc_status, details, body, .. } = answer;
    Ok(abi::send_local_response(u32::from(*status), details.as_bytes(), body, headers, *grpc_status)?)
}
