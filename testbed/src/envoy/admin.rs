//! Questions to Envoy's administration interface.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::{Request, exchange};

/// How often a statistic is looked at while waiting for it: Envoy has no event for it.
const POLL: Duration = Duration::from_millis(20);

/// Envoy's administration interface.
#[derive(Clone, Debug)]
pub struct Admin {
    address: SocketAddr,
}

impl Admin {
    /// The address Envoy wrote to `--admin-address-path`, once it is there.
    pub(super) fn from_file(path: &Path) -> Option<Self> {
        let address = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
        Some(Self { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether Envoy serves: configuration loaded, workers started.
    pub async fn is_ready(&self) -> bool {
        exchange(self.address, &Request::get("/ready")).await.is_ok_and(|response| response.status == 200)
    }

    /// The body of a page.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn get(&self, target: &str) -> Result<String> {
        self.ask(&Request::get(target)).await
    }

    /// POSTs to a page that changes something, such as `/logging?wasm=debug`.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, target: &str) -> Result<String> {
        self.ask(&Request::new("POST", target)).await
    }

    /// The port of a listener.
    ///
    /// # Errors
    /// When there is no listener of that name.
    pub async fn listener_port(&self, name: &str) -> Result<u16> {
        let listeners: Value = serde_json::from_str(&self.get("/listeners?format=json").await?)?;
        let statuses = listeners["listener_statuses"].as_array().map_or(&[][..], Vec::as_slice);
        let port = statuses
            .iter()
            .find(|status| status["name"] == name)
            .and_then(|status| status.pointer("/local_address/socket_address/port_value"))
            .and_then(Value::as_u64);
        Ok(u16::try_from(port.with_context(|| format!("Envoy has no listener {name}"))?)?)
    }

    /// The value of a counter or gauge, by its full name; 0 when there is none.
    ///
    /// # Errors
    /// When Envoy does not answer.
    pub async fn stat(&self, name: &str) -> Result<u64> {
        let text = self.get("/stats").await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map_or(Ok(0), |value| value.parse().with_context(|| format!("{name} is no number: {value}")))
    }

    /// All counters and gauges whose name contains `part`.
    ///
    /// # Errors
    /// When Envoy does not answer.
    pub async fn stats_with(&self, part: &str) -> Result<Vec<(String, u64)>> {
        let text = self.get("/stats").await?;
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        let stats = lines.filter(|(name, _)| name.contains(part));
        Ok(stats.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// Waits until a counter or gauge is at least `wanted`, and returns its value.
    ///
    /// # Errors
    /// When it is not within `patience`.
    pub async fn wait_for_stat(&self, name: &str, wanted: u64, patience: Duration) -> Result<u64> {
        let deadline = Instant::now() + patience;
        loop {
            let value = self.stat(name).await?;
            if value >= wanted {
                return Ok(value);
            }
            if Instant::now() > deadline {
                bail!("{name} is {value}, not {wanted}, after {patience:?}");
            }
            sleep(POLL).await;
        }
    }

    /// The metrics as Prometheus sees them.
    ///
    /// # Errors
    /// When Envoy does not answer.
    pub async fn prometheus(&self) -> Result<String> {
        self.get("/stats/prometheus").await
    }

    async fn ask(&self, request: &Request) -> Result<String> {
        let response = exchange(self.address, request).await?;
        if response.status != 200 {
            bail!("the administration answered {}: {}", response.status, response.text());
        }
        Ok(response.text())
    }
}
