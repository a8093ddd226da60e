//! A moment as people write it: `2027-01-01T00:00:00Z`.

use std::time::UNIX_EPOCH;
use std::{borrow::Cow, str::FromStr};

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Problem, Problems};

/// A moment in UTC (RFC 3339 with `Z`), from 1970 on. Held in whole seconds; a fraction is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }
}

/// A text is not a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment in UTC such as `2027-01-01T00:00:00Z` (RFC 3339)")]
pub struct TimestampError;

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = humantime::parse_rfc3339(text).map_err(|_| TimestampError)?;
        let since = moment.duration_since(UNIX_EPOCH).map_err(|_| TimestampError)?;
        i64::try_from(since.as_secs()).map(Self).map_err(|_| TimestampError)
    }
}

impl Deserr<Problems> for Timestamp {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let Value::String(text) = value else {
            return Err(Problem::wrong_kind(value.kind(), &[ValueKind::String], location).into());
        };
        text.parse().map_err(|error: TimestampError| Problem::new(location, error.to_string()).into())
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "pattern": "Z$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_utc_and_nothing_else() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2027-01-01T00:00:00Z", 1_798_761_600),
            ("2024-02-29T12:34:56.789Z", 1_709_210_096),
        ] {
            assert_eq!(text.parse().map(Timestamp::unix_seconds), Ok(seconds), "{text}");
        }
        for text in [
            "",
            "2027-01-01",
            "2027-01-01T00:00:00",
            "2027-01-01T00:00:00+02:00",
            "2027-02-30T00:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }
}
