//! Authentication by JSON Web Token: who is calling, as pure functions of bytes, keys and time.
//!
//! In reading order: [`algorithm`] and [`error`] name things, [`jws`] reads a token's bytes, [`jwk`] reads a key set's
//! bytes into [`key`]s, [`keyset`] finds the key a token names, [`signature`] checks one signature by the host's crypto
//! where [`probe`] found it sound and by our own elsewhere, [`claims`] reads what was signed, [`jwt`] puts them in order.
//!
//! Nothing here performs IO, reads a clock, fetches a key, or finds a token in a request, and nothing is kept from one token
//! to the next but the headers in [`known_headers`].

pub mod algorithm;
pub mod claims;
pub mod error;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod key;
pub mod keyset;
pub mod known_headers;
pub mod probe;
pub mod signature;

mod base64url;
mod roca;
