//! The audit chain from the outside: what is written, kept, delivered and found out.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod format;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the other verifier reads files")]
mod oracle;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tampering;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the vectors are files")]
mod vectors;
#[cfg(test)]
mod verification;
