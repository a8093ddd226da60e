//! The request that tries an authentication: the one that was asked for, with the token in its place.

use portcullis_filter::credential::Location;
use portcullis_filter::gate::RequestHead;

use crate::question::{HeaderLine, Question};

/// A request as it is sent.
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Sent {
    /// `request` with `lines` besides, and a token where the policy looks for it.
    ///
    /// # Errors
    /// Why the token cannot stand there.
    pub(crate) fn new(
        request: &Question,
        lines: Vec<HeaderLine>,
        credential: Option<(&[u8], &Location)>,
        body: Option<Vec<u8>>,
    ) -> Result<Self, &'static str> {
        let mut target = request.target.clone();
        let mut headers: Vec<(String, Vec<u8>)> =
            lines.into_iter().map(|line| (line.name, line.value.into_bytes())).collect();
        if body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), b"application/json".to_vec()));
        }
        match credential {
            None => {}
            Some((token, Location::Header { name, scheme: Some(scheme) })) => {
                headers.push((name.clone(), [scheme.as_bytes(), b" ", token].concat()));
            }
            Some((token, Location::Header { name, scheme: None })) => {
                headers.push((name.clone(), token.to_vec()));
            }
            Some((token, Location::Cookie { name })) => {
                headers.push(("cookie".to_owned(), [name.as_bytes(), b"=", token].concat()));
            }
            Some((token, Location::Query { name })) => {
                let token = std::str::from_utf8(token).map_err(|_| "the token is no text for a query")?;
                let separator = if target.contains('?') { '&' } else { '?' };
                target = format!("{target}{separator}{name}={token}");
            }
        }
        Ok(Self { method: request.method.clone(), host: request.host.clone(), target, headers, body })
    }

    /// The same as the gate reads it.
    pub(crate) fn head(&self, source: Option<&str>) -> RequestHead {
        let pseudo = [(":method", &self.method), (":authority", &self.host), (":path", &self.target)];
        let pseudo = pseudo.into_iter().map(|(name, value)| (name, value.as_bytes()));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        RequestHead {
            headers: pseudo.chain(headers).collect(),
            source: source.map(Into::into),
            ended: self.body.is_none(),
        }
    }
}

/// A place, as people call it.
pub(crate) fn in_words(place: &Location) -> String {
    match place {
        Location::Header { name, scheme: Some(scheme) } => format!("header `{name}`, scheme {scheme}"),
        Location::Header { name, scheme: None } => format!("header `{name}`"),
        Location::Cookie { name } => format!("cookie `{name}`"),
        Location::Query { name } => format!("query parameter `{name}`"),
    }
}
