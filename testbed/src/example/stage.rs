//! One example, running: its own Envoy configuration with the parts it names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use super::case::Subject;
use super::outcome::{self, Outcome};
use super::{Example, caller};
use crate::bed::{Bed, BedOptions};
use crate::client::exchange;
use crate::issuer::{Issuer, KeyRing};

/// What all shared secrets of an example are here. Real ones are random and known to two.
const SECRET: &str = "an-example-is-no-place-for-a-secret";

/// What an example is run with.
#[derive(Clone, Debug)]
pub struct StageOptions {
    /// The root of the repository.
    pub root: PathBuf,
    /// The Envoy program.
    pub envoy: PathBuf,
    /// The module.
    pub module: PathBuf,
    /// Where the audit records go; a temporary file when not said.
    pub audit_file: Option<PathBuf>,
}

/// An example that runs; gone when dropped.
#[derive(Debug)]
pub struct Stage {
    /// Envoy, the service behind it, and the audit sink.
    pub bed: Bed,
    example: Example,
    issuers: BTreeMap<String, Issuer>,
    secrets: Vec<(String, String)>,
    unused: Arc<KeyRing>,
}

impl Stage {
    /// Starts everything that the example's policy and Envoy configuration name.
    ///
    /// # Errors
    /// When a part cannot be started, or Envoy refuses configuration or policy.
    pub async fn start(options: &StageOptions, example: Example) -> Result<Self> {
        let mut bed =
            BedOptions::new(&options.root, &options.envoy, &options.module, example.document.clone());
        bed.bootstrap = example.envoy();
        bed.discovery = example.discovery();
        bed.audit_file.clone_from(&options.audit_file);
        let mut issuers = BTreeMap::new();
        let mut secrets = Vec::new();
        for jwt in tokens(&example.document) {
            let name = jwt["issuer"].as_str().context("a method has no issuer")?;
            if let Some(reference) = jwt["secret"].as_str() {
                let variable = reference.trim_start_matches("${").trim_end_matches('}');
                secrets.push((variable.to_owned(), SECRET.to_owned()));
            }
            if let (Some(uri), Some(cluster)) = (jwt["jwks_uri"].as_str(), jwt["cluster"].as_str()) {
                let issuer = Issuer::start_at(0, name, path(uri)).await?;
                bed.clusters.insert(cluster.to_owned(), issuer.address());
                issuers.insert(name.to_owned(), issuer);
            }
        }
        bed.environment.clone_from(&secrets);
        let bed = Bed::start(&bed).await.with_context(|| format!("{} does not start", example.name))?;
        let unused = bed.issuer.keys();
        Ok(Self { bed, example, issuers, secrets, unused })
    }

    /// The example being run.
    pub fn example(&self) -> &Example {
        &self.example
    }

    /// Sends every case that can be sent, each as one request over a connection of its own.
    ///
    /// # Errors
    /// When a case is malformed, or the proxy does not answer.
    pub async fn run(&self) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for case in self.example.sent() {
            let mut request = case.request()?;
            if let Some((_, subject)) = case.subject(&self.example.cases)? {
                let method =
                    caller::Method::of(&self.example.document, subject).with_context(|| case.name.clone())?;
                let token = method.token(subject, &self.signers()).with_context(|| case.name.clone())?;
                request = method.present(request, &token.sign()?)?;
            }
            let answer = exchange(self.bed.gate(), &request).await.with_context(|| case.name.clone())?;
            outcomes.push(outcome::read(&self.example.cases, case, &self.example.document, &answer)?);
        }
        Ok(outcomes)
    }

    /// A token for each subject that has a name in the file, good for so many seconds.
    ///
    /// # Errors
    /// When the document has no claim that could carry what a subject has.
    pub fn tokens(&self, seconds: i64) -> Result<Vec<(&str, String)>> {
        let sign = |subject: &Subject| {
            let method = caller::Method::of(&self.example.document, subject)?;
            method.token(subject, &self.signers())?.expires_in(seconds).sign()
        };
        let subjects = self.example.cases.subjects.iter();
        subjects.map(|(name, subject)| Ok((name.as_str(), sign(subject)?))).collect()
    }

    fn signers(&self) -> caller::Signers<'_> {
        caller::Signers { issuers: &self.issuers, secrets: &self.secrets, unused: &self.unused }
    }
}

/// The `jwt` settings of all methods of a document.
fn tokens(document: &Value) -> impl Iterator<Item = &Value> {
    let methods = document.pointer("/authentication/methods").and_then(Value::as_array);
    methods.into_iter().flatten().filter_map(|method| method.get("jwt"))
}

/// The path of a URI.
fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
}
