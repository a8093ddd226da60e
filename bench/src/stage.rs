//! One Envoy with all lanes, and what stands around it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions};
use portcullis_testbed::sink::Sink;
use serde_json::Value;
use tempfile::TempDir;

use crate::authorizer::Authorizer;
use crate::capabilities;
use crate::listener::{Parts, bootstrap};
use crate::place::Place;
use crate::process::Process;
use crate::traffic::Mint;

/// What is measured.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) envoy: PathBuf,
    pub(crate) module: PathBuf,
    pub(crate) empty: PathBuf,
    /// What the module may use of a host that lends it no cryptography.
    alone: Value,
}

impl Programs {
    /// Looks at the module.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn new(envoy: PathBuf, module: PathBuf, empty: PathBuf) -> Result<Self> {
        let bytes = std::fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
        Ok(Self { envoy, module, empty, alone: capabilities::without_foreign_functions(&bytes)? })
    }
}

/// Everything, running; gone when dropped.
pub(crate) struct Stage {
    /// Envoy's process.
    pub(crate) process: Process,
    /// The server that `ext_authz` asks.
    pub(crate) authorizer: Authorizer,
    addresses: BTreeMap<Place, SocketAddr>,
    // Kept for as long as it runs.
    _envoy: Envoy,
    _sink: Sink,
    _folder: TempDir,
}

impl Stage {
    /// Starts Envoy with these listeners and so many workers.
    ///
    /// # Errors
    /// When a part does not start; with the end of Envoy's log.
    pub(crate) async fn start(
        programs: &Programs,
        mint: &Mint,
        places: &[Place],
        workers: u32,
    ) -> Result<Self> {
        Self::start_at(programs, mint, places, workers, 0).await
    }

    /// The same with listeners at this port; 0 lets the system pick.
    ///
    /// # Errors
    /// When a part does not start; with the end of Envoy's log.
    pub(crate) async fn start_at(
        programs: &Programs,
        mint: &Mint,
        places: &[Place],
        workers: u32,
        port: u16,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let sink = Sink::start(&folder.path().join("audit.ndjson")).await?;
        let authorizer = Authorizer::start().await?;
        let parts = Parts {
            module: &programs.module,
            empty: &programs.empty,
            alone: &programs.alone,
            jwks: mint.keys().jwks(),
            sink: sink.address().port(),
            authorizer: authorizer.port,
        };
        let mut options = EnvoyOptions::new(&programs.envoy, bootstrap(&parts, places, port)?);
        options.concurrency = workers;
        options.log_level = "warning".to_owned();
        let envoy = Envoy::start(&options).await?;
        let process = Process::new(envoy.process_id().context("Envoy runs")?);
        let mut addresses = BTreeMap::new();
        for place in places {
            addresses.insert(*place, envoy.listener(&place.name()).await?);
        }
        Ok(Self { process, authorizer, addresses, _envoy: envoy, _sink: sink, _folder: folder })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn address(&self, place: Place) -> Result<SocketAddr> {
        self.addresses.get(&place).copied().with_context(|| format!("no listener {}", place.name()))
    }
}
