//! Figures of several turns, and percentiles of one.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::measured::Spread;

/// The longest latency that is told apart from longer ones, in nanoseconds: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

impl Spread {
    /// Of no figures: not a number.
    pub(crate) fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        let (half, last) = (figures.len() / 2, figures.len().saturating_sub(1));
        let median =
            if figures.len() % 2 == 1 { at(half) } else { (at(half.wrapping_sub(1)) + at(half)) / 2.0 };
        Self { min: at(0), median, max: at(last) }
    }
}

/// Latencies of one turn.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    /// To three digits.
    ///
    /// # Errors
    /// Never with these bounds.
    pub(crate) fn of(latencies: impl IntoIterator<Item = Duration>) -> Result<Self> {
        let mut histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3)?;
        for latency in latencies {
            histogram.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(LONGEST_NS));
        }
        Ok(Self(histogram))
    }

    /// What so many in a hundred do not exceed, in microseconds; not a number when there are none.
    pub(crate) fn percentile_us(&self, percent: f64) -> f64 {
        if self.0.is_empty() { f64::NAN } else { self.0.value_at_percentile(percent) as f64 / 1e3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert!(Spread::of(vec![]).median.is_nan());
    }

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let latencies = Latencies::of((1..=1000).map(Duration::from_micros)).unwrap();
        for (percent, wanted) in [(50.0, 500.0), (99.0, 990.0), (99.9, 999.0), (100.0, 1000.0)] {
            let found = latencies.percentile_us(percent);
            assert!((found / wanted - 1.0).abs() < 0.002, "{percent}: {found}");
        }
        assert!(Latencies::of([]).unwrap().percentile_us(50.0).is_nan());
        assert!(Latencies::of([Duration::MAX]).unwrap().percentile_us(50.0) >= 59_000_000.0);
    }
}
