//! The callbacks of one root context: one configuration, from its arrival until its last request is over.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::abi::{self, Buffer, Level};
use super::crypto::ForeignCrypto;
use super::gatehouse::{Gatehouse, SharedGatehouse};
use super::http::Exchange;
use super::status::{HostError, HostStatus};
use super::{callout, log};
use crate::audit::StreamId;
use crate::authn::probe::HostProbe;
use crate::config::Config;
use crate::gate::Gate;
use crate::time::UnixTime;

thread_local! {
    /// What this host's cryptography can be trusted with: found out once for a VM, which outlives its configurations.
    static PROBE: OnceCell<HostProbe> = const { OnceCell::new() };
}

/// One configuration, to the host.
pub(crate) struct Root {
    gatehouse: SharedGatehouse,
}

impl Root {
    /// The root context with this id. Until it is configured it refuses everything.
    pub(crate) fn new(id: u32) -> Root {
        Root { gatehouse: Rc::new(RefCell::new(Gatehouse::new(id))) }
    }

    /// Puts a gate for `config` in place.
    ///
    /// # Errors
    ///
    /// Something other than the configuration failed. The gate stays closed.
    fn open(&self, config: Config) -> Result<(), SetupError> {
        let now = UnixTime::from_nanos(abi::current_time_nanoseconds()?);
        let stream = new_stream_id()?;
        let mut gatehouse = self.gatehouse.try_borrow_mut().map_err(|_| SetupError::CalledBack)?;
        let probe = PROBE.with(|probe| probe.get_or_init(|| HostProbe::run(&ForeignCrypto)).clone());
        let (gate, commands) = Gate::new(config, stream, now, probe);
        gatehouse.open(gate, commands);
        Ok(())
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_bytes: usize, _trailers: usize) {
        let reply = callout::reply(headers, body_bytes);
        if let Ok(mut gatehouse) = self.gatehouse.try_borrow_mut() {
            gatehouse.reply(token, reply);
        }
    }

    fn on_done(&mut self) -> bool {
        self.gatehouse.try_borrow_mut().map_or(true, |mut gatehouse| gatehouse.retire())
    }
}

impl RootContext for Root {
    /// False only because of the bytes of the configuration and the environment, which are the same on every thread of the
    /// host: Envoy leaves the filter out, and lets requests through, when a worker fails where the main thread did not
    /// (envoyproxy/envoy#43751). When anything else fails, the gate stays closed and refuses every request.
    fn on_configure(&mut self, size: usize) -> bool {
        let outcome = match configuration(size) {
            Ok(bytes) => match Config::load(&bytes, &variable) {
                Ok(config) => self.open(config),
                Err(problems) => {
                    let line = || {
                        format!("the configuration is refused: {}", problems.to_string().replace('\n', "; "))
                    };
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

    fn on_tick(&mut self) {
        if let Ok(mut gatehouse) = self.gatehouse.try_borrow_mut() {
            gatehouse.tick();
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Exchange::new(id, Rc::clone(&self.gatehouse))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
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
    /// The host called back while it was being called.
    #[error("the host called back while it was being called")]
    CalledBack,
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
