//! What is written: canonical, bounded, documented, without secrets by construction.

use std::time::Duration;

use portcullis_filter::audit::{
    Answer, AuthenticationDisabled, Chain, Change, Decision, Digest, Gap, GapCause, MAX_LINE_BYTES, Outcome,
    Record, Sequence, StreamId, Texts, Trial, Value,
};

use proptest::prelude::*;
use proptest::{collection, option};
use serde_json::json;

use crate::support::{at, decision, open};

fn every_kind() -> Vec<Record<'static>> {
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
fn greatest() -> Record<'static> {
    let long: &'static str = "\u{1}".repeat(100_000).leak();
    let many = vec![long; 1_000];
    let answer = || Answer {
        outcome: Outcome::Permit,
        code: Some(long.into()),
        rules: Texts::from_iter(many.iter().copied()),
    };
    Record::Decision(Box::new(Decision {
        request_id: Some(long.into()),
        method: Some(long.into()),
        host: Some(long.into()),
        path: Some(long.into()),
        source: Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().expect("an address")),
        user_agent: Some(long.into()),
        subject: Some(long.into()),
        tenant: Some(long.into()),
        authentication: Some(long.into()),
        roles: Texts::from_iter(many.iter().copied()),
        action: Some(long.into()),
        outcome: Outcome::Permit,
        code: Some(long.into()),
        reason: Some(long.into()),
        status: Some(u16::MAX),
        rules: Texts::from_iter(many.iter().copied()),
        policy: long.into(),
        policy_digest: Digest::of(b""),
        latency: Duration::MAX,
        cross_tenant: true,
        subject_tenant: Some(long.into()),
        default_tenant: true,
        path_normalized: true,
        upgrade: Some(long.into()),
        candidate: Some(Box::new(Trial {
            name: long.into(),
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

/// A text to escape, or a plain one, or none.
fn texts() -> impl Strategy<Value = Option<String>> {
    option::of("[a-z/:. ]{0,12}|[\\x00-\\x22\\\\é😂]{0,6}")
}

proptest! {
    /// A record's members are written one by one and not from a tree: the tree is built here and compared.
    #[test]
    fn what_is_written_is_the_canonical_form_of_what_happened(
        texts in collection::vec(texts(), 16),
        flags in any::<[bool; 5]>(),
        (status, latency) in any::<(Option<u16>, u32)>(),
        names in collection::vec("[a-z\"\\n]{0,6}", 0..3),
    ) {
        let text = |place: usize| texts[place].as_deref();
        let [permit, normalized, default_tenant, cross_tenant, changed] = flags;
        let outcome = if permit { Outcome::Permit } else { Outcome::Deny };
        let policy_digest = Digest::of(b"some");
        let answer = |rules| Answer { outcome, code: text(0).map(Into::into), rules };
        let candidate = text(1).map(|name| Box::new(Trial {
            name: name.into(),
            enforced: permit,
            change: changed.then_some(Change::NewlyDenied),
            answer: answer(names.iter().map(String::as_str).collect()),
            live: normalized.then(|| answer(Texts::default())),
        }));
        let record = Record::Decision(Box::new(Decision {
            request_id: text(2).map(Into::into),
            method: text(3).map(Into::into),
            host: text(4).map(Into::into),
            path: text(5).map(Into::into),
            path_normalized: normalized,
            upgrade: text(6).map(Into::into),
            source: changed.then(|| "2001:db8::1".parse().expect("an address")),
            user_agent: text(7).map(Into::into),
            subject: text(8).map(Into::into),
            tenant: text(9).map(Into::into),
            subject_tenant: text(10).map(Into::into),
            default_tenant,
            authentication: text(11).map(Into::into),
            roles: names.iter().map(String::as_str).collect(),
            action: text(12).map(Into::into),
            outcome,
            code: text(13).map(Into::into),
            reason: text(14).map(Into::into),
            status,
            rules: names.iter().map(String::as_str).collect(),
            policy: text(15).unwrap_or_default().into(),
            policy_digest,
            latency: Duration::from_micros(latency.into()),
            cross_tenant,
            candidate,
        }));

        let word = if permit { "permit" } else { "deny" };
        let live = normalized.then(|| given([("code", text(0).into()), ("decision", word.into()), ("rules", json!([]))]));
        let trial = |name: &str| given([
            ("name", name.into()),
            ("enforced", permit.into()),
            ("change", changed.then_some("newly_denied").into()),
            ("code", text(0).into()),
            ("decision", word.into()),
            ("rules", json!(names)),
            ("live", live.clone().into()),
        ]);
        let event = given([
            ("kind", "decision".into()),
            ("request_id", text(2).into()),
            ("method", text(3).into()),
            ("host", text(4).into()),
            ("path", text(5).into()),
            ("path_normalized", normalized.then_some(true).into()),
            ("upgrade", text(6).into()),
            ("source", changed.then_some("2001:db8::1").into()),
            ("user_agent", text(7).into()),
            ("subject", text(8).into()),
            ("tenant", text(9).into()),
            ("subject_tenant", text(10).into()),
            ("default_tenant", default_tenant.then_some(true).into()),
            ("authentication", text(11).into()),
            ("roles", json!(names)),
            ("action", text(12).into()),
            ("decision", word.into()),
            ("code", text(13).into()),
            ("reason", text(14).into()),
            ("status", status.into()),
            ("rules", json!(names)),
            ("policy", text(15).unwrap_or_default().into()),
            ("policy_digest", policy_digest.to_string().into()),
            ("latency_us", latency.into()),
            ("cross_tenant", cross_tenant.into()),
            ("candidate", text(1).map(trial).into()),
        ]);
        let line = Chain::new(StreamId::from_bytes([1; 16])).seal(&record, at(5)).expect("numbers are left").line;
        let read: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
        prop_assert_eq!(&read["event"], &event);
        let canonical = Value::try_from(event).expect("within the subset").encode();
        let written = line.strip_prefix("{\"event\":").and_then(|rest| rest.split_once(",\"hash\":\""));
        prop_assert_eq!(written.map(|(event, _)| event), Some(canonical.as_str()));
    }
}

/// An object of the members that have a value.
fn given<const MEMBERS: usize>(members: [(&str, serde_json::Value); MEMBERS]) -> serde_json::Value {
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()
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
