//! An OpenID provider as far as a gate sees one: a discovery document, a key set, and tokens signed with its keys.
//!
//! [`Issuer::token`] mints tokens with any claims; [`KeySetFault`] says how the key set is served. It has no login, no
//! token endpoint and no clients.

mod algorithm;
mod keys;
mod token;

pub use algorithm::Algorithm;
pub use keys::KeyRing;
pub use token::TokenBuilder;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use hyper::StatusCode;
use serde_json::json;

use crate::server::{Arrived, Fault, Reply, Server, bytes, json as json_reply};

/// Where the key set is served when nothing else is said.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// Where the discovery document is served (OpenID Connect Discovery 1.0, section 4).
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The size of the key set under [`KeySetFault::Huge`], in bytes: more than any verifier should read.
pub const HUGE_BODY_BYTES: usize = 8 * 1024 * 1024;

/// What is wrong with the key set that is served. Can be changed at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetFault {
    /// Nothing: the public keys in use.
    None,
    /// The request fails as a whole.
    Request(Fault),
    /// A valid JSON object of [`HUGE_BODY_BYTES`].
    Huge,
    /// An HTML page with status 200.
    NotJson,
    /// `{"keys": []}`.
    Empty,
    /// The right keys, one of them with a private member `d`.
    PrivateKey,
    /// This text with status 200.
    Text(&'static str),
}

/// A provider that lives as long as this value.
#[derive(Debug)]
pub struct Issuer {
    server: Server,
    name: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    keys: Mutex<Arc<KeyRing>>,
    fault: Mutex<KeySetFault>,
    fetches: AtomicU64,
}

impl Issuer {
    /// Listens on any free port of loopback. `name` is its issuer identifier: what it puts into `iss`.
    ///
    /// # Errors
    /// When no port can be had or no keys can be made.
    pub async fn start(name: &str) -> Result<Self> {
        Self::start_on(0, name).await
    }

    /// Listens on `port` of loopback.
    ///
    /// # Errors
    /// When the port is taken or no keys can be made.
    pub async fn start_on(port: u16, name: &str) -> Result<Self> {
        Self::start_at(port, name, JWKS_PATH).await
    }

    /// As [`Issuer::start_on`], with the key set at a path of the provider's own.
    ///
    /// # Errors
    /// When the port is taken or no keys can be made.
    pub async fn start_at(port: u16, name: &str, jwks_path: &str) -> Result<Self> {
        let state = Arc::new(State {
            keys: Mutex::new(Arc::new(KeyRing::generate("1")?)),
            fault: Mutex::new(KeySetFault::None),
            fetches: AtomicU64::new(0),
        });
        let serving = Arc::clone(&state);
        let pages = Pages { issuer: name.to_owned(), jwks_path: jwks_path.to_owned() };
        let server =
            Server::start(port, move |arrived| std::future::ready(answer(&serving, &pages, &arrived)))
                .await?;
        Ok(Self { server, name: name.to_owned(), state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its issuer identifier.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys in use.
    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.state.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token of this issuer, signed with the keys in use; see [`TokenBuilder`].
    pub fn token(&self, algorithm: Algorithm) -> TokenBuilder {
        TokenBuilder::new(self.keys(), algorithm).claim("iss", self.name.as_str())
    }

    /// Puts new keys with new ids in place of the old ones, and returns the old ones to sign with.
    ///
    /// # Errors
    /// When no keys can be made.
    pub fn rotate(&self, generation: &str) -> Result<Arc<KeyRing>> {
        let fresh = Arc::new(KeyRing::generate(generation)?);
        let mut keys = self.state.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::replace(&mut *keys, fresh))
    }

    /// Changes how the key set is served from now on. Leaving [`Fault::Slow`] releases the requests that are held.
    pub fn set_fault(&self, fault: KeySetFault) {
        *self.state.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        self.server.set_fault(match fault {
            KeySetFault::Request(fault) => fault,
            KeySetFault::None
            | KeySetFault::Huge
            | KeySetFault::NotJson
            | KeySetFault::Empty
            | KeySetFault::PrivateKey
            | KeySetFault::Text(_) => Fault::None,
        });
    }

    /// How many requests for the key set were answered; those that failed under [`KeySetFault::Request`] are not counted.
    pub fn fetches(&self) -> u64 {
        self.state.fetches.load(Ordering::Relaxed)
    }
}

/// What is served where.
#[derive(Debug)]
struct Pages {
    issuer: String,
    jwks_path: String,
}

fn answer(state: &State, pages: &Pages, arrived: &Arrived) -> Reply {
    match arrived.head.uri.path() {
        DISCOVERY_PATH => json_reply(StatusCode::OK, &discovery(pages)),
        path if path == pages.jwks_path => {
            state.fetches.fetch_add(1, Ordering::Relaxed);
            key_set(state)
        }
        _ => bytes(StatusCode::NOT_FOUND, "text/plain", "no such page"),
    }
}

fn discovery(pages: &Pages) -> serde_json::Value {
    let Pages { issuer, jwks_path } = pages;
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{}{jwks_path}", issuer.trim_end_matches('/')),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": Algorithm::ASYMMETRIC.map(Algorithm::as_str),
    })
}

fn key_set(state: &State) -> Reply {
    let keys = Arc::clone(&state.keys.lock().unwrap_or_else(PoisonError::into_inner));
    let fault = *state.fault.lock().unwrap_or_else(PoisonError::into_inner);
    match fault {
        KeySetFault::None | KeySetFault::Request(_) => json_reply(StatusCode::OK, &keys.jwks()),
        KeySetFault::Huge => {
            let mut set = keys.jwks();
            set["padding"] = "x".repeat(HUGE_BODY_BYTES).into();
            json_reply(StatusCode::OK, &set)
        }
        KeySetFault::NotJson => bytes(StatusCode::OK, "text/html", "<html><h1>It works!</h1></html>"),
        KeySetFault::Text(text) => bytes(StatusCode::OK, "application/json", text),
        KeySetFault::Empty => json_reply(StatusCode::OK, &json!({"keys": []})),
        KeySetFault::PrivateKey => {
            let mut set = keys.jwks();
            set["keys"][0]["d"] = "AQAB".into();
            json_reply(StatusCode::OK, &set)
        }
    }
}
