//! Before, after, at which hours and on which days. Hours and days are those of UTC or of a stated offset.
//!
//! A moment is a text of RFC 3339 or a number, the NumericDate of RFC 7519. There are no time zones: their rules of
//! summer time change without us.

use super::{Count, Fault, Kind, Misfit, Predicate, Row, Steps, Takes, Value, only};
use crate::condition::value::Exact;
use crate::document::Operator;
use crate::moment::{Moment, Offset};

pub(super) const BEFORE: Row = Row {
    operator: Operator::Before,
    attribute: Some(A_MOMENT),
    operand: Some(A_MOMENT),
    from_attribute: true,
    alike: false,
    negated: false,
    prepare: |values| bound(values, |moment, bound| moment < bound),
};

pub(super) const AFTER: Row = Row {
    operator: Operator::After,
    prepare: |values| bound(values, |moment, bound| moment > bound),
    ..BEFORE
};

pub(super) const TIME_BETWEEN: Row = Row {
    operator: Operator::TimeBetween,
    operand: Some(TEXTS),
    from_attribute: false,
    prepare: |values| {
        let expected = "hours such as `09:00-17:00` or `22:00-06:00 +01:00`, from the first until just before the second";
        periods(values, expected, |text| Hours::parse(text).map(Period::Hours))
    },
    ..BEFORE
};

pub(super) const WEEKDAY_IN: Row = Row {
    operator: Operator::WeekdayIn,
    operand: Some(TEXTS),
    from_attribute: false,
    prepare: |values| {
        let expected = "days: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, each with an offset if need be: `sat +01:00`";
        periods(values, expected, |text| {
            let (day, offset) = with_offset(text)?;
            let day = DAYS.iter().position(|name| *name == day)?;
            Some(Period::Day(u8::try_from(day).ok()?, offset))
        })
    },
    ..BEFORE
};

const A_MOMENT: Takes = Takes { count: Count::One, kinds: &[Kind::Text, Kind::Number] };
const TEXTS: Takes = Takes { count: Count::Either, kinds: &[Kind::Text] };
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The moment that a value stands for.
fn moment(value: &Value<'_>) -> Result<Moment, Fault> {
    match value {
        Value::Text(text) => text.parse().map_err(|_| Fault::Malformed),
        Value::Number(Exact::Whole(seconds)) => {
            i64::try_from(*seconds).map(Moment::from_unix_seconds).map_err(|_| Fault::Malformed)
        }
        Value::Number(Exact::Fraction(_)) | Value::Inexact => Err(Fault::Inexact),
        Value::Boolean(_) | Value::Address(_) | Value::Structure => Err(Fault::WrongType),
    }
}

struct Limit {
    bound: Moment,
    holds: fn(Moment, Moment) -> bool,
}

fn bound(values: &[Value<'_>], holds: fn(Moment, Moment) -> bool) -> Result<Box<dyn Predicate>, Misfit> {
    let expected = "a date and time of RFC 3339, such as `2026-03-01T00:00:00Z`, or seconds since 1970";
    let bound = moment(only(values)?).map_err(|_| Misfit::new(expected))?;
    Ok(Box::new(Limit { bound, holds }))
}

impl Predicate for Limit {
    fn holds(&self, values: &[Value<'_>], _: &mut Steps) -> Result<bool, Fault> {
        Ok((self.holds)(moment(only(values)?)?, self.bound))
    }
}

/// Periods that come back, of which the moment must be in one.
struct Periods(Box<[Period]>);

enum Period {
    Hours(Hours),
    /// A day, 0 for Monday, where clocks are so far ahead.
    Day(u8, Offset),
}

fn periods(
    values: &[Value<'_>],
    expected: &str,
    read: fn(&str) -> Option<Period>,
) -> Result<Box<dyn Predicate>, Misfit> {
    let periods = values.iter().enumerate().map(|(index, value)| {
        let period = value.as_text().ok().and_then(read);
        period.ok_or_else(|| Misfit::at(index, expected))
    });
    Ok(Box::new(Periods(periods.collect::<Result<_, _>>()?)))
}

impl Predicate for Periods {
    fn holds(&self, values: &[Value<'_>], steps: &mut Steps) -> Result<bool, Fault> {
        let moment = moment(only(values)?)?;
        steps.spend(self.0.len())?;
        Ok(self.0.iter().any(|period| match period {
            Period::Hours(hours) => hours.contain(moment),
            Period::Day(day, offset) => moment.weekday(*offset) == *day,
        }))
    }
}

/// From a second of the day to just before another. Past midnight when the second is the smaller.
struct Hours {
    from: u32,
    until: u32,
    offset: Offset,
}

impl Hours {
    /// Reads `09:00-17:00`, with a space and an offset if need be. `24:00` is the end of a day.
    fn parse(text: &str) -> Option<Hours> {
        let (hours, offset) = with_offset(text)?;
        let (from, until) = hours.split_once('-')?;
        let (from, until) = (second(from).filter(|from| *from < 86_400)?, second(until)?);
        // No hours, or all of them: whichever was meant, there is a plainer way to say it.
        (from != until).then_some(Hours { from, until, offset })
    }

    fn contain(&self, moment: Moment) -> bool {
        let second = moment.second_of_day(self.offset);
        if self.from < self.until {
            (self.from..self.until).contains(&second)
        } else {
            second >= self.from || second < self.until
        }
    }
}

/// The second of the day of `HH:MM`.
fn second(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| -> Option<u32> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let second = hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60));
    (minute < 60 && second <= 86_400).then_some(second)
}

fn with_offset(text: &str) -> Option<(&str, Offset)> {
    match text.split_once(' ') {
        None => Some((text, Offset::UTC)),
        Some((text, offset)) => Some((text, offset.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, Is::*, refused, table};
    use crate::condition::Fault::*;
    use serde_json::{Value, json};

    const MARCH: &str = "2026-03-01T00:00:00Z";

    /// What every operator of this family says of what is no moment.
    fn with_faults(mut cases: Vec<(Value, Value, Is)>, operand: &str) -> Vec<(Value, Value, Is)> {
        for (attribute, fault) in [
            (json!(null), Missing),
            (json!([]), Missing),
            (json!([1, 2]), Several),
            (json!("yesterday"), Malformed),
            (json!("2026-03-01"), Malformed),
            (json!("2026-02-29T00:00:00Z"), Malformed),
            (json!("2016-12-31T23:59:60Z"), Malformed),
            (json!("1772323200"), Malformed),
            (json!(u64::MAX), Malformed),
            (json!(1.5), Inexact),
            (json!(1e300), Inexact),
            (json!(true), WrongType),
            (json!({}), WrongType),
        ] {
            cases.push((attribute, json!(operand), Unknown(fault)));
        }
        cases
    }

    #[test]
    fn before() {
        let cases = vec![
            (json!("2026-02-28T23:59:59Z"), json!(MARCH), True),
            (json!(MARCH), json!(MARCH), False),
            (json!("2026-03-01T00:30:00+01:00"), json!(MARCH), True),
            (json!("2026-02-28T23:59:59.999999999Z"), json!(MARCH), True),
            (json!(1_772_323_199), json!(MARCH), True),
            (json!(1_772_323_200), json!(MARCH), False),
            (json!(1_772_323_199), json!(1_772_323_200), True),
            (json!(-1), json!("1970-01-01T00:00:00Z"), True),
            (json!(["2026-02-28T23:59:59Z"]), json!(MARCH), True),
        ];
        table("before", with_faults(cases, MARCH));
    }

    #[test]
    fn after() {
        let cases = vec![
            (json!("2026-03-01T00:00:00.000000001Z"), json!(MARCH), True),
            (json!(MARCH), json!(MARCH), False),
            (json!("2026-03-01T00:30:00+01:00"), json!(MARCH), False),
            (json!(1_772_323_201), json!(MARCH), True),
        ];
        table("after", with_faults(cases, MARCH));
    }

    #[test]
    fn time_between() {
        let at = |time: &str| json!(format!("2026-03-01T{time}Z"));
        let cases = vec![
            (at("09:00:00"), json!("09:00-17:00"), True),
            (at("16:59:59"), json!("09:00-17:00"), True),
            (at("17:00:00"), json!("09:00-17:00"), False),
            (at("08:59:59"), json!("09:00-17:00"), False),
            (at("22:00:00"), json!("22:00-06:00"), True),
            (at("21:59:59"), json!("22:00-06:00"), False),
            (at("05:59:59"), json!("22:00-06:00"), True),
            (at("06:00:00"), json!("22:00-06:00"), False),
            (at("23:59:59"), json!("18:00-24:00"), True),
            (at("00:00:00"), json!("18:00-24:00"), False),
            (at("08:30:00"), json!("09:00-17:00 +01:00"), True),
            (at("16:30:00"), json!("09:00-17:00 +01:00"), False),
            (at("00:30:00"), json!("18:00-20:00 -05:30"), True),
            (at("13:00:00"), json!(["09:00-12:00", "13:00-17:00"]), True),
            (at("12:30:00"), json!(["09:00-12:00", "13:00-17:00"]), False),
            (json!(1_772_355_600), json!("09:00-17:00"), True),
        ];
        table("time_between", with_faults(cases, "09:00-17:00"));
    }

    #[test]
    fn weekday_in() {
        // The first of March 2026 is a Sunday.
        let cases = vec![
            (json!(MARCH), json!("sun"), True),
            (json!(MARCH), json!(["mon", "tue", "wed", "thu", "fri"]), False),
            (json!("2026-03-02T00:00:00Z"), json!(["mon", "tue"]), True),
            (json!("2026-03-01T23:30:00Z"), json!("mon +01:00"), True),
            (json!("2026-03-01T23:30:00Z"), json!("mon"), False),
            (json!(MARCH), json!("sat -00:01"), True),
            (json!(-1), json!("wed"), True),
        ];
        table("weekday_in", with_faults(cases, "mon"));
    }

    #[test]
    fn operands_that_do_not_fit_do_not_load() {
        for operator in ["before", "after"] {
            for operand in [json!("2026-03-01"), json!("now"), json!(true), json!(1.5), json!([MARCH])] {
                refused(operator, &operand);
            }
        }
        for operand in [
            json!("9-17"),
            json!("9:00-17:00"),
            json!("09:00"),
            json!("09:00-09:00"),
            json!("09:00-25:00"),
            json!("24:00-06:00"),
            json!("09:60-17:00"),
            json!("09:00-24:01"),
            json!("09:00-17:00 CET"),
            json!("09:00-17:00+01:00"),
            json!("+9:00-17:00"),
            json!(""),
            json!([]),
            json!(9),
        ] {
            refused("time_between", &operand);
        }
        for operand in
            [json!("Mon"), json!("monday"), json!("mon-fri"), json!(1), json!([]), json!(["mon", "day"])]
        {
            refused("weekday_in", &operand);
        }
    }
}
