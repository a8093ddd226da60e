//! The requests that are measured, and the tokens in them.

use std::sync::Arc;

use anyhow::Result;
use portcullis_testbed::issuer::{Algorithm, KeyRing, TokenBuilder};

use crate::client::Sources;

/// The issuer of all tokens.
pub(crate) const ISSUER: &str = "https://auth.example.com";

/// The audience of all tokens.
pub(crate) const AUDIENCE: &str = "api.example.com";

/// What all requests ask for; the last of the rules allows it, and the tenant in it is the tokens'.
const TARGET: &str = "/tenants/acme/area-9/objects/42?page=2";

/// How many tokens come again and again in warm traffic.
const WARM_TOKENS: usize = 64;

/// How long tokens live, in seconds: longer than the whole run.
const LIFETIME_SECONDS: i64 = 12 * 3600;

/// What the clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Traffic {
    /// The same few RS256 tokens again.
    Warm,
    /// Every token new, RS256.
    ColdRs256,
    /// Every token new, ES256.
    ColdEs256,
    /// Every token new, EdDSA.
    ColdEdDsa,
    /// The same few RS256 tokens again, and between each two of them a new one.
    Mixed,
    /// No token.
    Missing,
    /// Tokens that expired, well signed, the same few again.
    Expired,
    /// Tokens signed by somebody else, every one new, from as many sources as there are connections.
    Forged,
    /// The same, all from one source.
    Flood,
}

impl Traffic {
    /// All of it.
    pub(crate) const ALL: [Self; 9] = [
        Self::Warm,
        Self::ColdRs256,
        Self::ColdEs256,
        Self::ColdEdDsa,
        Self::Mixed,
        Self::Missing,
        Self::Expired,
        Self::Forged,
        Self::Flood,
    ];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::ColdRs256 => "cold RS256",
            Self::ColdEs256 => "cold ES256",
            Self::ColdEdDsa => "cold EdDSA",
            Self::Mixed => "mixed",
            Self::Missing => "no token",
            Self::Expired => "expired",
            Self::Forged => "forged",
            Self::Flood => "flood",
        }
    }

    /// Whether a filter that looks at tokens lets it pass.
    pub(crate) fn passes(self) -> bool {
        match self {
            Self::Warm | Self::ColdRs256 | Self::ColdEs256 | Self::ColdEdDsa | Self::Mixed => true,
            Self::Missing | Self::Expired | Self::Forged | Self::Flood => false,
        }
    }

    /// Where its connections come from.
    pub(crate) fn sources(self) -> Sources {
        if self == Self::Flood { Sources::One } else { Sources::Many }
    }

    /// Whether the requests of a round must not have been seen in any other.
    fn is_new_each_time(self) -> bool {
        match self {
            Self::ColdRs256
            | Self::ColdEs256
            | Self::ColdEdDsa
            | Self::Mixed
            | Self::Forged
            | Self::Flood => true,
            Self::Warm | Self::Missing | Self::Expired => false,
        }
    }
}

/// Makes requests.
pub(crate) struct Mint {
    keys: Arc<KeyRing>,
    strangers: Arc<KeyRing>,
    /// Those that come again in mixed traffic.
    known: Option<Arc<[Vec<u8>]>>,
    made: u64,
}

impl Mint {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            keys: Arc::new(KeyRing::generate("bench")?),
            strangers: Arc::new(KeyRing::generate("bench")?),
            known: None,
            made: 0,
        })
    }

    /// The keys that good tokens are signed by.
    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The requests of one round, as bytes on the wire.
    ///
    /// # Errors
    /// When a token cannot be signed.
    pub(crate) fn requests(&mut self, traffic: Traffic, count: usize) -> Result<Arc<[Vec<u8>]>> {
        if traffic == Traffic::Mixed {
            if self.known.is_none() {
                self.known = Some(self.new_requests(Traffic::Warm, WARM_TOKENS)?);
            }
            let new = self.new_requests(Traffic::ColdRs256, count / 2)?;
            let known = self.known.iter().flat_map(|known| known.iter());
            let pairs = known.cycle().zip(new.iter());
            return Ok(pairs.flat_map(|(known, new)| [known.clone(), new.clone()]).collect());
        }
        self.new_requests(traffic, count)
    }

    fn new_requests(&mut self, traffic: Traffic, count: usize) -> Result<Arc<[Vec<u8>]>> {
        let tokens = if traffic.is_new_each_time() { count } else { WARM_TOKENS.min(count) };
        (0..tokens)
            .map(|_| {
                self.made = self.made.saturating_add(1);
                self.request(traffic)
            })
            .collect()
    }

    fn request(&self, traffic: Traffic) -> Result<Vec<u8>> {
        let token = |algorithm| {
            TokenBuilder::new(Arc::clone(&self.keys), algorithm)
                .claim("iss", ISSUER)
                .claim("aud", AUDIENCE)
                .claim("sub", format!("user-{}", self.made))
                .claim("tenant", "acme")
                .claim("roles", vec!["viewer", "member"])
                .claim("role", "viewer")
                .claim("jti", format!("{:032x}", self.made))
                .expires_in(LIFETIME_SECONDS)
        };
        let token = match traffic {
            Traffic::Missing => None,
            Traffic::Warm | Traffic::ColdRs256 | Traffic::Mixed => Some(token(Algorithm::RS256).sign()?),
            Traffic::ColdEs256 => Some(token(Algorithm::ES256).sign()?),
            Traffic::ColdEdDsa => Some(token(Algorithm::EdDSA).sign()?),
            Traffic::Expired => Some(token(Algorithm::RS256).expires_in(-3600).sign()?),
            Traffic::Forged | Traffic::Flood => {
                Some(token(Algorithm::RS256).signed_by(Arc::clone(&self.strangers)).sign()?)
            }
        };
        let credential = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {TARGET} HTTP/1.1\r\nhost: api.example.com\r\nuser-agent: bench/1.0\r\naccept: application/json\r\n\
             accept-encoding: gzip, deflate, br\r\naccept-language: en\r\ncache-control: no-cache\r\n\
             x-request-start: t=1790000000\r\n{credential}\r\n"
        );
        Ok(request.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_new_each_time_is_new_in_every_round() {
        let mut mint = Mint::new().unwrap();
        let mut seen = BTreeSet::new();
        for _ in 0..2 {
            for request in mint.requests(Traffic::ColdEdDsa, 20).unwrap().iter() {
                assert!(seen.insert(request.clone()));
            }
        }
        assert_eq!(mint.requests(Traffic::Missing, 20).unwrap().len(), 20);
    }

    #[test]
    fn of_mixed_requests_every_second_is_known() {
        let mut mint = Mint::new().unwrap();
        let [first, second] = [0, 1].map(|_| mint.requests(Traffic::Mixed, 8).unwrap());
        assert_eq!((first.len(), second.len()), (8, 8));
        for at in 0..8 {
            assert_eq!(first[at] == second[at], at % 2 == 0, "{at}");
        }
    }
}
