//! From the bytes of a plugin configuration to the document they hold.
//!
//! A pure function of those bytes: this module reads no environment, no clock and no host.

pub mod encoding;
pub mod protobuf_struct;
