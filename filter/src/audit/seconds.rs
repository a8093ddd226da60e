//! Moments as records have them, of which many fall into one second: it is written once.

use super::members::Canonical;
use crate::time::UnixTime;

/// Bytes of a moment up to its fraction: a quote, 19 characters of RFC 3339, and the point.
const SECOND_BYTES: usize = 21;
/// Zeros in front of a fraction, at most one for each digit but the last.
const ZEROS: &str = "00000000";

/// Writes moments, and keeps the second of the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Seconds {
    /// The second, and how a moment in it begins.
    last: Option<(u64, String)>,
}

/// A moment to write.
pub(super) struct Moment<'s> {
    second: &'s str,
    nanoseconds: u64,
}

impl Seconds {
    /// The moment, as [`UnixTime`] itself is written.
    pub(super) fn moment(&mut self, time: UnixTime) -> Moment<'_> {
        let last = self.last.take().filter(|(second, _)| *second == time.seconds());
        let (_, second) = self.last.insert(last.unwrap_or_else(|| {
            let mut text = String::new();
            time.write(&mut text);
            text.truncate(text.floor_char_boundary(SECOND_BYTES));
            (time.seconds(), text)
        }));
        Moment { second, nanoseconds: time.as_nanos() % 1_000_000_000 }
    }
}

impl Canonical for Moment<'_> {
    fn write(&self, out: &mut String) {
        out.push_str(self.second);
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(self.nanoseconds);
        out.push_str(ZEROS.get(digits.len().saturating_sub(1)..).unwrap_or_default());
        out.push_str(digits);
        out.push_str("Z\"");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: &impl Canonical) -> String {
        let mut out = String::new();
        value.write(&mut out);
        out
    }

    #[test]
    fn fractions_have_nine_digits_and_the_end_of_time_is_reached() {
        let mut seconds = Seconds::default();
        for nanos in [0, 1, 9, 10, 99_999_999, 100_000_000, 999_999_999, 1_000_000_000, u64::MAX, 0] {
            let time = UnixTime::from_nanos(nanos);
            assert_eq!(written(&seconds.moment(time)), written(&time));
        }
    }

    proptest! {
        #[test]
        fn a_moment_is_written_as_without_the_moments_before(
            nanos in prop::collection::vec(0..4_000_000_000_u64, 1..20),
            start in 0..18_446_744_069_u64,
        ) {
            let mut seconds = Seconds::default();
            for nanos in nanos {
                let time = UnixTime::from_nanos(start * 1_000_000_000 + nanos);
                prop_assert_eq!(written(&seconds.moment(time)), written(&time));
            }
        }
    }
}
