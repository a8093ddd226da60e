//! The service being guarded: answers every request with what it received, as JSON, so that a test sees what passed the
//! gate. It keeps no state but a count.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::server::{Arrived, Fault, Reply, Server, json as json_reply};

/// An echo server. Answers 200 with `{"method", "path", "headers": [[name, value], ...], "trailers", "body", "body_bytes"}`;
/// what is not UTF-8 has U+FFFD in place of the bad bytes.
#[derive(Debug)]
pub struct Upstream {
    server: Server,
    served: Arc<AtomicU64>,
}

impl Upstream {
    /// Listens on any free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self> {
        Self::start_on(0).await
    }

    /// Listens on `port` of loopback.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start_on(port: u16) -> Result<Self> {
        let served = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&served);
        let server = Server::start(port, move |arrived| {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(echo(&arrived))
        })
        .await?;
        Ok(Self { server, served })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many requests reached it.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Changes how it treats requests from now on.
    pub fn set_fault(&self, fault: Fault) {
        self.server.set_fault(fault);
    }
}

fn echo(arrived: &Arrived) -> Reply {
    let lines = |lines: &HeaderMap| -> Vec<Value> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
        };
        lines.iter().map(line).collect()
    };
    let target = arrived.head.uri.path_and_query().map_or("", |target| target.as_str());
    let received = json!({
        "method": arrived.head.method.as_str(),
        "path": target,
        "headers": lines(&arrived.head.headers),
        "trailers": lines(&arrived.trailers),
        "body": String::from_utf8_lossy(&arrived.body),
        "body_bytes": arrived.body.len(),
    });
    json_reply(StatusCode::OK, &received)
}
