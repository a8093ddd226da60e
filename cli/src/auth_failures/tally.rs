//! Denials counted in several ways at once, in bounded memory.
//!
//! Counts alone are kept, never records; what a record says of a caller is kept as it stands there.

use std::collections::BTreeMap;

use portcullis_filter::audit::{Object, Value};

/// Most names one grouping tells apart; then the rarer half of them is counted together, and there is room again: who comes
/// often is listed, however many come once. A name has at most 1.5 KiB, and most have 50 bytes: 16 MiB a grouping.
const MAX_NAMES: usize = 65_536;

/// How denials are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grouping {
    /// By status, code and reason.
    Code,
    /// By the method that verified the caller, if one did.
    Method,
    /// By subject and tenant where they are known, else by the address of the peer.
    Caller,
    /// By method, host and path.
    Route,
    /// By the rules that decided.
    Rule,
}

impl Grouping {
    pub(super) const ALL: [Self; 5] = [Self::Code, Self::Method, Self::Caller, Self::Route, Self::Rule];

    /// Its name, for people and programs.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Method => "method",
            Self::Caller => "caller",
            Self::Route => "route",
            Self::Rule => "rule",
        }
    }

    /// The name of the group that `event` is in.
    pub(super) fn name_of(self, event: &Object<'_>) -> String {
        let text = |name: &'static str| text(event, name);
        match self {
            Self::Code => {
                let status = number(event, "status").map(|status| format!("{status} ")).unwrap_or_default();
                let reason = text("reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("{status}{}{reason}", text("code").unwrap_or("without a code"))
            }
            Self::Method => text("authentication").unwrap_or("none verified").to_owned(),
            Self::Caller => match (text("subject"), text("source")) {
                (Some(subject), _) => match text("tenant") {
                    Some(tenant) => format!("{subject}, tenant {tenant}"),
                    None => subject.to_owned(),
                },
                (None, Some(source)) => format!("unknown, from {source}"),
                (None, None) => "unknown".to_owned(),
            },
            Self::Route => {
                let (method, host) = (text("method").unwrap_or("?"), text("host").unwrap_or_default());
                format!("{method} {host}{}", text("path").unwrap_or(" without a readable path"))
            }
            Self::Rule => {
                let rules: Vec<&str> = match event.get("rules") {
                    Some(Value::List(rules)) => rules.iter().filter_map(as_text).collect(),
                    Some(Value::Text(_) | Value::Integer(_) | Value::Boolean(_) | Value::Object(_))
                    | None => Vec::new(),
                };
                if rules.is_empty() { "none".to_owned() } else { rules.join(", ") }
            }
        }
    }
}

/// How often, from when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) count: u64,
    pub(super) first: String,
    pub(super) last: String,
}

impl Count {
    fn add(&mut self, time: &str) {
        self.count = self.count.saturating_add(1);
        if time < self.first.as_str() {
            time.clone_into(&mut self.first);
        }
        if time > self.last.as_str() {
            time.clone_into(&mut self.last);
        }
    }
}

/// One grouping.
#[derive(Debug, Default)]
pub(super) struct Groups {
    counts: BTreeMap<String, Count>,
    /// Denials under names that were given up to make room. One of them may come back, and then counts from there.
    unlisted: u64,
}

impl Groups {
    fn add(&mut self, name: String, time: &str) {
        if let Some(count) = self.counts.get_mut(&name) {
            count.add(time);
        } else {
            if self.counts.len() >= MAX_NAMES {
                self.make_room();
            }
            self.counts.insert(name, Count { count: 1, first: time.to_owned(), last: time.to_owned() });
        }
    }

    /// Gives up every name that is no more frequent than half of them.
    fn make_room(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().map(|count| count.count).collect();
        let (_, median, _) = counts.select_nth_unstable(MAX_NAMES / 2);
        let median = *median;
        let mut given_up = 0_u64;
        self.counts.retain(|_, count| {
            let stays = count.count > median;
            given_up = given_up.saturating_add(if stays { 0 } else { count.count });
            stays
        });
        self.unlisted = self.unlisted.saturating_add(given_up);
    }

    /// The most frequent, by count and then by name, and how many denials the others are.
    pub(super) fn top(&self, most: usize) -> (Vec<(&str, &Count)>, u64) {
        let mut all: Vec<(&str, &Count)> =
            self.counts.iter().map(|(name, count)| (name.as_str(), count)).collect();
        all.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        let others = all.iter().skip(most).map(|(_, count)| count.count);
        let others = others.fold(self.unlisted, u64::saturating_add);
        all.truncate(most);
        (all, others)
    }
}

/// Denials by everything that they are grouped by.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) denials: u64,
    pub(super) groups: BTreeMap<Grouping, Groups>,
    hours: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts the denial that `event` is.
    pub(super) fn add(&mut self, event: &Object<'_>, time: &str) {
        self.denials = self.denials.saturating_add(1);
        for grouping in Grouping::ALL {
            self.groups.entry(grouping).or_default().add(grouping.name_of(event), time);
        }
        let hour = time.get(..HOUR).unwrap_or(time);
        let count = self.hours.entry(hour.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    /// Denials by hour, and where these are many by day or by month.
    pub(super) fn times(&self) -> BTreeMap<&str, u64> {
        let by = |length: usize| {
            let mut times: BTreeMap<&str, u64> = BTreeMap::new();
            for (hour, count) in &self.hours {
                let sum = times.entry(hour.get(..length).unwrap_or(hour)).or_default();
                *sum = sum.saturating_add(*count);
            }
            times
        };
        let coarser = [HOUR, DAY, MONTH].map(by);
        let fits = coarser.iter().position(|times| times.len() <= MAX_TIMES);
        coarser.into_iter().nth(fits.unwrap_or(2)).unwrap_or_default()
    }
}

/// A text member of an event.
pub(super) fn text<'e>(event: &'e Object<'_>, name: &'static str) -> Option<&'e str> {
    event.get(name).and_then(as_text)
}

fn as_text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => None,
    }
}

fn number(event: &Object<'_>, name: &'static str) -> Option<i64> {
    match event.get(name)? {
        Value::Integer(number) => Some(number.get()),
        Value::Text(_) | Value::Boolean(_) | Value::List(_) | Value::Object(_) => None,
    }
}

/// Most times shown: two days of hours.
const MAX_TIMES: usize = 48;
/// How much of RFC 3339 names an hour: `2026-01-01T00`.
const HOUR: usize = 13;
/// How much names a day.
const DAY: usize = 10;
/// How much names a month.
const MONTH: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(path: usize) -> Object<'static> {
        let members = serde_json::json!({"path": format!("/{path}"), "method": "GET"});
        match Value::try_from(members) {
            Ok(Value::Object(record)) => record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_bounded_and_who_comes_often_is_listed() {
        let mut routes = Groups::default();
        let early = std::iter::repeat_n(1, 5);
        let late = std::iter::repeat_n(2, 7);
        let all = early.chain(10..10 + MAX_NAMES).chain(late).chain(1_000_000..1_000_100);
        let mut sum = 0;
        for path in all {
            routes.add(format!("/{path}"), "2026-01-01T00:00:00.000000000Z");
            assert!(routes.counts.len() <= MAX_NAMES);
            sum += 1;
        }
        let (top, others) = routes.top(2);
        let top: Vec<_> = top.into_iter().map(|(name, count)| (name, count.count)).collect();
        assert_eq!((top, others), (vec![("/2", 7), ("/1", 5)], sum - 12));
    }

    #[test]
    fn room_is_made_where_all_names_are_as_frequent() {
        let mut routes = Groups::default();
        for path in (0..MAX_NAMES).chain(0..MAX_NAMES).chain([MAX_NAMES]) {
            routes.add(format!("/{path}"), "2026-01-01T00:00:00.000000000Z");
        }
        assert_eq!((routes.counts.len(), routes.unlisted), (1, 2 * MAX_NAMES as u64));
    }

    #[test]
    fn many_hours_are_days_and_many_days_are_months() {
        let mut tally = Tally::default();
        for (hours, expected) in [(24, "2026-01-01T00"), (72, "2026-01-01"), (24 * 60, "2026-01")] {
            for hour in 0..hours {
                let (month, day) = (hour / 24 / 28 + 1, hour / 24 % 28 + 1);
                tally.add(&denied(0), &format!("2026-{month:02}-{day:02}T{:02}:00:00.000000000Z", hour % 24));
            }
            let times = tally.times();
            assert!(times.len() <= MAX_TIMES && times.contains_key(expected), "{times:?}");
        }
        assert_eq!(tally.times().values().sum::<u64>(), tally.denials);
    }
}
