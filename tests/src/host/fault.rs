//! Fault injection: any hostcall can fail, always or on one call, everywhere or on one VM.

use super::{Status, VmName};

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident = $import:literal),* $(,)?) => {
        /// Every hostcall of the ABI that a fault can be put on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant is the import of its name")]
        pub enum Call { $($variant),* }

        impl Call {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The import's name in module `env`.
            pub fn import(self) -> &'static str {
                match self { $(Self::$variant => $import),* }
            }
        }
    };
}

calls! {
    Log = "proxy_log",
    GetLogLevel = "proxy_get_log_level",
    GetCurrentTimeNanoseconds = "proxy_get_current_time_nanoseconds",
    SetTickPeriodMilliseconds = "proxy_set_tick_period_milliseconds",
    GetBufferBytes = "proxy_get_buffer_bytes",
    SetBufferBytes = "proxy_set_buffer_bytes",
    GetBufferStatus = "proxy_get_buffer_status",
    GetHeaderMapSize = "proxy_get_header_map_size",
    GetHeaderMapPairs = "proxy_get_header_map_pairs",
    SetHeaderMapPairs = "proxy_set_header_map_pairs",
    GetHeaderMapValue = "proxy_get_header_map_value",
    AddHeaderMapValue = "proxy_add_header_map_value",
    ReplaceHeaderMapValue = "proxy_replace_header_map_value",
    RemoveHeaderMapValue = "proxy_remove_header_map_value",
    GetProperty = "proxy_get_property",
    SetProperty = "proxy_set_property",
    ContinueStream = "proxy_continue_stream",
    CloseStream = "proxy_close_stream",
    SendLocalResponse = "proxy_send_local_response",
    HttpCall = "proxy_http_call",
    GrpcCall = "proxy_grpc_call",
    GrpcStream = "proxy_grpc_stream",
    GrpcSend = "proxy_grpc_send",
    GrpcCancel = "proxy_grpc_cancel",
    GrpcClose = "proxy_grpc_close",
    GetStatus = "proxy_get_status",
    GetSharedData = "proxy_get_shared_data",
    SetSharedData = "proxy_set_shared_data",
    RegisterSharedQueue = "proxy_register_shared_queue",
    ResolveSharedQueue = "proxy_resolve_shared_queue",
    DequeueSharedQueue = "proxy_dequeue_shared_queue",
    EnqueueSharedQueue = "proxy_enqueue_shared_queue",
    DefineMetric = "proxy_define_metric",
    GetMetric = "proxy_get_metric",
    RecordMetric = "proxy_record_metric",
    IncrementMetric = "proxy_increment_metric",
    SetEffectiveContext = "proxy_set_effective_context",
    Done = "proxy_done",
    CallForeignFunction = "proxy_call_foreign_function",
}

/// What an injected fault does to the calls it strikes.
#[derive(Clone, Debug)]
pub struct Fault {
    effect: Effect,
    nth: Option<usize>,
    vm: Option<VmName>,
}

#[derive(Clone, Debug)]
pub(super) enum Effect {
    Status(Status),
    Bytes(Vec<u8>),
}

impl Fault {
    /// The call does nothing and returns this status. `Status(0)` is a host that lies: it says OK and wrote nothing.
    pub fn status(status: u32) -> Self {
        Self { effect: Effect::Status(Status(status)), nth: None, vm: None }
    }

    /// The guest's allocator has nothing left: a call that hands over data fails with `InvalidMemoryAccess`.
    pub fn out_of_guest_memory() -> Self {
        Self::status(Status::INVALID_MEMORY_ACCESS.0)
    }

    /// The call succeeds, and the data it hands over is these bytes: not UTF-8, truncated, too long.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { effect: Effect::Bytes(bytes.into()), nth: None, vm: None }
    }

    /// Only the `nth` call from now on is struck, counted from 1; the others go through.
    pub fn nth(mut self, nth: usize) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Only calls from this VM are struck.
    pub fn on(mut self, vm: VmName) -> Self {
        self.vm = Some(vm);
        self
    }
}

/// The faults in force and how often each has been passed.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Call, Fault, usize)>);

impl Faults {
    pub(super) fn inject(&mut self, call: Call, fault: Fault) {
        self.0.push((call, fault, 0));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to this call, if anything does.
    pub(super) fn strike(&mut self, call: Call, vm: VmName) -> Option<Effect> {
        let mut struck = None;
        for (at, fault, seen) in &mut self.0 {
            if *at == call && fault.vm.is_none_or(|only| only == vm) {
                *seen += 1;
                if fault.nth.is_none_or(|nth| nth == *seen) && struck.is_none() {
                    struck = Some(fault.effect.clone());
                }
            }
        }
        struck
    }
}
