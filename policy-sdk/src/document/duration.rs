//! A length of time as people write it: `500ms`, `2s`, `10m`, `1h`.

use std::{borrow::Cow, fmt, str::FromStr};

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Problem, Problems};

/// A length of time: a whole number directly followed by its unit, one of `ms`, `s`, `m`, `h`, `d`.
///
/// One number and one unit: `90s`, never `1m30s`, so that a length has few spellings. Held in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u64);

impl Duration {
    /// A length of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The length in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The length in whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.0)
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or(DurationError::NoNumber)?;
        if number.is_empty() {
            return Err(DurationError::NoNumber);
        }
        let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
        let millis = UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError::NoUnit)?.1;
        number.checked_mul(millis).map(Self).ok_or(DurationError::TooLong)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .rev()
            .filter_map(|(unit, millis)| Some((unit, self.0.checked_div(*millis)?, millis)));
        for (unit, number, millis) in whole {
            if number > 0 && number.checked_mul(*millis) == Some(self.0) {
                return write!(formatter, "{number}{unit}");
            }
        }
        write!(formatter, "{}ms", self.0)
    }
}

impl serde::Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Deserr<Problems> for Duration {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let Value::String(text) = value else {
            let problem = Problem::wrong_kind(value.kind(), &[ValueKind::String], location);
            return Err(problem.expected(A_DURATION).into());
        };
        let parsed: Result<Self, DurationError> = text.parse();
        parsed.map_err(|error| Problem::new(location, error.to_string()).expected(A_DURATION).into())
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" })
    }
}

/// Why a text is not a [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// It does not start with a whole number.
    NoNumber,
    /// The number is not directly followed by one known unit.
    NoUnit,
    /// It does not fit into 64 bits of milliseconds.
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoNumber => "not a duration: no number at its start",
            Self::NoUnit => "not a duration: no known unit after the number",
            Self::TooLong => "not a duration: the number is too large",
        })
    }
}

impl std::error::Error for DurationError {}

const A_DURATION: &str = "a whole number and a unit, such as `500ms`, `2s`, `10m`, `1h`, `1d`";

/// Units with their length in milliseconds, shortest first.
const UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, millis) in
            [("500ms", 500), ("2s", 2_000), ("10m", 600_000), ("1h", 3_600_000), ("1d", 86_400_000)]
        {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.as_millis(), millis, "{text}");
            assert_eq!(duration.to_string(), text);
        }
        assert_eq!(Duration::from_millis(90_000).to_string(), "90s");
        assert_eq!(Duration::from_millis(0).to_string(), "0ms");
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "s", "-1s", "+1s", " 1s"] {
            assert_eq!(text.parse::<Duration>(), Err(DurationError::NoNumber), "{text:?}");
        }
        for text in ["10", "10 s", "1.5s", "1m30s", "10sec", "10S", "1é"] {
            assert_eq!(text.parse::<Duration>(), Err(DurationError::NoUnit), "{text:?}");
        }
        for text in ["18446744073709551616ms", "18446744073709551615s"] {
            assert_eq!(text.parse::<Duration>(), Err(DurationError::TooLong), "{text:?}");
        }
    }
}
