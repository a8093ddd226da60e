//! Records and streams to test with.

use std::time::Duration;

use portcullis_filter::audit::{
    Decision, Digest, Expectations, Finding, Open, Outcome, Record, Report, Settings, Stream, StreamId,
    Texts, WhenFull, verify,
};
use portcullis_filter::time::UnixTime;

/// 2026-01-01T00:00:00Z and that many milliseconds.
pub(crate) fn at(millis: u64) -> UnixTime {
    UnixTime::from_nanos(1_767_225_600_000_000_000 + millis * 1_000_000)
}

pub(crate) fn open() -> Open<'static> {
    Open { module_version: "0.1.0".into(), policy: "shop".into(), policy_digest: Digest::of(b"the document") }
}

pub(crate) fn settings(max_pending: usize, max_batch: usize, when_full: WhenFull) -> Settings {
    Settings::new(max_pending, max_batch, Duration::from_secs(1), when_full).expect("within bounds")
}

pub(crate) fn stream(byte: u8, settings: Settings) -> Stream {
    Stream::open(StreamId::from_bytes([byte; 16]), settings, open(), at(0))
}

/// A usual decision; `subject` tells one from another.
pub(crate) fn decision(subject: &str) -> Record<'_> {
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
        reason: None,
        status: None,
        rules: Texts::from_iter(["routes/0"]),
        policy: "shop".into(),
        policy_digest: Digest::of(b"the document"),
        latency: Duration::from_micros(412),
        cross_tenant: false,
        subject_tenant: None,
        default_tenant: false,
        path_normalized: false,
        upgrade: None,
        candidate: None,
    }))
}

/// What a sink has: every byte of every batch that reached it.
#[derive(Clone, Debug, Default)]
pub(crate) struct File(pub(crate) Vec<u8>);

impl File {
    /// The lines, each with its line feed.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        self.0.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    pub(crate) fn of_lines<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Self {
        Self(lines.into_iter().flat_map(|line| line.as_ref().to_vec()).collect())
    }

    pub(crate) fn verify(&self) -> (Report, Vec<Finding>) {
        self.verify_with(&Expectations::default())
    }

    pub(crate) fn verify_with(&self, expectations: &Expectations) -> (Report, Vec<Finding>) {
        let mut findings = Vec::new();
        let report = verify(self.0.as_slice(), expectations, |finding| findings.push(finding))
            .expect("memory can be read");
        assert_eq!(report.findings, findings.len() as u64);
        assert_eq!(report.is_intact(), findings.is_empty());
        (report, findings)
    }
}

/// Stream and sequence of a line.
pub(crate) fn place(line: &[u8]) -> (String, u64) {
    let record: serde_json::Value = serde_json::from_slice(line).expect("a line is JSON");
    (record["stream"].as_str().expect("a stream").to_owned(), record["sequence"].as_u64().expect("a number"))
}

/// Delivers what waits; with `twice` the sink's answer to the first attempt is lost.
pub(crate) fn deliver(stream: &mut Stream, file: &mut File, twice: bool) {
    let mut now = 10_000_000;
    while let Some(mut batch) = stream.next_batch(at(now)) {
        file.0.extend_from_slice(&batch.body);
        if twice {
            stream.failed(batch.id, at(now)).expect("it is out");
            now += 60_000;
            batch = stream.next_batch(at(now)).expect("the pause is over");
            file.0.extend_from_slice(&batch.body);
        }
        stream.acknowledged(batch.id, at(now)).expect("it is out");
        now += 60_000;
    }
}

/// A closed stream: `open`, that many decisions, `close`.
pub(crate) fn closed_file(byte: u8, decisions: usize) -> File {
    let mut stream = stream(byte, settings(4_096, 4, WhenFull::Refuse));
    for number in 0..decisions {
        stream.append(&decision(&format!("user-{number}")), at(1)).expect("there is room");
    }
    stream.close(at(2));
    let mut file = File::default();
    deliver(&mut stream, &mut file, false);
    file
}
