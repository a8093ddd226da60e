//! What a process has used, as Linux tells it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

/// A process that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    folder: PathBuf,
}

impl Process {
    pub(crate) fn new(id: u32) -> Self {
        Self { folder: format!("/proc/{id}").into() }
    }

    /// The time that its threads have run, to the nanosecond; none of those that have ended.
    ///
    /// # Errors
    /// When the process is gone, or the system keeps no such figures.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut total = 0_u64;
        for thread in std::fs::read_dir(self.folder.join("task"))? {
            let file = thread?.path().join("schedstat");
            let text = std::fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
            let ran = text.split(' ').next().context("an empty schedstat")?;
            total = total.saturating_add(ran.parse()?);
        }
        Ok(Duration::from_nanos(total))
    }

    /// Its resident memory, in MB.
    ///
    /// # Errors
    /// When the process is gone.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(self.folder.join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }
}
