//! Each finding, from exactly the damage it names.

use portcullis_filter::audit::{
    Chain, Digest, Expectations, ExpectedHead, FindingKind, MAX_BATCH_RECORDS, MAX_LINE_BYTES, NotAHead,
    Record, Sequence, StreamId, Value, WhenFull, verify_records,
};

use crate::support::{File, at, closed_file, decision, deliver, open, settings, stream};

fn sequence(number: u64) -> Sequence {
    Sequence::try_from(number).expect("a small number")
}

/// The findings, each with its line.
fn found(file: &File) -> Vec<(Option<u64>, FindingKind)> {
    file.verify().1.iter().map(|finding| (finding.line, finding.kind)).collect()
}

fn head(file: &File, line: usize) -> ExpectedHead {
    let record: serde_json::Value = serde_json::from_slice(&file.lines()[line]).expect("a line is JSON");
    let text = |name: &str| record[name].as_str().expect("a text");
    format!("{}:{}:{}", text("stream"), record["sequence"], text("hash")).parse().expect("a head")
}

#[test]
fn an_intact_file_is_summed_up() {
    let mut file = closed_file(1, 6);
    let mut other = stream(2, settings(4, 4, WhenFull::Drop));
    while other.pending().lost < 3 {
        other.append(&decision("b"), at(1)).expect("dropped is not refused");
    }
    deliver(&mut other, &mut file, true);
    let (report, findings) = file.verify();
    assert_eq!(findings, []);
    assert_eq!(report.lines, 8 + 2 * 6);
    let closed = &report.streams[&StreamId::from_bytes([1; 16])];
    assert_eq!((closed.records, closed.permits, closed.denies, closed.closed), (8, 6, 0, true));
    assert_eq!((closed.repeated, closed.gaps, closed.lost, closed.findings), (0, 0, 0, 0));
    assert_eq!(closed.last, sequence(7));
    assert_eq!(closed.first_time, "2026-01-01T00:00:00.000000000Z");
    assert_eq!(closed.last_time, "2026-01-01T00:00:00.002000000Z");
    let open = &report.streams[&StreamId::from_bytes([2; 16])];
    assert_eq!((open.records, open.repeated, open.gaps, open.lost, open.closed), (6, 6, 1, 3, false));
}

#[test]
fn a_record_is_handed_over_once_and_only_if_it_is_what_was_written() {
    let file = closed_file(1, 4);
    let mut lines = file.lines();
    lines[2] = String::from_utf8(lines[2].clone()).expect("text").replace("permit", "denied").into_bytes();
    lines.insert(4, lines[3].clone());
    lines.insert(1, b"nonsense\n".to_vec());
    let (mut handed, mut findings) = (Vec::new(), Vec::new());
    let text = lines.concat();
    let read = verify_records(
        text.as_slice(),
        &Expectations::default(),
        |finding| findings.push(finding.line),
        |record| {
            let kind = match record.event.get("kind") {
                Some(Value::Text(kind)) => kind.to_string(),
                other => panic!("{other:?}"),
            };
            handed.push((record.line, record.sequence.get(), kind));
        },
    );
    assert_eq!(findings, [Some(2), Some(4)]);
    // Line 2 is nonsense, record 2 at line 4 was edited, and line 6 is record 3 again.
    let expected =
        [(1, 0, "open"), (3, 1, "decision"), (5, 3, "decision"), (7, 4, "decision"), (8, 5, "close")];
    assert_eq!(handed, expected.map(|(line, place, kind)| (line, place, kind.to_owned())));
    let first = &read.expect("a slice can be read").streams[&StreamId::from_bytes([1; 16])];
    assert_eq!((first.records, first.repeated), (6, 1));
}

#[test]
fn an_edit_is_one_finding_at_its_line() {
    let file = closed_file(1, 4);
    let mut lines = file.lines();
    lines[2] = String::from_utf8(lines[2].clone()).expect("text").replace("permit", "denied").into_bytes();
    assert_eq!(found(&File::of_lines(lines)), [(Some(3), FindingKind::Edited { sequence: sequence(2) })]);
}

#[test]
fn an_edited_hash_is_one_finding_at_its_line() {
    let file = closed_file(1, 4);
    let mut lines = file.lines();
    let hash = head(&file, 2).hash.to_string();
    lines[2] =
        String::from_utf8(lines[2].clone()).expect("text").replace(&hash, &"0".repeat(64)).into_bytes();
    assert_eq!(found(&File::of_lines(lines)), [(Some(3), FindingKind::Edited { sequence: sequence(2) })]);
}

#[test]
fn an_edit_with_its_hash_made_anew_breaks_the_link_behind_it() {
    let file = closed_file(1, 4);
    let mut lines = file.lines();
    let mut forged = Chain::new(StreamId::from_bytes([1; 16]));
    let seal = |chain: &mut Chain, record: &Record| chain.seal(record, at(1)).expect("numbers are left").line;
    lines[0] = forged.seal(&Record::Open(open()), at(0)).expect("numbers are left").line.into_bytes();
    lines[1] = seal(&mut forged, &decision("user-0")).into_bytes();
    lines[2] = seal(&mut forged, &decision("somebody else")).into_bytes();
    assert_eq!(found(&File::of_lines(lines)), [(Some(4), FindingKind::BrokenLink { sequence: sequence(3) })]);
}

#[test]
fn removed_records_are_counted() {
    let mut lines = closed_file(1, 6).lines();
    lines.drain(2..5);
    let missing = FindingKind::Missing { first: sequence(2), count: 3 };
    assert_eq!(found(&File::of_lines(lines)), [(Some(3), missing)]);
}

#[test]
fn swapped_records_are_missing_and_then_out_of_order() {
    let mut lines = closed_file(1, 6).lines();
    lines.swap(2, 3);
    let kinds = [
        (Some(3), FindingKind::Missing { first: sequence(2), count: 1 }),
        (Some(4), FindingKind::OutOfOrder { sequence: sequence(2) }),
    ];
    assert_eq!(found(&File::of_lines(lines)), kinds);
}

#[test]
fn a_cut_head_is_found() {
    let lines = closed_file(1, 6).lines();
    let head_missing = FindingKind::HeadMissing { sequence: sequence(2) };
    assert_eq!(found(&File::of_lines(&lines[2..])), [(Some(1), head_missing)]);
}

#[test]
fn a_stream_that_does_not_begin_with_open_is_found() {
    let mut chain = Chain::new(StreamId::from_bytes([1; 16]));
    let line = chain.seal(&decision("a"), at(0)).expect("numbers are left").line;
    let head_missing = FindingKind::HeadMissing { sequence: sequence(0) };
    assert_eq!(found(&File::of_lines([line])), [(Some(1), head_missing)]);
}

#[test]
fn a_cut_tail_shows_as_open_and_is_found_by_what_is_known_elsewhere() {
    let whole = closed_file(1, 6);
    let cut = File::of_lines(&whole.lines()[..5]);
    let (report, findings) = cut.verify();
    assert_eq!(findings, []);
    let summary = &report.streams[&StreamId::from_bytes([1; 16])];
    assert_eq!((summary.closed, summary.last, summary.head), (false, sequence(4), head(&whole, 4).hash));

    let demanded = Expectations { closed: true, heads: vec![head(&whole, 4), head(&whole, 7)] };
    let kinds: Vec<_> = cut.verify_with(&demanded).1.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::HeadAbsent { sequence: sequence(7) }, FindingKind::NotClosed]);
    assert_eq!(whole.verify_with(&demanded).1, []);

    let elsewhere = ExpectedHead { stream: StreamId::from_bytes([9; 16]), ..head(&whole, 4) };
    let other = ExpectedHead { hash: Digest::of(b"rewritten"), ..head(&whole, 4) };
    let demanded = Expectations { closed: false, heads: vec![elsewhere, other] };
    let kinds: Vec<_> = whole.verify_with(&demanded).1.iter().map(|finding| finding.kind).collect();
    let differs = FindingKind::HeadDiffers { sequence: sequence(4) };
    assert_eq!(kinds, [differs, FindingKind::HeadAbsent { sequence: sequence(4) }]);
}

#[test]
fn another_record_at_the_same_place_is_a_conflict() {
    let mut lines = closed_file(1, 2).lines();
    let mut forged = Chain::new(StreamId::from_bytes([1; 16]));
    lines.insert(1, forged.seal(&Record::Open(open()), at(99)).expect("numbers are left").line.into_bytes());
    assert_eq!(found(&File::of_lines(lines)), [(Some(2), FindingKind::Conflict { sequence: sequence(0) })]);
}

#[test]
fn records_after_the_end_and_a_second_beginning_are_found() {
    let mut chain = Chain::new(StreamId::from_bytes([1; 16]));
    let records = [Record::Open(open()), Record::Close, decision("late"), Record::Open(open())];
    let lines = records.map(|record| chain.seal(&record, at(0)).expect("numbers are left").line);
    let kinds = [
        (Some(3), FindingKind::AfterClose { sequence: sequence(2) }),
        (Some(4), FindingKind::OpenedAgain { sequence: sequence(3) }),
        (Some(4), FindingKind::AfterClose { sequence: sequence(3) }),
    ];
    assert_eq!(found(&File::of_lines(lines)), kinds);
}

#[test]
fn a_record_is_recognised_as_far_back_as_a_batch_can_reach() {
    let whole = closed_file(1, MAX_BATCH_RECORDS - 1);
    let mut lines = whole.lines();
    lines.push(lines[1].clone());
    assert_eq!(found(&File::of_lines(&lines)), []);
    lines.push(lines[0].clone());
    let too_far = FindingKind::TooFarBack { sequence: sequence(0) };
    assert_eq!(found(&File::of_lines(&lines)), [(Some(lines.len() as u64), too_far)]);
}

#[test]
fn lines_that_are_no_records_are_named() {
    let line = closed_file(1, 0).lines().remove(0);
    let text = String::from_utf8(line).expect("text");
    let longest = format!("{}\n", "x".repeat(MAX_LINE_BYTES));
    let deep = format!("{}\n", "[".repeat(10_000));
    let at_zero = FindingKind::NotCanonical { sequence: sequence(0) };
    for (case, bytes, kind) in [
        ("spaces", text.replace("\":", "\": "), at_zero),
        ("carriage return", text.replace('\n', "\r\n"), at_zero),
        ("no line feed", text.replace('\n', ""), FindingKind::Unterminated),
        ("half a line", text.chars().take(40).chain(['\n']).collect(), FindingKind::NotJson),
        ("blank", "\n".to_owned(), FindingKind::NotJson),
        ("byte order mark", format!("\u{feff}{text}"), FindingKind::NotJson),
        ("too deep", deep, FindingKind::NotJson),
        ("too long", longest, FindingKind::TooLong),
        ("not an object", "[]\n".to_owned(), FindingKind::NotARecord),
        ("null", text.replace("\"time\":", "\"tie\":null,\"time\":"), FindingKind::NotARecord),
        ("another member", text.replace("\"time\":", "\"tie\":1,\"time\":"), FindingKind::NotARecord),
        ("upper case", text.replace("\"stream\":\"01", "\"stream\":\"0A"), FindingKind::NotARecord),
        ("fraction", text.replace("\"sequence\":0", "\"sequence\":0.0"), FindingKind::NotARecord),
        ("negative", text.replace("\"sequence\":0", "\"sequence\":-1"), FindingKind::NotARecord),
        (
            "beyond 2^53",
            text.replace("\"sequence\":0", "\"sequence\":9007199254740992"),
            FindingKind::NotARecord,
        ),
        ("no time", text.replace("2026-01-01", "2026-13-01"), FindingKind::NotARecord),
    ] {
        let findings = found(&File(bytes.into_bytes()));
        assert_eq!(findings.first(), Some(&(Some(1), kind)), "{case}: {findings:?}");
    }
    assert_eq!(found(&File(b"\xff\xfe\n".to_vec())), [(Some(1), FindingKind::NotJson)]);
    assert_eq!(found(&File::default()), [(None, FindingKind::Empty)]);
}

#[test]
fn a_head_is_read_in_one_way() {
    let (stream, hash) = ("ab".repeat(16), "cd".repeat(32));
    let parse = |text: &str| text.parse::<ExpectedHead>();
    assert!(parse(&format!("{stream}:12:{hash}")).is_ok());
    assert_eq!(parse(&format!("{stream}:{hash}")), Err(NotAHead::Parts));
    assert_eq!(parse(&format!("{stream}:1:{hash}:")), Err(NotAHead::Parts));
    assert_eq!(parse(&format!("{stream}:-1:{hash}")), Err(NotAHead::Sequence));
    assert_eq!(parse(&format!("{stream}:9007199254740992:{hash}")), Err(NotAHead::Sequence));
    assert!(matches!(parse(&format!("{stream}00:1:{hash}")), Err(NotAHead::Hex(_))));
}
