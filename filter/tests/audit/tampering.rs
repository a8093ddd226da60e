//! Whatever is done to a file of records inside its streams is found.
//!
//! The files come from real streams over a sink that loses answers. The one thing that is not found is a tail cut
//! off at a line's end: the stream then shows as open, and a head kept elsewhere finds it.

use std::collections::BTreeMap;

use portcullis_filter::audit::{Expectations, Gap, GapCause, Record, StreamId, WhenFull};
use proptest::prelude::*;

use crate::support::{File, at, closed_file, decision, deliver, place, settings, stream};

/// How one stream is written: its subjects, batch size, and whether the sink's answers get lost.
#[derive(Clone, Debug)]
struct Plan {
    subjects: Vec<String>,
    max_batch: usize,
    closes: bool,
    twice: bool,
}

fn plan(twice: impl Strategy<Value = bool>) -> impl Strategy<Value = Plan> {
    (prop::collection::vec(".{0,12}", 0..8), 1..6_usize, any::<bool>(), twice)
        .prop_map(|(subjects, max_batch, closes, twice)| Plan { subjects, max_batch, closes, twice })
}

/// Streams written in turns, so that they interleave.
fn write(plans: &[Plan]) -> File {
    let mut file = File::default();
    let mut streams: Vec<_> = plans
        .iter()
        .enumerate()
        .map(|(number, plan)| stream(number as u8, settings(64, plan.max_batch, WhenFull::Drop)))
        .collect();
    for turn in 0..8 {
        for (stream, plan) in streams.iter_mut().zip(plans) {
            if let Some(subject) = plan.subjects.get(turn) {
                stream.append(&decision(subject), at(turn as u64)).expect("the stream is open");
                if subject.len() > 8 {
                    let gap = Gap { lost: 1, cause: GapCause::Dropped, since: at(0), until: at(1) };
                    stream.append(&Record::Gap(gap), at(turn as u64)).expect("the stream is open");
                }
            }
            if turn % 3 == 0 {
                deliver(stream, &mut file, plan.twice);
            }
        }
    }
    for (stream, plan) in streams.iter_mut().zip(plans) {
        if plan.closes {
            stream.close(at(9));
        }
        deliver(stream, &mut file, plan.twice);
    }
    file
}

fn any_file() -> impl Strategy<Value = File> {
    prop::collection::vec(plan(any::<bool>()), 1..4).prop_map(|plans| write(&plans))
}

/// Every record once: of two copies one may be removed unseen, and nothing is lost by it.
fn file_without_repetition() -> impl Strategy<Value = File> {
    prop::collection::vec(plan(Just(false)), 1..4).prop_map(|plans| write(&plans))
}

/// The line at which each stream was last written.
fn last_lines(lines: &[Vec<u8>]) -> BTreeMap<String, usize> {
    lines.iter().enumerate().map(|(number, line)| (place(line).0, number)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_written_is_intact(file in any_file()) {
        let (report, findings) = file.verify();
        prop_assert_eq!(findings, []);
        let distinct: std::collections::BTreeSet<_> = file.lines().iter().map(|line| place(line)).collect();
        prop_assert_eq!(report.streams.values().map(|summary| summary.records).sum::<u64>(), distinct.len() as u64);
    }

    #[test]
    fn any_changed_byte_is_found(file in any_file(), position: prop::sample::Index, mask in 1..=255_u8) {
        let mut bytes = file.0;
        let position = position.index(bytes.len());
        bytes[position] ^= mask;
        prop_assert!(!File(bytes).verify().0.is_intact());
    }

    #[test]
    fn any_inserted_byte_is_found(file in any_file(), position: prop::sample::Index, byte: u8) {
        let mut bytes = file.0;
        let position = position.index(bytes.len() + 1);
        bytes.insert(position, byte);
        prop_assert!(!File(bytes).verify().0.is_intact());
    }

    #[test]
    fn any_removed_byte_is_found(file in any_file(), position: prop::sample::Index) {
        let mut bytes = file.0;
        let position = position.index(bytes.len());
        bytes.remove(position);
        prop_assert!(!File(bytes).verify().0.is_intact());
    }

    #[test]
    fn any_removed_record_is_found_unless_it_was_the_tail(
        file in file_without_repetition(), position: prop::sample::Index,
    ) {
        let mut lines = file.lines();
        let last = last_lines(&lines);
        let position = position.index(lines.len());
        let (stream, sequence) = place(&lines.remove(position));
        let (report, findings) = File::of_lines(lines).verify();
        if last[&stream] == position {
            let id: StreamId = stream.parse().expect("a stream id");
            let reach = report.streams.get(&id).map(|summary| (summary.last.get() + 1, summary.closed));
            prop_assert_eq!(reach, (sequence > 0).then_some((sequence, false)));
        } else {
            prop_assert!(!findings.is_empty());
        }
    }

    #[test]
    fn any_two_swapped_records_of_a_stream_are_found(
        file in file_without_repetition(), one: prop::sample::Index, other: prop::sample::Index,
    ) {
        let mut lines = file.lines();
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        prop_assume!(one != other && place(&lines[one]).0 == place(&lines[other]).0);
        lines.swap(one, other);
        prop_assert!(!File::of_lines(lines).verify().0.is_intact());
    }

    #[test]
    fn any_truncation_is_found_or_leaves_its_streams_open(file in any_file(), at: prop::sample::Index) {
        let length = at.index(file.0.len());
        let cut = File(file.0[..length].to_vec());
        let (whole, _) = file.verify();
        let (report, findings) = cut.verify();
        if length == 0 || cut.0.last() != Some(&b'\n') {
            prop_assert!(!findings.is_empty());
        } else {
            prop_assert_eq!(findings, []);
            for (id, summary) in &report.streams {
                let shorter = summary.last < whole.streams[id].last;
                prop_assert!(!(shorter && summary.closed), "a shortened stream cannot look complete");
            }
        }
        let heads = whole.streams.iter().map(|(stream, summary)| {
            format!("{stream}:{}:{}", summary.last, summary.head).parse().expect("a head")
        }).collect();
        let (with_heads, _) = cut.verify_with(&Expectations { closed: false, heads });
        let all_there = whole.streams.iter().all(|(id, summary)| {
            report.streams.get(id).is_some_and(|left| left.last == summary.last)
        });
        prop_assert!(!with_heads.is_intact() || all_there);
    }

    #[test]
    fn a_record_moved_into_another_stream_is_found(from in 0..6_usize, to in 0..6_usize) {
        let donor = closed_file(1, 4).lines();
        let mut lines = closed_file(2, 4).lines();
        lines[to] = String::from_utf8(donor[from].clone()).expect("text")
            .replace(&"01".repeat(16), &"02".repeat(16)).into_bytes();
        prop_assert!(!File::of_lines(lines).verify().0.is_intact());
    }

    #[test]
    fn bytes_of_no_meaning_are_read_without_harm(bytes: Vec<u8>) {
        let (report, _) = File(bytes.clone()).verify();
        prop_assert!(!report.is_intact());
    }
}
