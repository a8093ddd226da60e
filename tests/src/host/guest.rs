//! One hostcall's view of the guest that made it: its memory, its allocator, its host-side state.

use super::{Call, Status, fault::Effect, state::State};
use wasmtime::{Caller, Extern};

/// Calls a module may make while `_initialize` runs.
const ALLOWED_WHILE_INITIALIZING: &[Call] = &[Call::Log, Call::GetLogLevel, Call::GetCurrentTimeNanoseconds];

/// How a hostcall ends early.
pub(super) enum Stop {
    /// The guest gets this status.
    Status(Status),
    /// The guest dies.
    Trap(wasmtime::Error),
}

impl From<Status> for Stop {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

pub(super) type HostResult = Result<(), Stop>;

pub(super) struct Guest<'a> {
    caller: Caller<'a, State>,
    /// What an injected fault hands over instead of the real data.
    forged: Option<Vec<u8>>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(caller: Caller<'a, State>) -> Self {
        Self { caller, forged: None }
    }

    /// Runs one hostcall: restrictions first, then faults, then the call itself.
    pub(super) fn hostcall(
        mut self,
        call: Call,
        run: impl FnOnce(&mut Self) -> HostResult,
    ) -> Result<u32, wasmtime::Error> {
        if self.state().initializing && !ALLOWED_WHILE_INITIALIZING.contains(&call) {
            return Err(wasmtime::Error::msg(format!("restricted_callback: {}", call.import())));
        }
        *self.state_mut().calls.entry(call).or_default() += 1;
        let name = self.state().name;
        let effect = self.state().process.borrow_mut().strike(call, name);
        match effect {
            Some(Effect::Status(status)) => return Ok(status.0),
            Some(Effect::Bytes(bytes)) => self.forged = Some(bytes),
            None => {}
        }
        match run(&mut self) {
            Ok(()) => Ok(Status::OK.0),
            Err(Stop::Status(status)) => Ok(status.0),
            Err(Stop::Trap(error)) => Err(error),
        }
    }

    pub(super) fn state(&self) -> &State {
        self.caller.data()
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        self.caller.data_mut()
    }

    pub(super) fn read(&mut self, pointer: u32, length: u32) -> Result<Vec<u8>, Stop> {
        let range = pointer as usize..pointer as usize + length as usize;
        self.memory()?.data(&self.caller).get(range).map(<[u8]>::to_vec).ok_or(INVALID.into())
    }

    pub(super) fn read_text(&mut self, pointer: u32, length: u32) -> Result<String, Stop> {
        Ok(String::from_utf8_lossy(&self.read(pointer, length)?).into_owned())
    }

    pub(super) fn write(&mut self, pointer: u32, bytes: &[u8]) -> HostResult {
        let memory = self.memory()?;
        memory.write(&mut self.caller, pointer as usize, bytes).map_err(|_| INVALID.into())
    }

    pub(super) fn write_u32(&mut self, pointer: u32, value: u32) -> HostResult {
        self.write(pointer, &value.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, pointer: u32, value: u64) -> HostResult {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Hands bytes over in memory the guest allocates. Nothing is a null pointer and length 0.
    pub(super) fn give(&mut self, bytes: &[u8], pointer_out: u32, length_out: u32) -> HostResult {
        let forged = self.forged.take();
        let bytes = forged.as_deref().unwrap_or(bytes);
        let pointer = if bytes.is_empty() { 0 } else { self.allocate(bytes.len() as u32)? };
        if !bytes.is_empty() {
            self.write(pointer, bytes)?;
        }
        self.write_u32(pointer_out, pointer)?;
        self.write_u32(length_out, bytes.len() as u32)
    }

    fn allocate(&mut self, length: u32) -> Result<u32, Stop> {
        let export = ["malloc", "proxy_on_memory_allocate"]
            .into_iter()
            .find_map(|name| self.caller.get_export(name).and_then(Extern::into_func));
        let allocate = export.ok_or(INVALID)?.typed::<u32, u32>(&self.caller).map_err(Stop::Trap)?;
        match allocate.call(&mut self.caller, length).map_err(Stop::Trap)? {
            0 => Err(INVALID.into()),
            pointer => Ok(pointer),
        }
    }

    fn memory(&mut self) -> Result<wasmtime::Memory, Stop> {
        self.caller.get_export("memory").and_then(Extern::into_memory).ok_or(INVALID.into())
    }
}

const INVALID: Status = Status::INVALID_MEMORY_ACCESS;
