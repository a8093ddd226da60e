//! All parts together: issuer, upstream and sink behind an Envoy with the shipped configuration and the module in it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::PATIENCE;
use crate::envoy::{Envoy, EnvoyOptions};
use crate::envoy_config::{
    DocumentForm, FILTER, LISTENER, Places, Plugin, bootstrap, cluster_names, discovery,
};
use crate::issuer::Issuer;
use crate::sink::Sink;
use crate::upstream::Upstream;

/// How often Envoy's statistics are looked at while a policy is pushed.
const POLL: Duration = Duration::from_millis(5);

/// What a bed is made of.
#[derive(Clone, Debug)]
pub struct BedOptions {
    /// The root of the repository, for the files of Envoy's configuration.
    pub root: PathBuf,
    /// Envoy's configuration, below the root. Of the bed's own clusters it may lack those it has no use for.
    pub bootstrap: PathBuf,
    /// The file that the filter is discovered from, below the root; the first document is put in.
    pub discovery: PathBuf,
    /// The Envoy program.
    pub envoy: PathBuf,
    /// The module; `cargo xtask build` makes `target/portcullis.wasm`.
    pub module: PathBuf,
    /// The first policy document.
    pub document: Value,
    /// How documents are handed to the filter.
    pub form: DocumentForm,
    /// Envoy's environment; the filter sees all of these.
    pub environment: Vec<(String, String)>,
    /// Envoy's worker threads.
    pub concurrency: u32,
    /// The issuer identifier.
    pub issuer: String,
    /// Where the sink writes; a file in a temporary folder when not said.
    pub audit_file: Option<PathBuf>,
    /// The ports to listen on.
    pub ports: Ports,
    /// Clusters of the shipped configuration that lead elsewhere, by name, such as `idp` to another issuer.
    pub clusters: BTreeMap<String, SocketAddr>,
    /// Levels of parts of Envoy's log, such as `wasm:debug`; may be empty.
    pub component_log_level: String,
}

/// The ports of a bed; 0 lets the system pick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// Where requests come in.
    pub gate: u16,
    /// Envoy's administration.
    pub admin: u16,
    /// The upstream.
    pub upstream: u16,
    /// The issuer.
    pub issuer: u16,
    /// The audit sink.
    pub sink: u16,
}

/// Everything, running; gone when dropped.
#[derive(Debug)]
pub struct Bed {
    /// Envoy with the filter.
    pub envoy: Envoy,
    /// Makes the tokens and serves their keys; the cluster `idp`.
    pub issuer: Issuer,
    /// The service being guarded; the cluster `upstream`.
    pub upstream: Upstream,
    /// Takes the audit records; the cluster `audit`.
    pub sink: Sink,
    gate: SocketAddr,
    policy: PolicyFile,
    // Holds policy and audit file; goes when Envoy is gone.
    _folder: TempDir,
}

impl BedOptions {
    /// A bed on any free ports, two workers, issuer `https://auth.example.com`.
    pub fn new(root: &Path, envoy: &Path, module: &Path, document: Value) -> Self {
        Self {
            root: root.to_owned(),
            bootstrap: "envoy/envoy.yaml".into(),
            discovery: "envoy/policy/ecds.yaml".into(),
            envoy: envoy.to_owned(),
            module: module.to_owned(),
            document,
            form: DocumentForm::Struct,
            environment: Vec::new(),
            concurrency: 2,
            issuer: "https://auth.example.com".to_owned(),
            audit_file: None,
            ports: Ports::default(),
            clusters: BTreeMap::new(),
            component_log_level: String::new(),
        }
    }
}

impl Bed {
    /// Starts everything and waits until Envoy serves with the first policy in force.
    ///
    /// # Errors
    /// When a part cannot be started, the module is missing, or Envoy refuses module or policy; the message has its
    /// log.
    pub async fn start(options: &BedOptions) -> Result<Self> {
        if !options.module.is_file() {
            bail!("{} is missing: run `cargo xtask build`", options.module.display());
        }
        let folder = tempfile::Builder::new().prefix("portcullis-bed-").tempdir()?;
        let ports = options.ports;
        let issuer = Issuer::start_on(ports.issuer, &options.issuer).await?;
        let upstream = Upstream::start_on(ports.upstream).await?;
        let audit_file = options.audit_file.clone().unwrap_or_else(|| folder.path().join("audit.ndjson"));
        let sink = Sink::start_on(ports.sink, &audit_file).await?;

        let policy = PolicyFile::create(folder.path(), options)?;
        policy.write(&options.document)?;
        let bootstrap_file = options.root.join(&options.bootstrap);
        let known = cluster_names(&bootstrap_file)?;
        let parts = [("upstream", upstream.address()), ("idp", issuer.address()), ("audit", sink.address())];
        let parts = parts.into_iter().filter(|(name, _)| known.contains(*name));
        let mut clusters: BTreeMap<_, _> = parts.map(|(name, address)| (name.to_owned(), address)).collect();
        clusters.extend(options.clusters.clone());
        let places = Places {
            gate: (Ipv4Addr::LOCALHOST, ports.gate).into(),
            admin: (Ipv4Addr::LOCALHOST, ports.admin).into(),
            clusters,
        };
        let configuration = bootstrap(&bootstrap_file, &places, &policy.path)?;
        let mut envoy = EnvoyOptions::new(&options.envoy, configuration.to_string());
        envoy.concurrency = options.concurrency;
        envoy.environment.clone_from(&options.environment);
        envoy.component_log_level.clone_from(&options.component_log_level);
        let envoy = Envoy::start(&envoy).await?;
        let gate = envoy.listener(LISTENER).await?;
        let bed = Self { envoy, issuer, upstream, sink, gate, policy, _folder: folder };
        bed.wait_for_verdict(Verdicts::default(), 0).await.context("the first policy is not in force")?;
        Ok(bed)
    }

    /// Where requests come in.
    pub fn gate(&self) -> SocketAddr {
        self.gate
    }

    /// The file Envoy reads the filter and its policy from.
    pub fn policy_file(&self) -> &Path {
        &self.policy.path
    }

    /// Puts a new policy in place of the old one by an atomic rename, and waits until Envoy has taken it; workers follow
    /// within moments. Returns how long it took.
    ///
    /// # Errors
    /// When Envoy refuses it; the message is what the log says. The old policy is then still in force.
    pub async fn push(&self, document: &Value) -> Result<Duration> {
        let before = self.verdicts().await?;
        let mark = self.envoy.log().len();
        let started = Instant::now();
        self.policy.write(document)?;
        self.wait_for_verdict(before, mark).await?;
        Ok(started.elapsed())
    }

    async fn wait_for_verdict(&self, before: Verdicts, mark: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.verdicts().await?;
            if now.rejected > before.rejected {
                // Envoy counts first and writes after.
                let said = self.envoy.log().wait_for_line_after(mark, "rejected", PATIENCE).await;
                bail!(
                    "Envoy refuses the policy:\n{}",
                    refusal(self.envoy.log().lines().split_off(mark), said)
                );
            }
            if now.accepted > before.accepted {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("Envoy did not take notice of the policy within {PATIENCE:?}");
            }
            sleep(POLL).await;
        }
    }

    async fn verdicts(&self) -> Result<Verdicts> {
        let mut verdicts = Verdicts::default();
        let prefix = format!("extension_config_discovery.http_filter.{FILTER}.");
        for (name, value) in self.envoy.admin().stats_with(&prefix).await? {
            match name.strip_prefix(&prefix) {
                Some("update_success") => verdicts.accepted = value,
                Some("update_rejected") => verdicts.rejected = value,
                _ => {}
            }
        }
        Ok(verdicts)
    }
}

/// What a log says against a policy: our own line where there is one, else all that Envoy says about the module.
fn refusal(log: Vec<String>, said: Option<String>) -> String {
    let about_wasm =
        log.into_iter().filter(|line| line.contains(" wasm: ") && !line.contains(" info wasm: "));
    let (ours, theirs): (Vec<_>, Vec<_>) = about_wasm.partition(|line| line.contains("wasm log"));
    if ours.is_empty() {
        theirs.into_iter().chain(said).collect::<Vec<_>>().join("\n")
    } else {
        ours.join("\n")
    }
}

/// How often Envoy took a new filter configuration and how often it refused one.
#[derive(Clone, Copy, Debug, Default)]
struct Verdicts {
    accepted: u64,
    rejected: u64,
}

/// The discovery file, replaced by rename from a folder that nobody watches.
#[derive(Debug)]
struct PolicyFile {
    path: PathBuf,
    workshop: PathBuf,
    template: PathBuf,
    plugin: Plugin,
    version: AtomicU64,
}

impl PolicyFile {
    fn create(folder: &Path, options: &BedOptions) -> Result<Self> {
        let (watched, workshop) = (folder.join("policy"), folder.join("workshop"));
        std::fs::create_dir(&watched)?;
        std::fs::create_dir(&workshop)?;
        let plugin = Plugin {
            module: std::path::absolute(&options.module)?,
            document: Value::Null,
            form: options.form,
            environment_keys: options.environment.iter().map(|(key, _)| key.clone()).collect(),
        };
        Ok(Self {
            path: watched.join("ecds.json"),
            workshop,
            template: options.root.join(&options.discovery),
            plugin,
            version: AtomicU64::new(1),
        })
    }

    fn write(&self, document: &Value) -> Result<()> {
        let version = self.version.fetch_add(1, Ordering::Relaxed);
        let plugin = Plugin { document: document.clone(), ..self.plugin.clone() };
        let config = discovery(&self.template, &plugin, version)?;
        let draft = self.workshop.join(format!("{version}.json"));
        std::fs::write(&draft, serde_json::to_vec_pretty(&config)?)?;
        std::fs::rename(draft, &self.path).context("cannot rename the policy into place")
    }
}
