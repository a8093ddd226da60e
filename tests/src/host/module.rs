//! Compiled modules, one engine for all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use wasmtime::{Config, Engine};

/// Deterministic where it can be: fuel instead of a watchdog, so that a loop ends at the same place in every run.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.consume_fuel(true);
    Engine::new(&config).expect("a wasmtime engine")
});

/// A compiled module. Compiling takes seconds: load once, start many hosts from it.
#[derive(Clone)]
pub struct Module(pub(super) Arc<wasmtime::Module>);

impl Module {
    /// The project's own module: `$PORTCULLIS_WASM`, else `target/portcullis.wasm`.
    ///
    /// # Errors
    /// With the command that mends it when the file is missing.
    pub fn built() -> Result<Self, String> {
        let path = Self::built_path();
        if !path.is_file() {
            return Err(format!("{} is missing: run `cargo xtask build`", path.display()));
        }
        Self::open(&path)
    }

    /// Where [`Module::built`] looks.
    pub fn built_path() -> PathBuf {
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/portcullis.wasm");
        std::env::var_os("PORTCULLIS_WASM").map_or_else(default, PathBuf::from)
    }

    /// A module from a file.
    ///
    /// # Errors
    /// When it cannot be read or compiled.
    pub fn open(path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::from_bytes(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A module from its binary form.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let module = wasmtime::Module::from_binary(engine(), bytes).map_err(|error| format!("{error:#}"))?;
        Ok(Self(Arc::new(module)))
    }
}

pub(super) fn engine() -> &'static Engine {
    &ENGINE
}
