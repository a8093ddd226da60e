//! One Envoy process: started from a configuration, ready when it says so, gone when the value is dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::admin::Admin;
use crate::PATIENCE;
use crate::journal::Journal;

/// How often Envoy is asked whether it is up: it offers no event to wait for before its administration listens.
const POLL: Duration = Duration::from_millis(20);

/// How many of the last log lines go into an error.
const LINES_IN_ERROR: usize = 15;

/// How an Envoy is to be run.
#[derive(Clone, Debug)]
pub struct EnvoyOptions {
    /// The program.
    pub binary: PathBuf,
    /// The bootstrap configuration; JSON is YAML.
    pub configuration: String,
    /// Worker threads.
    pub concurrency: u32,
    /// Added to the environment, for `host_env_keys`.
    pub environment: Vec<(String, String)>,
    /// The level of Envoy's own log.
    pub log_level: String,
    /// Levels of single parts, such as `wasm:debug`; may be empty.
    pub component_log_level: String,
}

impl EnvoyOptions {
    /// Two workers, log level info.
    pub fn new(binary: &Path, configuration: impl Into<String>) -> Self {
        Self {
            binary: binary.to_owned(),
            configuration: configuration.into(),
            concurrency: 2,
            environment: Vec::new(),
            log_level: "info".to_owned(),
            component_log_level: String::new(),
        }
    }
}

/// A running Envoy, killed when dropped.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    admin: Admin,
    log: Journal,
    output: Journal,
    // Holds configuration and log; goes when Envoy is gone.
    folder: TempDir,
}

impl Envoy {
    /// Starts Envoy and waits until it is ready to serve.
    ///
    /// # Errors
    /// When it cannot be run, refuses its configuration, or is not ready within [`PATIENCE`]; the message ends with the
    /// last lines of its log.
    pub async fn start(options: &EnvoyOptions) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-envoy-").tempdir()?;
        let admin_address = folder.path().join("admin");
        let mut command = command(options, folder.path())?;
        command.arg("--admin-address-path").arg(&admin_address);
        let mut child = spawn(&mut command, &options.binary)?;
        let (log, output) = (Journal::new(), Journal::new());
        copy_lines(child.stderr.take().context("stderr is piped")?, log.clone());
        copy_lines(child.stdout.take().context("stdout is piped")?, output.clone());
        let admin = match wait_until_ready(&mut child, &admin_address).await {
            Ok(admin) => admin,
            Err(error) => {
                let _ = child.kill().await;
                return Err(error.context(format!("Envoy did not start:\n{}", log.tail(LINES_IN_ERROR))));
            }
        };
        Ok(Self { child, admin, log, output, folder })
    }

    /// Its administration interface.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Its log, those of the module included.
    pub fn log(&self) -> &Journal {
        &self.log
    }

    /// What it prints: the access log, when the configuration sends it to stdout.
    pub fn output(&self) -> &Journal {
        &self.output
    }

    /// The folder with its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process id, to look at its memory and time.
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process still runs.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits for a log line that contains `needle`.
    ///
    /// # Errors
    /// When there is none within `patience`; the message ends with the last lines of the log.
    pub async fn wait_for_log(&self, needle: &str, patience: Duration) -> Result<String> {
        let found = self.log.wait_for_line(needle, patience).await;
        found.with_context(|| {
            format!("no log line with {needle:?}; the last:\n{}", self.log.tail(LINES_IN_ERROR))
        })
    }

    /// Where a listener accepts connections.
    ///
    /// # Errors
    /// When there is no listener of that name.
    pub async fn listener(&self, name: &str) -> Result<SocketAddr> {
        let port = self.admin.listener_port(name).await?;
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }
}

/// Runs `envoy --mode validate`: loads the configuration, the module's `on_configure` included, and serves nothing.
/// Returns the log.
///
/// # Errors
/// When Envoy refuses the configuration; the message is its log.
pub async fn validate_configuration(options: &EnvoyOptions) -> Result<String> {
    let folder = tempfile::Builder::new().prefix("portcullis-envoy-").tempdir()?;
    let mut command = command(options, folder.path())?;
    let output = command.args(["--mode", "validate"]).output().await?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(log) } else { bail!("Envoy refuses the configuration:\n{log}") }
}

fn command(options: &EnvoyOptions, folder: &Path) -> Result<Command> {
    let configuration = folder.join("envoy.yaml");
    std::fs::write(&configuration, &options.configuration)?;
    let mut command = Command::new(&options.binary);
    command
        .arg("--config-path")
        .arg(&configuration)
        // No shared memory, so that any number of them run side by side.
        .arg("--disable-hot-restart")
        // The access log is read as it is written, not ten seconds later.
        .args(["--file-flush-interval-msec", "50"])
        .args(["--concurrency", &options.concurrency.to_string()])
        .args(["--log-level", &options.log_level])
        .args(["--log-format", "%Y-%m-%dT%T.%e %l %n: %v"])
        .envs(options.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if !options.component_log_level.is_empty() {
        command.args(["--component-log-level", &options.component_log_level]);
    }
    Ok(command)
}

fn spawn(command: &mut Command, binary: &Path) -> Result<Child> {
    command
        .spawn()
        .with_context(|| format!("cannot run {}; set ENVOY or run `cargo xtask demo`", binary.display()))
}

async fn wait_until_ready(child: &mut Child, admin_address: &Path) -> Result<Admin> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {status}");
        }
        if let Some(admin) = Admin::from_file(admin_address)
            && admin.is_ready().await
        {
            return Ok(admin);
        }
        if Instant::now() > deadline {
            bail!("it was not ready within {PATIENCE:?}");
        }
        sleep(POLL).await;
    }
}

fn copy_lines(from: impl AsyncRead + Unpin + Send + 'static, to: Journal) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            to.push(String::from_utf8_lossy(&line).into_owned());
        }
    });
}
