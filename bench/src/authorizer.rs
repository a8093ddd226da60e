//! The server that `ext_authz` asks, in a process of its own: `bin/portcullis-bench-authorizer.rs`, beside this program.

use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::process::Process;

/// A server, gone when dropped.
pub(crate) struct Authorizer {
    /// Its process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) port: u16,
    // Its standard input is open for as long as it is to serve.
    _child: Child,
}

impl Authorizer {
    /// Starts one.
    ///
    /// # Errors
    /// When it was not built, or does not say where it listens.
    pub(crate) async fn start() -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("portcullis-bench-authorizer");
        let mut command = Command::new(&program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut line).await?;
        let port = line.trim().parse().context("the authorizer says no port")?;
        Ok(Self { process: Process::new(child.id().context("it runs")?), port, _child: child })
    }
}
