//! Where things are. Paths for people are shown relative to the root.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the repository and what is built below it.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The folder with the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Where cargo builds: `CARGO_TARGET_DIR`, else `target`.
    pub(crate) cargo_target: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is in no workspace")?.to_owned();
        let cargo_target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(elsewhere) => std::path::absolute(elsewhere)?,
            None => root.join("target"),
        };
        Ok(Self { root, cargo_target })
    }

    /// What we make ourselves; always `target`, because the shipped Envoy configuration says so.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The module as it is shipped.
    pub(crate) fn module(&self) -> PathBuf {
        self.target().join("portcullis.wasm")
    }

    /// The npm package as it is shipped, and what it is built of.
    pub(crate) fn package(&self) -> PathBuf {
        self.target().join("npm")
    }

    /// Where Envoy wheels are kept.
    pub(crate) fn envoy_cache(&self) -> PathBuf {
        self.target().join("envoy")
    }

    /// A program built by `cargo build`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.cargo_target.join("debug").join(name)
    }
}
