//! The counts somebody wrote down, and how far a count may be from them.

use crate::host::{Call, Cost};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use super::Path;

/// How far the instructions of a path may be from those written down, in percent, up or down. More is a regression that
/// nobody decided, and less is a gain that the next regression would hide in.
pub const TOLERANCE_PERCENT: u64 = 5;

/// What one request on a path costs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// Instructions of the module.
    pub instructions: u64,
    /// Calls into the host by name, in hundredths exact.
    pub calls: BTreeMap<String, f64>,
}

impl Counted {
    /// The mean of what so many requests cost.
    pub fn mean(cost: &Cost, requests: u32) -> Self {
        let short = |call: &Call| call.import().trim_start_matches("proxy_").to_owned();
        let mean = |count: &u64| (*count as f64 * 100.0 / f64::from(requests)).round() / 100.0;
        Self {
            instructions: cost.total() / u64::from(requests),
            calls: cost.calls.iter().map(|(call, count)| (short(call), mean(count))).collect(),
        }
    }

    /// How many more instructions than `earlier`, in percent; infinitely many more than none.
    pub fn percent_above(&self, earlier: &Self) -> f64 {
        if self.instructions == earlier.instructions {
            return 0.0;
        }
        (self.instructions as f64 / earlier.instructions as f64 - 1.0) * 100.0
    }

    /// Whether these counts can be taken for `earlier` ones. Calls of the host must be the same: each is a decision.
    ///
    /// # Errors
    /// What is different.
    pub fn hold_to(&self, earlier: &Self) -> Result<(), String> {
        let mut differences = Vec::new();
        let (was, is) = (earlier.instructions, self.instructions);
        if is.abs_diff(was) * 100 > was * TOLERANCE_PERCENT {
            let above = self.percent_above(earlier);
            differences.push(format!("instructions: {was} before, {is} now, {above:+.1} %"));
        }
        for name in earlier.calls.keys().chain(self.calls.keys().filter(|n| !earlier.calls.contains_key(*n)))
        {
            let count = |counted: &Self| counted.calls.get(name).copied().unwrap_or_default();
            let (was, is) = (count(earlier), count(self));
            if was != is {
                differences.push(format!("calls of {name}: {was} before, {is} now"));
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
    }
}

/// All paths and what they cost, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline(pub BTreeMap<String, Counted>);

impl Baseline {
    /// The one in `tests/instructions.json`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read() -> Result<Self, String> {
        let path = Self::path();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map(Self).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Writes it down.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), String> {
        let path = Self::path();
        std::fs::write(&path, self.to_string()).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Counts of paths that are no more.
    pub fn forgotten<'a>(&'a self, paths: &'a [Path]) -> impl Iterator<Item = &'a str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|name| paths.iter().all(|path| path.name != *name))
    }

    fn path() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json")
    }
}

/// JSON with a line for each path: two changes of different paths do not meet.
impl fmt::Display for Baseline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |(name, counted): (&String, &Counted)| {
            let both = (serde_json::to_string(name), serde_json::to_string(counted));
            let (Ok(name), Ok(counted)) = both else { return Err(fmt::Error) };
            Ok(format!("{name}: {counted}"))
        };
        let lines = self.0.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        writeln!(formatter, "{{\n{}\n}}", lines.join(",\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(instructions: u64, properties: f64) -> Counted {
        Counted { instructions, calls: BTreeMap::from([("get_property".to_owned(), properties)]) }
    }

    #[test]
    fn five_percent_are_tolerated_and_no_more() {
        let before = counted(1000, 1.0);
        for instructions in [950, 1000, 1050] {
            assert_eq!(counted(instructions, 1.0).hold_to(&before), Ok(()));
        }
        assert_eq!(
            counted(1051, 1.0).hold_to(&before),
            Err("instructions: 1000 before, 1051 now, +5.1 %".to_owned())
        );
        assert!(counted(949, 1.0).hold_to(&before).is_err());
        assert_eq!(counted(0, 1.0).hold_to(&counted(0, 1.0)), Ok(()));
        assert!(counted(1, 1.0).hold_to(&counted(0, 1.0)).is_err());
        assert!(counted(0, 1.0).hold_to(&counted(1, 1.0)).is_err());
    }

    #[test]
    fn a_call_more_or_less_is_a_difference() {
        let before = counted(1000, 1.0);
        let more = counted(1000, 1.02).hold_to(&before);
        assert_eq!(more, Err("calls of get_property: 1 before, 1.02 now".to_owned()));
        let none = Counted { instructions: 1000, calls: BTreeMap::new() };
        assert_eq!(none.hold_to(&before), Err("calls of get_property: 1 before, 0 now".to_owned()));
        assert_eq!(before.hold_to(&none), Err("calls of get_property: 0 before, 1 now".to_owned()));
    }

    #[test]
    fn what_is_written_reads_back() {
        let baseline =
            Baseline(BTreeMap::from([("a".to_owned(), counted(1, 0.5)), ("b".to_owned(), counted(2, 3.0))]));
        let text = baseline.to_string();
        assert_eq!(text.lines().count(), 4);
        assert_eq!(serde_json::from_str(&text).ok().map(Baseline), Some(baseline));
    }
}
