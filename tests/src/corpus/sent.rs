//! A case's request with its credentials in place.

use super::{
    case::{Case, CaseFile},
    keys::Keys,
    patch,
    token::{Place, TokenSpec},
};
use serde_json::Value;

/// A request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Request method.
    pub method: String,
    /// Request target.
    pub target: Vec<u8>,
    /// Whom it is for; empty is nobody.
    pub host: String,
    /// Headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty is none.
    pub body: Vec<u8>,
}

impl Sent {
    /// The request of a case, its tokens minted at `now` seconds since 1970.
    ///
    /// # Errors
    /// When a token cannot be made as described.
    pub fn of(file: &CaseFile, case: &Case, keys: &Keys, now: i64) -> Result<Self, String> {
        let spec = &case.request;
        let mut sent = Self {
            method: if spec.grpc && spec.method == "GET" { "POST".to_owned() } else { spec.method.clone() },
            target: spec.path.to_vec(),
            host: spec.host.clone(),
            headers: spec.headers.iter().map(|(name, value)| (name.clone(), value.to_vec())).collect(),
            body: spec.body.to_vec(),
        };
        if spec.grpc {
            sent.headers.push(("content-type".to_owned(), b"application/grpc".to_vec()));
            sent.headers.push(("te".to_owned(), b"trailers".to_vec()));
        }
        for change in [&case.token, &case.second_token].into_iter().flatten() {
            let described = patch::merge(file.token.clone(), change);
            let token: TokenSpec =
                serde_json::from_value(described).map_err(|error| format!("{}: token: {error}", case.id))?;
            sent.carry(&token.place, &token.mint(keys, now)?);
        }
        Ok(sent)
    }

    fn carry(&mut self, place: &Place, token: &str) {
        match place {
            Place::Scheme(scheme) => {
                self.headers.push(("authorization".to_owned(), format!("{scheme} {token}").trim().into()));
            }
            Place::Header(name) => self.headers.push((name.clone(), token.into())),
            Place::Cookie(name) => self.headers.push(("cookie".to_owned(), format!("{name}={token}").into())),
            Place::Query(name) => {
                let separator = if self.target.contains(&b'?') { '&' } else { '?' };
                self.target.extend(format!("{separator}{name}={token}").bytes());
            }
        }
    }
}

/// A token described as the cases describe theirs: `base` with the merge patch `change`; null changes nothing.
///
/// # Errors
/// When there is no such token.
pub fn mint(base: &Value, change: &Value, keys: &Keys, now: i64) -> Result<String, String> {
    let described = if change.is_null() { base.clone() } else { patch::merge(base.clone(), change) };
    let token: TokenSpec = serde_json::from_value(described).map_err(|error| format!("token: {error}"))?;
    token.mint(keys, now)
}

/// The claims of a case's token as the case describes them; `None` when the request carries none.
pub fn claims(file: &CaseFile, case: &Case) -> Option<Value> {
    let described = patch::merge(file.token.clone(), case.token.as_ref()?);
    Some(described.get("claims").cloned().unwrap_or_default())
}

/// Reads a case's claims for messages: never the token itself.
pub(super) fn describe(case: &Case) -> String {
    let token = case.token.as_ref().map(Value::to_string);
    format!("{:?} token {}", case.request, token.as_deref().unwrap_or("none"))
}
