//! The moment a question is asked for: the one that was given, else the system's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcullis_filter::time::UnixTime;

/// Reads a moment: RFC 3339 in UTC, or seconds since 1970.
///
/// # Errors
/// What was expected.
pub(crate) fn parse(text: &str) -> Result<UnixTime, String> {
    let expected =
        || "expected RFC 3339 in UTC such as `2026-11-23T09:00:00Z`, or seconds since 1970".to_owned();
    if let Ok(seconds) = text.parse() {
        return UnixTime::from_seconds(seconds).ok_or_else(expected);
    }
    let time = humantime::parse_rfc3339(text).map_err(|_error| expected())?;
    unix(time).ok_or_else(expected)
}

/// Reads a moment as [`parse`] does, or a time that has passed since: `24h`, `2days`.
///
/// # Errors
/// What was expected.
pub(crate) fn parse_or_ago(text: &str) -> Result<UnixTime, String> {
    parse(text).or_else(|expected| {
        let expected = || format!("{expected}, or a time that has passed since such as `24h`");
        let ago = humantime::parse_duration(text).map_err(|_error| expected())?;
        SystemTime::now().checked_sub(ago).and_then(unix).ok_or_else(expected)
    })
}

/// `given`, else the present.
pub(crate) fn or_now(given: Option<UnixTime>) -> UnixTime {
    given.or_else(|| unix(SystemTime::now())).unwrap_or_default()
}

/// As RFC 3339, to the second.
pub(crate) fn show(time: UnixTime) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(time.seconds())) {
        Some(time) => humantime::format_rfc3339_seconds(time).to_string(),
        None => format!("{} seconds since 1970", time.seconds()),
    }
}

/// RFC 3339 without the fraction: `2026-01-01T00:00:00Z`.
pub(crate) fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _fraction)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

/// A moment of the system as the filter has it; none before 1970.
pub(crate) fn unix(time: SystemTime) -> Option<UnixTime> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok().map(UnixTime::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_two_forms() {
        let moment = parse("2026-11-23T09:00:00Z").unwrap();
        assert_eq!((moment, show(moment)), (parse("1795424400").unwrap(), "2026-11-23T09:00:00Z".to_owned()));
        for text in [
            "",
            "now",
            "2026-11-23",
            "-1",
            "99999999999999999999",
            "18446744073709551615",
            "1960-01-01T00:00:00Z",
        ] {
            assert!(parse(text).unwrap_err().starts_with("expected RFC 3339"), "{text}");
        }
    }
}
