//! What is written: canonical, bounded, documented, without secrets by construction.

use std::time::Duration;

use portcullis_filter::audit::{
    Answer, AuthenticationDisabled, Chain, Change, Decision, Digest, Gap, GapCause, MAX_LINE_BYTES, Outcome,
    Record, Sequence, StreamId, Texts, Trial, Value,
};

use crate::support::{at, decision, open};

fn every_kind() -> Vec<Record> {
    vec![
        Record::Open(open()),
        decision("user-123"),
        Record::Gap(Gap { lost: 3, cause: GapCause::Dropped, since: at(1), until: at(2) }),
        Record::Unperformed(Sequence::FIRST),
        Record::AuthenticationDisabled(AuthenticationDisabled {
            policy: "shop".into(),
            policy_digest: Digest::of(b"new"),
        }),
        Record::Close,
    ]
}

/// Every text at its bound and beyond, every character escaped sixfold.
fn greatest() -> Record {
    let long = "\u{1}".repeat(100_000);
    let many: Vec<&str> = vec![&long; 1_000];
    let answer = || Answer {
        outcome: Outcome::Permit,
        code: Some(long.as_str().into()),
        rules: Texts::from_iter(many.iter().copied()),
    };
    Record::Decision(Box::new(Decision {
        request_id: Some(long.as_str().into()),
        method: Some(long.as_str().into()),
        host: Some(long.as_str().into()),
        path: Some(long.as_str().into()),
        source: Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().expect("an address")),
        user_agent: Some(long.as_str().into()),
        subject: Some(long.as_str().into()),
        tenant: Some(long.as_str().into()),
        authentication: Some(long.as_str().into()),
        roles: Texts::from_iter(many.iter().copied()),
        action: Some(long.as_str().into()),
        outcome: Outcome::Permit,
        code: Some(long.as_str().into()),
        reason: Some(long.as_str().into()),
        status: Some(u16::MAX),
        rules: Texts::from_iter(many.iter().copied()),
        policy: long.as_str().into(),
        policy_digest: Digest::of(b""),
        latency: Duration::MAX,
        cross_tenant: true,
        subject_tenant: Some(long.as_str().into()),
        default_tenant: true,
        path_normalized: true,
        upgrade: Some(long.as_str().into()),
        candidate: Some(Box::new(Trial {
            name: long.as_str().into(),
            enforced: true,
            change: Some(Change::NewlyAllowed),
            answer: answer(),
            live: Some(answer()),
        })),
    }))
}

#[test]
fn every_kind_of_record_is_written_in_canonical_form() {
    let mut chain = Chain::new(StreamId::from_bytes([1; 16]));
    for record in every_kind().into_iter().chain([greatest()]) {
        let line = chain.seal(&record, at(5)).expect("numbers are left").line;
        let parsed: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
        let canonical = Value::try_from(parsed).expect("a record is within the subset").encode();
        assert_eq!(format!("{canonical}\n"), line);
    }
}

#[test]
fn the_greatest_record_fits_a_line() {
    let mut chain = Chain::new(StreamId::from_bytes([1; 16]));
    let line = chain.seal(&greatest(), at(5)).expect("numbers are left").line;
    assert!(line.len() <= MAX_LINE_BYTES, "{} bytes", line.len());
    assert!(line.len() > MAX_LINE_BYTES / 2, "the bound is far too wide: {} bytes", line.len());
    assert!(line.contains("bytes cut]"), "a cut is visible");
}

#[test]
fn the_example_in_the_documentation_is_what_is_written() {
    let mut chain = Chain::new(StreamId::from_bytes([0x11; 16]));
    let lines: String = [Record::Open(open()), decision("user-123"), Record::Close]
        .iter()
        .map(|record| chain.seal(record, at(0)).expect("numbers are left").line)
        .collect();
    let documentation = include_str!("../../../docs/audit.md");
    assert!(documentation.contains(&lines), "docs/audit.md does not show:\n{lines}");
}
