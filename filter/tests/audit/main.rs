//! The audit chain from the outside: what is written, kept, delivered and found out.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod format;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod verification;
