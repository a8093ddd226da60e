//! Records and streams to test with.

use std::time::Duration;

use portcullis_filter::audit::{
    Decision, Digest, Open, Outcome, Record, Settings, Stream, StreamId, Texts, WhenFull,
};
use portcullis_filter::time::UnixTime;

/// 2026-01-01T00:00:00Z and that many milliseconds.
pub(crate) fn at(millis: u64) -> UnixTime {
    UnixTime::from_nanos(1_767_225_600_000_000_000 + millis * 1_000_000)
}

pub(crate) fn open() -> Open {
    Open { module_version: "0.1.0".into(), policy: "shop".into(), policy_digest: Digest::of(b"the document") }
}

pub(crate) fn settings(max_pending: usize, max_batch: usize, when_full: WhenFull) -> Settings {
    Settings::new(max_pending, max_batch, Duration::from_secs(1), when_full).expect("within bounds")
}

pub(crate) fn stream(byte: u8, settings: Settings) -> Stream {
    Stream::open(StreamId::from_bytes([byte; 16]), settings, open(), at(0))
}

/// A usual decision; `subject` tells one from another.
pub(crate) fn decision(subject: &str) -> Record {
    Record::Decision(Box::new(Decision {
        request_id: Some("6f1c2a0e-8a0f-4e6b-9a39-1f6f0d2b7c11".into()),
        method: Some("GET".into()),
        host: Some("api.example.com".into()),
        path: Some("/v1/objects/42".into()),
        source: Some("192.0.2.7".parse().expect("an address")),
        user_agent: Some("curl/8.9.1".into()),
        subject: Some(subject.into()),
        tenant: Some("acme".into()),
        authentication: Some("people".into()),
        roles: Texts::from_iter(["viewer"]),
        action: Some("objects:read".into()),
        outcome: Outcome::Permit,
        code: None,
        status: None,
        rules: Texts::from_iter(["routes/0"]),
        policy: "shop".into(),
        policy_digest: Digest::of(b"the document"),
        latency: Duration::from_micros(412),
        cross_tenant: false,
    }))
}
