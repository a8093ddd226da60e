//! How long to wait before a batch is sent again.
//!
//! Doubling with a cap, between half and the whole of it: the jitter comes from the stream id, so that the
//! workers of a fleet do not return to a recovering sink in step, and a test sees the same pauses every time.

use std::time::Duration;

use super::chain::{Digest, StreamId};

/// The first pause, before jitter: a sink that restarts is back within a few of them.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause, before jitter: half a minute after a sink is back, every worker has noticed.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pauses of one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff(StreamId);

impl Backoff {
    /// The pauses of this stream.
    pub(super) fn of(stream: StreamId) -> Self {
        Self(stream)
    }

    /// The pause after this attempt, counted from 0.
    pub(super) fn pause(self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        let whole = FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        let half = whole.checked_div(2).unwrap_or(whole);
        half.saturating_add(half.mul_f64(self.jitter(attempt)))
    }

    /// Between 0 and 1, the same for the same stream and attempt.
    fn jitter(self, attempt: u32) -> f64 {
        let mut seed = self.0.as_bytes().to_vec();
        seed.extend_from_slice(&attempt.to_be_bytes());
        let [byte, ..] = *Digest::of(&seed).as_bytes();
        f64::from(byte) / f64::from(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_the_cap_and_stay_between_half_and_whole() {
        let backoff = Backoff::of(StreamId::from_bytes([7; 16]));
        for (attempt, whole_millis) in
            [(0, 500), (1, 1_000), (2, 2_000), (5, 16_000), (6, 30_000), (31, 30_000), (u32::MAX, 30_000)]
        {
            let pause = backoff.pause(attempt);
            let whole = Duration::from_millis(whole_millis);
            assert!(pause >= whole / 2 && pause <= whole, "attempt {attempt}: {pause:?}");
        }
    }

    #[test]
    fn two_streams_do_not_return_in_step() {
        let pauses = |byte| {
            let backoff = Backoff::of(StreamId::from_bytes([byte; 16]));
            (0..8).map(|attempt| backoff.pause(attempt)).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }
}
