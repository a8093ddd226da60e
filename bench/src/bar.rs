//! Bars of single figures, which are no comparison of two lanes in rounds.

use serde::Serialize;

use crate::spread::Spread;

/// A figure and what it may be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bar {
    name: &'static str,
    /// What it is counted in; empty for ratios.
    unit: &'static str,
    measured: Spread,
    bar: f64,
    /// Whether the figure must be at least that, and not at most.
    at_least: bool,
    /// Whether the median keeps the bar.
    kept: bool,
}

impl Bar {
    /// A figure that must not be larger.
    pub(crate) fn at_most(name: &'static str, unit: &'static str, measured: Spread, bar: f64) -> Self {
        Self { name, unit, measured, bar, at_least: false, kept: measured.median <= bar }
    }

    /// A figure that must not be smaller.
    pub(crate) fn at_least(name: &'static str, unit: &'static str, measured: Spread, bar: f64) -> Self {
        Self { name, unit, measured, bar, at_least: true, kept: measured.median >= bar }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_keeps_no_bar() {
        let kept = |figures: Vec<f64>| {
            let spread = Spread::of(figures);
            (Bar::at_most("", "", spread, 1.0).kept, Bar::at_least("", "", spread, 1.0).kept)
        };
        assert_eq!(kept(vec![]), (false, false));
        assert_eq!(
            (kept(vec![0.5]), kept(vec![1.0]), kept(vec![2.0])),
            ((true, false), (true, true), (false, true))
        );
    }
}
