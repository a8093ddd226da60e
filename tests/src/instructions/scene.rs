//! The proxy that is counted, and what it is asked.

use crate::host::{Answer, Call, Callout, Cost, Envoy, Fault, Host, Module, Outcome, Request};
use serde_json::{Value, json};

use super::token::{AUDIENCE, ISSUER, Signature, jwks, token};

/// 2026-06-01T12:00:00Z: when every proxy starts.
const NOON: u64 = 1_780_315_200;

/// Later than any path takes.
pub(super) const LATER: u64 = NOON + 43_200;

/// Over for longer than any leeway.
pub(super) const EARLIER: u64 = NOON - 3_600;

/// `VerifySignatureResult` of Envoy: it verifies, and it does not.
pub(super) const GOOD: [u8; 2] = [0x08, 0x01];
pub(super) const BAD: [u8; 3] = [0x12, 0x01, b'x'];

/// What is counted, and how far it may go.
pub(super) struct Lab<'a> {
    pub(super) module: &'a Module,
    /// Instructions after which the worker traps.
    pub(super) stop: u64,
}

impl Lab<'_> {
    fn host(&self) -> Host {
        Host::load(self.module).stop_after(self.stop).at(NOON)
    }
}

/// One proxy with one worker.
pub(super) struct Scene {
    envoy: Envoy,
}

impl Scene {
    /// A proxy under `document`, whose host says of every signature what `verdict` says.
    pub(super) fn start(lab: &Lab<'_>, document: &Value, verdict: &[u8]) -> Result<Self, String> {
        let host = lab.host().cluster("audit");
        let mut envoy = host.start(document.to_string()).map_err(|error| error.to_string())?;
        // Only now: at its start the module finds out whether the host's cryptography is sound.
        envoy.inject(Call::CallForeignFunction, Fault::bytes(verdict));
        Ok(Self { envoy })
    }

    /// A proxy whose host leaves cryptography to the module.
    pub(super) fn start_without_crypto(lab: &Lab<'_>, document: &Value) -> Result<Self, String> {
        let host = lab.host().without_foreign_function("verify_signature");
        Ok(Self { envoy: host.start(document.to_string()).map_err(|error| error.to_string())? })
    }

    /// What the worker has cost since it was made.
    pub(super) fn cost(&mut self) -> Cost {
        self.envoy.worker(0).cost()
    }

    /// Sends requests, each to its end, and lets an audit sink take what comes of them.
    pub(super) fn send(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
        wanted: Wanted,
    ) -> Result<(), String> {
        requests.into_iter().try_for_each(|request| {
            let outcome = self.envoy.worker(0).send(request);
            self.alive()?;
            match (wanted, outcome) {
                (Wanted::Passed, Outcome::Continued { .. }) => Ok(()),
                (Wanted::Refused(status), Outcome::Replied(reply)) if reply.status == status => Ok(()),
                (_, outcome) => Err(format!("wanted {wanted:?}, got {outcome:?}")),
            }
        })
    }

    /// The reason that the worker's module trapped for is the error.
    fn alive(&mut self) -> Result<(), String> {
        self.envoy.worker(0).death().map_or(Ok(()), Err)
    }

    /// Lets a second go by: ticks, and an audit sink that takes what it is sent.
    pub(super) fn second(&mut self) -> Result<(), String> {
        let world = |_: &Callout| Some(Answer::new(204, ""));
        self.envoy.run_for(std::time::Duration::from_secs(1), world);
        self.alive()
    }

    /// Takes another configuration.
    pub(super) fn reconfigure(&mut self, document: &Value) -> Result<(), String> {
        self.envoy.reconfigure(document.to_string()).map_err(|error| error.to_string())?;
        self.alive()
    }
}

/// What must become of a request: another way through the module is not counted under this one's name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Passed,
    Refused(u16),
}

/// As many rules as are asked for, of which the requests are about the last; the tenant bound to the path, identity in
/// headers: the document of `cargo xtask bench`.
pub(super) fn document(rules: usize) -> Value {
    let rules: Vec<_> = (0..rules)
        .map(|area| {
            json!({"effect": "allow", "action": "read", "role": "viewer",
                "resource": format!("/tenants/{{tenant}}/area-{area}/**")})
        })
        .collect();
    json!({
        "version": 1, "name": "portcullis",
        "authentication": {"methods": [{"name": "people", "jwt": {
            "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["RS256", "ES256", "EdDSA"], "jwks": jwks(),
            "claims": {"user_id": "sub", "tenant": "tenant", "roles": "roles"}
        }}]},
        "tenancy": {"required": true, "bind": [{"path": "/tenants/{tenant}/**"}]},
        "authorization": {"rules": rules}
    })
}

/// What a browser's request looks like when Envoy hands it over, 14 headers and perhaps a token.
pub(super) fn request(target: &str, token: Option<&str>) -> Request {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers = [
        (":authority", "api.example.com"),
        (":path", target),
        (":method", "GET"),
        (":scheme", "http"),
        ("user-agent", "bench/1.0"),
        ("accept", "application/json"),
        ("accept-encoding", "gzip, deflate, br"),
        ("accept-language", "en"),
        ("cache-control", "no-cache"),
        ("x-request-start", "t=1790000000"),
    ];
    let arrived = [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-envoy-internal", "true"),
        ("x-request-id", "3f1c2d4e-1111-4222-8333-444455556666"),
    ];
    let bearer = bearer.iter().map(|value| ("authorization", value.as_str()));
    Request::bare(headers.into_iter().chain(bearer).chain(arrived))
}

/// Requests for the last of `rules` rules, with the tokens of these numbers.
pub(super) fn requests(
    rules: usize,
    signature: Signature,
    numbers: std::ops::Range<u32>,
    expires: u64,
) -> impl Iterator<Item = Request> {
    let target = format!("/tenants/acme/area-{}/objects/42?page=2", rules - 1);
    numbers.map(move |number| request(&target, Some(&token(signature, number, expires))))
}
