//! One request to a running gate, and whether it was the gate that answered.
//!
//! Plain HTTP only: a gate is asked from beside it, where its listener is. No redirect is followed, and of the answer no
//! more is read than a problem document has.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr;
use std::time::Duration;

use crate::auth_test::sent::Sent;
use portcullis_filter::gate::Code;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Uri};

/// Where a gate listens.
#[derive(Clone, Debug)]
pub(crate) struct GateUrl(Uri);

impl GateUrl {
    /// Its host, and its port if one is named.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority().map_or("", |authority| authority.as_str())
    }
}

impl FromStr for GateUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected `http://` and a host, such as `http://127.0.0.1:10000`";
        let uri: Uri = text.parse().map_err(|_| expected)?;
        let is_bare = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if is_bare && !has_user { Ok(Self(uri)) } else { Err(expected) }
    }
}

impl fmt::Display for GateUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}", self.authority())
    }
}

/// What came back.
pub(crate) struct Heard {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Whose answer it is.
    pub(crate) by: Answerer,
}

/// Who answers a request to a gate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answerer {
    /// The gate, with this code.
    Gate(&'static str),
    /// The guard behind it: the gate has permitted nothing, or is not there.
    Guard,
    /// The upstream, or something in front of the gate.
    Another,
}

impl Answerer {
    /// For programs.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Gate(_) => "gate",
            Self::Guard => "guard",
            Self::Another => "another",
        }
    }

    /// The code of the refusal, if the gate refused.
    pub(crate) const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Gate(code) => Some(code),
            Self::Guard | Self::Another => None,
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            Answerer::Gate(code) => write!(formatter, "{} {code}", self.status),
            Answerer::Guard => write!(formatter, "{} from the guard behind the gate", self.status),
            Answerer::Another => write!(formatter, "{}, not from the gate", self.status),
        }
    }
}

/// Sends a request to `gate`.
///
/// # Errors
/// Why nothing was sent or nothing came back; nothing of the request is repeated.
pub(crate) fn ask(gate: &GateUrl, sent: &Sent) -> Result<Heard, String> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .proxy(None)
        .build()
        .into();
    let Sent { method, host, target, headers, body } = sent;
    let mut request =
        Request::builder().method(method.as_str()).uri(format!("{gate}{target}")).header("host", host);
    for (name, value) in headers {
        request = request.header(name.as_str(), value.as_slice());
    }
    let not_sent = |_| "a header line or the target cannot be sent".to_owned();
    let answer = match body {
        None => agent.run(request.body(()).map_err(not_sent)?),
        Some(body) => agent.run(request.body(body.as_slice()).map_err(not_sent)?),
    };
    let mut answer = answer.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    let read = answer.body_mut().as_reader().take(MAX_BODY_BYTES).read_to_end(&mut body);
    read.map_err(|error| error.to_string())?;
    Ok(Heard { status, by: answerer(status, &body) })
}

fn answerer(status: u16, body: &[u8]) -> Answerer {
    match ours(status, body) {
        Some(code) => Answerer::Gate(code.as_str()),
        None if body == GUARD => Answerer::Guard,
        None => Answerer::Another,
    }
}

/// The code in a problem document of ours: a known one, under its own status.
fn ours(status: u16, body: &[u8]) -> Option<Code> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let code = document.get("code")?.as_str()?;
    Code::ALL.into_iter().find(|known| known.as_str() == code && known.status() == status)
}

/// What Envoy's RBAC filter says, which is the guard.
const GUARD: &[u8] = b"RBAC: access denied";

/// How long an answer may take: longer than the gate lets a request wait for keys.
const PATIENCE: Duration = Duration::from_secs(30);

/// A problem document of ours has 300 bytes.
const MAX_BODY_BYTES: u64 = 4096;
