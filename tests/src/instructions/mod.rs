//! What requests cost in the module: WebAssembly instructions and calls into the host, the same in every run and on every
//! machine, and held to the counts in `tests/instructions.json`.
//!
//! - [`PATHS`] are the ways through the module that are counted.
//! - [`Baseline`] is what they cost when somebody last wrote it down.
//!
//! Everything that could differ from run to run is fixed: clock, randomness, keys, tokens. No key signs the tokens: the
//! simulated host is told what its cryptography says. What the host does is not counted; that takes a clock: `cargo xtask
//! bench`.

mod baseline;
mod path;
mod scene;
mod token;

pub use baseline::{Baseline, Counted, TOLERANCE_PERCENT};
pub use path::{PATHS, Path};
