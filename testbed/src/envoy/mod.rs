//! A real Envoy: getting one, running one, asking one.

mod admin;
mod process;
mod provision;

pub use admin::Admin;
pub use process::{Envoy, EnvoyOptions, validate_configuration};
pub use provision::{EnvoyBinary, NEWEST_VERSION, VERSIONS, Wanted, provision};
