//! One Envoy with all lanes, and what stands around it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions};
use portcullis_testbed::sink::Sink;
use tempfile::TempDir;

use crate::authorizer;
use crate::lane::{Lane, Parts, bootstrap};
use crate::process::Process;
use crate::traffic::Mint;

/// Everything, running; gone when dropped.
pub(crate) struct Stage {
    /// Envoy's process.
    pub(crate) process: Process,
    addresses: BTreeMap<Lane, SocketAddr>,
    // Kept for as long as it runs.
    _envoy: Envoy,
    _sink: Sink,
    _folder: TempDir,
}

impl Stage {
    /// Starts Envoy with so many workers.
    ///
    /// # Errors
    /// When a part does not start; with the end of Envoy's log.
    pub(crate) async fn start(
        envoy: &Path,
        module: &Path,
        empty: &Path,
        mint: &Mint,
        workers: u32,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let sink = Sink::start(&folder.path().join("audit.ndjson")).await?;
        let parts = Parts {
            module,
            empty,
            jwks: mint.keys().jwks(),
            sink: sink.address().port(),
            authorizer: authorizer::start().await?,
        };
        let mut options = EnvoyOptions::new(envoy, bootstrap(&parts)?);
        options.concurrency = workers;
        options.log_level = "warning".to_owned();
        let envoy = Envoy::start(&options).await?;
        let process = Process::new(envoy.process_id().context("Envoy runs")?);
        let mut addresses = BTreeMap::new();
        for lane in Lane::ALL {
            addresses.insert(lane, envoy.listener(lane.name()).await?);
        }
        Ok(Self { process, addresses, _envoy: envoy, _sink: sink, _folder: folder })
    }

    /// Where a lane listens.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn address(&self, lane: Lane) -> Result<SocketAddr> {
        self.addresses.get(&lane).copied().with_context(|| format!("no listener {}", lane.name()))
    }
}
