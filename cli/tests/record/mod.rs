//! Audit records as a gate writes them.

use std::time::Duration;

use portcullis_filter::audit::{
    Decision, Digest, Open, Outcome, Record, Settings, Stream, StreamId, Texts, WhenFull,
};
use portcullis_filter::time::UnixTime;

/// A permit of one request, of which not much is known.
pub(crate) fn permit() -> Decision<'static> {
    Decision {
        request_id: None,
        method: Some("GET".into()),
        host: None,
        path: Some("/v1/objects/42".into()),
        path_normalized: false,
        upgrade: None,
        source: None,
        user_agent: None,
        subject: Some("user-123".into()),
        tenant: None,
        subject_tenant: None,
        default_tenant: false,
        authentication: None,
        roles: Texts::default(),
        action: None,
        outcome: Outcome::Permit,
        code: None,
        reason: None,
        status: None,
        rules: Texts::default(),
        policy: "shop".into(),
        policy_digest: Digest::of(b"the document"),
        latency: Duration::ZERO,
        cross_tenant: false,
        candidate: None,
    }
}

/// The lines of a stream: `open` at the start of 2026, `decisions` each an hour after the one before, and `close` if so.
pub(crate) fn lines(
    byte: u8,
    decisions: impl IntoIterator<Item = Decision<'static>>,
    closes: bool,
) -> Vec<String> {
    let settings = Settings::new(64, 64, Duration::from_secs(1), WhenFull::Refuse).unwrap();
    let open = Open {
        module_version: "0.1.0".into(),
        policy: "shop".into(),
        policy_digest: Digest::of(b"the document"),
    };
    let mut now = UnixTime::from_seconds(1_767_225_600).unwrap();
    let mut stream = Stream::open(StreamId::from_bytes([byte; 16]), settings, open, now);
    for decision in decisions {
        now = now.saturating_add(Duration::from_secs(3600));
        stream.append(&Record::Decision(Box::new(decision)), now).unwrap();
    }
    if closes {
        stream.close(now);
    }
    let body = stream.next_batch(now.saturating_add(Duration::from_secs(10))).unwrap().body;
    String::from_utf8(body).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}
