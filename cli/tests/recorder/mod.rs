//! The filter's own gate, asked as a proxy asks it, and the records that it delivers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_filter::audit::StreamId;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::NoHostCrypto;
use portcullis_filter::config::Config;
use portcullis_filter::gate::{CalloutReply, Command, Event, ExchangeId, Gate, RequestHead};
use portcullis_filter::time::UnixTime;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The secret of the policies in the tests: 32 bytes.
pub(crate) const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// When everything happens: 2027-01-15T08:00:00Z.
pub(crate) const NOW: u64 = 1_800_000_000;

/// One request: method, URL without a scheme, claims if there is a token, and header lines.
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) url: &'static str,
    pub(crate) claims: Option<Value>,
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// What the sink has after `asked` were put to a gate with `policy` (YAML), one a line.
pub(crate) fn record(policy: &str, asked: &[Ask]) -> String {
    let document = rendered(policy);
    let secret = |_name: &str| String::from_utf8(SECRET.to_vec()).ok();
    let config = Config::load(document.as_bytes(), &secret).unwrap_or_else(|problems| panic!("{problems:?}"));
    let now = UnixTime::from_seconds(NOW).unwrap();
    let (gate, _greeting) = Gate::new(config, StreamId::from_bytes([9; 16]), now, HostProbe::nothing());
    let mut recorder = Recorder { gate, now, lines: String::new() };
    for (number, ask) in (1..).zip(asked) {
        recorder.perform(Event::Head { exchange: ExchangeId(number), head: ask.head() });
    }
    recorder.now = recorder.now.saturating_add(Duration::from_secs(60));
    recorder.perform(Event::Tick);
    recorder.perform(Event::Retired);
    recorder.lines
}

struct Recorder {
    gate: Gate,
    now: UnixTime,
    lines: String,
}

impl Recorder {
    /// Every batch is acknowledged.
    fn perform(&mut self, event: Event) {
        for command in self.gate.handle(event, self.now, &NoHostCrypto) {
            if let Command::Dispatch(callout) = command {
                self.lines.push_str(str::from_utf8(&callout.body).unwrap());
                let reply = CalloutReply::Answered { status: 204, body: Vec::new() };
                self.perform(Event::CalloutReply { callout: callout.id, reply });
            }
        }
    }
}

impl Ask {
    pub(crate) fn get(url: &'static str, claims: Option<Value>) -> Ask {
        Ask { method: "GET", url, claims, headers: &[] }
    }

    fn head(&self) -> RequestHead {
        let (host, path) = self.url.split_at(self.url.find('/').unwrap());
        let mut lines = vec![(":method", self.method), (":authority", host), (":path", path)];
        let bearer = self.claims.as_ref().map(|claims| format!("Bearer {}", token(claims)));
        lines.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        lines.extend(self.headers);
        RequestHead {
            ended: true,
            headers: lines.into_iter().collect(),
            source: Some(b"192.0.2.7:4711".to_vec()),
        }
    }
}

/// A token of the method of the tests, with `claims` besides what every token has.
fn token(claims: &Value) -> String {
    let mut all = json!({"iss": "https://issuer.example", "aud": "api", "exp": NOW + 3600});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encoded(&json!({"alg": "HS256"})), encoded(&all));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(hmac(input.as_bytes())))
}

/// HMAC-SHA-256 under the secret (RFC 2104); the secret is shorter than a block.
fn hmac(message: &[u8]) -> Vec<u8> {
    let padded = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(SECRET).for_each(|(place, key)| *place ^= key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The policy as the proxy gets it.
fn rendered(policy: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, policy).unwrap();
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_portcullis"));
    let output = command.arg("render").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
