//! Canonical JSON written straight into a text, for records: their members are known beforehand, and a tree of them
//! would be built to be thrown away.
//!
//! It does not sort: whoever writes names members in the order of RFC 8785 section 3.2.3, each once. Tests read every
//! kind of record back into a tree, which sorts, and compare.

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use super::canonical::{SafeInteger, write_text};
use crate::time::UnixTime;

/// A value that can be written in canonical form.
pub(super) trait Canonical {
    /// Appends the canonical form.
    fn write(&self, out: &mut String);
}

/// An object that is being written.
pub(super) struct Members<'o> {
    out: &'o mut String,
    /// What comes before the next member.
    before: &'static str,
}

/// A member's name as it is written: in quotes, and the colon.
macro_rules! name {
    ($name:literal) => {
        concat!("\"", $name, "\":")
    };
}
pub(super) use name;

impl<'o> Members<'o> {
    /// Begins an object.
    pub(super) const fn of(out: &'o mut String) -> Self {
        Self { out, before: "{" }
    }

    /// Goes on with an object that has members already.
    pub(super) const fn further(out: &'o mut String) -> Self {
        Self { out, before: "," }
    }

    /// Writes a member, its name by [`name!`].
    pub(super) fn with(mut self, name: &'static str, value: impl Canonical) -> Self {
        self.name(name);
        value.write(self.out);
        self
    }

    /// What is in front of each value, once for all: a record has many members.
    #[inline(never)]
    fn name(&mut self, name: &'static str) {
        self.out.push_str(self.before);
        self.before = ",";
        self.out.push_str(name);
    }

    /// Writes a member if there is a value for it.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl Canonical>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Ends the object, which has one member at least.
    pub(super) fn end(self) {
        self.out.push('}');
    }
}

impl<T: Canonical> Canonical for &T {
    fn write(&self, out: &mut String) {
        T::write(self, out);
    }
}

impl Canonical for &str {
    fn write(&self, out: &mut String) {
        write_text(self, out);
    }
}

impl Canonical for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Canonical for SafeInteger {
    fn write(&self, out: &mut String) {
        SafeInteger::write(*self, out);
    }
}

impl Canonical for IpAddr {
    fn write(&self, out: &mut String) {
        match self {
            IpAddr::V4(address) => {
                let mut before = '"';
                for octet in address.octets() {
                    out.push(before);
                    before = '.';
                    out.push_str(itoa::Buffer::new().format(octet));
                }
                out.push('"');
            }
            IpAddr::V6(address) => write_quoted(address, out),
        }
    }
}

/// RFC 3339 in UTC with nine digits: lossless, of one length, and sorted as text like the instants.
impl Canonical for UnixTime {
    fn write(&self, out: &mut String) {
        // Every `u64` of nanoseconds ends before the year 2555, where this neither overflows nor changes length.
        let since_epoch = std::time::Duration::from_nanos(self.as_nanos());
        if let Some(instant) = std::time::SystemTime::UNIX_EPOCH.checked_add(since_epoch) {
            write_quoted(&humantime::format_rfc3339_nanos(instant), out);
        }
    }
}

/// Writes in quotes what has nothing to escape.
pub(super) fn write_quoted(plain: &impl Display, out: &mut String) {
    // Writing into a text cannot fail.
    let _written = write!(out, "\"{plain}\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_with_nine_digits_to_the_end_of_the_range() {
        for (nanos, written) in [
            (0, "\"1970-01-01T00:00:00.000000000Z\""),
            (1_709_210_096_000_000_007, "\"2024-02-29T12:34:56.000000007Z\""),
            (u64::MAX, "\"2554-07-21T23:34:33.709551615Z\""),
        ] {
            let mut out = String::new();
            UnixTime::from_nanos(nanos).write(&mut out);
            assert_eq!(out, written);
        }
    }
}
