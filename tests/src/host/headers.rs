//! Header maps: ordered, several values to a name, values are bytes.

use std::fmt;

/// The most pairs, and the most bytes of pairs, that Envoy takes from a guest. Above either it takes none, silently.
const MAX_PAIRS: usize = 1024;
const MAX_PAIRS_BYTES: usize = 1024 * 1024;

/// What Envoy 1.40 joins with a comma when it stands there twice: a filter never sees two `authorization` lines over
/// HTTP/1, it sees one with a comma in it. Cookies stay apart, and so does everything that is not listed.
const JOINED: [&str; 18] = [
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "content-type",
    "expect",
    "grpc-timeout",
    "if-match",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// Headers in order of arrival. Names are lower case; values are bytes; a name may occur several times.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderMap(Vec<(String, Vec<u8>)>);

impl HeaderMap {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of `name`: what a proxy-wasm getter sees.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The first value of `name` as text, bytes that are not UTF-8 replaced.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Whether `name` occurs.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Brings several values of the headers that Envoy keeps one of into one line, as its HTTP/1 codec does.
    pub(super) fn joined_as_by_envoy(self) -> Self {
        let mut joined = Self::default();
        for (name, value) in self.0 {
            let first =
                joined.0.iter_mut().find(|(known, _)| *known == name && JOINED.contains(&name.as_str()));
            match first {
                Some((_, first)) => *first = [first.as_slice(), &value].join(&b","[..]),
                None => joined.0.push((name, value)),
            }
        }
        joined
    }

    /// Adds a value after those already there.
    pub fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Removes every value of `name`, then appends one.
    pub fn replace(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.remove(name);
        self.add(name, value);
    }

    /// Removes every value of `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// The sum of name and value lengths: what `proxy_get_header_map_size` returns in Envoy, not a count.
    pub(super) fn byte_size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The wire format of pairs: count, lengths, then names and values each followed by NUL.
    pub(super) fn to_pairs(&self) -> Vec<u8> {
        let mut out = (self.0.len() as u32).to_le_bytes().to_vec();
        for (name, value) in &self.0 {
            out.extend((name.len() as u32).to_le_bytes());
            out.extend((value.len() as u32).to_le_bytes());
        }
        for (name, value) in &self.0 {
            out.extend(name.as_bytes());
            out.push(0);
            out.extend(value);
            out.push(0);
        }
        out
    }

    /// Reads pairs a guest wrote. Unreadable, too many or too long means none at all, as in Envoy.
    pub(super) fn from_pairs(bytes: &[u8]) -> Self {
        if bytes.len() > MAX_PAIRS_BYTES {
            return Self::default();
        }
        Self::read_pairs(bytes).unwrap_or_default()
    }

    fn read_pairs(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        let count = word(0)?;
        if count > MAX_PAIRS {
            return None;
        }
        let mut at = 4 + count * 8;
        let mut map = Self::default();
        for index in 0..count {
            let (name_len, value_len) = (word(4 + index * 8)?, word(8 + index * 8)?);
            let name = bytes.get(at..at + name_len)?;
            at += name_len + 1;
            let value = bytes.get(at..at + value_len)?;
            at += value_len + 1;
            map.add(&String::from_utf8_lossy(name), value);
        }
        Some(map)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut map = Self::default();
        for (name, value) in pairs {
            map.add(name.as_ref(), value.as_ref());
        }
        map
    }
}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| (name, String::from_utf8_lossy(value))))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_survive_the_round_trip_with_bytes_and_duplicates() {
        let map: HeaderMap = [("A", &b"\xff\0"[..]), ("a", b""), ("b", b"2")].into_iter().collect();
        assert_eq!(HeaderMap::from_pairs(&map.to_pairs()), map);
        assert_eq!(map.get("a"), Some(&b"\xff\0"[..]), "a getter sees the first value");
    }

    #[test]
    fn two_authorization_lines_arrive_as_one_and_two_cookies_do_not() {
        let map: HeaderMap =
            [("authorization", "a"), ("cookie", "c=1"), ("Authorization", "b"), ("cookie", "d=2")]
                .into_iter()
                .collect::<HeaderMap>()
                .joined_as_by_envoy();
        assert_eq!(map.all("authorization").collect::<Vec<_>>(), [b"a,b"]);
        assert_eq!(map.all("cookie").count(), 2);
    }

    #[test]
    fn more_than_1024_pairs_are_none_at_all() {
        let map: HeaderMap = (0..1025).map(|n| (format!("h{n}"), "v")).collect();
        assert!(HeaderMap::from_pairs(&map.to_pairs()).is_empty());
    }

    #[test]
    fn truncated_pairs_are_none_at_all() {
        let pairs = [("name", "value")].into_iter().collect::<HeaderMap>().to_pairs();
        assert!(HeaderMap::from_pairs(&pairs[..pairs.len() - 2]).is_empty());
    }
}
