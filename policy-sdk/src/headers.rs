//! The header lines of a message: one buffer, and where each line stands in it.
//!
//! A request has a dozen lines or more, and most of them are never asked for: none is copied out of the buffer that it came
//! in. This module knows no header by name and decides nothing.

mod shape;

use std::fmt;
use std::ops::Range;

pub use shape::{Shape, Shapes};

use crate::bytes::is_same;

/// Every header line of a message, in the order received, duplicates kept. Values are bytes as they were sent.
#[derive(Clone, Default)]
pub struct Headers {
    /// Somewhere in it every name and every value, each followed by one NUL, from the first name to the end.
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// Those of all names: most names that are asked for are in no line.
    shapes: Shapes,
}

/// Where a line stands: its name at `at`, and its value behind the NUL that follows the name.
#[derive(Clone, Copy)]
struct Line {
    at: u32,
    name: u32,
    value: u32,
    shape: Shape,
}

impl Headers {
    /// No lines.
    pub const fn new() -> Headers {
        Headers { bytes: Vec::new(), lines: Vec::new(), shapes: Shapes::of(&[]) }
    }

    /// The lines that stand in `bytes` as proxy-wasm hosts hand them over: within `lengths` the length of each name and of its
    /// value, as little-endian `u32`, and from there to the end these names and values, each followed by one NUL. `None` if it
    /// is not so: too few bytes, too many, or another byte where a NUL must be.
    #[inline]
    pub fn over(bytes: Vec<u8>, lengths: Range<usize>) -> Option<Headers> {
        let start = lengths.end;
        let (lengths, rest) = bytes.get(lengths)?.as_chunks::<4>();
        let (lengths, odd) = lengths.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() {
            return None;
        }
        let mut lines = Vec::with_capacity(lengths.len());
        let mut shapes = Shapes::default();
        let mut at = start;
        for [name, value] in lengths {
            let (name, value) = (u32::from_le_bytes(*name), u32::from_le_bytes(*value));
            let name_end = at.checked_add(usize::try_from(name).ok()?)?;
            let value_at = name_end.checked_add(1)?;
            let value_end = value_at.checked_add(usize::try_from(value).ok()?)?;
            if *bytes.get(name_end)? != 0 || *bytes.get(value_end)? != 0 {
                return None;
            }
            let shape = Shape::looked_up(bytes.get(at..name_end)?);
            shapes = shapes.with(shape);
            lines.push(Line { at: u32::try_from(at).ok()?, name, value, shape });
            at = value_end.checked_add(1)?;
        }
        (at == bytes.len()).then_some(Headers { bytes, lines, shapes })
    }

    /// Appends a line. Lines beyond 4 GiB are not taken: no message has them.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let lengths =
            (u32::try_from(self.bytes.len()), u32::try_from(name.len()), u32::try_from(value.len()));
        if let (Ok(at), Ok(name_length), Ok(value_length)) = lengths {
            for part in [name, value] {
                self.bytes.extend_from_slice(part);
                self.bytes.push(0);
            }
            let shape = Shape::of(name);
            self.shapes = self.shapes.with(shape);
            self.lines.push(Line { at, name: name_length, value: value_length, shape });
        }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Bytes of all names and values together.
    pub fn text_bytes(&self) -> usize {
        self.all_text().len().saturating_sub(self.lines.len().saturating_mul(2))
    }

    /// Whether every name and every value is UTF-8. One look at the whole tells: between any two of them stands a NUL, which
    /// is part of no longer sequence.
    #[inline]
    pub fn is_utf8(&self) -> bool {
        // Nearly all headers are ASCII, which a block at a time tells.
        let text = self.all_text();
        is_ascii(text) || std::str::from_utf8(text).is_ok()
    }

    /// Every name and every value, each followed by one NUL.
    #[inline]
    fn all_text(&self) -> &[u8] {
        let start = self.lines.first().map_or(self.bytes.len(), |line| usize::try_from(line.at).unwrap_or(0));
        self.bytes.get(start..).unwrap_or(&self.bytes)
    }

    /// Every line: its name and its value.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + Clone {
        self.lines.iter().map(|line| self.text(*line).unwrap_or_default())
    }

    /// The lines whose names have one of these shapes: most are told apart by that, without a look at the name.
    #[inline]
    pub fn of_shapes(&self, shapes: Shapes) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let lines = if self.shapes.meet(shapes) { self.lines.as_slice() } else { &[] };
        let lines = lines.iter().filter(move |line| shapes.has(line.shape));
        lines.map(|line| self.text(*line).unwrap_or_default())
    }

    /// The values of the lines whose name is exactly `name`.
    #[inline]
    pub fn values(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
        let lines = self.of_shapes(Shapes::default().with(Shape::looked_up(name)));
        lines.filter(move |(other, _)| is_same(other, name)).map(|(_, value)| value)
    }

    /// A line was looked up once when it came in: it is there.
    #[inline]
    fn text(&self, line: Line) -> Option<(&[u8], &[u8])> {
        let (at, name, value) = (usize::try_from(line.at).ok()?, line.name, line.value);
        let (name, rest) = self.bytes.get(at..)?.split_at_checked(usize::try_from(name).ok()?)?;
        Some((name, rest.get(1..)?.get(..usize::try_from(value).ok()?)?))
    }
}

#[inline]
fn is_ascii(text: &[u8]) -> bool {
    // The last block covers what is left behind the whole ones, and perhaps some of them once more.
    let (blocks, rest) = text.as_chunks::<BLOCK_BYTES>();
    let Some(last) = text.last_chunk() else { return rest.is_ascii() };
    let all = blocks.iter().chain([last]).fold(0, |all, block: &[u8; BLOCK_BYTES]| {
        block.as_chunks().0.iter().fold(all, |all, eight| all | u64::from_le_bytes(*eight))
    });
    all & 0x8080_8080_8080_8080 == 0
}

/// Bytes that are looked at in one step.
const BLOCK_BYTES: usize = 32;

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.push(name.as_ref(), value.as_ref());
        }
        headers
    }
}

/// No lines.
impl Default for &Headers {
    fn default() -> Self {
        const NONE: &Headers = &Headers::new();
        NONE
    }
}

/// Lines are counted and not shown: some of them are credentials (RFC 6750 section 2.1).
impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Headers({} lines)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

    /// The same lines, put in one by one and as a host hands them over.
    fn both(pairs: &Pairs) -> [Headers; 2] {
        let lengths = pairs.iter().flat_map(|(name, value)| [name, value].map(|part| part.len() as u32));
        let mut bytes = vec![0xff];
        lengths.for_each(|length| bytes.extend(length.to_le_bytes()));
        let lengths = 1..bytes.len();
        pairs.iter().for_each(|(name, value)| bytes.extend([name, &[0][..], value, &[0]].concat()));
        [pairs.iter().cloned().collect(), Headers::over(bytes, lengths).unwrap()]
    }

    fn lines(headers: &Headers) -> Pairs {
        headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }

    fn pairs() -> impl Strategy<Value = Pairs> {
        let part = || prop::collection::vec(any::<u8>(), 0..6);
        prop::collection::vec((part(), part()), 0..6)
    }

    #[test]
    fn lines_that_do_not_fill_the_buffer_exactly_are_refused() {
        let over = |text: &[u8], lengths: &[(u32, u32)]| {
            let mut bytes = vec![b'-'];
            lengths.iter().for_each(|(name, value)| {
                bytes.extend([name.to_le_bytes(), value.to_le_bytes()].as_flattened());
            });
            let lengths = 1..bytes.len();
            bytes.extend_from_slice(&text[1..]);
            Headers::over(bytes, lengths).map(|headers| self::lines(&headers))
        };
        assert_eq!(over(b"-a\0bc\0", &[(1, 2)]), Some(vec![(b"a".to_vec(), b"bc".to_vec())]));
        assert_eq!(over(b"-", &[]), Some(vec![]));
        for (bytes, lengths) in [
            (&b"-a\0bc\0"[..], &[(1, 3)][..]),
            (b"-a\0bc\0", &[(2, 2)]),
            (b"-a\0bc\0", &[(1, 1)]),
            (b"-a\0bc\0!", &[(1, 2)]),
            (b"-a\0bc", &[(1, 2)]),
            (b"-a\0bc\0", &[(u32::MAX, u32::MAX)]),
            (b"-a\0bc\0", &[]),
        ] {
            assert_eq!(over(bytes, lengths), None, "{bytes:?} {lengths:?}");
        }
        for lengths in [0..1, 0..9, Range { start: 5, end: 3 }] {
            assert!(Headers::over(vec![0; 8], lengths).is_none());
        }
    }

    #[test]
    fn debug_shows_no_line() {
        let headers: Headers = [("authorization", "canary")].into_iter().collect();
        assert_eq!(format!("{headers:?}"), "Headers(1 lines)");
    }

    proptest! {
        #[test]
        fn what_was_put_in_comes_out(pairs in pairs()) {
            let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
            for headers in both(&pairs) {
                prop_assert_eq!(lines(&headers), pairs.clone());
                prop_assert_eq!((headers.len(), headers.text_bytes()), (pairs.len(), bytes));
            }
        }

        #[test]
        fn lines_of_a_name_or_a_shape_are_those_of_a_look_at_each(
            pairs in pairs(),
            name in prop::collection::vec(any::<u8>(), 0..6),
        ) {
            let names = pairs.iter().map(|(name, _)| name.clone()).chain([name]);
            for (headers, name) in names.flat_map(|name| both(&pairs).map(|headers| (headers, name.clone()))) {
                let of_name = pairs.iter().filter(|pair| pair.0 == name).map(|pair| pair.1.as_slice());
                prop_assert!(headers.values(&name).eq(of_name));
                let shapes = Shapes::default().with(Shape::of(&name));
                let each = headers.iter().filter(|(other, _)| Shape::of(other) == Shape::of(&name));
                prop_assert!(headers.of_shapes(shapes).eq(each));
            }
        }

        #[test]
        fn ascii_is_known_a_block_at_a_time(text in prop::collection::vec(0..=0x80_u8, 0..120)) {
            prop_assert_eq!(is_ascii(&text), text.is_ascii());
        }

        #[test]
        fn one_look_at_all_tells_what_a_look_at_each_tells(pairs in pairs()) {
            let each = pairs.iter().all(|(name, value)| {
                std::str::from_utf8(name).is_ok() && std::str::from_utf8(value).is_ok()
            });
            for headers in both(&pairs) {
                prop_assert_eq!(headers.is_utf8(), each);
            }
        }
    }
}
