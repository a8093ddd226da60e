//! Token verification from outside: good tokens of every algorithm, and every way we know to make a bad one pass.

#[cfg(test)]
mod differential;
#[cfg(test)]
mod host;
#[cfg(test)]
mod signer;
#[cfg(test)]
mod tokens;
