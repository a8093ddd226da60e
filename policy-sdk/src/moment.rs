//! Moments as documents and attributes write them: RFC 3339 and the NumericDate of RFC 7519.
//!
//! This module knows no clock and no time zones: an offset is a number of minutes, and rules of summer time would be
//! a table that changes without us.

use std::str::FromStr;

/// A moment between the years 1 and 9999, in nanoseconds, leap seconds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    seconds: i64,
    nanos: u32,
}

impl Moment {
    /// The moment so many seconds after 1970-01-01T00:00:00Z, leap seconds not counted (RFC 7519 section 2).
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Which second of its day it is, where clocks are `offset` ahead of UTC: 0 to 86399.
    #[must_use]
    pub fn second_of_day(self, offset: Offset) -> u32 {
        let second = self.seconds.saturating_add(offset.seconds()).rem_euclid(SECONDS_OF_DAY);
        u32::try_from(second).unwrap_or_default()
    }

    /// Which day of the week it is, where clocks are `offset` ahead of UTC: 0 is Monday, 6 is Sunday.
    #[must_use]
    pub fn weekday(self, offset: Offset) -> u8 {
        let days = self.seconds.saturating_add(offset.seconds()).div_euclid(SECONDS_OF_DAY);
        // 1970-01-01 was a Thursday.
        u8::try_from(days.saturating_add(3).rem_euclid(7)).unwrap_or_default()
    }
}

/// Reads `date-time` of RFC 3339 section 5.6, with at most nine digits after the second.
///
/// A leap second (`:60`) is refused: the count of seconds that everything is compared with has no place for it.
impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let mut rest = Reader(text);
        let year = rest.number(4)?;
        rest.one_of(&['-'])?;
        let month = rest.number(2)?;
        rest.one_of(&['-'])?;
        let day = rest.number(2)?;
        rest.one_of(&['T', 't'])?;
        let hour = rest.number(2)?;
        rest.one_of(&[':'])?;
        let minute = rest.number(2)?;
        rest.one_of(&[':'])?;
        let second = rest.number(2)?;
        let nanos = rest.fraction()?;
        let offset: Offset = rest.0.parse()?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(MomentError);
        }
        let of_day =
            hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60)).saturating_add(second);
        let seconds = days_since_epoch(year, month, day)?
            .saturating_mul(SECONDS_OF_DAY)
            .saturating_add(of_day)
            .saturating_sub(offset.seconds());
        Ok(Self { seconds, nanos })
    }
}

/// How far clocks are ahead of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset {
    minutes: i64,
}

impl Offset {
    /// UTC itself.
    pub const UTC: Self = Self { minutes: 0 };

    const fn seconds(self) -> i64 {
        self.minutes.saturating_mul(60)
    }
}

/// Reads `time-offset` of RFC 3339 section 5.6: `Z`, or a sign, hours and minutes such as `+01:00`.
impl FromStr for Offset {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        if text == "Z" || text == "z" {
            return Ok(Self::UTC);
        }
        let mut rest = Reader(text);
        let sign = rest.one_of(&['+', '-'])?;
        let hours = rest.number(2)?;
        rest.one_of(&[':'])?;
        let minutes = rest.number(2)?;
        if !rest.0.is_empty() || hours > 23 || minutes > 59 {
            return Err(MomentError);
        }
        let ahead = hours.saturating_mul(60).saturating_add(minutes);
        Ok(Self { minutes: if sign == '-' { ahead.saturating_neg() } else { ahead } })
    }
}

/// The text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time of RFC 3339, such as `2026-03-01T00:00:00Z`")]
pub struct MomentError;

const SECONDS_OF_DAY: i64 = 86_400;

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH: i64 = 719_162;

/// Days before each month of a year that is no leap year.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

fn days_since_epoch(year: i64, month: i64, day: i64) -> Result<i64, MomentError> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _thirty_one => 31,
    };
    let index = usize::try_from(month.saturating_sub(1)).map_err(|_| MomentError)?;
    let before_month = DAYS_BEFORE.get(index).ok_or(MomentError)?;
    if year < 1 || day < 1 || day > length {
        return Err(MomentError);
    }
    let years = year.saturating_sub(1);
    let leap_days = (years / 4).saturating_sub(years / 100).saturating_add(years / 400);
    Ok(years
        .saturating_mul(365)
        .saturating_add(leap_days)
        .saturating_add(*before_month)
        .saturating_add(i64::from(leap && month > 2))
        .saturating_add(day.saturating_sub(1))
        .saturating_sub(EPOCH))
}

/// What is left to read.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn digits(&mut self, count: usize) -> Result<&'a str, MomentError> {
        let (digits, rest) = self.0.split_at_checked(count).ok_or(MomentError)?;
        self.0 = rest;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { Ok(digits) } else { Err(MomentError) }
    }

    fn number(&mut self, digits: usize) -> Result<i64, MomentError> {
        self.digits(digits)?.parse().map_err(|_| MomentError)
    }

    fn one_of(&mut self, characters: &[char]) -> Result<char, MomentError> {
        let found =
            self.0.chars().next().filter(|character| characters.contains(character)).ok_or(MomentError)?;
        self.0 = self.0.strip_prefix(found).ok_or(MomentError)?;
        Ok(found)
    }

    /// The nanoseconds of `.` and one to nine digits; none where there is no point.
    fn fraction(&mut self) -> Result<u32, MomentError> {
        let Some(rest) = self.0.strip_prefix('.') else { return Ok(0) };
        self.0 = rest;
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&count) {
            return Err(MomentError);
        }
        format!("{:0<9}", self.digits(count)?).parse().map_err(|_| MomentError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rfc_3339_writes_is_read() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1970-01-01t00:00:00z", 0, 0),
            ("1969-12-31T23:59:59Z", -1, 0),
            ("2026-03-01T12:30:15+02:00", 1_772_361_015, 0),
            ("2026-03-01T08:30:15-02:00", 1_772_361_015, 0),
            ("2000-02-29T00:00:00Z", 951_782_400, 0),
            ("2038-01-19T03:14:08.5Z", 2_147_483_648, 500_000_000),
            ("1985-04-12T23:20:50.520000001Z", 482_196_050, 520_000_001),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
        ] {
            assert_eq!(text.parse(), Ok(Moment { seconds, nanos }), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "now",
            "2026-03-01",
            "2026-03-01T00:00:00",
            "2026-03-01 00:00:00Z",
            "2026-03-01T00:00Z",
            "2026-3-1T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-03-00T00:00:00Z",
            "0000-03-01T00:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T00:60:00Z",
            "2016-12-31T23:59:60Z",
            "2026-03-01T00:00:00.Z",
            "2026-03-01T00:00:00.1234567890Z",
            "2026-03-01T00:00:00+0100",
            "2026-03-01T00:00:00+24:00",
            "2026-03-01T00:00:00Z ",
            "+026-03-01T00:00:00Z",
            "２０２６-03-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(MomentError), "{text}");
        }
    }

    #[test]
    fn days_and_hours_are_those_of_the_offset() {
        let sunday: Moment = "2026-03-01T23:30:00Z".parse().unwrap();
        let (ahead, behind): (Offset, Offset) = ("+01:00".parse().unwrap(), "-23:59".parse().unwrap());
        assert_eq!((sunday.weekday(Offset::UTC), sunday.weekday(ahead), sunday.weekday(behind)), (6, 0, 5));
        assert_eq!(sunday.second_of_day(ahead), 1800);
        let before_1970 = Moment::from_unix_seconds(-1);
        assert_eq!((before_1970.weekday(Offset::UTC), before_1970.second_of_day(Offset::UTC)), (2, 86_399));
        let last = Moment::from_unix_seconds(i64::MAX);
        assert!(last.second_of_day(ahead) < 86_400 && last.weekday(ahead) < 7);
    }
}
