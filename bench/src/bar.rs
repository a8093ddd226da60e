//! Bars of single figures, which are no comparison of two lanes in rounds.

use crate::measured::{Bar, Spread};

impl Bar {
    /// A figure that must not be larger.
    pub(crate) fn at_most(name: &str, unit: &str, measured: Spread, bar: f64) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            measured,
            bar,
            at_least: false,
            kept: measured.median <= bar,
        }
    }

    /// A figure that must not be smaller.
    pub(crate) fn at_least(name: &str, unit: &str, measured: Spread, bar: f64) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            measured,
            bar,
            at_least: true,
            kept: measured.median >= bar,
        }
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
