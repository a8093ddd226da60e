//! What a file of cases may say.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One file: a document, the world around it, and cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Path below `cases/`, without `.yaml`.
    #[serde(skip)]
    pub name: String,
    /// Why these cases stand together.
    pub note: String,
    /// The document, placeholders and all.
    pub document: Value,
    /// The proxy's environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What the world answers.
    #[serde(default)]
    pub callouts: Callouts,
    /// What tokens start from.
    #[serde(default)]
    pub token: Value,
    /// The cases.
    pub cases: Vec<Case>,
}

/// What each cluster answers to every callout.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callouts {
    /// The issuer's key set endpoint.
    #[serde(default)]
    pub idp: Reply,
    /// The audit sink.
    #[serde(default)]
    pub audit: Reply,
}

/// One answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Reply {
    /// 200 and nothing in it.
    #[default]
    Ok,
    /// 200 and the public keys for these algorithms, separated by commas.
    Jwks(String),
    /// This status and nothing in it.
    Status(u16),
    /// 200 and this body.
    Body(String),
    /// No answer in time.
    Timeout,
    /// The stream is reset.
    Reset,
    /// Nobody listens.
    Unreachable,
}

/// One request and what is wanted of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique in the corpus.
    pub id: String,
    /// Why this case is here.
    #[serde(default)]
    pub note: String,
    /// The request.
    #[serde(default)]
    pub request: RequestSpec,
    /// A merge patch on the file's token; absent is no credential.
    #[serde(default)]
    pub token: Option<Value>,
    /// A second credential, the same way.
    #[serde(default)]
    pub second_token: Option<Value>,
    /// What must come of it.
    pub want: Want,
}

/// A request line and headers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestSpec {
    /// Request method.
    pub method: String,
    /// Request target, query included.
    pub path: Bytes,
    /// `:authority`.
    pub host: String,
    /// Headers in order.
    pub headers: Vec<(String, Bytes)>,
    /// The body; empty is none.
    pub body: Bytes,
    /// Whether it is a gRPC request: `POST` with its content type unless said otherwise.
    pub grpc: bool,
}

impl Default for RequestSpec {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            path: Bytes::Text("/v1/objects/1".to_owned()),
            host: "api.example.com".to_owned(),
            headers: Vec::new(),
            body: Bytes::Text(String::new()),
            grpc: false,
        }
    }
}

/// Text, or bytes that are no text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    /// As it stands.
    Text(String),
    /// `{bytes: "ff00"}`.
    Hex(Hex),
    /// `{repeat: a, times: 60000}`.
    Repeated(Repeated),
}

/// Bytes in hexadecimal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hex {
    /// Two digits a byte.
    pub bytes: String,
}

/// One text many times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// What comes first, once.
    #[serde(default)]
    pub prefix: String,
    /// What is repeated.
    pub repeat: String,
    /// How often.
    pub times: usize,
}

impl Bytes {
    /// The bytes meant.
    ///
    /// # Panics
    /// When `bytes` is not hexadecimal.
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex(hex) => {
                let digits = hex.bytes.as_bytes().chunks(2);
                let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
                digits.map(byte).collect()
            }
            Self::Repeated(text) => format!("{}{}", text.prefix, text.repeat.repeat(text.times)).into_bytes(),
        }
    }
}

/// What must come of a request. A refusal is also held to what RFC 6750 and RFC 9457 say of its code.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Want {
    /// It must reach the upstream.
    pub permitted: bool,
    /// It must be answered with this status.
    pub status: Option<u16>,
    /// The `code` of the problem document, and in the response code details.
    pub code: Option<String>,
    /// Parts of the `WWW-Authenticate` header.
    pub challenge: Vec<String>,
    /// The `grpc-status` of the answer.
    pub grpc_status: Option<u32>,
    /// The answer must have no body.
    pub body_absent: bool,
    /// Headers the upstream must see; null is absent. Several values are joined by a comma.
    pub upstream_headers: BTreeMap<String, Option<String>>,
    /// The target the upstream must see.
    pub upstream_path: Option<String>,
}
