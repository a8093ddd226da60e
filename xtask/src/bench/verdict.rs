//! Every comparison and every bar with what each run measured, in one list whatever measured it.

use super::run::{Bar, Run, Spread};
use super::table::Table;

/// What the module may have, in bytes; the build fails above it.
const MODULE_BYTES: f64 = 1_500_000.0;

/// What all runs measured of one thing, and its bar.
pub(crate) struct Verdict {
    name: String,
    /// What is compared with what, or what is counted.
    of: String,
    /// None where the figure is only told.
    bar: Option<f64>,
    at_least: bool,
    measured: Vec<Spread>,
}

impl Verdict {
    /// Whether every run keeps the bar; none where there is none.
    fn is_kept(&self) -> Option<bool> {
        let bar = self.bar?;
        let keeps = |measured: &Spread| {
            if self.at_least { measured.median >= bar } else { measured.median <= bar }
        };
        Some(self.measured.iter().all(keeps))
    }

    fn row(&self) -> Vec<String> {
        let sign = if self.at_least { "≥" } else { "≤" };
        let mut row = vec![self.name.clone(), self.of.clone()];
        row.push(self.bar.map(|bar| format!("{sign} {}", number(bar))).unwrap_or_default());
        row.extend(self.measured.iter().map(spread));
        let verdict = match self.is_kept() {
            Some(true) => "kept",
            Some(false) => "**missed**",
            None => "",
        };
        row.push(verdict.to_owned());
        row
    }
}

/// All comparisons and bars of these runs, which measured the same.
pub(crate) fn verdicts(runs: &[Run]) -> Vec<Verdict> {
    let Some(first) = runs.first() else { return Vec::new() };
    let mut verdicts = Vec::new();
    for (at, ratio) in first.measured.rounds.ratios.iter().enumerate() {
        let of = |run: &Run| run.measured.rounds.ratios.get(at).map(|ratio| ratio.ratio);
        verdicts.push(Verdict {
            name: ratio.name.clone(),
            of: format!("CPU of {} to {}", ratio.ours, ratio.against),
            bar: ratio.bar,
            at_least: false,
            measured: runs.iter().filter_map(of).collect(),
        });
    }
    for (at, bar) in bars(first).iter().enumerate() {
        verdicts.push(Verdict {
            name: bar.name.clone(),
            of: if bar.unit.is_empty() { "times".to_owned() } else { bar.unit.clone() },
            bar: Some(bar.bar),
            at_least: bar.at_least,
            measured: runs.iter().filter_map(|run| bars(run).get(at).map(|bar| bar.measured)).collect(),
        });
    }
    let bytes = |run: &Run| run.circumstances.module_bytes as f64 / 1e6;
    verdicts.push(Verdict {
        name: "size of the module".to_owned(),
        of: "MB".to_owned(),
        bar: Some(MODULE_BYTES / 1e6),
        at_least: false,
        measured: runs.iter().map(bytes).map(|mb| Spread { min: mb, median: mb, max: mb }).collect(),
    });
    verdicts
}

fn bars(run: &Run) -> Vec<&Bar> {
    let measured = &run.measured;
    let lists = [&measured.workers.bars, &measured.push.bars, &measured.memory.bars, &measured.start.bars];
    lists.into_iter().flatten().collect()
}

/// The table of all bars.
pub(crate) fn table(verdicts: &[Verdict], runs: usize) -> Table {
    let mut header = vec!["case".to_owned(), "what".to_owned(), "bar".to_owned()];
    header.extend((1..=runs).map(|run| format!("run {run}")));
    header.push(String::new());
    let mut table = Table::new(2, header);
    verdicts.iter().for_each(|verdict| table.add(verdict.row()));
    table
}

/// One sentence or two: how many are kept, and which are not.
pub(crate) fn sentence(verdicts: &[Verdict]) -> String {
    let of = |kept: bool| verdicts.iter().filter(move |verdict| verdict.is_kept() == Some(kept));
    let names: Vec<_> = of(false).map(|verdict| verdict.name.as_str()).collect();
    let kept = of(true).count();
    if names.is_empty() {
        return format!("All {kept} bars are kept.");
    }
    format!("{kept} of {} bars are kept. Missed: {}.", kept + names.len(), names.join("; "))
}

/// A figure with as many digits as mean something.
pub(crate) fn number(figure: f64) -> String {
    let digits = match figure.abs() {
        0.0 => 0,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{figure:.digits$}")
}

/// The median, and the smallest and the largest where they differ.
pub(crate) fn spread(spread: &Spread) -> String {
    let [min, median, max] = [spread.min, spread.median, spread.max].map(number);
    if min == max { median } else { format!("{median} ({min} to {max})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(at_least: bool, medians: &[f64]) -> Verdict {
        let spread = |median: &f64| Spread { min: *median, median: *median, max: *median + 1.0 };
        let measured = medians.iter().map(spread).collect();
        Verdict { name: "warm".to_owned(), of: "CPU".to_owned(), bar: Some(0.85), at_least, measured }
    }

    #[test]
    fn a_bar_is_kept_only_when_every_run_keeps_it() {
        let kept = |verdict: Verdict| verdict.is_kept() == Some(true);
        assert!(kept(verdict(false, &[0.85, 0.5])));
        assert!(!kept(verdict(false, &[0.5, 0.86])));
        assert!(kept(verdict(true, &[0.85, 2.0])));
        assert!(!kept(verdict(true, &[0.84, 2.0])));
        assert!(!kept(verdict(false, &[f64::NAN])));
    }

    #[test]
    fn a_bar_that_is_missed_says_so() {
        let verdicts = [verdict(false, &[1.0]), verdict(false, &[0.1])];
        let table = table(&verdicts, 1).markdown();
        assert!(table.contains("| warm | CPU | ≤ 0.85 | 1.00 (1.00 to 2.00) | **missed** |"), "{table}");
        assert_eq!(sentence(&verdicts), "1 of 2 bars are kept. Missed: warm.");
        assert_eq!(sentence(&verdicts[1..]), "All 1 bars are kept.");
        let told = [Verdict { bar: None, ..verdict(false, &[1.0]) }];
        assert!(super::table(&told, 1).markdown().ends_with("| warm | CPU |  | 1.00 (1.00 to 2.00) |  |\n"));
        assert_eq!(sentence(&told), "All 0 bars are kept.");
    }

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        assert_eq!([0.0, 0.123, 9.999, 12.34, 1234.5].map(number), ["0", "0.12", "10.00", "12.3", "1234"]);
    }
}
