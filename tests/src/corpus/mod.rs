//! The corpus: `cases/**/*.yaml`, one document and many cases to a file, run by every ring.
//!
//! ```yaml
//! note: why these cases stand together
//! document: {version: 1, ...}            # "${jwks:RS256,ES256}" stands for a set of the test issuer's public keys
//! env: {JWT_SECRET: "0123..."}           # the environment of the proxy
//! callouts: {idp: {jwks: RS256}, audit: {status: 200}}     # or {body: ...}, timeout, reset
//! token: {alg: RS256, claims: {iss: ..., exp: +300s}}      # what the cases' tokens start from
//! cases:
//!   - id: expired                        # unique in the whole corpus
//!     note: why
//!     request: {method: GET, path: /v1/objects/1, headers: [[accept, "*/*"]]}
//!     token: {claims: {exp: -61s}}       # a merge patch (RFC 7396) on the file's token; absent: no credential
//!     want: {status: 401, code: invalid_token}
//! ```
//!
//! Keys are made anew in every run and never written down. Unknown fields are errors.

mod case;
mod expect;
mod keys;
mod load;
mod patch;
mod ring;
mod sent;
mod token;

pub use case::{Callouts, Case, CaseFile, Reply, Want};
pub use expect::{Seen, compare};
pub use keys::Keys;
pub use load::{Corpus, Skip};
pub use ring::{Runner, run};
pub use sent::{Sent, claims, mint};
