//! A gate, a clock and an issuer, in a few words.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use portcullis_filter::audit::StreamId;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::NoHostCrypto;
use portcullis_filter::config::{Config, DELIVERS_BODIES};
use portcullis_filter::gate::{
    Callout, CalloutId, CalloutReply, Command, Event, ExchangeId, Gate, RequestHead,
};
use portcullis_filter::time::UnixTime;
use serde_json::{Value, json};

/// One gate under test.
pub(crate) struct Scene {
    pub(crate) gate: Gate,
    now: UnixTime,
}

/// What a turn came to for one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Resumed,
    Refused(u16, String),
}

impl Scene {
    pub(crate) fn new(audit: Value) -> Scene {
        let mut document = document();
        if !audit.is_null() {
            document["audit"] = audit;
        }
        Scene::of(&document)
    }

    pub(crate) fn of(document: &Value) -> Scene {
        let now = start();
        let environment = |name: &str| (name == DELIVERS_BODIES).then(|| "true".to_owned());
        let config =
            Config::load(document.to_string().as_bytes(), &environment).unwrap_or_else(|p| panic!("{p:?}"));
        let (gate, _commands) = Gate::new(config, StreamId::from_bytes([7; 16]), now, HostProbe::nothing());
        Scene { gate, now }
    }

    pub(crate) fn wait(&mut self, duration: Duration) {
        self.now = self.now.saturating_add(duration);
    }

    /// The host's clock says so many seconds after the start.
    pub(crate) fn at(&mut self, seconds: u64) -> &mut Scene {
        self.now = start().saturating_add(Duration::from_secs(seconds));
        self
    }

    /// The host's clock is corrected.
    pub(crate) fn set_clock_back(&mut self, duration: Duration) {
        self.now = self.now.saturating_sub(duration);
    }

    pub(crate) fn handle(&mut self, event: Event) -> Vec<Command> {
        self.gate.handle(event, self.now, &NoHostCrypto)
    }

    pub(crate) fn request(&mut self, exchange: u32, path: &str, token: Option<&str>) -> Vec<Command> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let more: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        self.request_with(exchange, path, &more)
    }

    /// A request with these header lines besides.
    pub(crate) fn request_with(&mut self, exchange: u32, path: &str, more: &[(&str, &str)]) -> Vec<Command> {
        let pseudo = [(":method", "GET"), (":authority", "api.example"), (":path", path)];
        let headers = pseudo.iter().chain(more).copied().collect();
        let head = RequestHead { headers, ..RequestHead::default() };
        self.handle(Event::Head { exchange: ExchangeId(exchange), head })
    }

    pub(crate) fn reply(&mut self, callout: CalloutId, reply: CalloutReply) -> Vec<Command> {
        self.handle(Event::CalloutReply { callout, reply })
    }

    /// A good token of the key `kid`, valid for an hour.
    pub(crate) fn token(&self, kid: &str) -> String {
        signed(kid, &self.claims())
    }

    /// As [`Scene::token`], without naming the key.
    pub(crate) fn nameless_token(&self, kid: &str) -> String {
        signed_with(kid, &json!({"alg": "EdDSA"}), &self.claims())
    }

    fn claims(&self) -> Value {
        let expires = self.now.seconds() + 3600;
        json!({"iss": "https://issuer.example", "aud": "api", "sub": "alice", "exp": expires})
    }
}

fn start() -> UnixTime {
    UnixTime::from_seconds(1_800_000_000).unwrap()
}

/// A token over `claims`, signed with the key that [`jwks`] has under `kid`.
pub(crate) fn signed(kid: &str, claims: &Value) -> String {
    signed_with(kid, &json!({"alg": "EdDSA", "kid": kid}), claims)
}

fn signed_with(kid: &str, header: &Value, claims: &Value) -> String {
    let input =
        format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
    let signature = key(kid).sign(input.as_bytes());
    format!("{input}.{}", encoded(&signature.to_bytes()))
}

/// A JWKS with these keys, as a callout's reply.
pub(crate) fn jwks(kids: &[&str]) -> CalloutReply {
    let keys: Vec<Value> = kids
        .iter()
        .map(|kid| json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encoded(key(kid).verifying_key().as_bytes())}))
        .collect();
    CalloutReply::Answered { status: 200, body: json!({"keys": keys}).to_string().into_bytes() }
}

/// Every callout in the commands.
pub(crate) fn dispatched(commands: &[Command]) -> Vec<&Callout> {
    let mut callouts = Vec::new();
    for command in commands {
        if let Command::Dispatch(callout) = command {
            callouts.push(callout);
        }
    }
    callouts
}

/// The one callout in the commands that goes to `cluster`.
pub(crate) fn only_dispatch(commands: &[Command], cluster: &str) -> CalloutId {
    let there: Vec<_> =
        dispatched(commands).into_iter().filter(|callout| callout.cluster == cluster).collect();
    let [callout] = there[..] else { panic!("one dispatch to {cluster} expected: {commands:?}") };
    callout.id
}

/// Every answer in the commands, by exchange.
pub(crate) fn outcomes(commands: &[Command]) -> Vec<(u32, Outcome)> {
    let outcome = |command: &Command| match command {
        Command::Resume { exchange, .. } => Some((exchange.0, Outcome::Resumed)),
        Command::Refuse { exchange, answer } => {
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            Some((exchange.0, Outcome::Refused(answer.status, body["code"].as_str().unwrap().to_owned())))
        }
        _other => None,
    };
    commands.iter().filter_map(outcome).collect()
}

pub(crate) fn refused(status: u16, code: &str) -> Outcome {
    Outcome::Refused(status, code.to_owned())
}

pub(crate) fn document() -> Value {
    json!({
        "version": 1,
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["EdDSA"],
            "jwks_uri": "https://issuer.example/jwks", "cluster": "idp", "jwks_cache_ttl": "10m",
        }}]},
        "authorization": {
            "public": [{"methods": ["GET"], "path": "/public"}],
            "routes": [
                {"methods": ["GET"], "path": "/x"},
                {"methods": ["GET"], "path": "/admin", "require": {"roles": {"any_of": ["admin"]}}},
            ],
        },
    })
}

fn key(kid: &str) -> SigningKey {
    let mut seed = [0; 32];
    for (byte, from) in seed.iter_mut().zip(kid.bytes()) {
        *byte = from;
    }
    SigningKey::from_bytes(&seed)
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
