//! Bringing a configuration into force: from the bytes and the environment to a gate.

use std::cell::OnceCell;

use super::abi::{self, Buffer, Level};
use super::crypto::ForeignCrypto;
use super::gatehouse::Gatehouse;
use super::log;
use super::status::{HostError, HostStatus};
use crate::audit::StreamId;
use crate::authn::probe::HostProbe;
use crate::config::Config;
use crate::gate::Gate;
use crate::time::UnixTime;

thread_local! {
    /// What this host's cryptography can be trusted with: found out once for a VM, which outlives its configurations.
    static PROBE: OnceCell<HostProbe> = const { OnceCell::new() };
}

/// Puts a gate for the configuration of this many bytes in place.
///
/// False only because of the bytes of the configuration and the environment, which are the same on every thread of the
/// host: Envoy leaves the filter out, and lets requests through, when a worker fails where the main thread did not
/// (envoyproxy/envoy#43751). When anything else fails, the gate stays closed and refuses every request.
pub(super) fn bring_into_force(gatehouse: &mut Gatehouse, size: usize) -> bool {
    let outcome = match configuration(size) {
        Ok(bytes) => match Config::load(&bytes, &variable) {
            Ok(config) => open(gatehouse, config),
            Err(problems) => {
                let line =
                    || format!("the configuration is refused: {}", problems.to_string().replace('\n', "; "));
                log::write(Level::Error, line);
                return false;
            }
        },
        Err(error) => Err(error.into()),
    };
    if let Err(error) = outcome {
        log::write(Level::Error, || format!("every request is refused: {error}"));
    }
    true
}

/// Puts a gate for `config` in place.
///
/// # Errors
///
/// Something other than the configuration failed. The gate stays closed.
fn open(gatehouse: &mut Gatehouse, config: Config) -> Result<(), SetupError> {
    let now = UnixTime::from_nanos(abi::current_time_nanoseconds()?);
    let stream = new_stream_id()?;
    let probe = PROBE.with(|probe| probe.get_or_init(|| HostProbe::run(&ForeignCrypto)).clone());
    let (gate, commands) = Gate::new(config, stream, now, probe);
    gatehouse.open(gate, commands);
    Ok(())
}

/// Why a good configuration did not come into force.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    /// The host did not do its part.
    #[error(transparent)]
    Host(#[from] HostError),
    /// There is no source of random numbers, and an audit stream without a name of its own proves nothing.
    #[error("the host has no random numbers")]
    NoRandomNumbers,
}

/// A variable of the environment, which in a module holds what the host's configuration lets through.
#[expect(clippy::disallowed_methods, reason = "the environment enters here, as an argument")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[expect(clippy::disallowed_methods, reason = "randomness enters here, as an argument")]
fn new_stream_id() -> Result<StreamId, SetupError> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).map_err(|_| SetupError::NoRandomNumbers)?;
    Ok(StreamId::from_bytes(bytes))
}

/// The whole configuration. None at all is for the document to refuse.
fn configuration(size: usize) -> Result<Vec<u8>, HostError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let configuration = abi::buffer(Buffer::PluginConfiguration, size)?;
    if configuration.len() == size {
        Ok(configuration)
    } else {
        Err(HostError { call: "proxy_get_buffer_bytes", status: HostStatus::ImpossibleResult })
    }
}
