//! The ABI of the host, proxy-wasm 0.2.1: its functions as safe functions over bytes, and the functions it calls.
//!
//! The one module of this project with `unsafe` code. It interprets nothing: no header, property or message is known
//! by name here, and what the host calls goes to [`super::callbacks`] as it came. Callbacks that would have nothing to do
//! are not exported: a host that finds one calls it for every request.
//!
//! A host that answers with a status unknown to us, or with a null pointer, or with a length beyond our memory, gets an
//! error from here, and never a panic. What cannot be guarded against is a host that writes over memory it was not
//! given: it owns the memory.
#![expect(unsafe_code, reason = "the ABI of proxy-wasm passes pointers; every other module is safe")]

use std::ptr;

use super::callbacks;
use super::status::{HostError, HostStatus};

/// Maps of headers (`proxy_map_type_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum HeaderMap {
    /// Headers of the request, pseudo-headers included.
    Request = 0,
    /// Trailers of the request.
    RequestTrailers = 1,
    /// Headers of the answer to a callout.
    CalloutResponse = 6,
}

/// Buffers of bytes (`proxy_buffer_type_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Buffer {
    /// Body of the request: what has arrived of it, while it is held. Readable only while the host calls
    /// `proxy_on_request_body` or `proxy_on_request_trailers`.
    RequestBody = 0,
    /// Body of the answer to a callout.
    CalloutResponseBody = 4,
    /// Configuration of the plugin. Readable only while the host calls `proxy_on_configure`.
    PluginConfiguration = 7,
}

/// Kinds of metrics (`proxy_metric_type_t`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum MetricType {
    /// Only grows.
    Counter = 0,
    /// Is set.
    Gauge = 1,
    /// Collects values.
    Histogram = 2,
}

/// Levels of the log (`proxy_log_level_t`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum Level {
    /// For someone following one request.
    Debug = 1,
    /// Something changed.
    Info = 2,
    /// Something is wrong, and the gate copes.
    Warn = 3,
    /// Something is wrong, and requests are refused for it.
    Error = 4,
    /// The module ends here.
    Critical = 5,
}

/// What the host is to do with a request next (`proxy_action_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Action {
    /// Let it go on.
    Continue = 0,
    /// Hold it, until it is answered or told to go on.
    Pause = 1,
}

/// The request, among the streams of an exchange (`proxy_stream_type_t`).
const REQUEST_STREAM: u32 = 0;

/// `grpc_status` of a reply that has none, -1: the host derives one from the HTTP status if the caller speaks gRPC.
const NO_GRPC_STATUS: u32 = u32::MAX;

/// What an out-parameter holds before the call. A host that reports success and leaves it there did not answer.
const NOT_WRITTEN: u32 = u32::MAX;

/// Bytes of one page of WebAssembly memory.
const PAGE_BYTES: u64 = 64 * 1024;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, message_size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    safe fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    safe fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: u32,
    ) -> u32;
    fn proxy_http_call(
        upstream: *const u8,
        upstream_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_milliseconds: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_define_metric(metric_type: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    safe fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    safe fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    safe fn proxy_set_effective_context(context: u32) -> u32;
    safe fn proxy_done() -> u32;
}

/// Writes one line to the host's log.
pub(crate) fn log(level: Level, message: &[u8]) -> Result<(), HostError> {
    // SAFETY: pointer and size are of one slice, which the host only reads.
    let code = unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
    outcome("proxy_log", code)
}

/// The least level that the host writes to its log, as a number of [`Level`]. An operator may change it at any time.
pub(crate) fn log_level() -> Result<u32, HostError> {
    let mut level = NOT_WRITTEN;
    // SAFETY: the host writes one u32 to a u32 of ours.
    let code = unsafe { proxy_get_log_level(&mut level) };
    written("proxy_get_log_level", code, level)
}

/// Nanoseconds since 1970-01-01T00:00:00Z. A host that reports the first of them has no clock.
pub(crate) fn current_time_nanoseconds() -> Result<u64, HostError> {
    const CALL: &str = "proxy_get_current_time_nanoseconds";
    let mut time = 0;
    // SAFETY: the host writes one u64 to a u64 of ours.
    let code = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    outcome(CALL, code)?;
    if time == 0 { Err(impossible(CALL)) } else { Ok(time) }
}

/// Asks for `proxy_on_tick` at this period; zero stops it.
pub(crate) fn set_tick_period_milliseconds(period: u32) -> Result<(), HostError> {
    outcome("proxy_set_tick_period_milliseconds", proxy_set_tick_period_milliseconds(period))
}

/// At most `max_size` bytes of a buffer, from its start.
pub(crate) fn buffer(buffer: Buffer, max_size: usize) -> Result<Vec<u8>, HostError> {
    returned("proxy_get_buffer_bytes", |data, size| {
        // SAFETY: `data` and `size` are out-parameters of ours.
        unsafe { proxy_get_buffer_bytes(buffer as u32, 0, max_size, data, size) }
    })
}

/// Every header of a map, encoded as [`crate::header_pairs`] reads it.
pub(crate) fn header_pairs(map: HeaderMap) -> Result<Vec<u8>, HostError> {
    returned("proxy_get_header_map_pairs", |data, size| {
        // SAFETY: `data` and `size` are out-parameters of ours.
        unsafe { proxy_get_header_map_pairs(map as u32, data, size) }
    })
}

/// The first header of this name.
pub(crate) fn header(map: HeaderMap, name: &[u8]) -> Result<Vec<u8>, HostError> {
    returned("proxy_get_header_map_value", |data, size| {
        // SAFETY: the host only reads `name`; `data` and `size` are out-parameters of ours.
        unsafe { proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size) }
    })
}

/// Replaces every header of this name with one.
pub(crate) fn replace_header(map: HeaderMap, name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: each pointer and size are of one slice, which the host only reads.
    let code = unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    };
    outcome("proxy_replace_header_map_value", code)
}

/// Removes every header of this name. It need not be there.
pub(crate) fn remove_header(map: HeaderMap, name: &[u8]) -> Result<(), HostError> {
    // SAFETY: pointer and size are of one slice, which the host only reads.
    let code = unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) };
    outcome("proxy_remove_header_map_value", code)
}

/// A property, by the segments of its path with one NUL between them.
pub(crate) fn property(path: &[u8]) -> Result<Vec<u8>, HostError> {
    returned("proxy_get_property", |data, size| {
        // SAFETY: the host only reads `path`; `data` and `size` are out-parameters of ours.
        unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) }
    })
}

/// Sets a property of the exchange, which the filters after us can read.
pub(crate) fn set_property(path: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: each pointer and size are of one slice, which the host only reads.
    let code = unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
    outcome("proxy_set_property", code)
}

/// Lets the paused request of the effective context go on.
pub(crate) fn continue_request() -> Result<(), HostError> {
    outcome("proxy_continue_stream", proxy_continue_stream(REQUEST_STREAM))
}

/// Answers the request of the effective context. `headers` are encoded by [`crate::header_pairs::encode`].
pub(crate) fn send_local_response(
    status: u32,
    details: &[u8],
    body: &[u8],
    headers: &[u8],
    grpc_status: Option<u32>,
) -> Result<(), HostError> {
    // SAFETY: each pointer and size are of one slice, which the host only reads.
    let code = unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status.unwrap_or(NO_GRPC_STATUS),
        )
    };
    outcome("proxy_send_local_response", code)
}

/// Sends an HTTP request to the cluster `upstream`, and returns the token under which the host will report its end to the
/// effective context. `headers` and `trailers` are encoded by [`crate::header_pairs::encode`]. A timeout of zero would be
/// none.
pub(crate) fn http_call(
    upstream: &[u8],
    headers: &[u8],
    body: &[u8],
    trailers: &[u8],
    timeout_milliseconds: u32,
) -> Result<u32, HostError> {
    let mut token = NOT_WRITTEN;
    // SAFETY: each pointer and size are of one slice, which the host only reads; it writes one u32 to a u32 of ours.
    let code = unsafe {
        proxy_http_call(
            upstream.as_ptr(),
            upstream.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            timeout_milliseconds,
            &mut token,
        )
    };
    written("proxy_http_call", code, token)
}

/// Defines a metric. Each call makes a new entry in the host.
pub(crate) fn define_metric(metric_type: MetricType, name: &[u8]) -> Result<u32, HostError> {
    let mut id = NOT_WRITTEN;
    // SAFETY: the host only reads `name`, and writes one u32 to a u32 of ours.
    let code = unsafe { proxy_define_metric(metric_type as u32, name.as_ptr(), name.len(), &mut id) };
    written("proxy_define_metric", code, id)
}

/// Adds to a counter.
pub(crate) fn increment_metric(id: u32, offset: i64) -> Result<(), HostError> {
    outcome("proxy_increment_metric", proxy_increment_metric(id, offset))
}

/// Sets a gauge, or adds a value to a histogram.
pub(crate) fn record_metric(id: u32, value: u64) -> Result<(), HostError> {
    outcome("proxy_record_metric", proxy_record_metric(id, value))
}

/// Calls a function that this host offers beyond the ABI.
pub(crate) fn call_foreign_function(name: &[u8], argument: &[u8]) -> Result<Vec<u8>, HostError> {
    returned("proxy_call_foreign_function", |data, size| {
        // SAFETY: the host only reads `name` and `argument`; `data` and `size` are out-parameters of ours.
        unsafe {
            proxy_call_foreign_function(
                name.as_ptr(),
                name.len(),
                argument.as_ptr(),
                argument.len(),
                data,
                size,
            )
        }
    })
}

/// Makes the calls that follow act on another context, until the callback returns. An error if it is gone.
pub(crate) fn set_effective_context(context: u32) -> Result<(), HostError> {
    outcome("proxy_set_effective_context", proxy_set_effective_context(context))
}

/// Tells the host that the effective context, whose `proxy_on_done` asked for time, is done.
pub(crate) fn done() -> Result<(), HostError> {
    outcome("proxy_done", proxy_done())
}

fn outcome(call: &'static str, code: u32) -> Result<(), HostError> {
    HostStatus::from_code(code).map_err(|status| HostError { call, status })
}

fn impossible(call: &'static str) -> HostError {
    HostError { call, status: HostStatus::ImpossibleResult }
}

fn written(call: &'static str, code: u32, value: u32) -> Result<u32, HostError> {
    outcome(call, code)?;
    if value == NOT_WRITTEN { Err(impossible(call)) } else { Ok(value) }
}

/// Takes over the bytes that a call returns. Success without a pointer is an empty value.
fn returned(
    call: &'static str,
    perform: impl FnOnce(*mut *mut u8, *mut usize) -> u32,
) -> Result<Vec<u8>, HostError> {
    let mut data = ptr::null_mut();
    let mut size = 0;
    let code = perform(&mut data, &mut size);
    outcome(call, code)?;
    if size == 0 {
        // Nothing is lost here: the allocator takes no memory for zero bytes.
        return Ok(Vec::new());
    }
    if data.is_null() || !lies_in_memory(data, size) {
        return Err(impossible(call));
    }
    // SAFETY: the host got `data` from the exported `proxy_on_memory_allocate(size)`, which leaks a boxed slice of
    // `size` bytes made by the global allocator; nothing else knows the pointer. It is not null, and lies in memory.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

fn lies_in_memory(data: *const u8, size: usize) -> bool {
    let pages = u64::try_from(core::arch::wasm32::memory_size::<0>()).unwrap_or(0);
    let (start, size) =
        (u64::try_from(data.addr()).unwrap_or(u64::MAX), u64::try_from(size).unwrap_or(u64::MAX));
    start.saturating_add(size) <= pages.saturating_mul(PAGE_BYTES)
}

#[cfg(target_os = "wasi")]
unsafe extern "C" {
    /// Runs what the linker has to have run before anything else: without it there is no environment.
    fn __wasm_call_ctors();
}

/// The host calls this once, before everything else.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    #[cfg(target_os = "wasi")]
    // SAFETY: the linker makes this function, which takes nothing and returns nothing, and it is called once.
    unsafe {
        __wasm_call_ctors();
    }
    callbacks::initialize();
}

/// Tells the host by its presence which version of the ABI is spoken.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for bytes that the host is about to return: see [`returned`]. The host writes all of it before it says where it is;
/// to one that does not, nothing here is a secret, for it owns the memory.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    callbacks::on_context_create(context, parent);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> u32 {
    callbacks::on_configure(root, size).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    callbacks::on_tick(root);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _lines: u32, end_of_stream: u32) -> u32 {
    callbacks::on_request_headers(context, end_of_stream != 0) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, size: usize, end_of_stream: u32) -> u32 {
    callbacks::on_request_body(context, size, end_of_stream != 0) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _lines: u32) -> u32 {
    callbacks::on_request_trailers(context) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    token: u32,
    headers: usize,
    body_size: usize,
    _trailers: usize,
) {
    callbacks::on_http_call_response(root, token, headers, body_size);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(context: u32) -> u32 {
    callbacks::on_done(context).into()
}
