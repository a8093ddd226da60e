//! Where audit records go: takes batches of newline-delimited JSON by POST, keeps them in memory and in a file, and
//! acknowledges each batch with 204. It does not look into the records.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::{Method, StatusCode};

use crate::journal::Journal;
use crate::server::{Arrived, Fault, Reply, Server, bytes};

/// An audit sink.
#[derive(Debug)]
pub struct Sink {
    server: Server,
    records: Journal,
    batches: Journal,
    path: PathBuf,
}

impl Sink {
    /// Listens on any free port of loopback and writes to `file`, which it empties first.
    ///
    /// # Errors
    /// When no port can be had or the file cannot be written.
    pub async fn start(file: &Path) -> Result<Self> {
        Self::start_on(0, file).await
    }

    /// Listens on `port` of loopback and writes to `file`, which it empties first.
    ///
    /// # Errors
    /// When the port is taken or the file cannot be written.
    pub async fn start_on(port: u16, file: &Path) -> Result<Self> {
        let output =
            std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
        let store =
            Arc::new(Store { output: Mutex::new(output), records: Journal::new(), batches: Journal::new() });
        let (records, batches) = (store.records.clone(), store.batches.clone());
        let server = Server::start(port, move |arrived| std::future::ready(store.take(&arrived))).await?;
        Ok(Self { server, records, batches, path: file.to_owned() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The file that holds every record received, one a line.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// The records received so far, one a line, in order of arrival; those of a batch sent twice are there twice.
    pub fn records(&self) -> &Journal {
        &self.records
    }

    /// One line a batch: the path it was posted to, a space, and the number of its records.
    pub fn batches(&self) -> &Journal {
        &self.batches
    }

    /// Waits until `count` records have arrived in all.
    ///
    /// # Errors
    /// When they have not within `patience`.
    pub async fn wait_for(&self, count: usize, patience: Duration) -> Result<Vec<String>> {
        let found = self.records.wait_for_count(count, patience).await;
        found.with_context(|| {
            format!("the sink has {} of {count} records after {patience:?}", self.records.len())
        })
    }

    /// Changes how it treats batches from now on.
    pub fn set_fault(&self, fault: Fault) {
        self.server.set_fault(fault);
    }
}

struct Store {
    output: Mutex<std::fs::File>,
    records: Journal,
    batches: Journal,
}

impl Store {
    fn take(&self, arrived: &Arrived) -> Reply {
        if arrived.head.method != Method::POST {
            return bytes(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "batches come by POST");
        }
        let Ok(text) = std::str::from_utf8(&arrived.body) else {
            return bytes(StatusCode::BAD_REQUEST, "text/plain", "not UTF-8");
        };
        let lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let written = lines.iter().try_for_each(|line| writeln!(output, "{line}"));
        if written.is_err() {
            return bytes(StatusCode::INSUFFICIENT_STORAGE, "text/plain", "cannot write the file");
        }
        self.batches.push(format!("{} {}", arrived.head.uri.path(), lines.len()));
        self.records.extend(lines);
        drop(output);
        bytes(StatusCode::NO_CONTENT, "text/plain", "")
    }
}
