//! What is kept and delivered: bounds, batches, repetition, loss on record.

use std::time::Duration;

use portcullis_filter::audit::{
    Appended, Batch, BatchId, MAX_BATCH_RECORDS, NotRecorded, Sequence, Settings, SettingsError, StaleBatch,
    Stream, WhenFull,
};

use crate::support::{at, decision, settings, stream};

fn lines(batch: &Batch) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(&batch.body).expect("a batch is text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn kinds(batch: &Batch) -> Vec<String> {
    lines(batch).iter().map(|line| line["event"]["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn sequence(number: u64) -> Sequence {
    Sequence::try_from(number).expect("a small number")
}

/// Appends until there is no more room; says how many were kept.
fn fill(stream: &mut Stream) -> usize {
    (0..100_000)
        .take_while(|_| matches!(stream.append(&decision("filler"), at(10)), Ok(Appended::Sealed(_))))
        .count()
}

#[test]
fn settings_outside_their_bounds_make_no_stream() {
    let second = Duration::from_secs(1);
    let new = |pending, batch, flush| Settings::new(pending, batch, flush, WhenFull::Refuse).map(|_| ());
    assert_eq!(new(4096, 256, second), Ok(()));
    assert_eq!(new(0, 256, second), Err(SettingsError::MaxPending));
    assert_eq!(new(65_537, 256, second), Err(SettingsError::MaxPending));
    assert_eq!(new(4096, 0, second), Err(SettingsError::MaxBatch));
    assert_eq!(new(4096, MAX_BATCH_RECORDS + 1, second), Err(SettingsError::MaxBatch));
    assert_eq!(new(4096, 256, Duration::ZERO), Err(SettingsError::FlushInterval));
    assert_eq!(new(4096, 256, Duration::from_secs(61)), Err(SettingsError::FlushInterval));
}

#[test]
fn a_batch_goes_out_when_it_is_old_full_awaited_or_the_last() {
    let mut old = stream(1, settings(64, 4, WhenFull::Refuse));
    assert_eq!(old.next_batch(at(999)), None);
    assert_eq!(old.next_batch(at(1_000)).map(|batch| kinds(&batch)), Some(vec!["open".to_owned()]));

    let mut full = stream(1, settings(64, 4, WhenFull::Refuse));
    for _ in 0..4 {
        full.append(&decision("a"), at(0)).expect("there is room");
    }
    assert_eq!(full.next_batch(at(0)).map(|batch| batch.id.last), Some(sequence(3)));

    let mut awaited = stream(1, settings(64, 4, WhenFull::Refuse));
    let Ok(Appended::Sealed(place)) = awaited.append(&decision("a"), at(1)) else { panic!("there is room") };
    assert_eq!(awaited.next_batch(at(1)), None);
    awaited.expedite(place);
    let batch = awaited.next_batch(at(1)).expect("it is waited for");
    assert!(!awaited.is_acknowledged(place));
    assert_eq!(awaited.acknowledged(batch.id, at(2)), Ok(()));
    assert!(awaited.is_acknowledged(place));
    assert!(!awaited.is_acknowledged(sequence(2)));

    let mut closing = stream(1, settings(64, 4, WhenFull::Refuse));
    closing.close(at(3));
    let last = closing.next_batch(at(3)).expect("a closed stream waits for nothing");
    assert_eq!(kinds(&last), ["open", "close"]);
    assert!(!closing.is_drained());
    assert_eq!(closing.acknowledged(last.id, at(4)), Ok(()));
    assert!(closing.is_drained());
    assert_eq!(closing.append(&decision("late"), at(5)), Err(NotRecorded::Closed));
}

#[test]
fn a_failed_batch_is_repeated_byte_for_byte_after_a_pause() {
    let mut stream = stream(1, settings(64, 8, WhenFull::Refuse));
    let first = stream.next_batch(at(1_000)).expect("due by age");
    stream.append(&decision("later"), at(1_001)).expect("there is room");
    assert_eq!(stream.next_batch(at(5_000)), None, "one batch is out");
    assert_eq!(stream.failed(first.id, at(5_000)), Ok(()));
    assert_eq!(stream.next_batch(at(5_249)), None, "the pause is at least half of 500 ms");
    let again = stream.next_batch(at(5_500)).expect("the pause is over");
    assert_eq!(again.body, first.body);
    assert_eq!(again.head, first.head);
    assert_eq!(again.id, BatchId { attempt: 1, ..first.id });
    assert_eq!(stream.acknowledged(again.id, at(5_501)), Ok(()));
    let next = stream.next_batch(at(5_501)).expect("the later record is old by now");
    assert_eq!(next.id.first, again.id.last.next().expect("a small number"));
}

#[test]
fn answers_that_come_late_or_twice_change_nothing() {
    let mut stream = stream(1, settings(64, 8, WhenFull::Refuse));
    let nobody_asked = BatchId { first: sequence(0), last: sequence(0), attempt: 0 };
    assert_eq!(stream.acknowledged(nobody_asked, at(0)), Err(StaleBatch));
    assert_eq!(stream.failed(nobody_asked, at(0)), Err(StaleBatch));

    let first = stream.next_batch(at(1_000)).expect("due");
    assert_eq!(stream.failed(first.id, at(1_000)), Ok(()));
    assert_eq!(stream.failed(first.id, at(1_000)), Err(StaleBatch), "failed twice");
    let again = stream.next_batch(at(2_000)).expect("due again");
    assert_eq!(stream.failed(first.id, at(2_000)), Err(StaleBatch), "a late failure of the first attempt");
    let future = BatchId { attempt: 2, ..first.id };
    assert_eq!(stream.acknowledged(future, at(2_000)), Err(StaleBatch), "an attempt that was never made");
    let other = BatchId { last: sequence(1), ..again.id };
    assert_eq!(stream.acknowledged(other, at(2_000)), Err(StaleBatch), "another range");
    assert_eq!(stream.acknowledged(first.id, at(2_000)), Ok(()), "the same bytes arrived after all");
    assert_eq!(stream.acknowledged(again.id, at(2_000)), Err(StaleBatch), "acknowledged twice");
    assert_eq!(stream.pending().records, 0);
}

#[test]
fn a_full_stream_refuses_and_records_how_many_it_refused() {
    let mut stream = stream(1, settings(64, 1_024, WhenFull::Refuse));
    let kept = fill(&mut stream);
    assert_eq!(kept, 64, "`open` does not count");
    assert_eq!(stream.append(&decision("b"), at(20)), Err(NotRecorded::Full));
    assert_eq!(stream.pending().lost, 2);

    let batch = stream.next_batch(at(20)).or_else(|| stream.next_batch(at(1_000))).expect("due");
    assert_eq!(stream.acknowledged(batch.id, at(1_001)), Ok(()));
    let Ok(Appended::Sealed(_)) = stream.append(&decision("c"), at(1_002)) else { panic!("room again") };
    let rest = stream.next_batch(at(5_000)).expect("due");
    assert_eq!(kinds(&rest), ["gap", "decision"], "the gap comes first");
    let gap = &lines(&rest)[0]["event"];
    assert_eq!((gap["lost"].as_u64(), gap["cause"].as_str()), (Some(2), Some("refused")));
    assert_eq!(gap["since"], "2026-01-01T00:00:00.010000000Z");
    assert_eq!(gap["until"], "2026-01-01T00:00:00.020000000Z");
}

#[test]
fn a_full_stream_may_drop_but_never_silently() {
    let mut stream = stream(1, settings(64, 1_024, WhenFull::Drop));
    fill(&mut stream);
    assert_eq!(stream.append(&decision("b"), at(20)), Ok(Appended::Dropped));
    let before = stream.pending();
    stream.close(at(30));
    assert_eq!(stream.pending().records, before.records + 2, "the reserve held a gap and the close");
    assert!(stream.pending().bytes <= before.bytes + 1_024, "and their bytes");
    assert_eq!(stream.pending().records, 64 + 1 + 2, "requests, `open`, `gap` and `close`");
    let batch = stream.next_batch(at(30)).expect("a closed stream waits for nothing");
    let kinds = kinds(&batch);
    assert_eq!(kinds[kinds.len() - 2..], ["gap", "close"]);
}

#[test]
fn the_least_bound_does_not_starve() {
    let mut stream = stream(1, settings(1, 1, WhenFull::Refuse));
    let mut kept = 0;
    for second in 1..100 {
        for _request in 0..3 {
            kept += usize::from(stream.append(&decision("a"), at(second * 1_000)).is_ok());
        }
        let batch = stream.next_batch(at(second * 1_000)).expect("something always waits");
        stream.acknowledged(batch.id, at(second * 1_000 + 1)).expect("it is out");
    }
    assert!(kept > 30, "{kept} of 297 requests kept");
}

#[test]
fn memory_is_bounded_in_bytes_whatever_the_records_are() {
    let mut stream = stream(1, settings(4_096, 1_024, WhenFull::Refuse));
    let long = "\u{1}".repeat(10_000);
    while stream.append(&decision(&long), at(1)).is_ok() {}
    assert!(stream.pending().bytes <= 4_096 * Settings::BYTES_PER_PENDING_RECORD);
    assert_eq!(stream.pending().oldest, Some(at(0)));
    let mut delivered = 0;
    while let Some(batch) = stream.next_batch(at(2_000)) {
        assert!(batch.body.len() <= 512 * 1_024, "{} bytes", batch.body.len());
        delivered += lines(&batch).len();
        stream.acknowledged(batch.id, at(2_000)).expect("it is out");
    }
    assert!(delivered > 1_000, "{delivered} records delivered");
}

#[test]
fn a_batch_says_what_it_carries() {
    let mut stream = stream(0xab, settings(64, 8, WhenFull::Refuse));
    stream.append(&decision("a"), at(1)).expect("there is room");
    let batch = stream.next_batch(at(1_000)).expect("due");
    let last = lines(&batch).pop().expect("two lines");
    let headers = batch.headers();
    assert_eq!(headers[0], ("content-type", "application/x-ndjson".to_owned()));
    assert_eq!(headers[1], ("portcullis-audit-stream", "ab".repeat(16)));
    assert_eq!(headers[2], ("portcullis-audit-first", "0".to_owned()));
    assert_eq!(headers[3], ("portcullis-audit-last", "1".to_owned()));
    assert_eq!(headers[4].1, last["hash"].as_str().expect("a hash"));
}
